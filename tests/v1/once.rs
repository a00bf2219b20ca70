//! A call with an `Idempotency-Key` is done once: its outcome is stored with it, so both exist or neither.

use serde_json::{Value as Json, json};

use super::{call, text, with};
use crate::faults::disk::Held;
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    a_call_that_ended_without_an_answer_is_answered_by_its_outcome,
    an_import_without_its_answer_is_answered_by_its_outcome,
    a_call_that_stored_nothing_may_be_sent_again_at_once,
    two_nodes_do_a_call_once,
}

/// Rows that the calls of these tests make.
const MADE: &str = "SELECT (SELECT count(*) FROM audit_entries) + (SELECT count(*) FROM leads)
    + (SELECT count(*) FROM payments) + (SELECT count(*) FROM terms) + (SELECT count(*) FROM imports)";

/// Makes the program forget that it gave the answer, as a kill between the write and the answer does.
async fn lose_answers(app: &TestApp) {
    app.arrange("UPDATE stored_answers SET status = NULL, headers = '', body = ''").await;
}

/// Sends a call, and again after its answer is lost: the same answer, and nothing is done.
async fn twice(app: &TestApp, number: usize, path: &str, body: &Json) -> Json {
    let key = format!("call-{number}");
    let once = ("idempotency-key", key.as_str());
    let first = with(app, "POST", path, once, body).await;
    assert!(first.status < 300, "{first:?}");
    let made = app.number(MADE).await;
    lose_answers(app).await;
    let again = with(app, "POST", path, once, body).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()), "{path}");
    assert_eq!(app.number(MADE).await, made, "{path} is done once");
    let stored = with(app, "POST", path, once, body).await;
    assert_eq!((stored.header("idempotency-replayed"), stored.json()), ("true", first.json()), "{path}");
    first.json()
}

async fn a_call_that_ended_without_an_answer_is_answered_by_its_outcome(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let zoe = app.shop().referrer_without_code("Zoe King").await;
    app.shop().lead("amy@example.com", Some(&jane.code)).await;
    app.shop().pay("amy@example.com", "100.00", "2026-06-10").await;
    let (business, product) = (&app.business.public_id, &app.business.product_id);
    let payment = |email: &str, id: &str| {
        json!({ "type": "payment-succeeded", "businessId": business, "productId": product, "customerEmail": email,
            "amount": 10, "currency": "USD", "subscriptionStatus": "active", "paymentDate": "2026-06-20",
            "eventId": id })
    };
    let events = json!({ "items": [
        { "type": "customer-created", "businessId": business, "productId": product,
          "customerEmail": "ben@example.com", "customerName": "Ben", "referralCode": jane.code },
        payment("ben@example.com", "evt_1"),
        payment("ben@example.com", "evt_1"),
        { "type": "payment-refunded", "businessId": business, "productId": product,
          "customerEmail": "ben@example.com", "paymentEventId": "evt_1", "amount": 5, "refundDate": "2026-06-20" },
        { "type": "payment-refunded", "businessId": business, "productId": product,
          "customerEmail": "ben@example.com", "paymentEventId": "evt_1", "amount": 50, "refundDate": "2026-06-20" },
        { "type": "subscription-cancelled", "businessId": business, "productId": product,
          "customerEmail": "ben@example.com", "cancelDate": "2026-06-20" },
    ] });
    let ada = json!({ "name": "Ada", "email": "ada@example.com", "code": jane.code });
    let added = twice(&app, 1, "/v1/leads", &ada).await;
    twice(&app, 2, "/v1/leads", &ada).await;
    twice(&app, 3, "/v1/leads/batch", &json!({ "items": [{ "name": "Cy" }, { "email": 1 }, ada] })).await;
    let qualified =
        json!({ "items": [{ "lead": added["id"], "qualified": true }, { "lead": "9", "qualified": true }] });
    twice(&app, 4, "/v1/qualifications/batch", &qualified).await;
    twice(&app, 5, "/v1/events/batch", &events).await;
    twice(&app, 6, "/v1/referrers", &json!({ "name": "Kim", "email": "kim@example.com" })).await;
    twice(&app, 7, "/v1/codes", &json!({ "referrer": zoe.id.to_string() })).await;
    twice(&app, 8, "/v1/codes", &json!({ "referrer": zoe.id.to_string(), "text": "ZOE-KING-1" })).await;
    let second = twice(&app, 9, "/v1/campaigns", &json!({ "name": "Second" })).await;
    let enrolled = json!({ "campaign": second["id"] });
    twice(&app, 10, &format!("/v1/referrers/{}/enrollments", zoe.id), &enrolled).await;
    let plan = json!({ "name": "Plan", "terms": { "referral": { "percent": "20" }, "hold_days": 14 } });
    let plan = twice(&app, 11, "/v1/products", &plan).await;
    let terms = json!({ "valid_from": "2026-07-01", "referral": { "percent": "30" } });
    twice(&app, 12, &format!("/v1/products/{}/terms", text(&plan["id"])), &terms).await;
    let commission = app.number("SELECT min(id) FROM commissions").await;
    let why = json!({ "reason": "agreed" });
    twice(&app, 13, &format!("/v1/commissions/{commission}/approve"), &why).await;
    twice(&app, 14, &format!("/v1/commissions/{commission}/void"), &why).await;
    let payment = app.number("SELECT min(id) FROM payments").await;
    twice(&app, 15, &format!("/v1/payments/{payment}/dispute"), &why).await;
    let cy = app.number("SELECT id FROM leads WHERE name = 'Cy'").await;
    let into = json!({ "into": added["id"] });
    let preview = call(&app, "POST", &format!("/v1/leads/{cy}/merge/preview"), Some(into.clone())).await.is(200).json();
    let seen = json!({ "into": added["id"], "seen": preview["seen"] });
    twice(&app, 16, &format!("/v1/leads/{cy}/merge"), &seen).await;
}

