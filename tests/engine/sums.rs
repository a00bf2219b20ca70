//! Refunds that are brought to the sum a payment provider names, and refunds that fail after all.

use refdesk::clock::Day;
use refdesk::email::Email;
use refdesk::engine::{NameKind, PaymentName, Reattribute, RefundTo, What};
use refdesk::money::{Currency, Money};

use super::refunds::{AMY, balance, commission, paid};
use crate::on_both_databases;
use crate::support::{Outcome, TestApp, day};

on_both_databases! {
    a_sum_gives_back_the_difference,
    a_refund_that_fails_comes_back_once,
    a_good_refund_stays_when_an_earlier_one_failed,
    one_that_came_by_another_way_stays_for_a_person,
    what_comes_back_goes_to_the_referrer_of_today,
    what_comes_back_waits_where_nobody_is_the_referrer,
    a_banned_referrer_gets_nothing_back,
    what_staff_voided_stays_void,
    a_call_after_the_provider_is_the_same_refund,
}

const PAID_ON: &str = "2026-06-14";

fn sum(app: &TestApp, total: i64, failed: i64) -> What {
    let currency = Currency::parse("USD").unwrap();
    What::RefundTo(RefundTo {
        of: app.shop().product_scope(),
        email: Email::parse(AMY).unwrap(),
        names: vec![PaymentName::new(NameKind::Event, "evt_1")],
        total: Money { minor: total, currency },
        date: Day::parse("2026-06-20").unwrap(),
        failed,
        reason: "Stripe says so.".into(),
    })
}

/// What is given back of the payment, after a sum was told.
async fn told(app: &TestApp, total: i64, failed: i64) -> i64 {
    app.shop().send(sum(app, total, failed)).await;
    app.number("SELECT refunded FROM payments").await
}

fn moved(lead_id: i64, to: Option<i64>) -> What {
    What::Reattribute(Reattribute {
        lead_id: lead_id.into(),
        to: to.map(Into::into),
        code_id: None,
        reason: "a test".into(),
        pay_back: true,
    })
}

/// The commissions by their referrers: state, cause, amount.
async fn earned(app: &TestApp) -> Vec<(String, String, Option<String>, i64)> {
    app.rows(
        "SELECT r.name, c.state, c.void_cause, c.amount
           FROM commissions c
           JOIN referrers r ON r.id = c.referrer_id
          ORDER BY c.id",
    )
    .await
}

fn row(name: &str, state: &str, cause: Option<&str>, amount: i64) -> (String, String, Option<String>, i64) {
    (name.to_owned(), state.to_owned(), cause.map(str::to_owned), amount)
}

async fn a_sum_gives_back_the_difference(app: TestApp) {
    paid(&app).await;
    assert_eq!(told(&app, 2_500, 0).await, 2_500);
    assert_eq!(told(&app, 2_500, 0).await, 2_500);
    assert_eq!(told(&app, 1_000, 0).await, 2_500, "a smaller sum is old news");
    assert_eq!(told(&app, 99_999, 0).await, 10_000, "no more than was paid");
    assert_eq!(app.number("SELECT count(*) FROM refunds").await, 2);
    assert_eq!(commission(&app).await, ("void".into(), 0, 0));
    app.is_sound().await;
}

async fn a_refund_that_fails_comes_back_once(app: TestApp) {
    paid(&app).await;
    assert_eq!(told(&app, 4_000, 0).await, 4_000);
    assert_eq!(told(&app, 0, 4_000).await, 0);
    assert_eq!(commission(&app).await, ("pending".into(), 2_000, 0));
    assert_eq!(balance(&app, "held").await, 2_000);
    // Another refund follows by a call, which no failure told before takes off.
    app.shop().refund(AMY, day(PAID_ON), Some("15")).await;
    assert_eq!(told(&app, 0, 4_000).await, 1_500);
    assert_eq!(commission(&app).await, ("pending".into(), 1_700, 0));
    app.is_sound().await;
}

async fn a_good_refund_stays_when_an_earlier_one_failed(app: TestApp) {
    paid(&app).await;
    assert_eq!(told(&app, 4_000, 0).await, 4_000);
    assert_eq!(told(&app, 0, 4_000).await, 0);
    assert_eq!(told(&app, 3_000, 4_000).await, 3_000, "a second one arrives");
    // A sum that was told before it comes late.
    assert_eq!(told(&app, 0, 4_000).await, 3_000);
    app.is_sound().await;
}

