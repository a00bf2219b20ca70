//! The computation of a commission, and the changes of its state. Every change posts to the ledger.

use std::collections::BTreeMap;

use crate::engine::facts::{Commission, Enrollment, Paid, Terms, in_currency};
use crate::engine::ids::{CommissionId, LeadId, PaymentId};
use crate::engine::message::News;
use crate::engine::state::{Account, CommissionKind, CommissionState, EntryKind, VoidCause};
use crate::engine::work::Work;
use crate::money::{Currency, Rate};

/// The pay of one line of the terms.
pub enum Line {
    Percent(Rate),
    Flat(i64),
    /// The flat amounts do not name the payment's currency.
    NoSuchCurrency,
}

pub fn line_of(terms: &Terms, first: bool, currency: Currency) -> Line {
    let (rate, flat) =
        if first { (terms.referral_rate, &terms.referral_flat) } else { (terms.recurring_rate, &terms.recurring_flat) };
    match (rate.and_then(Rate::from_units), flat) {
        (Some(rate), _) => Line::Percent(rate),
        (None, Some(map)) => in_currency(map, currency).map_or(Line::NoSuchCurrency, Line::Flat),
        (None, None) => Line::NoSuchCurrency,
    }
}

/// The commission on an amount: one rounding, half away from zero; a flat one never above the payment.
pub fn amount_of(line: &Line, base: i64) -> i64 {
    match line {
        Line::Percent(rate) => rate.of(base),
        Line::Flat(flat) => (*flat).min(base),
        Line::NoSuchCurrency => 0,
    }
}

/// Makes the commission of a payment, pending, and posts it.
pub fn of_payment(
    work: &mut Work,
    paid: &Paid,
    lead_id: LeadId,
    to: &Enrollment,
    terms: &Terms,
    first: bool,
    line: &Line,
) {
    let id = work.id();
    let (rate, flat) = match line {
        Line::Percent(rate) => (Some(rate.units()), None),
        Line::Flat(flat) => (None, Some(*flat)),
        Line::NoSuchCurrency => (None, None),
    };
    let now = work.now.micros();
    let commission = Commission {
        id,
        business_id: paid.business_id,
        campaign_id: paid.campaign_id,
        test: paid.test,
        kind: if first { CommissionKind::Referral } else { CommissionKind::Recurring },
        product_id: Some(paid.product_id),
        payment_id: Some(paid.id),
        lead_id,
        referrer_id: to.referrer_id,
        enrollment_id: to.id,
        terms_id: Some(terms.id),
        terms_number: Some(terms.number),
        rate,
        flat,
        base_amount: paid.amount,
        amount: amount_of(line, paid.amount),
        currency: paid.currency,
        hold_days: terms.hold_days,
        hold_until: paid.payment_date.plus_days(terms.hold_days),
        state: CommissionState::Pending,
        void_cause: None,
        reason: None,
        released: false,
        reversed_at: None,
        taken_back: 0,
        line_id: None,
        created_at: now,
        updated_at: now,
    };
    insert(work, commission);
    follow_refunds(work, id);
}

/// The amount due for a payment of which `refunded` was given back: computed from what is left, never from
/// rounded parts. A flat one stays until the whole is refunded.
pub fn worth(c: &Commission, refunded: i64) -> i64 {
    let left = c.base_amount - refunded;
    match (c.rate.and_then(Rate::from_units), c.flat) {
        _ if left <= 0 => 0,
        (Some(rate), _) => rate.of(left),
        (None, Some(flat)) => flat.min(c.base_amount),
        (None, None) => 0,
    }
}

/// Brings a commission to what its payment is worth after its refunds. An unpaid one changes, or is void
/// when nothing is left; of a paid one the difference is taken off what is due.
pub fn follow_refunds(work: &mut Work, id: CommissionId) {
    let Some(c) = work.facts.commissions.get(&id).cloned() else { return };
    let Some(paid) = c.payment_id.and_then(|p| work.facts.payments.get(&p)).filter(|p| p.refunded > 0) else { return };
    let (worth, whole) = (worth(&c, paid.refunded), paid.left() == 0);
    let less = c.amount - c.taken_back - worth;
    let ends = whole && if c.is_committed() { c.reversed_at.is_none() } else { c.is_unpaid() };
    if less == 0 && !ends {
        return;
    }
    if c.is_committed() {
        take_back(work, id, less, whole);
    } else {
        // A void one is not on the ledger; its amount has to be right if it ever comes back.
        if whole {
            void(work, id, VoidCause::Refunded, None);
        } else if c.is_unpaid() {
            work.post(id, work.facts.account_of(&c), -less, EntryKind::Refunded);
        }
        if let Some(c) = work.commission_mut(id) {
            c.amount = worth;
        }
    }
    if !c.is_void() && !work.writes.new_commissions.contains(&id) {
        *work.writes.reduced.entry(id).or_default() += less;
    }
}

