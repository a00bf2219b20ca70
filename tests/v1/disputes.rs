//! Payments are marked as disputed, and the dispute ends.

use refdesk::clock::Day;
use serde_json::{Value as Json, json};

use super::{call, text, with};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    a_payment_is_disputed_and_the_dispute_ends,
    what_cannot_be_disputed_says_why,
    a_dispute_sent_twice_is_one,
}

/// A payment of Amy's, of which Jane's commission is approved: its address, and where Jane's balances are.
async fn paid(app: &TestApp) -> (String, String) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-10").await;
    let commission = app.number("SELECT id FROM commissions").await;
    let why = json!({ "reason": "agreed" });
    call(app, "POST", &format!("/v1/commissions/{commission}/approve"), Some(why)).await.is(200);
    let payments = call(app, "GET", "/v1/payments", None).await.json();
    let path = format!("/v1/payments/{}", text(&payments["data"][0]["id"]));
    (path, format!("/v1/referrers/{}/balances", jane.id))
}

fn why() -> Option<Json> {
    Some(json!({ "reason": "chargeback dp_1" }))
}

async fn a_payment_is_disputed_and_the_dispute_ends(app: TestApp) {
    let (path, balances) = paid(&app).await;
    let owed = async || -> Vec<(String, i64)> {
        let json = call(&app, "GET", &balances, None).await.is(200).json();
        let rows = json["data"].as_array().expect("rows").iter();
        let rows = rows.map(|b| (text(&b["account"]).to_owned(), b["amount_minor"].as_i64().expect("a number")));
        rows.filter(|(_, amount)| *amount != 0).collect()
    };
    let listed = async |query: &str| {
        let list = call(&app, "GET", &format!("/v1/payments?{query}"), None).await.is(200).json();
        list["data"].as_array().map(Vec::len)
    };
    app.shop().pay("amy@example.com", "50.00", "2026-06-11").await;
    let before = call(&app, "GET", &path, None).await.is(200).json();
    let marked = call(&app, "POST", &format!("{path}/dispute"), why()).await.is(200).json();
    assert_eq!(marked["disputed_at"], json!("2026-06-20T12:00:00.000Z"));
    assert_eq!(call(&app, "GET", &path, None).await.json(), marked);
    assert_eq!(owed().await, [("held".to_owned(), 3_000)], "20.00 approved and 10.00 pending");
    assert_eq!((listed("disputed=true").await, listed("disputed=false").await), (Some(1), Some(1)));
    assert_eq!(listed("disputed=true&email=amy@example.com&sort=created").await, Some(1));
    let commissions = call(&app, "GET", "/v1/commissions?state=approved", None).await.json();
    assert_eq!(commissions["data"].as_array().map(Vec::len), Some(1), "its state stays");

    app.clock.set(app.clock.now().plus_seconds(60));
    let again = call(&app, "POST", &format!("{path}/dispute"), why()).await.is(200).json();
    assert_eq!(again, marked, "it was disputed already");
    let expected = {
        let mut expected = before.clone();
        expected["updated_at"] = json!("2026-06-20T12:01:00.000Z");
        expected
    };
    for _ in 0..2 {
        let ended = call(&app, "POST", &format!("{path}/dispute/end"), why()).await.is(200).json();
        assert_eq!(ended, expected);
        assert_eq!(owed().await, [("due".to_owned(), 2_000), ("held".to_owned(), 1_000)]);
    }
    let audit = call(&app, "GET", "/v1/audit", None).await.json();
    let of = |action: &str| audit["data"].as_array().expect("rows").iter().filter(|e| e["action"] == action).count();
    assert_eq!((of("payment.disputed"), of("payment.dispute_ended")), (1, 1));
}

async fn what_cannot_be_disputed_says_why(app: TestApp) {
    let (path, _) = paid(&app).await;
    let strangers = [app.another_business("Other").await.api_key, app.key(false).await];
    for path in [format!("{path}/dispute"), format!("{path}/dispute/end")] {
        let missing = call(&app, "POST", &path, Some(json!({}))).await.is(400).json();
        assert_eq!((&missing["code"], &missing["errors"][0]["pointer"]), (&json!("missing_field"), &json!("/reason")));
        let unknown = call(&app, "POST", &path, Some(json!({ "reason": "x", "amount": 5 }))).await.is(400).json();
        assert_eq!(unknown["errors"][0]["pointer"], "/amount");
        for key in &strangers {
            let nothing = app.call("POST", &path, key, why()).await.is(404).json();
            assert_eq!(nothing["code"], "not_found");
        }
    }
    for path in ["/v1/payments/pay_nonsense/dispute", "/v1/payments/1/dispute", "/v1/payments/1/dispute/end"] {
        call(&app, "POST", path, why()).await.is(404);
    }
    assert_eq!(app.number("SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL").await, 0);
    app.shop().refund("amy@example.com", Day::parse("2026-06-10").expect("a day"), None).await;
    let refused = call(&app, "POST", &format!("{path}/dispute"), why()).await.is(409).json();
    assert_eq!(refused["code"], "refused");
    assert!(text(&refused["detail"]).contains("wholly refunded"), "{refused}");
}

async fn a_dispute_sent_twice_is_one(app: TestApp) {
    let (path, _) = paid(&app).await;
    let (path, once) = (format!("{path}/dispute"), ("idempotency-key", "dp-1"));
    let first = with(&app, "POST", &path, once, &json!({ "reason": "a chargeback" })).await.is(200);
    let again = with(&app, "POST", &path, once, &json!({ "reason": "a chargeback" })).await.is(200);
    assert_eq!((again.json(), again.header("idempotency-replayed")), (first.json(), "true"));
    let other = with(&app, "POST", &path, once, &json!({ "reason": "another one" })).await.is(409).json();
    assert_eq!(other["code"], "idempotency_mismatch");
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'payment.disputed'").await, 1);
}
