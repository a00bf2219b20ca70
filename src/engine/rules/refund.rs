//! Money given back on a payment. A refund is stored once; it takes what it was off the payment, and its
//! commissions follow. One that comes before its payment is parked, and applied when that arrives, so that
//! both orders end alike.
//!
//! Of several payments of one day a refund is of the oldest that has enough left.

use serde_json::json;

use super::{About, attribution, audit, commission, dispute, lead, payment};
use crate::clock::Day;
use crate::engine::event::{Event, Outcome, Refund, RefundOf, Refunded};
use crate::engine::facts::{Commission, Paid, Product, RefundRow};
use crate::engine::work::{NewInboxItem, Work};
use crate::money::{Currency, Money, MoneyError, Unpriced};

/// What a refund comes to.
enum Found {
    /// So much of this payment.
    Of(i64, Money),
    Again(i64),
    Unfit(&'static str, String),
    Unknown,
}

pub fn record(work: &mut Work, event: &Event, r: &Refund) -> Outcome {
    let Some(product) = work.facts.products.get(&r.product_id).filter(|x| x.business_id == event.business_id).cloned()
    else {
        return Outcome::NotFound;
    };
    let test = r.test || product.test;
    let by_identity = |work: &Work, identity: &str| {
        work.facts.refund_by_identity.get(&(event.business_id, test, identity.to_owned())).copied()
    };
    if let Some(id) = r.identity.as_deref().and_then(|identity| by_identity(work, identity)) {
        return again(work, id, Some(r));
    }
    match find(work, event, r, test) {
        Found::Of(payment_id, money) => {
            let asked = r.amount.map_or("all".to_owned(), |_| money.minor.to_string());
            let identity = r.identity.clone().unwrap_or_else(|| format!("same:{payment_id}|{}|{asked}", r.date));
            let id = store(work, event, r, &product, test, identity);
            apply(work, event, id, payment_id, money, r.reason.clone());
            Outcome::Refunded(told(work, id))
        }
        Found::Again(id) => again(work, id, None),
        Found::Unfit(field, why) => Outcome::Invalid { field, why },
        Found::Unknown if matches!(r.of, RefundOf::Commission(_) | RefundOf::Payment(_)) => Outcome::NotFound,
        Found::Unknown => {
            let identity = r.identity.clone().unwrap_or_else(|| parked_identity(r));
            match by_identity(work, &identity) {
                Some(id) => again(work, id, None),
                None => park(work, event, r, &product, test, identity),
            }
        }
    }
}

/// What a refund without an id of its own is known by until its payment arrives.
pub fn parked_identity(r: &Refund) -> String {
    let asked = r.amount.map_or("all".to_owned(), Unpriced::plain);
    format!("parked:{}|{}|{asked}", r.of.name(r.product_id, r.email.key()), r.date)
}

/// The refund was here before. With an id, another content is no repeat of it.
fn again(work: &Work, id: i64, by_id: Option<&Refund>) -> Outcome {
    let differs = |r: &Refund| work.facts.refunds.get(&id).is_some_and(|known| known.body_hash != r.body_hash);
    Outcome::RefundDuplicate { known: told(work, id), mismatch: by_id.is_some_and(differs) }
}

fn find(work: &Work, event: &Event, r: &Refund, test: bool) -> Found {
    let all = work.facts.payments_named(event.business_id, test, r);
    let Some(first) = all.first().copied() else {
        let rewarded = match r.of {
            RefundOf::Commission(id) => work.facts.commissions.get(&id).filter(|c| c.business_id == event.business_id),
            _ => None,
        };
        return match rewarded {
            Some(c) if c.payment_id.is_none() && c.test == test => {
                Found::Unfit("commissionId", "is a reward for a qualification, which no payment is behind".into())
            }
            _ => Found::Unknown,
        };
    };
    if let Err((field, why)) = is_of(work, first, r.product_id, r.email.key()) {
        return Found::Unfit(field, why);
    }
    let in_currency = |p: &&Paid| r.currency.is_none_or(|c| c.code() == p.currency);
    let fitting: Vec<&Paid> = all.iter().copied().filter(in_currency).collect();
    let Some(oldest) = fitting.first().copied() else {
        return Found::Unfit("currency", format!("is not the payment's, which was in {}", first.currency));
    };
    if r.identity.is_none()
        && let Some(id) = fitting.iter().find_map(|p| same(work, p, r))
    {
        return Found::Again(id);
    }
    let wanted: Vec<(&Paid, Result<Money, MoneyError>)> = fitting.iter().map(|p| (*p, wanted(p, r.amount))).collect();
    let fits = wanted.iter().find_map(|(p, w)| {
        let money = (*w).ok().filter(|money| money.minor > 0 && money.minor <= p.left())?;
        Some(Found::Of(p.id, money))
    });
    if let Some(fits) = fits {
        return fits;
    }
    // The whole of a payment that was wholly refunded, in one or in several parts.
    let whole = |(p, w): &&(&Paid, Result<Money, MoneyError>)| {
        p.refunded > 0 && p.left() == 0 && (r.amount.is_none() || w.is_ok_and(|money| money.minor == p.amount))
    };
    let last = wanted.iter().find(whole).and_then(|(p, _)| work.facts.refunds_of(p.id).last().map(|known| known.id));
    if let Some(last) = last {
        return Found::Again(last);
    }
    let why = match wanted.iter().find_map(|(_, w)| w.err()) {
        Some(why) => why.to_string(),
        None if r.amount.is_some_and(|a| a.units() == 0) => "must be more than 0".to_owned(),
        None if oldest.amount == 0 => "cannot be given back: nothing was paid".to_owned(),
        None => {
            let most = fitting.iter().max_by_key(|p| p.left()).map_or(0, |p| p.left());
            format!("is more than the {} that is left of the payment", Money::shown_in(most, &oldest.currency))
        }
    };
    Found::Unfit("amount", why)
}

/// Whether a payment is of that product and person: by the address it came with, or its lead's of today.
fn is_of(work: &Work, paid: &Paid, product_id: i64, email_key: &str) -> Result<(), (&'static str, String)> {
    let lead = paid.lead_id.and_then(|id| work.facts.leads.get(&id));
    let now = lead.and_then(|l| l.email_key.as_deref());
    if paid.product_id != product_id {
        Err(("productId", "is not the product of that payment".into()))
    } else if paid.email_key != email_key && now != Some(email_key) {
        Err(("customerEmail", "is not the address of that payment".into()))
    } else {
        Ok(())
    }
}

fn currency_of(paid: &Paid) -> Result<Currency, MoneyError> {
    Currency::parse(&paid.currency)
}

/// What a refund takes of a payment; all that is left where it does not say.
fn wanted(paid: &Paid, asked: Option<Unpriced>) -> Result<Money, MoneyError> {
    let currency = currency_of(paid)?;
    asked.map_or(Ok(Money { minor: paid.left(), currency }), |asked| asked.in_currency(currency))
}

/// A refund of the payment with the same day and amount.
fn same(work: &Work, paid: &Paid, r: &Refund) -> Option<i64> {
    let refunds = work.facts.refunds_of(paid.id);
    let date = r.date.to_string();
    let minor = r.amount.and_then(|asked| asked.in_currency(currency_of(paid).ok()?).ok()).map(|money| money.minor);
    let equal = |known: &&&RefundRow| {
        known.refund_date == date && if r.amount.is_some() { known.amount == minor } else { known.asked.is_none() }
    };
    refunds.iter().find(equal).map(|known| known.id)
}

fn store(work: &mut Work, event: &Event, r: &Refund, product: &Product, test: bool, identity: String) -> i64 {
    let id = work.id();
    work.facts.add_refund(RefundRow {
        id,
        business_id: event.business_id,
        campaign_id: product.campaign_id,
        product_id: product.id,
        test,
        email: r.email.text().to_owned(),
        email_key: r.email.key().to_owned(),
        named: r.of.name(product.id, r.email.key()),
        payment_id: None,
        asked: r.amount.map(Unpriced::units),
        amount: None,
        currency: r.currency.map(|c| c.code().to_owned()),
        refund_date: r.date.to_string(),
        identity,
        body_hash: r.body_hash.clone(),
        state: "parked".to_owned(),
        why: None,
        received_at: work.now.micros(),
    });
    work.writes.new_refunds.insert(id);
    id
}

fn park(work: &mut Work, event: &Event, r: &Refund, product: &Product, test: bool, identity: String) -> Outcome {
    if r.amount.is_some_and(|a| a.units() == 0) {
        return Outcome::Invalid { field: "amount", why: "must be more than 0".to_owned() };
    }
    let id = store(work, event, r, product, test, identity);
    let lead_id = lead::find(work, product.campaign_id, test, Some(r.email.key()), None);
    let about = About { action: "payment.refund_parked", kind: "refund", id, lead_id, referrer_id: None };
    let after = json!({
        "amount": r.amount.map_or("all".to_owned(), Unpriced::plain), "date": r.date.to_string(), "email": r.email.text(),
    });
    audit(work, event, about, None, Some(after), r.reason.clone());
    Outcome::Refunded(told(work, id))
}

/// Takes a refund off its payment; commissions, figures, audit and message follow.
fn apply(work: &mut Work, event: &Event, id: i64, payment_id: i64, money: Money, reason: Option<String>) {
    let Some(before) = work.facts.payments.get(&payment_id).cloned() else { return };
    if let Some(r) = work.refund_mut(id) {
        r.payment_id = Some(payment_id);
        r.amount = Some(money.minor);
        r.currency = Some(money.currency.code().to_owned());
        "applied".clone_into(&mut r.state);
    }
    if let Some(p) = work.payment_mut(payment_id) {
        p.refunded += money.minor;
    }
    count(work, &before, money.minor);
    let referrer_id = work.facts.standing_commission(payment_id).map(|c| c.referrer_id);
    let mut earned: Vec<Commission> =
        work.facts.commissions.values().filter(|c| c.payment_id == Some(payment_id)).cloned().collect();
    earned.sort_by_key(|c| c.id);
    for c in &earned {
        commission::follow_refunds(work, c.id);
        audit_commission(work, event, c);
    }
    let left = Money { minor: before.left() - money.minor, currency: money.currency };
    let about =
        About { action: "payment.refunded", kind: "payment", id: payment_id, lead_id: before.lead_id, referrer_id };
    let refunded = |minor: i64| Money { minor, currency: money.currency }.shown();
    let date = work.facts.refunds.get(&id).map(|r| r.refund_date.clone());
    let before_json = json!({ "refunded": refunded(before.refunded) });
    let after = json!({
        "refunded": refunded(before.refunded + money.minor), "amount": money.shown(), "left": left.shown(), "date": date,
        "refund": id,
    });
    audit(work, event, about, Some(before_json), Some(after), reason);
    let message = json!({ "refund": id, "amount": money.shown(), "left": left.shown(), "date": date });
    work.tell(before.business_id, before.test, "payment.refunded", payment_id, message);
    dispute::lose(work, event, payment_id);
}

/// The revenue of the payment's day, campaign and code. Test rows are never counted.
fn count(work: &mut Work, paid: &Paid, minor: i64) {
    if paid.test {
        return;
    }
    let name = format!("revenue.{}", paid.currency);
    work.count(paid.campaign_id, name, Day::parse(&paid.payment_date).ok(), -minor);
    attribution::count_revenue(work, paid, -minor);
}

/// What became of a commission that stood before its payment was refunded.
fn audit_commission(work: &mut Work, event: &Event, before: &Commission) {
    let Some(now) = work.facts.commissions.get(&before.id).cloned() else { return };
    let told = |c: &Commission| json!({ "state": c.state, "amount": commission::shown(c) });
    let (was, is) = (told(before), told(&now));
    if before.state == "void" || was == is {
        return;
    }
    let about = About {
        action: "commission.refunded",
        kind: "commission",
        id: now.id,
        lead_id: Some(now.lead_id),
        referrer_id: Some(now.referrer_id),
    };
    audit(work, event, about, Some(was), Some(is.clone()), Some("Its payment was refunded.".into()));
    work.tell(now.business_id, now.test, "commission.refunded", now.id, is);
}

/// A payment arrived: the refunds that waited for it are applied, oldest day first. One that does not fit
/// is for a person.
pub fn apply_parked(work: &mut Work, event: &Event, payment_id: i64) {
    let Some(paid) = work.facts.payments.get(&payment_id).cloned() else { return };
    let names: Vec<String> = paid.names().collect();
    let waits = |r: &&RefundRow| {
        r.state == "parked" && r.business_id == paid.business_id && r.test == paid.test && names.contains(&r.named)
    };
    let mut parked: Vec<RefundRow> = work.facts.refunds.values().filter(waits).cloned().collect();
    parked.sort_by(|a, b| (&a.refund_date, a.id).cmp(&(&b.refund_date, b.id)));
    for r in parked {
        match fit(work, payment_id, &r) {
            Ok(money) => apply(work, event, r.id, payment_id, money, None),
            Err(why) => refuse(work, event, &r, &paid, &why),
        }
    }
}

fn fit(work: &Work, payment_id: i64, r: &RefundRow) -> Result<Money, String> {
    let paid = work.facts.payments.get(&payment_id).ok_or("its payment is gone")?;
    is_of(work, paid, r.product_id, &r.email_key).map_err(|(field, why)| format!("{field} {why}"))?;
    if r.currency.as_ref().is_some_and(|c| *c != paid.currency) {
        return Err(format!("the payment was in {}", paid.currency));
    }
    let money = wanted(paid, r.asked.map(Unpriced::from_units)).map_err(|why| format!("its amount {why}"))?;
    if money.minor > 0 && money.minor <= paid.left() {
        Ok(money)
    } else {
        Err(format!("only {} is left of the payment", Money::shown_in(paid.left(), &paid.currency)))
    }
}

fn refuse(work: &mut Work, event: &Event, r: &RefundRow, paid: &Paid, why: &str) {
    if let Some(r) = work.refund_mut(r.id) {
        "refused".clone_into(&mut r.state);
        r.why = Some(why.to_owned());
    }
    let asked = r.asked.map_or("all that is left".to_owned(), |units| Unpriced::from_units(units).plain());
    let id = work.id();
    work.writes.inbox.push(NewInboxItem {
        id,
        business_id: event.business_id,
        campaign_id: paid.campaign_id,
        kind: "refund_unfit",
        cause: format!("refund:{}", r.id),
        detail: json!({
            "why": why, "asked": asked, "currency": r.currency, "date": r.refund_date, "email": r.email, "test": r.test,
        }),
        lead_id: paid.lead_id,
        payment_id: Some(paid.id),
        referrer_id: None,
        touch_id: None,
    });
    let about =
        About { action: "payment.refund_refused", kind: "refund", id: r.id, lead_id: paid.lead_id, referrer_id: None };
    audit(work, event, about, None, Some(json!({ "why": why, "amount": asked })), None);
}

/// A refund as its answer tells it, by how things stand now.
fn told(work: &Work, id: i64) -> Refunded {
    let known = work.facts.refunds.get(&id);
    let payment_id = known.and_then(|r| r.payment_id);
    let paid = payment_id.and_then(|id| work.facts.payments.get(&id));
    let currency = paid.and_then(|p| currency_of(p).ok());
    let money = |minor: Option<i64>| Some(Money { minor: minor?, currency: currency? });
    Refunded {
        refund_id: id,
        state: known.map_or_else(String::new, |r| r.state.clone()),
        payment_id,
        amount: money(known.and_then(|r| r.amount)),
        left: money(paid.map(Paid::left)),
        earned: payment_id.and_then(|id| payment::earned_by(work, id)),
    }
}
