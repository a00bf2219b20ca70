//! Paddle Billing: messages are signed with the secret of their endpoint, and name a customer by id alone; another
//! message says whose it is. Amounts are texts in minor units.

use serde_json::Value as Json;

use super::message::Envelope;
use super::read::{self as json, Unreadable, at as value, moment, text, whole};
use super::signature::{Refused, is_hex_of};
use super::told::{Dispute, DisputeState, Ended, Fact, Hint, Paid, Refund, RefundState, Told, Who};
use crate::clock::Instant;
use crate::engine::{NameKind, PaymentName, Subscription};

/// Paddle's own libraries refuse stamps of more than five seconds; a message that was delayed on its way is no fault.
const TOLERANCE: i64 = 300;

pub fn check(header: Option<&str>, body: &[u8], secrets: &[String], now: Instant) -> Result<(), Refused> {
    let header = header.ok_or(Refused::Missing("Paddle-Signature"))?;
    let parts: Vec<(&str, &str)> = header.split(';').filter_map(|part| part.trim().split_once('=')).collect();
    let all = |name: &'static str| parts.iter().filter(move |(key, _)| *key == name).map(|(_, value)| *value);
    let stamp = all("ts").next().ok_or(Refused::Form)?;
    let at: i64 = stamp.parse().map_err(|_| Refused::Form)?;
    let signed = [stamp.as_bytes(), b":", body].concat();
    if !all("h1").any(|sent| secrets.iter().any(|secret| is_hex_of(sent, secret, &signed))) {
        return Err(Refused::Wrong);
    }
    if at < now.seconds() - TOLERANCE { Err(Refused::Old) } else { Ok(()) }
}

pub fn envelope(message: &Json, now: Instant) -> Result<Envelope, Unreadable> {
    Ok(Envelope {
        identity: text(message, "event_id").unwrap_or_default(),
        kind: text(message, "event_type").ok_or("It has no event_type.")?,
        happened_at: moment(message, "occurred_at").unwrap_or(now),
        test: None,
    })
}

pub fn read(message: &Json, at: Instant) -> Result<Told, Unreadable> {
    let kind = text(message, "event_type").ok_or("It has no event_type.")?;
    let data = value(message, "data").ok_or("It has no data.")?;
    let mut told = Told::default();
    let customer = text(data, "customer_id");
    match kind.as_str() {
        "transaction.completed" => {
            told.names.push(name(text(data, "id").ok_or("The transaction has no id.")?));
            let currency = json::currency(data, "currency_code")?;
            let who =
                Who { customer, email: text(data, "customer.email"), name: text(data, "customer.name"), phone: None };
            let hints: Vec<Hint> = text(data, "custom_data.referral_code").map(Hint::Code).into_iter().collect();
            let gross = whole(data, "details.totals.grand_total").or_else(|| whole(data, "details.totals.total"));
            let gross = gross.filter(|g| *g >= 0).ok_or("It has no whole number as details.totals.total.")?;
            told.facts.push(Fact::Paid(Paid {
                rank: 0,
                who,
                hints,
                currency,
                gross,
                tax: whole(data, "details.totals.tax").unwrap_or_default().clamp(0, gross),
                shipping: 0,
                status: if gross == 0 { Subscription::Trialing } else { Subscription::Active },
                at: moment(data, "billed_at").unwrap_or(at),
            }));
        }
        "adjustment.created" | "adjustment.updated" => adjustment(&mut told, data, at)?,
        "subscription.canceled" => {
            let at = moment(data, "canceled_at").unwrap_or(at);
            told.facts.push(Fact::Ended(Ended { who: Who { customer, ..Who::default() }, at }));
        }
        "customer.created" | "customer.updated" | "customer.imported" => {
            if let (Some(id), Some(email)) = (text(data, "id"), text(data, "email")) {
                told.explains.push(id.clone());
                told.facts.push(Fact::Customer { id, email: Some(email), name: text(data, "name") });
            }
        }
        _ => {}
    }
    Ok(told)
}

/// An adjustment gives money back, or tells of a chargeback.
fn adjustment(told: &mut Told, data: &Json, at: Instant) -> Result<(), Unreadable> {
    let (action, status) = (text(data, "action").unwrap_or_default(), text(data, "status").unwrap_or_default());
    if action.starts_with("credit") {
        return Ok(());
    }
    let of = text(data, "transaction_id").ok_or("The adjustment names no transaction_id.")?;
    let id = text(data, "id").ok_or("The adjustment has no id.")?;
    let amount = whole(data, "totals.total").filter(|a| *a >= 0).ok_or("It has no whole number as totals.total.")?;
    let currency = json::currency(data, "currency_code").ok();
    told.names.push(name(of.clone()));
    match action.as_str() {
        "refund" => {
            let state = match status.as_str() {
                "approved" => RefundState::Done,
                "rejected" | "reversed" => RefundState::Failed,
                _ => RefundState::Pending,
            };
            told.facts.push(Fact::Refunded(Refund { id, amount, currency, state, at }));
        }
        // A chargeback and its reverse are two adjustments of one transaction.
        "chargeback" => {
            told.facts.push(Fact::Disputed(Dispute { id: of, amount, currency, state: DisputeState::Lost, at }))
        }
        "chargeback_reverse" => {
            told.facts.push(Fact::Disputed(Dispute { id: of, amount, currency, state: DisputeState::Won, at }));
        }
        "chargeback_warning" => {
            told.facts.push(Fact::Disputed(Dispute { id: of, amount, currency, state: DisputeState::Inquiry, at }));
        }
        _ => {}
    }
    Ok(())
}

fn name(transaction: String) -> PaymentName {
    PaymentName::new(NameKind::Event, format!("paddle:{transaction}"))
}
