//! Reads an event of Stripe's, of its present shape and of those since 2022.

use serde_json::Value as Json;

use super::amount::minor;
use crate::clock::Instant;
use crate::engine::{NameKind, PaymentName, Subscription};
use crate::money::Currency;
use crate::providers::read::{self as json, Unreadable, at, id, seconds, text};
use crate::providers::told::{Dispute, DisputeState, Ended, Fact, Hint, Paid, Refund, RefundState, Told, Use, Who};

/// An invoice knows the amounts of its payment better than the checkout that led to it.
const INVOICE: u8 = 0;
const CHECKOUT: u8 = 1;

/// What an event says; nothing for events that do not count here.
pub fn read(event: &Json) -> Result<Told, Unreadable> {
    let kind = text(event, "type").ok_or("It has no type.")?;
    let object = at(event, "data.object").ok_or("It has no data.object.")?;
    let at = seconds(event, "created").ok_or("It has no time in created.")?;
    let mut told = Told::default();
    match kind.as_str() {
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
            checkout(&mut told, object, at)?;
        }
        "invoice.paid" | "invoice.payment_succeeded" => invoice(&mut told, object, at)?,
        "invoice_payment.paid" => {
            told.name(NameKind::Invoice, id(object, "invoice"));
            told.name(NameKind::Intent, id(object, "payment.payment_intent"));
            told.name(NameKind::Charge, id(object, "payment.charge"));
        }
        "payment_intent.succeeded" => {
            told.name(NameKind::Intent, id(object, "id"));
            told.name(NameKind::Charge, id(object, "latest_charge"));
            told.name(NameKind::Invoice, id(object, "invoice"));
        }
        "charge.refunded" => {
            charge_names(&mut told, object);
            let currency = json::currency(object, "currency")?;
            let amount = money(object, "amount_refunded", currency)?;
            told.facts.push(Fact::RefundedSoFar { amount, currency: Some(currency), at });
        }
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            refund(&mut told, object, at)?;
        }
        _ if kind.starts_with("charge.dispute.") => dispute(&mut told, object, &kind, at)?,
        "customer.subscription.deleted" => {
            let who = Who { customer: id(object, "customer"), ..Who::default() };
            let at = seconds(object, "ended_at").or(seconds(object, "canceled_at")).unwrap_or(at);
            told.facts.push(Fact::Ended(Ended { who, at }));
        }
        "customer.created" | "customer.updated" => {
            let id = text(object, "id").ok_or("The customer has no id.")?;
            told.explain_customer(id, text(object, "email"), text(object, "name"));
        }
        "customer.discount.created" => discount(&mut told, object, at),
        "promotion_code.created" | "promotion_code.updated" => {
            if let (Some(id), Some(text)) = (text(object, "id"), text(object, "code")) {
                told.explains.push(id.clone());
                told.facts.push(Fact::Code { id, text });
            }
        }
        _ => {}
    }
    Ok(told)
}

fn money(object: &Json, path: &str, currency: Currency) -> Result<i64, Unreadable> {
    let amount = json::amount(object, path)?;
    minor(amount, currency).ok_or_else(|| format!("Its {path} {amount} is no amount of {}.", currency.code()))
}

/// The same for an amount that is 0 where it is not given.
fn part(object: &Json, path: &str, currency: Currency) -> Result<i64, Unreadable> {
    if at(object, path).is_some() { money(object, path, currency) } else { Ok(0) }
}

