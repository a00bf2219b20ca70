//! What a person decides about an inbox item.

use serde_json::{Value as Json, json};

use super::{About, audit, payment, user_of};
use crate::clock::Day;
use crate::email::Email;
use crate::engine::event::{Event, Outcome, Payment, What};
use crate::engine::facts::InboxItem;
use crate::engine::work::Work;
use crate::money::{Currency, Money};

fn open_item(work: &Work, event: &Event, id: i64) -> Result<InboxItem, Box<Outcome>> {
    let item = work
        .facts
        .inbox
        .get(&id)
        .filter(|i| i.business_id == event.business_id)
        .ok_or(Outcome::NotFound)
        .map_err(Box::new)?;
    if item.state == "open" { Ok(item.clone()) } else { Err(Box::new(Outcome::Done { id, changed: false })) }
}

fn close(work: &mut Work, event: &Event, item: &InboxItem, state: &'static str, outcome: &str) {
    if let Some(i) = work.facts.inbox.get_mut(&item.id) {
        state.clone_into(&mut i.state);
    }
    work.writes.closed_items.push((item.id, state, outcome.to_owned(), user_of(event)));
    let action = if state == "accepted" { "inbox.accepted" } else { "inbox.dismissed" };
    let about = About { action, kind: "inbox", id: item.id, lead_id: item.lead_id, referrer_id: item.referrer_id };
    audit(work, event, about, Some(json!({ "kind": item.kind })), Some(json!({ "outcome": outcome })), None);
}

pub fn dismiss(work: &mut Work, event: &Event, id: i64) -> Outcome {
    match open_item(work, event, id) {
        Ok(item) => {
            close(work, event, &item, "dismissed", "dismissed");
            Outcome::Done { id, changed: true }
        }
        Err(outcome) => *outcome,
    }
}

/// A dismissal is taken back. What was accepted was done, and stays so.
pub fn reopen(work: &mut Work, event: &Event, id: i64) -> Outcome {
    let Some(item) = work.facts.inbox.get(&id).filter(|i| i.business_id == event.business_id).cloned() else {
        return Outcome::NotFound;
    };
    match item.state.as_str() {
        "open" => return Outcome::Done { id, changed: false },
        "accepted" => return Outcome::Refused { why: "The item was accepted; what was done stays.".into() },
        _ => {}
    }
    if let Some(i) = work.facts.inbox.get_mut(&id) {
        "open".clone_into(&mut i.state);
    }
    work.writes.reopened_items.push(id);
    let about =
        About { action: "inbox.reopened", kind: "inbox", id, lead_id: item.lead_id, referrer_id: item.referrer_id };
    audit(work, event, about, None, Some(json!({ "kind": item.kind })), None);
    Outcome::Done { id, changed: true }
}

/// A possible second payment was one: it is recorded under an identity of its own.
pub fn accept_payment(work: &mut Work, event: &Event, id: i64) -> Outcome {
    let item = match open_item(work, event, id) {
        Ok(item) => item,
        Err(outcome) => return *outcome,
    };
    let Some(payment) = payment_of(&item) else {
        return Outcome::Refused { why: "The item does not hold a payment.".into() };
    };
    let outcome = payment::record(work, event, &payment);
    close(work, event, &item, "accepted", "recorded as a payment of its own");
    outcome
}

/// Does what was decided about an item, and closes it. Somebody else may have closed it meanwhile: then
/// nothing is done a second time.
pub fn settle(work: &mut Work, event: &Event, id: i64, by: &What, outcome: &str) -> Outcome {
    let item = match open_item(work, event, id) {
        Ok(item) => item,
        Err(outcome) => return *outcome,
    };
    let decision = Event { what: by.clone(), ..event.clone() };
    match super::decide(work, &decision) {
        refused @ (Outcome::Refused { .. } | Outcome::NotFound) => refused,
        _ => {
            close(work, event, &item, "accepted", outcome);
            Outcome::Done { id, changed: true }
        }
    }
}

fn payment_of(item: &InboxItem) -> Option<Payment> {
    let detail: Json = serde_json::from_str(&item.detail).ok()?;
    let text = |name: &str| detail.get(name).and_then(Json::as_str);
    Some(Payment {
        product_id: detail.get("product")?.as_i64()?,
        test: detail.get("test")?.as_bool()?,
        email: Email::parse(text("email")?).ok()?,
        phone: None,
        amount: Money { minor: detail.get("amount")?.as_i64()?, currency: Currency::parse(text("currency")?).ok()? },
        subscription_status: text("status")?.to_owned(),
        date: Day::parse(text("date")?).ok()?,
        identity: Some(format!("inbox:{}", item.id)),
        body_hash: text("body_hash")?.to_owned(),
    })
}
