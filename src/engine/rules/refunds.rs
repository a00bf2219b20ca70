//! Takes a refund off its payment: commissions, figures, audit and message follow. A refund that came before
//! its payment is parked, and applied when that arrives, so that both orders end alike.

use serde_json::json;

use super::audit::{Note, audit};
use super::{attribution, commission, dispute};
use crate::clock::Day;
use crate::engine::decision::{By, Field};
use crate::engine::facts::{Commission, Paid, RefundRow};
use crate::engine::ids::{PaymentId, ProductId, RefundId};
use crate::engine::message::News;
use crate::engine::names::PaymentName;
use crate::engine::state::{InboxKind, RefundState};
use crate::engine::work::{NewInboxItem, Work};
use crate::money::{Money, MoneyError, Unpriced};

/// True when a payment is of that product and person, by the address it came with or its lead's of today, and was
/// made by that day.
pub fn is_of(
    work: &Work,
    paid: &Paid,
    product_id: ProductId,
    email_key: &str,
    day: Day,
) -> Result<(), (Field, &'static str)> {
    let lead = paid.lead_id.and_then(|id| work.facts.leads.get(&id));
    let now = lead.and_then(|l| l.email_key.as_deref());
    if paid.product_id != product_id {
        Err((Field::Product, "is not the product of that payment"))
    } else if paid.email_key != email_key && now != Some(email_key) {
        Err((Field::Email, "is not the address of that payment"))
    } else if day < paid.payment_date {
        Err((Field::Day, "is before the day of the payment"))
    } else {
        Ok(())
    }
}

/// The amount that a refund takes of a payment; all that is left where it names none.
pub fn wanted(paid: &Paid, asked: Option<Unpriced>) -> Result<Money, MoneyError> {
    asked.map_or(Ok(paid.money(paid.left())), |asked| asked.in_currency(paid.currency))
}

/// Applies a refund that is stored.
pub fn apply(work: &mut Work, by: &By, id: RefundId, payment_id: PaymentId, money: Money, reason: Option<&str>) {
    let Some(before) = work.facts.payments.get(&payment_id).cloned() else { return };
    let Some(refund) = work.refund_mut(id) else { return };
    refund.payment_id = Some(payment_id);
    refund.amount = Some(money.minor);
    refund.currency = Some(money.currency);
    refund.state = RefundState::Applied;
    let day = refund.refund_date;
    if let Some(p) = work.payment_mut(payment_id) {
        p.refunded += money.minor;
    }
    count(work, &before, money.minor);
    let referrer_id = work.facts.standing_commission(payment_id).map(|c| c.referrer_id);
    let earned: Vec<Commission> = work.facts.commissions_of(payment_id).into_iter().cloned().collect();
    for c in &earned {
        commission::follow_refunds(work, c.id);
        audit_commission(work, by, c);
    }
    let left = before.money(before.left() - money.minor);
    let note = Note::payment("payment.refunded", payment_id, before.lead_id)
        .of_referrer(referrer_id)
        .before(json!({ "refunded": before.money(before.refunded).shown() }))
        .after(json!({
            "refunded": before.money(before.refunded + money.minor).shown(),
            "amount": money.shown(),
            "left": left.shown(),
            "date": day.to_string(),
            "refund": id,
        }))
        .reason(reason);
    audit(work, by, note);
    let news = News::PaymentRefunded { payment_id, refund_id: id, amount: money, left, day };
    work.report(before.business_id, before.test, news);
    dispute::lose(work, by, payment_id);
}

/// A refund did not reach the customer: what its payment earned stands again, as far as no payout has taken it.
pub fn undo(work: &mut Work, by: &By, id: RefundId, payment_id: PaymentId, reason: &str) {
    let Some(before) = work.facts.payments.get(&payment_id).cloned() else { return };
    let Some(refund) = work.facts.refunds.get(&id) else { return };
    let (minor, day) = (refund.amount.unwrap_or_default(), refund.refund_date);
    if let Some(p) = work.payment_mut(payment_id) {
        p.refunded += minor;
    }
    count(work, &before, minor);
    let earned: Vec<Commission> = work.facts.commissions_of(payment_id).into_iter().cloned().collect();
    for c in &earned {
        commission::follow_undone(work, c.id);
    }
    commission::give_after_undone(work, payment_id);
    for c in &earned {
        audit_commission(work, by, c);
    }
    let (amount, left) = (before.money(-minor), before.money(before.left() - minor));
    let note = Note::payment("payment.refund_failed", payment_id, before.lead_id)
        .of_referrer(work.facts.standing_commission(payment_id).map(|c| c.referrer_id))
        .before(json!({ "refunded": before.money(before.refunded).shown() }))
        .after(json!({
            "refunded": before.money(before.refunded + minor).shown(),
            "amount": amount.shown(),
            "left": left.shown(),
            "date": day.to_string(),
            "refund": id,
        }))
        .reason(Some(reason));
    audit(work, by, note);
    let news = News::PaymentRefundFailed { payment_id, refund_id: id, amount, left, day };
    work.report(before.business_id, before.test, news);
}

