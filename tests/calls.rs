//! /integrations/log

use refdesk::users::Role;
use serde_json::json;

use crate::on_both_databases;
use crate::support::{Answer, TestApp};

on_both_databases! {
    every_call_of_a_known_key_is_listed_with_its_error,
    a_call_is_found_by_what_is_known_of_it,
    no_secret_is_in_the_log,
    another_business_sees_nothing_of_it,
    a_hot_key_costs_a_bounded_number_of_lines,
    the_log_forgets,
    pages_turn,
    a_key_that_is_there_twice_is_refused_in_every_contract,
    a_byte_order_mark_is_skipped,
}

async fn flush(app: &TestApp) {
    app.app.calls.flush(&app.app.db, &app.app.ids).await.expect("the log is written");
}

fn sign_up(app: &TestApp, email: &str) -> serde_json::Value {
    json!({
        "businessId": app.business.public_id, "productId": app.business.product_id,
        "customerEmail": email, "customerName": "Amy",
    })
}

async fn every_call_of_a_known_key_is_listed_with_its_error(app: TestApp) {
    app.sign_in().await;
    app.get("/integrations/log").await.is(200).says("No calls yet");
    app.api_get("/v1/me").await.is(200);
    let refused = app.api_post("/v1/codes", json!({ "referrer": "agent_x", "wrong": 1 })).await.is(400);
    app.api_post("/api/events/customer-created", json!({ "businessId": "" })).await.is(400);
    app.api_post("/api/events/customer-created", sign_up(&app, "amy@example.com")).await.is(200);
    app.api_post("/api/events/customer-created", sign_up(&app, "amy@example.com")).await.is(409);
    app.api_get("/v1/nothing").await.is(404);
    app.call("GET", "/v1/nothing", "rk_live_nobody", None).await.is(404);
    app.call("GET", "/v1/me", "rk_live_nobody", None).await.is(401);
    app.get("/integrations/log").await.says("No calls yet");
    flush(&app).await;
    // Without a good key nobody knows whose log it would be.
    assert_eq!(app.number("SELECT count(*) FROM calls").await, 6);
    let page = app.get("/integrations/log").await.is(200);
    assert_eq!(page.texts("tbody .state"), ["404", "409", "200", "400", "400", "200"]);
    let errors: Vec<(String, Option<String>, Option<String>, String)> =
        app.rows("SELECT request_id, code, message, contract FROM calls ORDER BY id").await;
    assert_eq!(errors[0].1, None);
    assert_eq!(errors[1].0, refused.header("x-request-id"));
    assert!(errors[1].2.as_deref().unwrap().contains("wrong is not a field of this call."), "{errors:?}");
    let message = "businessId is required. productId is required. customerEmail is required. customerName is required.";
    assert_eq!((errors[2].1.as_deref(), errors[2].2.as_deref()), (Some("missing_field"), Some(message)));
    assert_eq!(errors[4].1.as_deref(), Some("duplicate_event"));
    assert_eq!(errors.iter().map(|e| e.3.as_str()).collect::<Vec<_>>(), ["own", "own", "rn", "rn", "rn", "own"]);
    let page = page.says("businessId is required.").says("127.0.0.1").says("Refairn events");
    assert!(page.words().contains(refused.header("x-request-id")));
    flush(&app).await;
    assert_eq!(app.number("SELECT count(*) FROM calls").await, 6, "each is written once");
}

