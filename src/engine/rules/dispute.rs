//! A dispute is a mark on a payment. While it is on, nothing that the payment earned is approved or paid: what
//! was due is held, and the words of the commissions' states stay. When it ends everything stands where it
//! stood; a refund of the whole payment decides it.

use serde_json::json;

use super::{About, audit, commission};
use crate::engine::event::{Event, Outcome};
use crate::engine::facts::Paid;
use crate::engine::work::Work;
use crate::money::Money;

/// Staff mark a payment as disputed, or take the mark off.
pub fn mark(work: &mut Work, event: &Event, payment_id: i64, disputed: bool, reason: &str) -> Outcome {
    let Some(paid) = work.facts.payments.get(&payment_id).filter(|p| p.business_id == event.business_id) else {
        return Outcome::NotFound;
    };
    if paid.disputed_at.is_some() == disputed {
        return Outcome::Done { id: payment_id, changed: false };
    }
    if disputed && paid.left() == 0 {
        let why = match paid.amount {
            0 => "Nothing was paid, so there is nothing to dispute.",
            _ => "The payment was wholly refunded: nothing of it is left to dispute.",
        };
        return Outcome::Refused { why: why.into() };
    }
    set(work, event, payment_id, disputed, reason);
    Outcome::Done { id: payment_id, changed: true }
}

/// The whole payment was given back, which is what a lost dispute comes to.
pub fn lose(work: &mut Work, event: &Event, payment_id: i64) {
    let lost = |p: &Paid| p.disputed_at.is_some() && p.left() == 0;
    if work.facts.payments.get(&payment_id).is_some_and(lost) {
        set(work, event, payment_id, false, "The whole payment was refunded.");
    }
}

/// The mark, the money that moves with it, audit and message.
fn set(work: &mut Work, event: &Event, payment_id: i64, disputed: bool, reason: &str) {
    let facts = &work.facts;
    let unpaid = facts.commissions.values().filter(|c| c.payment_id == Some(payment_id) && c.is_unpaid());
    let mut unpaid: Vec<(i64, &'static str)> = unpaid.map(|c| (c.id, facts.account_of(c))).collect();
    unpaid.sort_unstable();
    let referrer_id = facts.standing_commission(payment_id).map(|c| c.referrer_id);
    let now = work.now.micros();
    let Some(paid) = work.payment_mut(payment_id) else { return };
    paid.disputed_at = disputed.then_some(now);
    let paid = paid.clone();
    work.writes.marked_payments.insert(payment_id);
    let (action, kind) =
        if disputed { ("payment.disputed", "disputed") } else { ("payment.dispute_ended", "dispute ended") };
    for (id, from) in unpaid {
        if let Some(to) = commission::move_from(work, id, from, kind) {
            work.writes.moved.insert(id, to);
        }
    }
    let about = About { action, kind: "payment", id: payment_id, lead_id: paid.lead_id, referrer_id };
    let amount = Money::shown_in(paid.amount, &paid.currency);
    let after = json!({ "disputed": disputed, "amount": amount });
    audit(work, event, about, Some(json!({ "disputed": !disputed })), Some(after), Some(reason.to_owned()));
    let mut told = json!({ "amount": amount, "reason": reason });
    if !disputed {
        told["lost"] = json!(paid.left() == 0);
    }
    work.tell(paid.business_id, paid.test, action, payment_id, told);
}
