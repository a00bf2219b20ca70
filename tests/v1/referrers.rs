//! Referrers, changed by a program.

use serde_json::{Value as Json, json};

use super::{call, text, with};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    a_referrer_is_changed_field_by_field,
    a_change_is_made_to_the_version_of_a_referrer_it_is_for,
    a_referrer_is_enrolled_and_comes_back_from_the_archive,
    balances_are_live_money,
    a_test_key_reads_referrers_and_codes_and_changes_none,
}

async fn a_referrer_is_changed_field_by_field(app: TestApp) {
    let new = json!({ "name": "Jane Miller", "email": "jane@example.com", "phone": "(415) 555-2671" });
    let jane = call(&app, "POST", "/v1/referrers", Some(new)).await.is(201).json();
    let path = format!("/v1/referrers/{}", text(&jane["id"]));
    let change = json!({ "company": "Acme", "phone": "" });
    let changed = call(&app, "PATCH", &path, Some(change)).await.is(200).json();
    assert_eq!((&changed["company"], &changed["phone"]), (&json!("Acme"), &Json::Null));
    assert_eq!((&changed["name"], &changed["email"]), (&json!("Jane Miller"), &json!("jane@example.com")));
    let nothing = call(&app, "PATCH", &path, Some(json!({}))).await.is(200).json();
    assert_eq!(nothing, changed);
    app.shop().referrer("Tom Busy").await;
    let tom = app.rows::<(String,)>("SELECT email FROM referrers WHERE name = 'Tom Busy'").await[0].0.clone();
    let taken = call(&app, "PATCH", &path, Some(json!({ "email": tom }))).await.is(409).json();
    assert_eq!(taken["code"], "email_taken");
    for wrong in [json!({ "email": "nonsense" }), json!({ "phone": "abc" }), json!({ "nickname": "J" })] {
        call(&app, "PATCH", &path, Some(wrong)).await.is(400);
    }
    let other = app.another_business("Other").await;
    app.call("PATCH", &path, &other.api_key, Some(json!({ "name": "Mine" }))).await.is(404);
    // The new words find them at once.
    let found = call(&app, "GET", "/v1/referrers?q=acme", None).await.is(200).json();
    assert_eq!(found["data"][0]["id"], jane["id"]);
}

async fn a_change_is_made_to_the_version_of_a_referrer_it_is_for(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let path = format!("/v1/referrers/{}", jane.id);
    let first = call(&app, "GET", &path, None).await.is(200).header("etag").to_owned();
    app.clock.set(app.clock.now().plus_seconds(1));
    let change = |company: &str| json!({ "company": company });
    let changed = with(&app, "PATCH", &path, ("if-match", &first), &change("Acme")).await.is(200);
    assert_ne!(changed.header("etag"), first);
    let late = with(&app, "PATCH", &path, ("if-match", &first), &change("Other")).await.is(412).json();
    assert_eq!(late["code"], "changed_meanwhile");
    let whole = json!({ "name": "Jane M. Miller" });
    with(&app, "PUT", &path, ("if-match", &first), &whole).await.is(412);
    let second = changed.header("etag").to_owned();
    // Another standing is another version.
    call(&app, "PUT", &format!("{path}/state"), Some(json!({ "state": "paused" }))).await.is(200);
    with(&app, "PATCH", &path, ("if-match", &second), &change("Other")).await.is(412);
    with(&app, "PATCH", &path, ("if-match", "*"), &change("Any")).await.is(200);
    let now = call(&app, "GET", &path, None).await.is(200);
    with(&app, "PUT", &path, ("if-match", now.header("etag")), &whole).await.is(200);
    assert_eq!(call(&app, "GET", &path, None).await.json()["company"], Json::Null);
}

async fn a_referrer_is_enrolled_and_comes_back_from_the_archive(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let second = app.shop().campaign("Second").await;
    let path = format!("/v1/referrers/{}", jane.id);
    let wanted = json!({ "campaign": second, "generate_code": false });
    let enrolled = call(&app, "POST", &format!("{path}/enrollments"), Some(wanted.clone())).await.is(201).json();
    let both = enrolled["enrollments"].as_array().expect("enrollments");
    assert_eq!((both.len(), &both[1]["code"]), (2, &Json::Null));
    call(&app, "POST", &format!("{path}/enrollments"), Some(wanted.clone())).await.is(200);
    call(&app, "DELETE", &path, None).await.is(204);
    let third = json!({ "campaign": app.shop().campaign("Third").await });
    let archived = call(&app, "POST", &format!("{path}/enrollments"), Some(third)).await.is(409).json();
    assert_eq!(archived["code"], "archived");
    for _ in 0..2 {
        let back = call(&app, "POST", &format!("{path}/restore"), None).await.is(200).json();
        assert_eq!(back["archived_at"], Json::Null);
    }
    let other = app.another_business("Other").await;
    app.call("POST", &format!("{path}/restore"), &other.api_key, None).await.is(404);
    app.call("POST", &format!("{path}/enrollments"), &other.api_key, None).await.is(404);
}

async fn balances_are_live_money(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().lead("amy@example.com", Some(&jane.code)).await;
    app.shop().pay("amy@example.com", "100.00", "2026-06-14").await;
    let path = format!("/v1/referrers/{}/balances", jane.id);
    assert_eq!(call(&app, "GET", &path, None).await.is(200).json()["data"][0]["amount_minor"], 2000);
    let tests = app.call("GET", &path, &app.key(false).await, None).await.is(200).json();
    assert_eq!(tests["data"], json!([]));
}

async fn a_test_key_reads_referrers_and_codes_and_changes_none(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let (key, campaign) = (app.key(false).await, app.business.campaign_id);
    let code = app.number("SELECT max(id) FROM codes").await;
    let before = app.number("SELECT count(*) FROM audit_entries").await;
    let path = format!("/v1/referrers/{}", jane.id);
    for (method, path, body) in [
        ("POST", "/v1/referrers".to_owned(), json!({ "name": "Tess" })),
        ("PATCH", path.clone(), json!({ "name": "Tess" })),
        ("PUT", path.clone(), json!({ "name": "Tess" })),
        ("DELETE", path.clone(), Json::Null),
        ("POST", format!("{path}/restore"), Json::Null),
        ("POST", format!("{path}/enrollments"), json!({ "campaign": campaign })),
        ("PUT", format!("{path}/state"), json!({ "state": "banned" })),
        ("POST", "/v1/codes".to_owned(), json!({ "referrer": jane.id, "text": "TESS2026" })),
        ("POST", format!("{path}/codes"), json!({ "text": "TESS2026" })),
        ("POST", "/v1/referrers/codes".to_owned(), json!({})),
        ("PUT", format!("/v1/codes/{code}/state"), json!({ "state": "retired" })),
    ] {
        let body = Some(body).filter(|body| !body.is_null());
        let refused = app.call(method, &path, &key, body).await.is(403).json();
        let why = refused["detail"].as_str().unwrap_or_default();
        assert!(why.ends_with("are not test data: change them with a live key."), "{method} {path}: {refused}");
    }
    assert_eq!(app.number("SELECT count(*) FROM audit_entries").await, before);
    for path in [path, format!("/v1/codes/{}", jane.code), "/v1/referrers".into(), "/v1/codes".into()] {
        app.call("GET", &path, &key, None).await.is(200);
    }
}
