//! A payment: stored once by its identity, and decided as soon as its lead has a referrer.

use std::collections::HashMap;

use serde_json::json;

use super::commission::{self, Line};
use super::{About, attribution, audit, lead, qualification, refund};
use crate::clock::{Day, Instant};
use crate::engine::event::{Earned, Event, Outcome, Payment, Status};
use crate::engine::facts::{Commission, Paid, Purchase, RefundRow};
use crate::engine::work::{NewInboxItem, Work};
use crate::money::{Currency, Money};

/// An identical body within this many seconds is a retry and only counted.
const RETRY_WINDOW: i64 = 10 * 60;
/// Payments this recent earn at once when an event brings them together with who referred their lead.
const AT_ONCE: i64 = 24 * 60 * 60;
/// The inbox item that offers a lead's waiting payments.
pub const OLDER_PAYMENTS: &str = "older_payments";

pub fn record(work: &mut Work, event: &Event, p: &Payment) -> Outcome {
    let Some(product) = work.facts.products.get(&p.product_id).filter(|x| x.business_id == event.business_id).cloned()
    else {
        return Outcome::NotFound;
    };
    let test = p.test || product.test;
    if let Some(known) = same_payment(work, event, p, test) {
        return repeated(work, event, p, known);
    }
    let found = lead::find(work, product.campaign_id, test, Some(p.email.key()), p.phone.as_ref().map(|x| x.e164()));
    let mut brought = Vec::new();
    if let Some(id) = found
        && lead::add_contact(work, event, id, (p.email.text(), p.email.key()), p.phone.as_ref())
    {
        brought = attach_waiting(work, event, id);
    }
    let id = work.id();
    let date = p.date.to_string();
    let paid = Paid {
        id,
        business_id: event.business_id,
        campaign_id: product.campaign_id,
        product_id: product.id,
        test,
        lead_id: found,
        email: p.email.text().to_owned(),
        email_key: p.email.key().to_owned(),
        amount: p.amount.minor,
        currency: p.amount.currency.code().to_owned(),
        subscription_status: p.subscription_status.clone(),
        payment_date: date.clone(),
        identity: p.identity.clone().unwrap_or_else(|| p.day_name()),
        body_hash: p.body_hash.clone(),
        decision: "waiting".to_owned(),
        decision_why: "no lead with this address yet".to_owned(),
        repeats: 0,
        disputed_at: None,
        refunded: 0,
        received_at: work.now.micros(),
    };
    if !test {
        work.count(product.campaign_id, format!("revenue.{}", paid.currency), Some(p.date), paid.amount);
    }
    attribution::count_revenue(work, &paid, paid.amount);
    work.facts.add_payment(paid);
    work.writes.new_payments.insert(id);
    let warning = found.and_then(|lead_id| {
        follow_lead(work, event, lead_id, id);
        brought.push(id);
        earn_brought(work, event, lead_id, &brought).remove(&id)
    });
    refund::apply_parked(work, event, id);
    let earned = earned_by(work, id);
    let why = work.facts.payments.get(&id).map(|x| x.decision_why.clone());
    let referrer_id = earned.as_ref().map(|e| e.referrer_id);
    let about = About { action: "payment.recorded", kind: "payment", id, lead_id: found, referrer_id };
    let after = json!({
        "amount": p.amount.shown(),
        "date": date,
        "commission": earned.as_ref().map(|e| e.amount.shown()),
        "why": why,
    });
    audit(work, event, about, None, Some(after), None);
    Outcome::PaymentRecorded { payment_id: id, lead_id: found, earned, warning }
}

/// The payment this one repeats. With an id only that id decides; without one, any payment of the
/// product, e-mail address and date.
fn same_payment(work: &Work, event: &Event, p: &Payment, test: bool) -> Option<Paid> {
    let id = match &p.identity {
        Some(identity) => work.facts.payment_by_identity.get(&(event.business_id, test, identity.clone())),
        None => work.facts.payment_by_date.get(&(p.product_id, test, p.email.key().to_owned(), p.date.to_string())),
    };
    work.facts.payments.get(id?).cloned()
}

fn repeated(work: &mut Work, event: &Event, p: &Payment, known: Paid) -> Outcome {
    let earned = earned_at_first(work, known.id);
    let body_differs = known.body_hash != p.body_hash;
    let by_id = p.identity.is_some();
    if !by_id {
        let fresh = work.now < Instant::from_micros(known.received_at).plus_seconds(RETRY_WINDOW);
        if !body_differs && fresh {
            if let Some(paid) = work.payment_mut(known.id) {
                paid.repeats += 1;
            }
        } else {
            second_payment_item(work, event, p, &known);
        }
    }
    let amount = Money { minor: known.amount, currency: Currency::parse(&known.currency).unwrap_or(p.amount.currency) };
    Outcome::PaymentDuplicate { payment_id: known.id, amount, earned, body_differs, mismatch: by_id && body_differs }
}

