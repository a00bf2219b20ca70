//! Lemon Squeezy: messages are signed with a secret of the shop's choice and have no id of their own. Amounts are in
//! minor units. The first payment of a subscription comes as an order and as an invoice of it; the order counts.

use serde_json::Value as Json;

use super::message::Envelope;
use super::read::{self as json, Unreadable, at as value, is_true, moment, text, whole};
use super::signature::{Refused, is_hex_of};
use super::told::{Ended, Fact, Hint, Paid, Told, Who};
use crate::clock::Instant;
use crate::engine::{NameKind, PaymentName, Subscription};

pub fn check(header: Option<&str>, body: &[u8], secrets: &[String]) -> Result<(), Refused> {
    let sent = header.ok_or(Refused::Missing("X-Signature"))?;
    let fits = secrets.iter().any(|secret| is_hex_of(sent, secret, body));
    if fits { Ok(()) } else { Err(Refused::Wrong) }
}

pub fn envelope(message: &Json, now: Instant) -> Result<Envelope, Unreadable> {
    let times = ["data.attributes.updated_at", "data.attributes.created_at"];
    let test = ["meta.test_mode", "data.attributes.test_mode"];
    Ok(Envelope {
        identity: String::new(),
        kind: text(message, "meta.event_name").ok_or("It has no meta.event_name.")?,
        happened_at: times.iter().find_map(|path| moment(message, path)).unwrap_or(now),
        test: test.iter().find_map(|path| value(message, path)).and_then(Json::as_bool),
    })
}

pub fn read(message: &Json, at: Instant) -> Result<Told, Unreadable> {
    let kind = text(message, "meta.event_name").ok_or("It has no meta.event_name.")?;
    let data = value(message, "data").ok_or("It has no data.")?;
    let attributes = value(data, "attributes").cloned().unwrap_or_default();
    let id = text(data, "id").ok_or("Its data has no id.")?;
    let who = Who {
        customer: text(&attributes, "customer_id"),
        email: text(&attributes, "user_email"),
        name: text(&attributes, "user_name"),
        phone: None,
    };
    let hints: Vec<Hint> = text(message, "meta.custom_data.referral_code").map(Hint::Code).into_iter().collect();
    let mut told = Told::default();
    match kind.as_str() {
        "order_created" if text(&attributes, "status").as_deref().is_none_or(|s| s == "paid") => {
            told.names.push(name("order", &id));
            told.facts.push(Fact::Paid(paid(&attributes, who, hints, at)?));
        }
        // The order of the same checkout tells the first payment.
        "subscription_payment_success" if text(&attributes, "billing_reason").as_deref() != Some("initial") => {
            told.names.push(name("invoice", &id));
            told.facts.push(Fact::Paid(paid(&attributes, who, hints, at)?));
        }
        "order_refunded" | "subscription_payment_refunded" => {
            let (of, id) = if kind == "order_refunded" { ("order", id) } else { ("invoice", id) };
            told.names.push(name(of, &id));
            let amount = match whole(&attributes, "refunded_amount") {
                Some(amount) if amount > 0 => amount,
                _ if is_true(&attributes, "refunded") => json::amount(&attributes, "total")?,
                _ => return Err("It says no refunded_amount.".into()),
            };
            let at = moment(&attributes, "refunded_at").unwrap_or(at);
            let currency = json::currency(&attributes, "currency").ok();
            told.facts.push(Fact::RefundedSoFar { amount, currency, at });
        }
        "subscription_expired" => told.facts.push(Fact::Ended(Ended { who, at })),
        _ => {}
    }
    Ok(told)
}

fn paid(attributes: &Json, who: Who, hints: Vec<Hint>, at: Instant) -> Result<Paid, Unreadable> {
    let currency = json::currency(attributes, "currency")?;
    let gross = json::amount(attributes, "total")?;
    Ok(Paid {
        rank: 0,
        who,
        hints,
        currency,
        gross,
        tax: whole(attributes, "tax").unwrap_or_default().clamp(0, gross),
        shipping: 0,
        status: Subscription::Active,
        at: moment(attributes, "created_at").unwrap_or(at),
    })
}

fn name(of: &str, id: &str) -> PaymentName {
    PaymentName::new(NameKind::Event, format!("lemonsqueezy:{of}:{id}"))
}