async fn a_call_is_found_by_what_is_known_of_it(app: TestApp) {
    app.sign_in().await;
    let refused = app.api_post("/api/events/customer-created", json!({})).await.is(400);
    app.api_get("/v1/me").await.is(200);
    let test = app.key(false).await;
    app.call("GET", "/v1/codes/NO-SUCH-CODE", &test, None).await.is(404);
    flush(&app).await;
    let count = async |query: &str| app.get(&format!("/integrations/log?{query}")).await.is(200).count("tbody tr");
    assert_eq!(count("").await, 3);
    assert_eq!(count(&format!("q={}", refused.header("x-request-id"))).await, 1);
    assert_eq!(count("q=BUSINESSID+is+required").await, 1);
    assert_eq!(count("q=code+is+unknown").await, 1);
    assert_eq!(count("q=%25").await, 0);
    assert_eq!(count("status=2").await, 1);
    assert_eq!(count("status=4").await, 2);
    assert_eq!(count("status=refused&method=GET").await, 1);
    assert_eq!(count("status=5").await, 0);
    assert_eq!(count("contract=rn").await, 1);
    assert_eq!(count("method=POST").await, 1);
    let key = app.number("SELECT max(id) FROM api_keys").await;
    assert_eq!(count(&format!("key={key}")).await, 1);
    app.get("/integrations/log?status=5").await.says("No calls match");
}

async fn no_secret_is_in_the_log(app: TestApp) {
    let key = app.business.api_key.clone();
    app.api_get(&format!("/v1/leads?limit=3&api_key={key}&q=amy@example.com")).await;
    app.api_get(&format!("/v1/codes/{key}")).await.is(404);
    app.api_get("/v1/codes/amy.miller@example.com").await;
    flush(&app).await;
    let lines: Vec<(String, Option<String>, String)> =
        app.rows("SELECT path, message, search FROM calls ORDER BY id").await;
    assert_eq!(lines.len(), 3);
    let all = format!("{lines:?}");
    assert!(!all.contains(&key) && !all.contains(&key[10..]) && !all.contains(&key.to_lowercase()), "{all}");
    assert!(!all.contains("amy@") && !all.contains("amy.miller@"), "{all}");
    assert_eq!(lines[0].0, "/v1/leads?limit=3");
}

async fn another_business_sees_nothing_of_it(app: TestApp) {
    app.api_get("/v1/codes/NO-SUCH-CODE").await.is(404);
    flush(&app).await;
    let globex = app.another_business("Globex").await;
    let theirs = app.member_of(&globex, Role::Developer).await;
    theirs.get("/integrations/log").await.is(200).says("No calls yet");
    let key = app.number(&format!("SELECT min(id) FROM api_keys WHERE business_id = {}", app.business.id)).await;
    assert_eq!(theirs.get(&format!("/integrations/log?key={key}")).await.is(200).count("tbody tr"), 0);
    for role in [Role::Marketing, Role::Sales, Role::Viewer] {
        app.member(role).await.get("/integrations/log").await.is(403);
    }
}

async fn a_hot_key_costs_a_bounded_number_of_lines(app: TestApp) {
    app.sign_in().await;
    for _ in 0..130 {
        app.api_get("/v1/me").await.is(200);
    }
    app.api_get("/v1/codes/NO-SUCH-CODE").await.is(404);
    flush(&app).await;
    assert_eq!(app.number("SELECT count(*) FROM calls").await, 101, "a hundred that went well, and what did not");
    assert_eq!(app.number("SELECT CAST(sum(dropped) AS BIGINT) FROM calls").await, 30);
    app.get("/integrations/log").await.says("and 30 more within the second");
}

async fn the_log_forgets(app: TestApp) {
    app.api_get("/v1/me").await.is(200);
    flush(&app).await;
    app.clock.advance_days(29);
    refdesk::calls::tidy(&app.app).await.unwrap();
    assert_eq!(app.number("SELECT count(*) FROM calls").await, 1);
    // As many lines of one key as a busy day brings.
    app.arrange(
        "INSERT INTO calls (id, business_id, key_id, at, contract, method, route, path, status, micros, request_id, address, search, dropped)
         WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < 1296)
         SELECT 5000000 + more.n, c.business_id, c.key_id, c.at + more.n, c.contract, c.method, c.route, c.path, 200, 1, '', '', '', 0
           FROM calls c CROSS JOIN more",
    )
    .await;
    assert_eq!(app.number("SELECT count(*) FROM calls").await, 1 + 1296);
    while refdesk::calls::tidy(&app.app).await.unwrap() {}
    assert_eq!(app.number("SELECT count(*) FROM calls").await, refdesk::calls::KEPT);
    assert_eq!(app.number("SELECT count(*) FROM calls WHERE id < 5000000").await, 0, "the oldest go");
    app.clock.advance_days(2);
    while refdesk::calls::tidy(&app.app).await.unwrap() {}
    assert_eq!(app.number("SELECT count(*) FROM calls").await, 0);
}

