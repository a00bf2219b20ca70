//! What a commission is computed from, and how its state changes. Every change posts to the ledger.

use std::collections::BTreeMap;

use serde_json::json;

use super::{About, audit};
use crate::clock::Day;
use crate::engine::event::{Event, Outcome};
use crate::engine::facts::{Commission, Enrollment, Paid, Terms, in_currency};
use crate::engine::work::Work;
use crate::money::{Currency, Money, Rate};

/// How one line of the terms pays.
pub enum Line {
    Percent(Rate),
    Flat(i64),
    /// The flat amounts do not name the payment's currency.
    NoSuchCurrency,
}

pub fn line_of(terms: &Terms, first: bool, currency: &str) -> Line {
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
pub fn of_payment(work: &mut Work, paid: &Paid, to: &Enrollment, terms: &Terms, first: bool, line: &Line) -> i64 {
    let id = work.id();
    let hold_until = Day::parse(&paid.payment_date).map(|d| d.plus_days(terms.hold_days).to_string());
    let (rate, flat) = match line {
        Line::Percent(rate) => (Some(rate.units()), None),
        Line::Flat(flat) => (None, Some(*flat)),
        Line::NoSuchCurrency => (None, None),
    };
    let commission = Commission {
        id,
        business_id: paid.business_id,
        campaign_id: paid.campaign_id,
        test: paid.test,
        kind: if first { "referral" } else { "recurring" }.to_owned(),
        product_id: Some(paid.product_id),
        payment_id: Some(paid.id),
        lead_id: paid.lead_id.unwrap_or_default(),
        referrer_id: to.referrer_id,
        enrollment_id: to.id,
        terms_id: Some(terms.id),
        terms_number: Some(terms.number),
        rate,
        flat,
        base_amount: paid.amount,
        amount: amount_of(line, paid.amount),
        currency: paid.currency.clone(),
        hold_days: terms.hold_days,
        hold_until: hold_until.unwrap_or_else(|_| paid.payment_date.clone()),
        state: "pending".to_owned(),
        reason: None,
        released: false,
        reversed_at: None,
        taken_back: 0,
        created_at: work.now.micros(),
        updated_at: work.now.micros(),
    };
    insert(work, commission);
    follow_refunds(work, id);
    id
}

/// What is due for a payment of which so much was given back: computed from what is left, never from
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
pub fn follow_refunds(work: &mut Work, id: i64) {
    let Some(c) = work.facts.commissions.get(&id).cloned() else { return };
    let Some(paid) = c.payment_id.and_then(|p| work.facts.payments.get(&p)).filter(|p| p.refunded > 0) else { return };
    let (worth, whole) = (worth(&c, paid.refunded), paid.left() == 0);
    let less = c.amount - c.taken_back - worth;
    let ends = whole && if c.state == "paid" { c.reversed_at.is_none() } else { c.is_unpaid() };
    if less == 0 && !ends {
        return;
    }
    let now = work.now.micros();
    match c.state.as_str() {
        "paid" => {
            work.post(id, "due", -less, "clawed back");
            if let Some(c) = work.commission_mut(id) {
                c.taken_back += less;
                c.reversed_at = whole.then_some(now).or(c.reversed_at);
            }
        }
        "pending" | "approved" if whole => {
            void(work, id, "refunded");
            if let Some(c) = work.commission_mut(id) {
                c.amount = worth;
            }
        }
        state => {
            // A void one is not on the ledger; it only has to be right if it ever comes back.
            if state != "void" {
                work.post(id, work.facts.account_of(&c), -less, "refunded");
            }
            if let Some(c) = work.commission_mut(id) {
                c.amount = worth;
            }
        }
    }
    if c.state != "void" && !work.writes.new_commissions.contains(&id) {
        *work.writes.reduced.entry(id).or_default() += less;
    }
}

/// A new pending commission: row, ledger, figures, message.
pub fn insert(work: &mut Work, commission: Commission) {
    let (id, amount) = (commission.id, commission.amount);
    let told = json!({
        "amount": shown(&commission),
        "referrer": commission.referrer_id,
        "lead": commission.lead_id,
        "hold_until": commission.hold_until,
    });
    let (business_id, test, account) = (commission.business_id, commission.test, work.facts.account_of(&commission));
    work.facts.commissions.insert(id, commission);
    work.writes.new_commissions.insert(id);
    work.post(id, account, amount, "created");
    work.tell(business_id, test, "commission.created", id, told);
}

/// What it comes to by now.
pub fn money(c: &Commission) -> Option<Money> {
    Some(Money { minor: c.amount - c.taken_back, currency: Currency::parse(&c.currency).ok()? })
}

pub fn shown(c: &Commission) -> String {
    money(c).map_or_else(String::new, |m| m.shown())
}

/// Moves an unpaid commission to `void` and takes its amount off the ledger.
pub fn void(work: &mut Work, id: i64, reason: &str) {
    let Some(c) = work.facts.commissions.get(&id).filter(|c| c.is_unpaid()).cloned() else { return };
    work.post(id, work.facts.account_of(&c), -c.amount, "voided");
    if let Some(c) = work.commission_mut(id) {
        c.state = "void".to_owned();
        c.reason = Some(reason.to_owned());
    }
    work.tell(c.business_id, c.test, "commission.voided", id, json!({ "reason": reason }));
}

/// A void commission of the same payment and referrer comes back as it was decided.
fn restore(work: &mut Work, id: i64) {
    let Some(c) = work.commission_mut(id) else { return };
    c.state = "pending".to_owned();
    c.reason = None;
    let c = c.clone();
    work.post(id, work.facts.account_of(&c), c.amount, "restored");
}

/// Something was decided about an unpaid commission, or its payment, that stood on that account: its amount goes
/// to the one it stands on by now. Answers that where it is another one.
pub fn move_from(work: &mut Work, id: i64, from: &'static str, kind: &'static str) -> Option<&'static str> {
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
pub fn take_from_lead(work: &mut Work, lead_id: i64, reason: &str) -> Vec<Commission> {
    let mut taken: Vec<Commission> =
        work.facts.commissions.values().filter(|c| c.lead_id == lead_id && c.is_unpaid()).cloned().collect();
    taken.sort_by_key(|c| c.id);
    for c in &taken {
        void(work, c.id, reason);
    }
    taken
}

/// Why commissions are void that went with their lead's attribution, and come back with the next one.
pub const MOVED: &str = "re-attributed";
/// Why commissions are void of a referrer who turned out to be the lead.
pub const SELF_REFERRAL: &str = "self-referral";
/// Why a reward is void that comes back with the qualification.
pub const UNQUALIFIED: &str = "unqualified";

fn went_along(c: &Commission) -> bool {
    c.state == "void" && matches!(c.reason.as_deref(), Some(MOVED | SELF_REFERRAL))
}

/// What went when an attribution was taken away, and nobody has instead: one row a payment, and the reward
/// of a lead that still counts. What staff voided stays void.
pub fn left_behind(work: &Work, lead_id: i64) -> Vec<Commission> {
    let counts = work.facts.leads.get(&lead_id).is_some_and(|l| l.qualified_at.is_some());
    let mut by_payment: BTreeMap<Option<i64>, Vec<&Commission>> = BTreeMap::new();
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
        let (id, state) = (known.id, known.state.clone());
        if state == "void" {
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
pub fn reward_again(work: &mut Work, lead_id: i64, to: &Enrollment) -> bool {
    let had = |c: &&Commission| c.lead_id == lead_id && c.kind == "reward" && c.referrer_id == to.referrer_id;
    let Some(last) = work.facts.commissions.values().filter(had).max_by_key(|c| c.id).cloned() else { return false };
    match (last.state.as_str(), last.reason.as_deref()) {
        ("void", Some(MOVED | SELF_REFERRAL | UNQUALIFIED)) => restore(work, last.id),
        ("void", _) => {}
        // It was paid and taken back: that row stays as it is.
        _ => copy(work, &last, to),
    }
    true
}

fn copy(work: &mut Work, old: &Commission, to: &Enrollment) {
    let id = work.id();
    let commission = Commission {
        id,
        referrer_id: to.referrer_id,
        enrollment_id: to.id,
        state: "pending".to_owned(),
        reason: None,
        released: false,
        reversed_at: None,
        taken_back: 0,
        created_at: work.now.micros(),
        updated_at: work.now.micros(),
        ..old.clone()
    };
    insert(work, commission);
}

fn find(work: &Work, event: &Event, id: i64) -> Option<Commission> {
    work.facts.commissions.get(&id).filter(|c| c.business_id == event.business_id).cloned()
}

/// The hold is over (no reason), or staff approve earlier or release a banned referrer's.
pub fn approve(work: &mut Work, event: &Event, id: i64, reason: Option<String>) -> Outcome {
    let Some(c) = find(work, event, id) else { return Outcome::NotFound };
    let by_staff = reason.is_some();
    let banned = work.facts.enrollments.get(&c.enrollment_id).is_some_and(|e| e.state == "banned");
    if work.facts.is_disputed(&c) {
        return Outcome::Refused { why: "The payment is disputed; decide the dispute first.".into() };
    }
    let today = work.today(c.business_id).to_string();
    if !by_staff && (banned || today <= c.hold_until) {
        return Outcome::Done { id, changed: false };
    }
    let release = banned && by_staff && !c.released;
    let from = work.facts.account_of(&c);
    match c.state.as_str() {
        "pending" => {}
        "approved" if release => {}
        "approved" => return Outcome::Done { id, changed: false },
        state => return Outcome::Refused { why: format!("It is {state} already.") },
    }
    if let Some(c) = work.commission_mut(id) {
        c.state = "approved".to_owned();
        c.released |= release;
        c.reason.clone_from(&reason);
    }
    move_from(work, id, from, "approved");
    let about = about("commission.approved", &c);
    audit(
        work,
        event,
        about,
        Some(json!({ "state": c.state })),
        Some(json!({ "state": "approved", "amount": shown(&c) })),
        reason,
    );
    work.tell(
        c.business_id,
        c.test,
        "commission.approved",
        id,
        json!({ "amount": shown(&c), "referrer": c.referrer_id }),
    );
    Outcome::Done { id, changed: true }
}

pub fn void_by_staff(work: &mut Work, event: &Event, id: i64, reason: &str) -> Outcome {
    let Some(c) = find(work, event, id) else { return Outcome::NotFound };
    match c.state.as_str() {
        "void" => return Outcome::Done { id, changed: false },
        "paid" => return Outcome::Refused { why: "It was paid; a refund of the payment takes it back.".into() },
        _ => {}
    }
    void(work, id, reason);
    let about = about("commission.voided", &c);
    audit(
        work,
        event,
        about,
        Some(json!({ "state": c.state })),
        Some(json!({ "state": "void", "amount": shown(&c) })),
        Some(reason.to_owned()),
    );
    Outcome::Done { id, changed: true }
}

fn about(action: &'static str, c: &Commission) -> About {
    About { action, kind: "commission", id: c.id, lead_id: Some(c.lead_id), referrer_id: Some(c.referrer_id) }
}