/// One item per payment and distinct body: it may be a genuine second payment of that day.
fn second_payment_item(work: &mut Work, event: &Event, p: &Payment, known: &Paid) {
    let id = work.id();
    work.writes.inbox.push(NewInboxItem {
        id,
        business_id: event.business_id,
        campaign_id: known.campaign_id,
        kind: "second_payment",
        cause: format!("second:{}:{}", known.id, p.body_hash),
        detail: json!({
            "product": p.product_id,
            "email": p.email.text(),
            "amount": p.amount.minor,
            "currency": p.amount.currency.code(),
            "status": p.subscription_status,
            "date": p.date.to_string(),
            "test": known.test,
            "body_hash": p.body_hash,
        }),
        lead_id: known.lead_id,
        payment_id: Some(known.id),
        referrer_id: None,
        touch_id: None,
    });
}

pub fn earned_by(work: &Work, payment_id: i64) -> Option<Earned> {
    let c: &Commission = work.facts.standing_commission(payment_id)?;
    Some(Earned {
        commission_id: c.id,
        referrer_id: c.referrer_id,
        amount: commission::money(c)?,
        state: c.state.clone(),
        hold_until: c.hold_until.clone(),
    })
}

/// What a payment was said to have earned when that was first decided, whatever became of it since. Refunds
/// that were here before had been taken off it already.
fn earned_at_first(work: &Work, payment_id: i64) -> Option<Earned> {
    let of_payment = work.facts.commissions.values().filter(|c| c.payment_id == Some(payment_id));
    let c: &Commission = of_payment.min_by_key(|c| (c.created_at, c.id))?;
    let was_here = |r: &&RefundRow| (r.received_at, r.id) < (c.created_at, c.id);
    let refunds = work.facts.refunds_of(payment_id);
    let refunded: i64 = refunds.into_iter().filter(was_here).filter_map(|r| r.amount).sum();
    let whole = refunded > 0 && refunded >= c.base_amount;
    Some(Earned {
        commission_id: c.id,
        referrer_id: c.referrer_id,
        amount: Money { minor: commission::worth(c, refunded), currency: Currency::parse(&c.currency).ok()? },
        state: if whole { "void" } else { "pending" }.to_owned(),
        hold_until: c.hold_until.clone(),
    })
}

/// What a payment does to its lead, whoever referred it: the subscription's state, the conversion, the
/// campaign's rule.
fn follow_lead(work: &mut Work, event: &Event, lead_id: i64, payment_id: i64) {
    let Some(paid) = work.facts.payments.get(&payment_id).cloned() else { return };
    let bought = purchase(work, lead_id, paid.product_id);
    // A cancellation of a later day stands, also when this payment comes after it.
    if bought.cancelled_on.as_ref().is_none_or(|on| *on <= paid.payment_date) {
        bought.subscription_status.clone_from(&paid.subscription_status);
        bought.cancelled_on = None;
    }
    if bought.paid_on.as_ref().is_none_or(|on| *on < paid.payment_date) {
        bought.paid_on = Some(paid.payment_date.clone());
    }
    if paid.amount > 0 {
        let now = work.now.micros();
        let unconverted = work.facts.leads.get(&lead_id).is_some_and(|l| l.converted_at.is_none());
        if unconverted {
            if let Some(lead) = work.lead_mut(lead_id) {
                lead.converted_at = Some(now);
            }
            qualification::move_status(work, lead_id, Status::Converted);
        }
        qualification::at_payment(work, event, lead_id, paid.amount, &paid.currency);
    }
}

pub fn purchase(work: &mut Work, lead_id: i64, product_id: i64) -> &mut Purchase {
    work.writes.purchases.insert((lead_id, product_id));
    work.facts.purchases.entry((lead_id, product_id)).or_insert_with(|| Purchase {
        lead_id,
        product_id,
        first_payment_id: None,
        first_payment_date: None,
        decided: 0,
        subscription_status: String::new(),
        paid_on: None,
        cancelled_on: None,
    })
}

/// How a lead's subscription to a product is; empty where none was heard of.
pub fn purchase_of(work: &Work, lead_id: i64, product_id: i64) -> String {
    work.facts.purchases.get(&(lead_id, product_id)).map_or_else(String::new, |p| p.subscription_status.clone())
}

