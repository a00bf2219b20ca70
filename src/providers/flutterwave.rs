//! Flutterwave, versions 3 and 4 of its API. Version 3 sends the secret hash as it is; version 4 signs with it. Amounts
//! are in the currency's standard unit.

use serde_json::Value as Json;

use super::message::Envelope;
use super::read::{self as json, Unreadable, at as value, id, moment, text};
use super::signature::{Refused, is_base64_of, is_same};
use super::told::{Dispute, DisputeState, Ended, Fact, Hint, Paid, Refund, RefundState, Told, Who};
use crate::clock::Instant;
use crate::engine::{NameKind, PaymentName, Subscription};
use crate::money::{Currency, Money};

pub fn check(hash: Option<&str>, signature: Option<&str>, body: &[u8], secrets: &[String]) -> Result<(), Refused> {
    if hash.is_none() && signature.is_none() {
        return Err(Refused::Missing("verif-hash"));
    }
    let fits = |secret: &String| {
        signature.is_some_and(|sent| is_base64_of(sent, secret, body)) || hash.is_some_and(|sent| is_same(sent, secret))
    };
    if secrets.iter().any(fits) { Ok(()) } else { Err(Refused::Wrong) }
}

fn kind_of(message: &Json) -> Result<String, Unreadable> {
    json::first(message, &["type", "event"]).ok_or_else(|| "It has no event and no type.".to_owned())
}

pub fn envelope(message: &Json, now: Instant) -> Result<Envelope, Unreadable> {
    let times = ["data.created_datetime", "data.created_at", "timestamp"];
    Ok(Envelope {
        // The id at the top may be the endpoint's: only the body tells one event from another.
        identity: String::new(),
        kind: kind_of(message)?,
        happened_at: times.iter().find_map(|path| moment(message, path)).unwrap_or(now),
        test: None,
    })
}

pub fn read(message: &Json, at: Instant) -> Result<Told, Unreadable> {
    let kind = kind_of(message)?;
    let data = value(message, "data").ok_or("It has no data.")?;
    let status = text(data, "status").unwrap_or_default().to_lowercase();
    let mut told = Told::default();
    match kind.as_str() {
        "charge.completed" if matches!(status.as_str(), "successful" | "succeeded") => {
            name(&mut told, &["id", "tx_ref", "reference"], data)?;
            let currency = json::currency(data, "currency")?;
            told.facts.push(Fact::Paid(Paid {
                rank: 0,
                who: who(data),
                hints: code(message, data).map(Hint::Code).into_iter().collect(),
                currency,
                gross: money(data, "amount", currency)?,
                tax: 0,
                shipping: 0,
                status: Subscription::Active,
                at,
            }));
        }
        "refund.completed" | "refund.failed" => {
            name(&mut told, &["charge_id", "tx_id", "charge.id", "transaction_id"], data)?;
            let currency = json::currency(data, "currency").or_else(|_| json::currency(data, "charge.currency"))?;
            let id = id(data, "id").ok_or("The refund has no id.")?;
            let amount = money(data, "amount_refunded", currency).or_else(|_| money(data, "amount", currency))?;
            let state =
                if kind == "refund.failed" || status == "failed" { RefundState::Failed } else { RefundState::Done };
            told.facts.push(Fact::Refunded(Refund { id, amount, currency: Some(currency), state, at }));
        }
        "chargeback.created" | "chargeback.updated" => {
            name(&mut told, &["charge_id", "charge.id", "transaction_id"], data)?;
            let currency = json::currency(data, "currency").or_else(|_| json::currency(data, "charge.currency"))?;
            let state = match status.as_str() {
                "won" => DisputeState::Won,
                "lost" | "accepted" => DisputeState::Lost,
                _ => DisputeState::Open,
            };
            let id = id(data, "id").ok_or("The chargeback has no id.")?;
            told.facts.push(Fact::Disputed(Dispute {
                id,
                amount: money(data, "amount", currency)?,
                currency: Some(currency),
                state,
                at,
            }));
        }
        "subscription.cancelled" => told.facts.push(Fact::Ended(Ended { who: who(data), at })),
        _ => {}
    }
    Ok(told)
}

/// The ids of a payment, each under the provider's name: numbers of several providers may be equal.
fn name(told: &mut Told, paths: &[&str], data: &Json) -> Result<(), Unreadable> {
    for path in paths {
        let kind = if matches!(*path, "tx_ref" | "reference") { "reference" } else { "charge" };
        let name = text(data, path).map(|id| PaymentName::new(NameKind::Event, format!("flutterwave:{kind}:{id}")));
        told.names.extend(name);
    }
    if told.names.is_empty() { Err(format!("It names no payment by {}.", paths.join(" or "))) } else { Ok(()) }
}

/// An amount in the currency's standard unit.
fn money(data: &Json, path: &str, currency: Currency) -> Result<i64, Unreadable> {
    let written = text(data, path).ok_or_else(|| format!("It has no {path}."))?;
    Money::from_json_number(&written, currency).map(|money| money.minor).map_err(|why| format!("Its {path} {why}."))
}

fn who(data: &Json) -> Who {
    let name = json::first(data, &["customer.name", "customer.name.full"]);
    let parts = [text(data, "customer.name.first"), text(data, "customer.name.last")];
    let parts = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Who {
        customer: id(data, "customer"),
        email: text(data, "customer.email"),
        name: name.or(Some(parts).filter(|name| !name.is_empty())),
        phone: json::first(data, &["customer.phone_number", "customer.phone.number"]),
    }
}

fn code(message: &Json, data: &Json) -> Option<String> {
    ["meta", "meta_data"].iter().find_map(|meta| {
        let path = format!("{meta}.referral_code");
        text(data, &path).or_else(|| text(message, &path))
    })
}
