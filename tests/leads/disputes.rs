//! /leads/…/payments/…/dispute, and where the money of a disputed payment is shown.

use refdesk::engine::Approve;
use refdesk::users::Role;

use super::{balance, confirm, proves};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    a_payment_is_disputed_and_the_dispute_ends,
    sums_say_what_of_them_is_disputed,
    what_cannot_be_disputed_is_told,
    an_old_preview_is_shown_again_with_what_was_typed,
}

/// Amy's payment of 100.00, which earned Jane 20.00: (Jane, lead, payment, commission).
async fn paid(app: &TestApp) -> (i64, i64, i64, i64) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    let of = async |table: &str| app.number(&format!("SELECT max(id) FROM {table}")).await;
    (jane.id, lead, of("payments").await, of("commissions").await)
}

async fn approve(app: &TestApp, commission_id: i64) {
    app.shop().send(Approve { commission_id: commission_id.into(), reason: Some("early".into()) }).await;
}

async fn a_payment_is_disputed_and_the_dispute_ends(app: TestApp) {
    app.sign_in().await;
    let (jane, lead, payment, commission) = paid(&app).await;
    approve(&app, commission).await;
    let (own, path) = (format!("/leads/{lead}"), format!("/leads/{lead}/payments/{payment}/dispute"));
    assert_eq!(app.get(&own).await.attr("a[href$='/dispute']", "href"), path);
    let asked = app.get(&path).await.is(200).says("100.00 USD for Pro plan, paid on 14 Jun 2026.");
    assert_eq!(asked.texts("form.confirm caption"), ["Due until now, held until the dispute is decided 20.00 USD"]);
    assert_eq!(confirm(&asked, &[("reason", "")]).await.is(422).error_at("reason"), "The reason is missing.");
    assert_eq!(balance(&app, jane, "due").await, 2_000, "nothing was done yet");
    let done = confirm(&asked, &[("reason", "A chargeback")]).await.goes_to(&own).follow().await;
    assert_eq!(done.flash(), "The payment is marked as disputed.");
    done.says("Disputed").says("Payment of 100.00 USD disputed").says("A chargeback");
    assert_eq!((balance(&app, jane, "held").await, balance(&app, jane, "due").await), (2_000, 0));
    let again = app.get(&path).await.goes_to(&own).follow().await;
    assert_eq!(again.flash(), "The payment is disputed already.");

    let end = format!("{path}/end");
    let shown = app.get(&format!("/commissions/{commission}")).await.is(200).says("this is approved, and held");
    let shown = shown.says("Payment disputed").says("A chargeback");
    assert_eq!(shown.attr("a[href$='/dispute/end']", "href"), end);
    assert_eq!(
        shown.texts(".plain tbody td:nth-child(3)"),
        ["created", "approved", "approved", "disputed", "disputed"]
    );
    let asked = app.get(&end).await.is(200);
    assert_eq!(asked.texts("form.confirm caption"), ["Due again 20.00 USD"]);
    let done = confirm(&asked, &[("reason", "Decided for us")]).await.goes_to(&own).follow().await;
    assert_eq!(done.flash(), "The dispute is over.");
    done.says("Dispute of 100.00 USD ended").says("Decided for us");
    assert_eq!((balance(&app, jane, "held").await, balance(&app, jane, "due").await), (0, 2_000));
    assert_eq!(app.get(&end).await.goes_to(&own).follow().await.flash(), "The payment is not disputed.");
    app.get("/audit").await.is(200).says("Payment disputed").says("Dispute of a payment ended");
    app.get(&format!("/referrers/{jane}")).await.is(200).says("Payment of 100.00 USD disputed");

    // A person who only reads is not offered it.
    let viewer = app.member(Role::Viewer).await;
    for page in [own, format!("/commissions/{commission}")] {
        assert!(!viewer.get(&page).await.is(200).has("a[href$='/dispute']"));
    }
    viewer.get(&path).await.is(403);
    let other = app.shop().lead("bob@example.com", None).await;
    app.get(&format!("/leads/{other}/payments/{payment}/dispute")).await.is(404);
    proves(&app).await;
}

async fn sums_say_what_of_them_is_disputed(app: TestApp) {
    app.sign_in().await;
    let (jane, _, payment, commission) = paid(&app).await;
    approve(&app, commission).await;
    app.shop().pay("amy@example.com", "50.00", "2026-06-15").await;
    assert_eq!(app.get("/commissions").await.text("#sums"), "10.00 USD held");
    assert_eq!(app.get("/commissions?state=approved").await.text("#sums"), "20.00 USD due");
    app.shop().dispute(payment, true).await;
    let sums = app.get("/commissions").await.text("#sums");
    assert_eq!(sums, "30.00 USD held, 20.00 USD of it approved, but disputed");
    let approved = app.get("/commissions?state=approved").await;
    assert_eq!(approved.text("#sums"), "20.00 USD approved, but disputed and so held");
    app.get("/").await.is(200).says("with 20.00 USD approved, but disputed").says("30.00 USD");
    let person = app.get(&format!("/referrers/{jane}")).await.is(200);
    person.says("20.00 USD of what is held is approved, but its payment is disputed.");
    let enrollment = app.number("SELECT id FROM enrollments").await;
    app.get(&format!("/enrollments/{enrollment}/ban")).await.says("1 approved but disputed, 20.00 USD");

    // A pending commission under dispute leaves no hold.
    let second = app.number("SELECT max(id) FROM payments").await;
    app.shop().dispute(second, true).await;
    let (before, after) = (app.get("/").await.texts(".bars .bar-value"), "0.00 USD");
    assert_eq!(before[before.len() - 3..], [after; 3], "holds coming due");
    let list = app.get("/commissions").await;
    assert!(!list.has("a[href$='/approve']"), "nothing here can be approved");
}

async fn what_cannot_be_disputed_is_told(app: TestApp) {
    app.sign_in().await;
    let (_, lead, payment, commission) = paid(&app).await;
    let path = format!("/leads/{lead}/payments/{payment}/dispute");
    let asked = app.get(&path).await.is(200).says("No money moves.");
    app.shop().refund("amy@example.com", crate::support::day("2026-06-14"), None).await;
    let own = format!("/leads/{lead}");
    for late in [true, false] {
        let answer = if late { confirm(&asked, &[("reason", "Late")]).await } else { app.get(&path).await };
        let page = answer.goes_to(&own).follow().await;
        assert!(page.flash().contains("wholly refunded"), "{}", page.flash());
        assert!(!page.has("a[href$='/dispute']"));
    }
    assert!(!app.get(&format!("/commissions/{commission}")).await.is(200).has("a[href$='/dispute']"));
}

async fn an_old_preview_is_shown_again_with_what_was_typed(app: TestApp) {
    app.sign_in().await;
    let (jane, lead, payment, commission) = paid(&app).await;
    let asked = app.get(&format!("/leads/{lead}/payments/{payment}/dispute")).await.is(200).says("No money moves.");
    approve(&app, commission).await;
    let fields = [("reason", "A chargeback")];
    let shown = confirm(&asked, &fields).await.is(409).says("Something changed since you looked.");
    assert_eq!(shown.field("reason"), "A chargeback");
    assert_eq!(balance(&app, jane, "due").await, 2_000, "nothing was done yet");
    confirm(&shown, &fields).await.is(303);
    assert_eq!(balance(&app, jane, "held").await, 2_000);
}