/// Decides a payment that belongs to a lead: commission, nothing, or still waiting. Answers a warning
/// for the caller where there is one.
fn decide(work: &mut Work, event: &Event, payment_id: i64) -> Option<String> {
    let paid = work.facts.payments.get(&payment_id).cloned()?;
    attribution::end_self_referral(work, event, paid.lead_id?);
    let lead = paid.lead_id.and_then(|id| work.facts.leads.get(&id)).cloned()?;
    let set = |work: &mut Work, decision: &str, why: &str| {
        if let Some(p) = work.payment_mut(payment_id) {
            decision.clone_into(&mut p.decision);
            why.clone_into(&mut p.decision_why);
        }
    };
    let Some(enrollment) = lead.enrollment_id.and_then(|id| work.facts.enrollments.get(&id)).cloned() else {
        set(work, "waiting", "the lead has no referrer");
        return None;
    };
    if enrollment.state == "banned" {
        set(work, "waiting", "the referrer is banned");
        return None;
    }
    if !paid.test && work.facts.is_draft(paid.campaign_id) {
        set(work, "waiting", "the campaign is a draft");
        return None;
    }
    let Some(terms) = work.facts.terms_on(paid.product_id, &paid.payment_date).cloned() else {
        set(work, "nothing", "the product has no terms");
        return None;
    };
    let before = purchase(work, lead.id, paid.product_id).clone();
    let first = before.first_payment_id.is_none();
    if paid.amount == 0 {
        if paid.test && work.facts.products.get(&paid.product_id).is_some_and(|p| p.test) {
            let line = commission::line_of(&terms, first, &paid.currency);
            commission::of_payment(work, &paid, &enrollment, &terms, first, &line);
            set(work, "earned", "test product");
        } else {
            set(work, "nothing", "the amount is 0");
        }
        return None;
    }
    let place = purchase(work, lead.id, paid.product_id);
    place.decided += 1;
    if first {
        place.first_payment_id = Some(paid.id);
        place.first_payment_date = Some(paid.payment_date.clone());
    } else if is_over_limit(&terms.recurring_limit, terms.recurring_count, &before, &paid.payment_date) {
        set(work, "nothing", "the recurring limit is reached");
        return None;
    }
    let line = commission::line_of(&terms, first, &paid.currency);
    if matches!(line, Line::NoSuchCurrency) {
        let why = format!("terms {} name no flat amount in {}", terms.number, paid.currency);
        set(work, "nothing", &why);
        no_flat_item(work, event, &paid, &why);
        return Some(why);
    }
    let earns = commission::amount_of(&line, paid.amount) > 0;
    let is_test_product = work.facts.products.get(&paid.product_id).is_some_and(|p| p.test);
    if earns || is_test_product {
        commission::of_payment(work, &paid, &enrollment, &terms, first, &line);
        set(work, "earned", if first { "referral rate" } else { "recurring rate" });
    } else {
        set(work, "nothing", "the rate earns nothing on this amount");
    }
    None
}

/// Months: the payment's date is not before the first one's plus n calendar months. Payments: n came
/// after the first already.
fn is_over_limit(kind: &str, count: i64, before: &Purchase, date: &str) -> bool {
    match kind {
        "months" => {
            let (Some(first), Ok(date)) = (&before.first_payment_date, Day::parse(date)) else { return false };
            let months = u32::try_from(count).unwrap_or(0);
            Day::parse(first).is_ok_and(|first| date >= first.plus_months(months))
        }
        "payments" => before.decided > count,
        _ => false,
    }
}

fn no_flat_item(work: &mut Work, event: &Event, paid: &Paid, why: &str) {
    let id = work.id();
    work.writes.inbox.push(NewInboxItem {
        id,
        business_id: event.business_id,
        campaign_id: paid.campaign_id,
        kind: "no_flat_amount",
        cause: format!("flat:{}", paid.id),
        detail: json!({ "why": why, "currency": paid.currency, "email": paid.email }),
        lead_id: paid.lead_id,
        payment_id: Some(paid.id),
        referrer_id: None,
        touch_id: None,
    });
}

/// Payments that came before their lead, or before its address was known, now belong to it; answers which.
pub fn attach_waiting(work: &mut Work, event: &Event, lead_id: i64) -> Vec<i64> {
    let Some(lead) = work.facts.leads.get(&lead_id).cloned() else { return Vec::new() };
    let Some(email) = lead.email_key.clone().filter(|_| lead.duplicate_of.is_none()) else { return Vec::new() };
    let why = match lead.referrer_id {
        Some(_) => "it came before its lead had this address",
        None => "the lead has no referrer",
    };
    let mut orphans: Vec<(String, i64)> = work
        .facts
        .payments
        .values()
        .filter(|p| {
            p.lead_id.is_none() && p.campaign_id == lead.campaign_id && p.test == lead.test && p.email_key == email
        })
        .map(|p| (p.payment_date.clone(), p.id))
        .collect();
    orphans.sort();
    for (_, id) in &orphans {
        if let Some(paid) = work.payment_mut(*id) {
            paid.lead_id = Some(lead_id);
            why.clone_into(&mut paid.decision_why);
            let paid = paid.clone();
            attribution::count_revenue(work, &paid, paid.left());
        }
        follow_lead(work, event, lead_id, *id);
    }
    orphans.into_iter().map(|(_, id)| id).collect()
}

