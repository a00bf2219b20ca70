//! /integrations

use refdesk::web::Role;
use serde_json::json;

use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    a_key_is_shown_once_and_revoked,
    a_key_may_do_what_was_ticked_until_it_expires,
    every_ready_call_works,
    faults_of_the_form_are_said,
    keys_of_another_business_are_not_there,
}

const KEY: [(&str, &str); 5] =
    [("name", "Checkout"), ("mode", "live"), ("scope", "events:write"), ("scope", "leads:write"), ("campaign", "")];

/// A call that any key with events:write may make.
async fn sign_up(app: &TestApp, key: &str, address: &str) -> u16 {
    let body = json!({
        "businessId": app.business.public_id, "productId": app.business.product_id,
        "customerEmail": address, "customerName": "Jane Smith",
    });
    app.call("POST", "/api/events/customer-created", key, Some(body)).await.status
}

async fn a_key_is_shown_once_and_revoked(app: TestApp) {
    app.sign_in().await;
    let made = app.post_form("/integrations/keys", &KEY).await.is(200);
    let key = made.text("#secret");
    assert!(key.starts_with("rk_live_") && refdesk::id::api_key_checksum_ok(&key), "{key}");
    let curls = made.texts(".block code").join("\n");
    assert!(
        curls.contains(&key) && curls.contains(&app.business.public_id) && curls.contains(&app.business.product_id)
    );
    assert_eq!(made.header("cache-control"), "no-store");
    made.says("If it is lost");
    assert_eq!(sign_up(&app, &key, "one@example.org").await, 200);

    let list = app.get("/integrations").await.is(200);
    assert!(!list.body.contains(&key), "shown once");
    assert!(list.clone().says(&format!("rk_live_…{}", &key[key.len() - 4..])).has("tbody"));
    for (table, text) in [("audit_entries", "after"), ("api_keys", "shown"), ("sessions", "data")] {
        let found = format!("SELECT count(*) FROM {table} WHERE {text} LIKE '%{key}%'");
        assert_eq!(app.number(&found).await, 0, "{table} holds the key");
    }

    let id = app.number("SELECT max(id) FROM api_keys").await;
    let revoke = format!("/integrations/keys/{id}/revoke");
    app.get(&revoke).await.is(200).says("Revoke Checkout");
    assert_eq!(sign_up(&app, &key, "two@example.org").await, 200, "asking is not revoking");
    app.post_form(&revoke, &[]).await.goes_to("/integrations");
    assert_eq!(sign_up(&app, &key, "three@example.org").await, 401);
    let again = app.post_form(&revoke, &[]).await.follow().await;
    assert!(again.flash().ends_with("That key was revoked already."), "{}", again.flash());
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'key.revoked'").await, 1);
}

async fn a_key_may_do_what_was_ticked_until_it_expires(app: TestApp) {
    app.sign_in().await;
    let fields = [("name", "Reader"), ("mode", "test"), ("scope", "events:write"), ("expires", "21 Jun 2026")];
    let key = app.post_form("/integrations/keys", &fields).await.is(200).text("#secret");
    assert!(key.starts_with("rk_test_"));
    let stored: Vec<(String, bool)> = app.rows("SELECT scopes, test FROM api_keys ORDER BY id DESC LIMIT 1").await;
    assert_eq!(stored, [("events:write".to_owned(), true)]);
    app.get("/integrations").await.is(200).says("Send events: customers created, payments");
    app.clock.advance_days(1);
    assert_eq!(sign_up(&app, &key, "one@example.org").await, 200, "through the day it expires on");
    app.clock.advance_days(1);
    assert_eq!(sign_up(&app, &key, "two@example.org").await, 401);
    app.get("/integrations").await.goes_to("/sign-in?back=%2Fintegrations");
}

async fn every_ready_call_works(app: TestApp) {
    app.sign_in().await;
    let fields: Vec<_> = KEY.into_iter().chain([("scope", "referrers:write")]).collect();
    let made = app.post_form("/integrations/keys", &fields).await.is(200);
    let (key, calls) = (made.text("#secret"), made.texts(".block code"));
    assert!(calls.len() >= 3, "{calls:?}");
    for call in calls {
        let path = call.split_whitespace().find_map(|word| word.find("/api/").map(|at| &word[at..]));
        let body = call.split_once("-d '").map(|(_, rest)| rest.trim_end_matches('\''));
        let body = body.map(|text| serde_json::from_str(text).expect("the body is JSON"));
        let path = path.unwrap_or_else(|| panic!("no address in {call}"));
        let answer = app.call("POST", path, &key, body).await;
        assert!(matches!(answer.status, 200 | 201), "{call}\n{}", answer.body);
    }
}

async fn faults_of_the_form_are_said(app: TestApp) {
    app.sign_in().await;
    let fields =
        [("name", ""), ("mode", "live"), ("scope", "everything"), ("expires", "1 Jan 2020"), ("campaign", "7")];
    let page = app.post_form("/integrations/keys", &fields).await.is(422);
    assert_eq!(page.error_at("name"), "The name is missing.");
    assert_eq!(page.error_at("scope"), "Choose at least one thing that the key may do.");
    assert_eq!(page.error_at("expires"), "The date it expires has passed.");
    let other = app.another_business("Globex").await.campaign_id.to_string();
    let fields = [("name", "A"), ("mode", "live"), ("scope", "events:write"), ("campaign", other.as_str())];
    let page = app.post_form("/integrations/keys", &fields).await.is(422);
    assert_eq!(page.error_at("campaign"), "The campaign is not one of the choices.");
}

async fn keys_of_another_business_are_not_there(app: TestApp) {
    let other = app.another_business("Globex").await;
    let theirs = app.member_of(&other, Role::Developer).await;
    let id = app.number(&format!("SELECT min(id) FROM api_keys WHERE business_id = {}", app.business.id)).await;
    theirs.get(&format!("/integrations/keys/{id}/revoke")).await.is(404);
    theirs.post_form(&format!("/integrations/keys/{id}/revoke"), &[]).await.is(404);
    theirs.get("/integrations").await.is(200).does_not_say(&app.business.public_id);
    assert_eq!(app.number("SELECT count(*) FROM api_keys WHERE revoked_at IS NOT NULL").await, 0);
}