fn checkout(told: &mut Told, object: &Json, at: Instant) -> Result<(), Unreadable> {
    told.name(NameKind::Event, id(object, "id"));
    told.name(NameKind::Intent, id(object, "payment_intent"));
    told.name(NameKind::Invoice, id(object, "invoice"));
    let who = Who {
        customer: id(object, "customer"),
        email: json::first(object, &["customer_details.email", "customer_email"]),
        name: text(object, "customer_details.name"),
        phone: text(object, "customer_details.phone"),
    };
    told.explain_who(&who);
    let mut hints: Vec<Hint> = discounts(object);
    hints.extend(text(object, "metadata.referral_code").map(Hint::Code));
    hints.extend(text(object, "client_reference_id").map(Hint::Maybe));
    let mode = text(object, "mode").unwrap_or_default();
    if mode == "setup" {
        return Ok(());
    }
    if text(object, "payment_status").as_deref() == Some("unpaid") {
        // A bank debit: the money comes with another message, days later.
        return Ok(());
    }
    if !hints.is_empty() {
        told.facts.push(Fact::Used(Use { who: who.clone(), hints: hints.clone(), at }));
    }
    let currency = json::currency(object, "currency")?;
    let gross = part(object, "amount_total", currency)?;
    told.facts.push(Fact::Paid(Paid {
        rank: CHECKOUT,
        who,
        hints,
        currency,
        gross,
        tax: part(object, "total_details.amount_tax", currency)?,
        shipping: part(object, "total_details.amount_shipping", currency)?,
        status: if mode == "subscription" && gross == 0 { Subscription::Trialing } else { Subscription::Active },
        at,
    }));
    Ok(())
}

fn invoice(told: &mut Told, object: &Json, at: Instant) -> Result<(), Unreadable> {
    told.name(NameKind::Invoice, id(object, "id"));
    // Before the version of 2025-03-31 the invoice named its charge and intent itself.
    told.name(NameKind::Charge, id(object, "charge"));
    told.name(NameKind::Intent, id(object, "payment_intent"));
    for paid in json::at(object, "payments.data").and_then(Json::as_array).into_iter().flatten() {
        told.name(NameKind::Intent, id(paid, "payment.payment_intent"));
        told.name(NameKind::Charge, id(paid, "payment.charge"));
    }
    let who = Who {
        customer: id(object, "customer"),
        email: text(object, "customer_email"),
        name: text(object, "customer_name"),
        phone: text(object, "customer_phone"),
    };
    told.explain_who(&who);
    let mut hints = discounts(object);
    let metadata = ["metadata", "parent.subscription_details.metadata", "subscription_details.metadata"];
    hints.extend(metadata.iter().find_map(|path| text(object, &format!("{path}.referral_code"))).map(Hint::Code));
    let currency = json::currency(object, "currency")?;
    let (total, paid) = (part(object, "total", currency)?, money(object, "amount_paid", currency)?);
    let paid = paid + part(object, "amount_paid_off_stripe", currency)?;
    let tax = if json::at(object, "total_excluding_tax").is_some() {
        total - part(object, "total_excluding_tax", currency)?
    } else if json::at(object, "total_taxes").is_some() {
        sum(object, "total_taxes", currency)?
    } else {
        part(object, "tax", currency)?
    };
    let shipping = part(object, "shipping_cost.amount_subtotal", currency)?;
    let billing = text(object, "billing_reason").unwrap_or_default();
    told.facts.push(Fact::Paid(Paid {
        rank: INVOICE,
        who,
        hints,
        currency,
        gross: paid,
        tax: share(tax, paid, total),
        shipping: share(shipping, paid, total),
        status: if paid == 0 && billing == "subscription_create" {
            Subscription::Trialing
        } else {
            Subscription::Active
        },
        at: seconds(object, "status_transitions.paid_at").unwrap_or(at),
    }));
    Ok(())
}

fn sum(object: &Json, list: &str, currency: Currency) -> Result<i64, Unreadable> {
    let all = json::at(object, list).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    all.iter().map(|one| part(one, "amount", currency)).sum()
}

/// The part of a tax that is in what was paid, where credit of the customer paid the rest; half away from zero.
fn share(part: i64, paid: i64, total: i64) -> i64 {
    if total <= 0 || paid >= total {
        return part;
    }
    let (part, paid, total) = (i128::from(part), i128::from(paid), i128::from(total));
    i64::try_from((2 * part * paid + total) / (2 * total)).unwrap_or_default()
}