/// A lead's payments that are not decided yet, in (paymentDate, position) order.
fn waiting_of(work: &Work, lead_id: i64) -> Vec<Paid> {
    let waits = |p: &&Paid| p.lead_id == Some(lead_id) && p.decision == "waiting";
    let mut waiting: Vec<Paid> = work.facts.payments.values().filter(waits).cloned().collect();
    waiting.sort_by(|a, b| (&a.payment_date, a.id).cmp(&(&b.payment_date, b.id)));
    waiting
}

fn is_recent(work: &Work, paid: &Paid) -> bool {
    paid.received_at >= work.now.plus_seconds(-AT_ONCE).micros()
}

/// Decides what an event brought to a lead, in (paymentDate, position) order: recent payments earn at once
/// where the lead has a referrer, older ones are offered. Answers the warnings.
pub fn earn_brought(work: &mut Work, event: &Event, lead_id: i64, brought: &[i64]) -> HashMap<i64, String> {
    let mut payments = waiting_of(work, lead_id);
    payments.retain(|p| brought.contains(&p.id));
    let (now, later): (Vec<_>, Vec<_>) = payments.into_iter().partition(|p| is_recent(work, p));
    let decided = now.iter().filter_map(|p| Some((p.id, decide(work, event, p.id)?))).collect();
    if !later.is_empty() {
        offer_waiting(work, event, lead_id);
    }
    decided
}

/// Lets all of a lead's waiting payments earn, in (paymentDate, position) order.
pub fn earn_waiting(work: &mut Work, event: &Event, lead_id: i64) -> i64 {
    let waiting = waiting_of(work, lead_id);
    for paid in &waiting {
        decide(work, event, paid.id);
    }
    i64::try_from(waiting.len()).unwrap_or(0)
}

/// An event attributed a lead: its waiting payments are decided as those are that an event brings.
pub fn earn_recent(work: &mut Work, event: &Event, lead_id: i64) {
    let waiting: Vec<i64> = waiting_of(work, lead_id).iter().map(|p| p.id).collect();
    earn_brought(work, event, lead_id, &waiting);
}

/// Staff are shown what a lead's waiting payments would earn before they do.
pub fn offer_waiting(work: &mut Work, event: &Event, lead_id: i64) {
    let waiting = waiting_of(work, lead_id);
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| l.referrer_id.is_some()).cloned() else { return };
    let Some(newest) = waiting.iter().map(|p| p.id).max() else { return };
    let id = work.id();
    work.writes.inbox.push(NewInboxItem {
        id,
        business_id: event.business_id,
        campaign_id: lead.campaign_id,
        kind: OLDER_PAYMENTS,
        cause: format!("older:{lead_id}:{}", lead.touch_id.unwrap_or_default()),
        // Tells one lot of payments from the next: a closed item opens again for another one.
        detail: json!({ "count": waiting.len(), "newest": newest }),
        lead_id: Some(lead_id),
        payment_id: None,
        referrer_id: lead.referrer_id,
        touch_id: lead.touch_id,
    });
}

/// Staff saw the preview and let the waiting payments, and the qualification, earn.
pub fn pay_back(work: &mut Work, event: &Event, lead_id: i64) -> Outcome {
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| l.business_id == event.business_id).cloned() else {
        return Outcome::NotFound;
    };
    if lead.referrer_id.is_none() {
        return Outcome::Refused { why: "The lead has no referrer who could earn.".into() };
    }
    let had_reward = work.facts.live_reward(lead_id).is_some();
    let decided = earn_waiting(work, event, lead_id);
    qualification::reward_if_due(work, event, lead_id);
    let rewarded = !had_reward && work.facts.live_reward(lead_id).is_some();
    if decided == 0 && !rewarded {
        return Outcome::Done { id: lead_id, changed: false };
    }
    let about = About {
        action: "payments.earned",
        kind: "lead",
        id: lead_id,
        lead_id: Some(lead_id),
        referrer_id: lead.referrer_id,
    };
    audit(work, event, about, None, Some(json!({ "payments": decided, "reward": rewarded })), None);
    Outcome::Done { id: lead_id, changed: true }
}