async fn pages_turn(app: TestApp) {
    app.sign_in().await;
    for _ in 0..60 {
        app.api_get("/v1/codes/NO-SUCH-CODE").await.is(404);
    }
    flush(&app).await;
    let first = app.get("/integrations/log?status=4").await.is(200);
    assert_eq!(first.count("tbody tr"), 50);
    let second = app.get(&first.attr("a[rel=next]", "href")).await.is(200);
    assert_eq!(second.count("tbody tr"), 10);
    let back = app.get(&second.attr("a[rel=prev]", "href")).await.is(200);
    assert_eq!(back.attrs("tbody tr", "id"), first.attrs("tbody tr", "id"));
}

/// Not a bound but a figure: `cargo test --test all noting_a_call -- --nocapture`.
#[test]
fn noting_a_call_is_a_push_under_a_lock() {
    use refdesk::calls::{Call, Calls};
    use refdesk::clock::Instant;
    let calls = Calls::default();
    let (times, started) = (100_000, std::time::Instant::now());
    for _ in 0..times {
        calls.note(7, true, || Call {
            business_id: 1,
            key_id: 7,
            at: Instant::from_micros(0),
            contract: "own",
            method: "GET".into(),
            route: "/v1/me".into(),
            path: "/v1/me".into(),
            status: 200,
            micros: 1,
            request_id: "0123456789abcdef".into(),
            code: None,
            message: None,
            address: "127.0.0.1".into(),
        });
    }
    println!("{} ns a call", started.elapsed().as_nanos() / times);
}

async fn sent(app: &TestApp, path: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {}", app.key(true).await);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    app.request("POST", path, &headers, body.as_bytes().to_vec()).await
}

async fn a_key_that_is_there_twice_is_refused_in_every_contract(app: TestApp) {
    let (business, product) = (&app.business.public_id, &app.business.product_id);
    let payment = format!(
        r#"{{"businessId": "{business}", "productId": "{product}", "customerEmail": "amy@example.com", "amount": 1,
            "currency": "USD", "subscriptionStatus": "active", "paymentDate": "2026-06-14", "amount": 1000}}"#
    );
    let batch = format!(r#"{{"items": [{}]}}"#, payment.replacen('{', r#"{"type": "payment-succeeded", "#, 1));
    for (path, body, status, key) in [
        ("/api/events/payment-succeeded", payment.as_str(), 400, "amount"),
        ("/v1/events/batch", &batch, 400, "items.0.amount"),
        ("/business/lead/create", r#"{"name": "Amy", "unknown": 1, "unknown": 2}"#, 400, "unknown"),
        ("/api/v2/users", r#"{"first_name": "Amy", "email": "a@example.com", "email": "b@example.com"}"#, 422, "email"),
        ("/v1/leads", r#"{"name": "Amy", "name": "Bea"}"#, 400, "name"),
    ] {
        let said = sent(&app, path, body).await.is(status);
        assert!(said.body.contains(key) && said.body.contains("is there twice"), "{path}: {}", said.body);
    }
    assert_eq!(app.number("SELECT count(*) FROM leads").await + app.number("SELECT count(*) FROM payments").await, 0);
}

async fn a_byte_order_mark_is_skipped(app: TestApp) {
    sent(&app, "/business/lead/create", "\u{feff}{\"name\": \"Amy\"}").await.is(201);
}