/// The codes of an object's discounts: ids of discounts, or discounts with their promotion codes.
fn discounts(object: &Json) -> Vec<Hint> {
    let all = at(object, "discounts").and_then(Json::as_array).into_iter().flatten();
    let mut hints: Vec<Hint> = Vec::new();
    for discount in all.chain(at(object, "discount")) {
        match discount {
            Json::String(_) => hints.extend(json::line(discount).map(Hint::Discount)),
            whole => match id(whole, "promotion_code") {
                Some(code) => hints.push(Hint::Promotion(code)),
                None => hints.extend(text(whole, "id").map(Hint::Discount)),
            },
        }
    }
    hints
}

fn charge_names(told: &mut Told, charge: &Json) {
    told.name(NameKind::Charge, id(charge, "id"));
    told.name(NameKind::Intent, id(charge, "payment_intent"));
    told.name(NameKind::Invoice, id(charge, "invoice"));
}

fn refund(told: &mut Told, object: &Json, at: Instant) -> Result<(), Unreadable> {
    told.name(NameKind::Charge, id(object, "charge"));
    told.name(NameKind::Intent, id(object, "payment_intent"));
    let currency = json::currency(object, "currency")?;
    let state = match text(object, "status").as_deref() {
        Some("succeeded") | None => RefundState::Done,
        Some("failed" | "canceled") => RefundState::Failed,
        _ => RefundState::Pending,
    };
    let id = text(object, "id").ok_or("The refund has no id.")?;
    told.facts.push(Fact::Refunded(Refund {
        id,
        amount: money(object, "amount", currency)?,
        currency: Some(currency),
        state,
        at,
    }));
    Ok(())
}

fn dispute(told: &mut Told, object: &Json, kind: &str, at: Instant) -> Result<(), Unreadable> {
    told.name(NameKind::Charge, id(object, "charge"));
    told.name(NameKind::Intent, id(object, "payment_intent"));
    let currency = json::currency(object, "currency")?;
    let status = text(object, "status").unwrap_or_default();
    let state = match status.as_str() {
        "lost" => DisputeState::Lost,
        "won" | "prevented" => DisputeState::Won,
        "warning_closed" if kind.ends_with(".closed") => DisputeState::Won,
        _ if status.starts_with("warning") => DisputeState::Inquiry,
        _ => DisputeState::Open,
    };
    let id = text(object, "id").ok_or("The dispute has no id.")?;
    told.facts.push(Fact::Disputed(Dispute {
        id,
        amount: money(object, "amount", currency)?,
        currency: Some(currency),
        state,
        at,
    }));
    Ok(())
}

/// A discount was given to a customer: by a checkout, by a subscription, or by hand.
fn discount(told: &mut Told, object: &Json, at: Instant) {
    let Some(code) = id(object, "promotion_code").map(Hint::Promotion) else { return };
    if let Some(id) = text(object, "id") {
        told.explains.push(id.clone());
        told.facts.push(Fact::Discount { id, code: code.clone() });
    }
    told.name(NameKind::Event, id(object, "checkout_session"));
    told.name(NameKind::Invoice, id(object, "invoice"));
    let who = Who { customer: id(object, "customer"), ..Who::default() };
    told.facts.push(Fact::Used(Use { who, hints: vec![code], at }));
}

impl Told {
    fn name(&mut self, kind: NameKind, id: Option<String>) {
        let name = id.map(|id| PaymentName::new(kind, id));
        self.names.extend(name.filter(|name| !self.names.contains(name)));
    }

    fn explain_customer(&mut self, id: String, email: Option<String>, name: Option<String>) {
        if email.is_some() {
            self.explains.push(id.clone());
            self.facts.push(Fact::Customer { id, email, name });
        }
    }

    fn explain_who(&mut self, who: &Who) {
        if let Some(id) = &who.customer {
            self.explain_customer(id.clone(), who.email.clone(), who.name.clone());
        }
    }
}
