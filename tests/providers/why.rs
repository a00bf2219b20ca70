//! The answer of a message to why its code counts or does not.

use refdesk::providers::Provider;
use refdesk::providers::store::LinkTerms;
use serde_json::{Value as Json, json};

use super::performance::{bought, refunded};
use super::{SECRET, THEN, event};
use crate::on_both_databases;
use crate::support::{Answer, TestApp};

on_both_databases! {
    a_message_says_why_its_code_did_not_qualify,
    the_first_order_qualifies_and_no_later_one,
    a_renewal_needs_no_code,
    another_message_of_the_payment_names_the_code,
    only_a_first_checkout_has_a_code_that_was_not_valid,
    a_payment_after_the_days_of_the_rule_is_too_late,
}

/// The page of the newest message of a kind.
async fn message(app: &TestApp, identity: &str) -> Answer {
    let id = app.number(&format!("SELECT id FROM provider_messages WHERE identity = '{identity}'")).await;
    app.get(&format!("/provider-messages/{id}")).await.is(200)
}

async fn a_message_says_why_its_code_did_not_qualify(app: TestApp) {
    let (jane, bob) = (app.shop().referrer("Jane").await, app.shop().referrer("Bob").await);
    app.shop().lead("ben@example.com", Some(&bob.code)).await;
    app.sign_in().await;
    let by_rule = LinkTerms { qualify_on_code: false, ..app.usual_terms() };
    app.connect(Provider::Stripe, SECRET, false, Some(by_rule)).await;
    app.arrange("UPDATE campaigns SET qualify_on = 'payment', qualify_least = '{\"USD\":50000}'").await;
    app.told(&[
        bought(1, "amy@example.com", &jane.code),
        bought(2, "ben@example.com", &jane.code),
        bought(3, "cat@example.com", "NOBODY"),
        bought(4, "dan@example.com", ""),
        refunded(1, 100),
    ])
    .await;
    message(&app, "evt_1")
        .await
        .says("The use counts for its referrer, and the lead is not qualified.")
        .says("that switch is off")
        .says("At the first payment of at least 500.00 USD")
        .says("The payment of 100.00 USD is less than 500.00 USD.");
    message(&app, "evt_2").await.says("does not count for the code’s referrer").says("An earlier claim counts.");
    message(&app, "evt_3")
        .await
        .says("No referral code was used")
        .says("NOBODY, which is no referral code of this business");
    message(&app, "evt_4").await.says("names no code in this message");
    message(&app, "evt_refund_1").await.does_not_say("The referral code");
    let page = message(&app, "evt_1").await;
    let links = page.attrs(".note a", "href");
    assert_eq!(links.len(), 2, "the code and the lead's trace: {links:?}");
    for link in links {
        app.get(&link).await.is(200);
    }
}

async fn the_first_order_qualifies_and_no_later_one(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    app.sign_in().await;
    app.arrange("UPDATE campaigns SET qualify_on = 'hand'").await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    app.shop().pay("amy@example.com", "30.00", "2026-06-01").await;
    app.told(&[bought(1, "amy@example.com", &jane.code), bought(2, "ben@example.com", &jane.code)]).await;
    message(&app, "evt_1")
        .await
        .says("first order only, and they had paid 30.00 USD on 1 Jun 2026 before")
        .says("By hand, an upload or the API.");
    message(&app, "evt_2").await.says("The use counts, and the lead is qualified.");
}

fn invoice(n: u8, email: &str) -> Json {
    json!({
        "id": format!("in_{n}"), "object": "invoice", "customer": format!("cus_{n}"), "customer_email": email,
        "currency": "usd", "amount_paid": 10_000, "total": 10_000, "status_transitions": { "paid_at": THEN + 90 },
    })
}

async fn a_renewal_needs_no_code(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    app.sign_in().await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    app.told(&[bought(1, "amy@example.com", &jane.code)]).await;
    app.told(&[event("evt_2", "invoice.paid", THEN + 90, invoice(1, "amy@example.com"))]).await;
    let page = message(&app, "evt_2").await;
    let page = page.says("The lead was referred before, and needs no code.").says("names no code in this message");
    let page = page.says(&format!("Jane, code {}", jane.code)).says("The payment of 100.00 USD on 18 Jun 2026 earned:");
    let page = page.does_not_say("not valid").does_not_say("No referral code was used");
    let code = page.attr(".note a", "href");
    app.get(&code).await.is(200).says(&jane.code);
}

async fn another_message_of_the_payment_names_the_code(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    app.sign_in().await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    app.told(&[event("evt_0", "invoice.paid", THEN, invoice(1, "amy@example.com"))]).await;
    message(&app, "evt_0").await.says("No referral code was used").does_not_say("not valid");
    let mut session = bought(1, "amy@example.com", &jane.code);
    session["data"]["object"]["invoice"] = json!("in_1");
    app.told(&[session]).await;
    let page = message(&app, "evt_0")
        .await
        .says("Another message of this payment, checkout.session.completed, names the code.");
    page.says("The use counts, and the lead is qualified.").does_not_say("not valid");
}

async fn only_a_first_checkout_has_a_code_that_was_not_valid(app: TestApp) {
    app.sign_in().await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    app.told(&[bought(1, "amy@example.com", "")]).await;
    message(&app, "evt_1").await.says("was told in the checkout that it is not valid");
    let mut again = bought(2, "amy@example.com", "");
    again["data"]["object"]["customer"] = json!("cus_1");
    app.told(&[again]).await;
    let page = message(&app, "evt_2").await.says("No referral code was used").does_not_say("not valid");
    page.says("It is not the customer’s first payment: they had paid 100.00 USD on 18 Jun 2026 before.");
    message(&app, "evt_1").await.says("was told in the checkout that it is not valid");
}

async fn a_payment_after_the_days_of_the_rule_is_too_late(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    app.shop().lead("amy@example.com", Some(&jane.code)).await;
    let by_rule = LinkTerms { qualify_on_code: false, ..app.usual_terms() };
    app.connect(Provider::Stripe, SECRET, false, Some(by_rule)).await;
    app.arrange("UPDATE campaigns SET qualify_on = 'payment', qualify_days = 5").await;
    app.clock.advance_days(8);
    app.sign_in().await;
    let mut late = bought(1, "amy@example.com", &jane.code);
    late["created"] = json!(THEN + 9 * 86_400);
    app.told(&[late]).await;
    message(&app, "evt_1")
        .await
        .says("and the lead is not qualified")
        .says("At the first payment within 5 days of the lead.")
        .says("The payment came too late, on 27 Jun 2026: the lead is of 20 Jun 2026, and the rule takes payments until 25 Jun 2026.");
    // In time, it qualifies.
    app.arrange("UPDATE campaigns SET qualify_days = 10").await;
    let mut in_time = bought(2, "ben@example.com", &jane.code);
    in_time["created"] = json!(THEN + 9 * 86_400);
    app.told(&[in_time]).await;
    message(&app, "evt_2").await.says("The use counts, and the lead is qualified.").does_not_say("too late");
}