/// The revenue of the payment's day, campaign and code. Test rows are never counted.
fn count(work: &mut Work, paid: &Paid, minor: i64) {
    if paid.test {
        return;
    }
    work.count(paid.campaign_id, format!("revenue.{}", paid.currency), Some(paid.payment_date), -minor);
    attribution::count_revenue(work, paid, -minor);
}

/// The change of a commission that stood before its payment was refunded.
fn audit_commission(work: &mut Work, by: &By, before: &Commission) {
    let Some(now) = work.facts.commissions.get(&before.id).cloned() else { return };
    let shown = |c: &Commission| json!({ "state": c.state, "amount": c.money().shown() });
    let (was, is) = (shown(before), shown(&now));
    let is_back = before.is_void() && !now.is_void();
    if (before.is_void() && !is_back) || was == is {
        return;
    }
    let why = if now.amount > before.amount || is_back {
        "A refund of its payment failed."
    } else {
        "Its payment was refunded."
    };
    let note = Note::commission("commission.refunded", &now).before(was).after(is).reason(Some(why));
    audit(work, by, note);
    let news = News::CommissionRefunded { commission_id: now.id, amount: now.money(), state: now.state };
    work.report(now.business_id, now.test, news);
}

/// A payment arrived, or got further names: the refunds that waited for it are applied, oldest day first. One that does not fit
/// is for a person.
pub fn apply_parked(work: &mut Work, by: &By, payment_id: PaymentId) {
    let Some(paid) = work.facts.payments.get(&payment_id).cloned() else { return };
    let by_day = PaymentName::paid_on(paid.product_id, &paid.email_key, paid.payment_date);
    let has = |name: &PaymentName| {
        let named = (paid.business_id, paid.test, name.clone());
        *name == by_day || work.facts.payment_by_name.get(&named) == Some(&payment_id)
    };
    let waits = |r: &&RefundRow| {
        r.state == RefundState::Parked
            && r.business_id == paid.business_id
            && r.test == paid.test
            && work.facts.waits_for.get(&r.id).is_some_and(|names| names.iter().any(has))
    };
    let mut parked: Vec<RefundRow> = work.facts.refunds.values().filter(waits).cloned().collect();
    parked.sort_by_key(|r| (r.refund_date, r.id));
    for r in parked {
        match fit(work, payment_id, &r) {
            Ok(money) => apply(work, by, r.id, payment_id, money, None),
            Err(why) => refuse(work, by, &r, &paid, &why),
        }
    }
}

fn fit(work: &Work, payment_id: PaymentId, r: &RefundRow) -> Result<Money, String> {
    let paid = work.facts.payments.get(&payment_id).ok_or("its payment is gone")?;
    is_of(work, paid, r.product_id, &r.email_key, r.refund_date)
        .map_err(|(field, why)| format!("its {} {why}", field.words()))?;
    if r.currency.is_some_and(|c| c != paid.currency) {
        return Err(format!("the payment was in {}", paid.currency));
    }
    let money = wanted(paid, r.asked.map(Unpriced::from_units)).map_err(|why| format!("its amount {why}"))?;
    if money.minor > 0 && money.minor <= paid.left() {
        Ok(money)
    } else {
        Err(format!("only {} is left of the payment", paid.money(paid.left()).shown()))
    }
}

fn refuse(work: &mut Work, by: &By, r: &RefundRow, paid: &Paid, why: &str) {
    if let Some(r) = work.refund_mut(r.id) {
        r.state = RefundState::Refused;
        r.why = Some(why.to_owned());
    }
    let asked = r.asked.map_or("all that is left".to_owned(), |units| Unpriced::from_units(units).plain());
    let id = work.id();
    work.writes.inbox.push(NewInboxItem {
        id,
        business_id: by.business_id,
        campaign_id: paid.campaign_id,
        kind: InboxKind::RefundUnfit,
        cause: format!("refund:{}", r.id),
        detail: json!({
            "why": why,
            "asked": asked,
            "currency": r.currency.map(|c| c.code()),
            "date": r.refund_date.to_string(),
            "email": r.email,
            "test": r.test,
        }),
        lead_id: paid.lead_id,
        payment_id: Some(paid.id),
        referrer_id: None,
        touch_id: None,
    });
    let note = Note::refund("payment.refund_refused", r.id, paid.lead_id).after(json!({ "why": why, "amount": asked }));
    audit(work, by, note);
}