async fn an_import_without_its_answer_is_answered_by_its_outcome(app: TestApp) {
    let key = format!("Bearer {}", app.business.api_key);
    let headers = [("authorization", key.as_str()), ("content-type", "text/csv"), ("idempotency-key", "june")];
    let file = "Name,Email\nAmy,amy@example.com\n";
    let send = async || app.request("POST", "/v1/imports?kind=leads", &headers, file.as_bytes().to_vec()).await;
    let first = app.with_jobs(send()).await.is(201).json();
    lose_answers(&app).await;
    let again = app.with_jobs(send()).await.is(201).json();
    assert_eq!(again, first);
    assert_eq!(app.number("SELECT count(*) FROM imports WHERE state <> 'discarded'").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 1);
}

async fn a_call_that_stored_nothing_may_be_sent_again_at_once(app: TestApp) {
    let (new, once) = (json!({ "name": "Amy" }), ("idempotency-key", "amy"));
    let held = Held::take(&app).await;
    with(&app, "POST", "/v1/leads", once, &new).await.is(503);
    held.release().await;
    let added = with(&app, "POST", "/v1/leads", once, &new).await.is(201).json();
    // A refusal is no answer to keep either, even one that the rules gave while they wrote.
    let merge = format!("/v1/leads/{}/merge", text(&added["id"]));
    let (into, key) = (json!({ "into": added["id"] }), ("idempotency-key", "merge"));
    let first = with(&app, "POST", &merge, key, &into).await;
    let again = with(&app, "POST", &merge, key, &into).await;
    assert_eq!((first.status, again.status), (409, 409), "{first:?}");
    assert_eq!(again.header("idempotency-replayed"), "");
    assert_eq!(app.number("SELECT count(*) FROM stored_answers").await, 1);
}

async fn two_nodes_do_a_call_once(app: TestApp) {
    let other = app.another_node().await;
    for n in 0..10 {
        let (new, key) = (json!({ "name": format!("Amy {n}") }), format!("amy-{n}"));
        let once = ("idempotency-key", key.as_str());
        let (one, two) =
            tokio::join!(with(&app, "POST", "/v1/leads", once, &new), with(&other, "POST", "/v1/leads", once, &new));
        assert_eq!((one.status, two.status), (201, 201), "{one:?} {two:?}");
        assert_eq!(one.json(), two.json());
    }
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 10);
}
