//! Inbox items, settled by a program.

use serde_json::{Value as Json, json};

use super::{call, text};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    an_unknown_code_is_accepted_with_the_code_that_was_meant,
    a_late_claim_is_accepted_for_the_money_that_was_seen,
    a_second_payment_is_accepted_once,
    what_cannot_be_accepted_says_why,
    items_are_read_in_the_key_s_mode,
    an_unknown_code_names_the_closest_ones,
}

/// The address of the only open item.
async fn item(app: &TestApp) -> String {
    let inbox = call(app, "GET", "/v1/inbox", None).await.is(200).json();
    assert_eq!(inbox["data"].as_array().map(Vec::len), Some(1), "{inbox}");
    format!("/v1/inbox/{}", text(&inbox["data"][0]["id"]))
}

async fn held(app: &TestApp) -> i64 {
    app.number("SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries WHERE account = 'held'").await
}

async fn an_unknown_code_is_accepted_with_the_code_that_was_meant(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let lead = app.shop().lead("amy@example.com", Some("NOBODY99")).await;
    let accept = format!("{}/accept", item(&app).await);
    let asked = call(&app, "POST", &accept, None).await.is(400).json();
    assert_eq!((&asked["code"], &asked["errors"][0]["pointer"]), (&json!("missing_field"), &json!("/code")));
    for wrong in [json!({ "code": "NOBODY98" }), json!({ "referrer": lead }), json!({ "codes": jane.code })] {
        call(&app, "POST", &accept, Some(wrong)).await.is(400);
    }
    let done = call(&app, "POST", &accept, Some(json!({ "code": jane.code }))).await.is(200).json();
    assert_eq!((&done["state"], &done["outcome"]), (&json!("accepted"), &json!("given to one of the closest codes")));
    let now = call(&app, "GET", &format!("/v1/leads/{lead}"), None).await.json();
    assert_eq!(now["attribution"]["code"], json!(jane.code));
    // Accepting twice changes nothing.
    assert_eq!(call(&app, "POST", &accept, Some(json!({ "code": jane.code }))).await.is(200).json(), done);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'inbox.accepted'").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'lead.attributed'").await, 1);
}

async fn a_late_claim_is_accepted_for_the_money_that_was_seen(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", None).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    let path = item(&app).await;
    let preview = call(&app, "POST", &format!("{path}/accept/preview"), None).await.is(200).json();
    assert_eq!((&preview["created"][0]["amount_minor"], held(&app).await), (&json!(2000), 0));
    // Another payment comes in between.
    shop.pay("amy@example.com", "50.00", "2026-06-15").await;
    let accept = format!("{path}/accept");
    let stale = call(&app, "POST", &accept, Some(json!({ "seen": preview["seen"] }))).await.is(412).json();
    assert_eq!((&stale["code"], held(&app).await), (&json!("changed_meanwhile"), 0));
    let seen = call(&app, "POST", &format!("{path}/accept/preview"), Some(json!({}))).await.is(200).json();
    call(&app, "POST", &accept, Some(json!({ "seen": seen["seen"] }))).await.is(200);
    assert_eq!(held(&app).await, 3_000);
}

async fn a_second_payment_is_accepted_once(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    shop.pay("amy@example.com", "50.00", "2026-06-14").await;
    let path = item(&app).await;
    let named = json!({ "code": jane.code });
    call(&app, "POST", &format!("{path}/accept"), Some(named)).await.is(400);
    let preview = call(&app, "POST", &format!("{path}/accept/preview"), None).await.is(200).json();
    assert_eq!(
        (&preview["created"][0]["amount_minor"], &preview["created"][0]["payment"]),
        (&json!(1000), &Json::Null),
        "it is not recorded yet"
    );
    for _ in 0..2 {
        let done = call(&app, "POST", &format!("{path}/accept"), None).await.is(200).json();
        assert_eq!(done["state"], "accepted");
    }
    assert_eq!((app.number("SELECT count(*) FROM payments").await, held(&app).await), (2, 3_000));
}

async fn what_cannot_be_accepted_says_why(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("jane.miller@example.org", Some(&jane.code)).await;
    let path = item(&app).await;
    let refused = call(&app, "POST", &format!("{path}/accept"), None).await.is(409).json();
    assert_eq!(refused["code"], "refused");
    assert!(text(&refused["detail"]).contains("Dismiss it"), "{refused}");
    call(&app, "POST", &format!("{path}/accept/preview"), None).await.is(409);
    let dismissed = call(&app, "POST", &format!("{path}/dismiss"), None).await.is(200).json();
    assert_eq!(dismissed["state"], "dismissed");
    let over = call(&app, "POST", &format!("{path}/accept"), None).await.is(409).json();
    assert_eq!(over["detail"], "This item is dismissed already.");
    for _ in 0..2 {
        assert_eq!(call(&app, "POST", &format!("{path}/reopen"), None).await.is(200).json()["state"], "open");
    }
    let other = app.another_business("Other").await;
    for verb in ["accept", "accept/preview", "dismiss", "reopen"] {
        app.call("POST", &format!("{path}/{verb}"), &other.api_key, None).await.is(404);
    }
}

async fn items_are_read_in_the_key_s_mode(app: TestApp) {
    app.shop().lead("amy@example.com", Some("NOBODY99")).await;
    let live = item(&app).await;
    let key = app.key(false).await;
    let new = json!({ "name": "Ben", "email": "ben@example.com", "code": "NOBODY88" });
    let ben = app.call("POST", "/v1/leads", &key, Some(new)).await.is(201).json();
    let tests = app.call("GET", "/v1/inbox", &key, None).await.is(200).json();
    assert_eq!((tests["data"].as_array().map(Vec::len), &tests["data"][0]["lead"]), (Some(1), &ben["id"]));
    assert_eq!(item(&app).await, live, "the live key still sees one");
    app.call("GET", &live, &key, None).await.is(404);
    app.call("POST", &format!("{live}/dismiss"), &key, None).await.is(404);
    let by_kind = call(&app, "GET", "/v1/inbox?kind=late_claim", None).await.json();
    assert_eq!(by_kind["data"], json!([]));
    let of_lead = app.call("GET", &format!("/v1/inbox?lead={}", text(&ben["id"])), &key, None).await.json();
    assert_eq!(of_lead["data"], tests["data"]);
}

async fn an_unknown_code_names_the_closest_ones(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    // One letter of the code heard wrong.
    let mut near: Vec<char> = jane.code.chars().collect();
    let at = near.iter().rposition(|c| c.is_ascii_alphabetic()).expect("a letter");
    near[at] = if near[at] == 'X' { 'Z' } else { 'X' };
    let near: String = near.into_iter().collect();
    app.shop().lead("amy@example.com", Some(&near)).await;
    let listed = call(&app, "GET", "/v1/inbox", None).await.is(200).json();
    let closest = &listed["data"][0]["closest"];
    assert_eq!((&closest[0]["code"], &closest[0]["referrer_name"]), (&json!(jane.code), &json!("Jane Miller")));
    let path = item(&app).await;
    assert_eq!(&call(&app, "GET", &path, None).await.json()["closest"], closest);
    // What is named is what is taken.
    let accepted = json!({ "code": closest[0]["code"] });
    let done = call(&app, "POST", &format!("{path}/accept"), Some(accepted)).await.is(200).json();
    assert_eq!((&done["state"], &done["closest"]), (&json!("accepted"), &Json::Null));
    app.shop().lead("eve@example.com", Some("QQQQQQQQ")).await;
    assert_eq!(call(&app, "GET", "/v1/inbox", None).await.json()["data"][0]["closest"], json!([]));
}
