//! Paystack: messages are signed with the account's secret key, by HMAC-SHA512, and have no id of their own. Amounts are
//! in the smallest unit of the currency.

use serde_json::Value as Json;

use super::message::Envelope;
use super::read::{self as json, Unreadable, id, moment, text, whole};
use super::signature::{Refused, is_hex_512_of};
use super::told::{Dispute, DisputeState, Ended, Fact, Hint, Paid, Refund, RefundState, Told, Who};
use crate::clock::Instant;
use crate::engine::{NameKind, PaymentName, Subscription};

pub fn check(header: Option<&str>, body: &[u8], secrets: &[String]) -> Result<(), Refused> {
    let sent = header.ok_or(Refused::Missing("x-paystack-signature"))?;
    let fits = secrets.iter().any(|secret| is_hex_512_of(sent, secret, body));
    if fits { Ok(()) } else { Err(Refused::Wrong) }
}

pub fn envelope(message: &Json, now: Instant) -> Result<Envelope, Unreadable> {
    let times = ["data.paid_at", "data.paidAt", "data.updated_at", "data.created_at", "data.createdAt"];
    Ok(Envelope {
        identity: String::new(),
        kind: text(message, "event").ok_or("It has no event.")?,
        happened_at: times.iter().find_map(|path| moment(message, path)).unwrap_or(now),
        test: text(message, "data.domain").map(|domain| domain == "test"),
    })
}

pub fn read(message: &Json, at: Instant) -> Result<Told, Unreadable> {
    let kind = text(message, "event").ok_or("It has no event.")?;
    let data = json::at(message, "data").ok_or("It has no data.")?;
    let mut told = Told::default();
    match kind.as_str() {
        "charge.success" => {
            name(&mut told, text(data, "reference").ok_or("The charge has no reference.")?);
            let currency = json::currency(data, "currency")?;
            told.facts.push(Fact::Paid(Paid {
                rank: 0,
                who: who(data),
                hints: code(data).map(Hint::Code).into_iter().collect(),
                currency,
                gross: json::amount(data, "amount")?,
                tax: 0,
                shipping: 0,
                status: Subscription::Active,
                at,
            }));
        }
        "refund.pending" | "refund.processing" | "refund.processed" | "refund.failed" => {
            let of = json::first(data, &["transaction_reference", "transaction.reference"]);
            let of = of.ok_or("The refund names no transaction_reference.")?;
            let id = json::first(data, &["id", "refund_reference"]).unwrap_or_else(|| of.clone());
            name(&mut told, of);
            let state = match kind.as_str() {
                "refund.processed" => RefundState::Done,
                "refund.failed" => RefundState::Failed,
                _ => RefundState::Pending,
            };
            let amount = whole(data, "amount").filter(|a| *a >= 0).ok_or("It has no whole number as amount.")?;
            told.facts.push(Fact::Refunded(Refund {
                id,
                amount,
                currency: json::currency(data, "currency").ok(),
                state,
                at,
            }));
        }
        "charge.dispute.create" | "charge.dispute.remind" | "charge.dispute.resolve" => {
            let of = json::first(data, &["transaction.reference", "transaction_reference"]);
            name(&mut told, of.ok_or("The dispute names no transaction.")?);
            let state = match (kind.as_str(), text(data, "resolution").as_deref()) {
                ("charge.dispute.resolve", Some("declined")) => DisputeState::Won,
                ("charge.dispute.resolve", _) => DisputeState::Lost,
                _ => DisputeState::Open,
            };
            let amount = whole(data, "refund_amount").or_else(|| whole(data, "transaction.amount"));
            let amount = amount.filter(|a| *a > 0).ok_or("The dispute says no amount.")?;
            let id = id(data, "id").ok_or("The dispute has no id.")?;
            told.facts.push(Fact::Disputed(Dispute { id, amount, currency: None, state, at }));
        }
        "subscription.disable" => told.facts.push(Fact::Ended(Ended { who: who(data), at })),
        _ => {}
    }
    Ok(told)
}

fn name(told: &mut Told, reference: String) {
    told.names.push(PaymentName::new(NameKind::Event, format!("paystack:{reference}")));
}

fn who(data: &Json) -> Who {
    let name = [text(data, "customer.first_name"), text(data, "customer.last_name")];
    let name = name.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Who {
        customer: text(data, "customer.customer_code"),
        email: text(data, "customer.email"),
        name: Some(name).filter(|name| !name.is_empty()),
        phone: text(data, "customer.phone"),
    }
}

/// The code in `metadata`, which may be an object, a text that holds one, or nothing.
fn code(data: &Json) -> Option<String> {
    let held = json::at(data, "metadata")?;
    let parsed: Json = match held {
        Json::String(text) => serde_json::from_str(text).ok()?,
        other => other.clone(),
    };
    let fields = json::at(&parsed, "custom_fields").and_then(Json::as_array).into_iter().flatten();
    let mut fields = fields.filter(|field| text(field, "variable_name").as_deref() == Some("referral_code"));
    text(&parsed, "referral_code").or_else(|| text(fields.next()?, "value"))
}