/// Brings an unpaid commission to what its payment is worth after a refund of it failed.
pub fn follow_undone(work: &mut Work, id: CommissionId) {
    let Some(c) = work.facts.commissions.get(&id).cloned() else { return };
    let Some(paid) = c.payment_id.and_then(|p| work.facts.payments.get(&p)) else { return };
    let worth = worth(&c, paid.refunded);
    if worth == c.amount {
        return;
    }
    if c.is_unpaid() {
        work.post(id, work.facts.account_of(&c), worth - c.amount, EntryKind::Refunded);
    }
    if let Some(c) = work.commission_mut(id) {
        c.amount = worth;
    }
}

/// Gives a commission again that a refund voided, when that refund failed: to whom its lead belongs by then. Where that
/// is nobody, or one who was banned, it goes with the lead to the next referrer. What staff voided stays void.
pub fn give_after_undone(work: &mut Work, payment_id: PaymentId) {
    let rows: Vec<Commission> = work.facts.commissions_of(payment_id).into_iter().cloned().collect();
    let voided = rows.iter().filter(|c| c.void_cause == Some(VoidCause::Refunded));
    let Some(last) = voided.max_by_key(|c| (c.updated_at, c.id)).filter(|_| rows.iter().all(Commission::is_void))
    else {
        return;
    };
    let lead = work.facts.leads.get(&last.lead_id);
    let to = lead.and_then(|lead| work.facts.enrollment_of_lead(lead)).filter(|e| !e.is_banned()).cloned();
    let is_settled = |c: &Commission| c.void_cause == Some(VoidCause::Staff);
    if let Some(to) = &to
        && !rows.iter().any(|c| c.referrer_id == to.referrer_id && is_settled(c))
    {
        give_again(work, last, to);
    }
    for c in rows.iter().filter(|c| c.void_cause == Some(VoidCause::Refunded)) {
        if let Some(c) = work.commission_mut(c.id).filter(|c| c.is_void()) {
            c.void_cause = Some(VoidCause::Reattributed);
        }
    }
}

/// Takes a part of a commission back that a payout has taken, or all of it: an adjustment of what is due.
pub fn take_back(work: &mut Work, id: CommissionId, amount: i64, whole: bool) {
    let now = work.now.micros();
    let Some(c) = work.commission_mut(id) else { return };
    c.taken_back += amount;
    if whole {
        c.reversed_at = c.reversed_at.or(Some(now));
    }
    work.claw_back(id, amount);
}

/// A new pending commission: row, ledger, figures, message.
pub fn insert(work: &mut Work, commission: Commission) {
    let (id, amount) = (commission.id, commission.amount);
    let news = News::CommissionCreated {
        commission_id: id,
        amount: commission.money(),
        referrer_id: commission.referrer_id,
        lead_id: commission.lead_id,
        hold_until: commission.hold_until,
    };
    let (business_id, test, account) = (commission.business_id, commission.test, work.facts.account_of(&commission));
    work.facts.commissions.insert(id, commission);
    work.writes.new_commissions.insert(id);
    work.post(id, account, amount, EntryKind::Created);
    work.report(business_id, test, news);
}

/// Moves an unpaid commission to `void` and takes its amount off the ledger.
pub fn void(work: &mut Work, id: CommissionId, cause: VoidCause, reason: Option<&str>) {
    let Some(c) = work.facts.commissions.get(&id).filter(|c| c.is_unpaid()).cloned() else { return };
    work.post(id, work.facts.account_of(&c), -c.amount, EntryKind::Voided);
    let reason = reason.map(str::to_owned);
    if let Some(c) = work.commission_mut(id) {
        c.state = CommissionState::Void;
        c.void_cause = Some(cause);
        c.reason.clone_from(&reason);
    }
    work.report(c.business_id, c.test, News::CommissionVoided { commission_id: id, cause, reason });
}