async fn one_that_came_by_another_way_stays_for_a_person(app: TestApp) {
    paid(&app).await;
    app.shop().refund(AMY, day(PAID_ON), Some("40")).await;
    let Outcome::Done { changed, .. } = app.shop().send(sum(&app, 0, 4_000)).await else { panic!("no answer") };
    assert!(!changed, "staff decide about their own");
    assert_eq!(app.number("SELECT refunded FROM payments").await, 4_000);
    // Of a sum that both gave, the provider's part comes back.
    assert_eq!(told(&app, 6_000, 0).await, 6_000);
    assert_eq!(told(&app, 0, 6_000).await, 4_000);
    app.is_sound().await;
}

async fn what_comes_back_goes_to_the_referrer_of_today(app: TestApp) {
    let shop = app.shop();
    paid(&app).await;
    let ben = shop.referrer("Ben Otieno").await;
    let lead_id = app.number("SELECT id FROM leads").await;
    told(&app, 10_000, 0).await;
    shop.send(moved(lead_id, Some(ben.enrollment_id))).await;
    told(&app, 0, 10_000).await;
    let jane = row("Jane Miller", "void", Some("re-attributed"), 2_000);
    assert_eq!(earned(&app).await, [jane.clone(), row("Ben Otieno", "pending", None, 2_000)]);
    // The next one that fails leaves it with him.
    told(&app, 10_000, 10_000).await;
    assert_eq!(earned(&app).await[1], row("Ben Otieno", "void", Some("refunded"), 0));
    told(&app, 0, 20_000).await;
    assert_eq!(earned(&app).await, [jane, row("Ben Otieno", "pending", None, 2_000)]);
    app.is_sound().await;
}

async fn what_comes_back_waits_where_nobody_is_the_referrer(app: TestApp) {
    let shop = app.shop();
    paid(&app).await;
    let ben = shop.referrer("Ben Otieno").await;
    let lead_id = app.number("SELECT id FROM leads").await;
    told(&app, 10_000, 0).await;
    shop.send(moved(lead_id, None)).await;
    told(&app, 0, 10_000).await;
    let jane = row("Jane Miller", "void", Some("re-attributed"), 2_000);
    assert_eq!(earned(&app).await, std::slice::from_ref(&jane));
    assert_eq!(balance(&app, "held").await, 0);
    shop.send(moved(lead_id, Some(ben.enrollment_id))).await;
    assert_eq!(earned(&app).await, [jane, row("Ben Otieno", "pending", None, 2_000)]);
    app.is_sound().await;
}

async fn a_banned_referrer_gets_nothing_back(app: TestApp) {
    paid(&app).await;
    told(&app, 10_000, 0).await;
    app.arrange("UPDATE enrollments SET state = 'banned'").await;
    told(&app, 0, 10_000).await;
    assert_eq!(earned(&app).await, [row("Jane Miller", "void", Some("re-attributed"), 2_000)]);
    assert_eq!(app.number("SELECT refunded FROM payments").await, 0);
}

async fn what_staff_voided_stays_void(app: TestApp) {
    let shop = app.shop();
    paid(&app).await;
    let id = app.number("SELECT id FROM commissions").await;
    shop.send(What::Void(refdesk::engine::Void { commission_id: id.into(), reason: "fraud".into() })).await;
    told(&app, 10_000, 0).await;
    told(&app, 0, 10_000).await;
    assert_eq!(earned(&app).await, [row("Jane Miller", "void", Some("staff"), 2_000)]);
    app.is_sound().await;
}

async fn a_call_after_the_provider_is_the_same_refund(app: TestApp) {
    let shop = app.shop();
    paid(&app).await;
    told(&app, 2_500, 0).await;
    let date = app.rows::<(String,)>("SELECT refund_date FROM refunds").await.remove(0).0;
    for id in ["evt_9", "evt_9", "evt_10"] {
        let What::Refund(mut refund) = shop.refund_event(AMY, day(PAID_ON), Some("25")) else { unreachable!() };
        (refund.identity, refund.date) = (Some(format!("event:{id}")), day(&date));
        shop.send(What::Refund(refund)).await;
    }
    assert_eq!(app.number("SELECT refunded FROM payments").await, 2_500, "a sum of the provider's says how many");
    assert_eq!(told(&app, 5_000, 0).await, 5_000);
    app.is_sound().await;
}
