//! A dispute is a mark on a payment. While it is on, nothing that the payment earned is approved or paid: what
//! was due is held, and the words of the commissions' states stay. When it ends everything stands where it
//! stood; a refund of the whole payment decides it.

use serde_json::json;

use super::audit::{Note, audit};
use super::commission;
use crate::engine::decision::By;
use crate::engine::facts::Paid;
use crate::engine::ids::{CommissionId, PaymentId};
use crate::engine::message::News;
use crate::engine::state::{CommissionState, EntryKind};
use crate::engine::work::Work;

/// The whole payment was given back, which is what a lost dispute comes to.
pub fn lose(work: &mut Work, by: &By, payment_id: PaymentId) {
    let lost = |p: &Paid| p.disputed_at.is_some() && p.left() == 0;
    if work.facts.payments.get(&payment_id).is_some_and(lost) {
        mark(work, by, payment_id, false, "The whole payment was refunded.");
    }
}

/// The mark, the money that moves with it, audit and message.
pub fn mark(work: &mut Work, by: &By, payment_id: PaymentId, disputed: bool, reason: &str) {
    let facts = &work.facts;
    let earned = facts.commissions_of(payment_id);
    // A payout may have given back what is committed: its amount stands, and moves as any other.
    let owed: Vec<_> = earned.iter().filter(|c| c.is_owed()).map(|c| (c.id, facts.account_of(c))).collect();
    let payable = |state| matches!(state, CommissionState::Approved | CommissionState::Paid);
    let payable_ids: Vec<CommissionId> = earned.iter().filter(|c| payable(c.state)).map(|c| c.id).collect();
    let referrer_id = facts.standing_commission(payment_id).map(|c| c.referrer_id);
    // Each is changed by the mark alone, for a payout that takes it or gives it back at this moment.
    for id in payable_ids {
        work.commission_mut(id);
    }
    let now = work.now.micros();
    let Some(paid) = work.payment_mut(payment_id) else { return };
    paid.disputed_at = disputed.then_some(now);
    let paid = paid.clone();
    work.writes.marked_payments.insert(payment_id);
    let (action, kind) = if disputed {
        ("payment.disputed", EntryKind::Disputed)
    } else {
        ("payment.dispute_ended", EntryKind::DisputeEnded)
    };
    for (id, from) in owed {
        if let Some(to) = commission::move_from(work, id, from, kind) {
            work.writes.moved.insert(id, to);
        }
    }
    let amount = paid.money(paid.amount);
    let note = Note::payment(action, payment_id, paid.lead_id)
        .of_referrer(referrer_id)
        .before(json!({ "disputed": !disputed }))
        .after(json!({ "disputed": disputed, "amount": amount.shown() }))
        .reason(Some(reason));
    audit(work, by, note);
    let reason = reason.to_owned();
    let news = if disputed {
        News::PaymentDisputed { payment_id, amount, reason }
    } else {
        News::PaymentDisputeEnded { payment_id, amount, reason, lost: paid.left() == 0 }
    };
    work.report(paid.business_id, paid.test, news);
}