/// A void commission of the same payment and referrer comes back as it was decided.
fn restore(work: &mut Work, id: CommissionId) {
    let Some(c) = work.commission_mut(id) else { return };
    c.state = CommissionState::Pending;
    c.void_cause = None;
    c.reason = None;
    let c = c.clone();
    work.post(id, work.facts.account_of(&c), c.amount, EntryKind::Restored);
}

/// An unpaid commission, or its payment, was decided about: its amount goes from the account it stood on to
/// the one it stands on now. Answers the new account where it is another one.
pub fn move_from(work: &mut Work, id: CommissionId, from: Account, kind: EntryKind) -> Option<Account> {
    let c = work.facts.commissions.get(&id).cloned()?;
    let to = work.facts.account_of(&c);
    if to == from {
        return None;
    }
    work.post(id, from, -c.amount, kind);
    work.post(id, to, c.amount, kind);
    Some(to)
}

/// Voids what a lead's referrer has not been paid yet; answers the rows as they were.
pub fn take_from_lead(work: &mut Work, lead_id: LeadId, cause: VoidCause) -> Vec<Commission> {
    let mut taken: Vec<Commission> =
        work.facts.commissions.values().filter(|c| c.lead_id == lead_id && c.is_unpaid()).cloned().collect();
    taken.sort_by_key(|c| c.id);
    for c in &taken {
        void(work, c.id, cause, None);
    }
    taken
}

fn went_along(c: &Commission) -> bool {
    c.is_void() && c.void_cause.is_some_and(VoidCause::went_with_attribution)
}

/// The commissions that went with an attribution, and nobody has instead: one row a payment, and the reward
/// of a lead that still counts. What staff voided stays void.
pub fn left_behind(work: &Work, lead_id: LeadId) -> Vec<Commission> {
    let counts = work.facts.leads.get(&lead_id).is_some_and(|l| l.qualified_at.is_some());
    let mut by_payment: BTreeMap<Option<PaymentId>, Vec<&Commission>> = BTreeMap::new();
    for c in work.facts.commissions.values().filter(|c| c.lead_id == lead_id) {
        by_payment.entry(c.payment_id).or_default().push(c);
    }
    let mut left = Vec::new();
    for (payment, mut rows) in by_payment {
        rows.sort_by_key(|c| (c.updated_at, c.id));
        let nobody_has_it = match payment {
            Some(id) => {
                let is_left = work.facts.payments.get(&id).is_some_and(|p| p.left() > 0);
                is_left && rows.iter().all(|c| went_along(c))
            }
            None => counts && work.facts.live_reward(lead_id).is_none(),
        };
        left.extend(rows.pop().filter(|last| nobody_has_it && went_along(last)).cloned());
    }
    left
}

/// The same commission for another referrer: same payment, terms, base and hold; pending again.
pub fn give_again(work: &mut Work, old: &Commission, to: &Enrollment) {
    if let Some(payment) = old.payment_id
        && let Some(known) = work.facts.commission_of(payment, to.referrer_id)
    {
        let (id, is_void) = (known.id, known.is_void());
        if is_void {
            restore(work, id);
        }
        return;
    }
    if old.payment_id.is_some() || !reward_again(work, old.lead_id, to) {
        copy(work, old, to);
    }
}

/// Gives a referrer a lead's reward again as it was decided; false where they never had one. One that staff
/// voided stays void, and no other is made.
pub fn reward_again(work: &mut Work, lead_id: LeadId, to: &Enrollment) -> bool {
    let is_reward = |c: &&Commission| c.lead_id == lead_id && c.kind == CommissionKind::Reward;
    let of_lead = work.facts.commissions.values().filter(is_reward);
    let last = of_lead.filter(|c| c.referrer_id == to.referrer_id).max_by_key(|c| c.id).cloned();
    let Some(last) = last else { return false };
    if !last.is_void() {
        // It was paid and taken back: that row stays as it is.
        copy(work, &last, to);
    } else if last.void_cause.is_some_and(|cause| cause.went_with_attribution() || cause == VoidCause::Unqualified) {
        restore(work, last.id);
    }
    true
}

fn copy(work: &mut Work, old: &Commission, to: &Enrollment) {
    let id = work.id();
    let commission = Commission {
        id,
        referrer_id: to.referrer_id,
        enrollment_id: to.id,
        state: CommissionState::Pending,
        void_cause: None,
        reason: None,
        released: false,
        reversed_at: None,
        taken_back: 0,
        line_id: None,
        created_at: work.now.micros(),
        updated_at: work.now.micros(),
        ..old.clone()
    };
    insert(work, commission);
}
