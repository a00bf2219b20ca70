//! A key never holds more than the role of its holder today, and the audit names the person who made it.

use refdesk::users::Role;
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::{Answer, TestApp, Visitor};

on_both_databases! {
    a_developer_gives_a_key_what_their_role_allows,
    a_key_follows_its_holder_s_role,
    a_member_who_is_removed_leaves_no_key_behind,
    keys_of_a_removed_member_are_kept_by_choice,
    money_is_moved_by_keys_for_money_only,
    a_test_key_reads_no_live_audit_entry,
}

const ALL: [(&str, &str); 14] = [
    ("name", "Checkout"),
    ("mode", "live"),
    ("scope", "events:write"),
    ("scope", "leads:read"),
    ("scope", "leads:write"),
    ("scope", "referrers:read"),
    ("scope", "referrers:write"),
    ("scope", "campaigns:read"),
    ("scope", "campaigns:write"),
    ("scope", "money:read"),
    ("scope", "money:write"),
    ("scope", "payouts:read"),
    ("scope", "payouts:write"),
    ("scope", "audit:read"),
];

async fn make_key(by: &Visitor) -> String {
    by.post_form("/integrations/keys", &ALL).await.is(200).text("#secret")
}

async fn call(app: &TestApp, key: &str, method: &str, path: &str, body: Option<Json>) -> Answer {
    app.call(method, path, key, body).await
}

/// Nodes believe what they read of a key for a second.
fn a_moment_later(app: &TestApp) {
    app.clock.set(app.clock.now().plus_seconds(2));
}

/// The calls that a key of an owner may make, and one of a developer may not.
async fn deeds(app: &TestApp, key: &str) -> Vec<u16> {
    let commission = app.number("SELECT max(id) FROM commissions").await;
    let approve = format!("/v1/commissions/{commission}/approve");
    let product = &app.business.product_id;
    let terms = json!({ "referral": { "percent": "99" } });
    vec![
        call(app, key, "POST", &approve, Some(json!({ "reason": "now" }))).await.status,
        call(app, key, "POST", &format!("/v1/products/{product}/terms"), Some(terms)).await.status,
        call(app, key, "POST", "/v1/referrers", Some(json!({ "name": "Eve" }))).await.status,
        call(app, key, "POST", "/v1/leads", Some(json!({ "name": "Amy" }))).await.status,
    ]
}

async fn earned(app: &TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().lead("amy@example.com", Some(&jane.code)).await;
    app.shop().pay("amy@example.com", "100.00", "2026-06-10").await;
}

async fn a_developer_gives_a_key_what_their_role_allows(app: TestApp) {
    earned(&app).await;
    let dana = app.member(Role::Developer).await;
    let form = dana.get("/integrations/keys/new").await.is(200);
    let offered = form.attrs("input[name=scope]", "value");
    assert!(offered.iter().any(|scope| scope == "events:write"), "{offered:?}");
    assert!(!offered.iter().any(|scope| scope == "money:write"), "{offered:?}");
    let key = make_key(&dana).await;
    assert_eq!(deeds(&app, &key).await, [403, 403, 403, 201]);
    // A key that may do more is not theirs to rotate: they would be shown its text.
    app.sign_in().await;
    make_key(&app).await;
    let id = app.number("SELECT max(id) FROM api_keys").await;
    let rotated = dana.post_form(&format!("/integrations/keys/{id}/rotate"), &[("overlap", "week")]).await;
    rotated.goes_to("/integrations").follow().await.says("more than your role allows");
    assert_eq!(app.number("SELECT count(*) FROM api_keys WHERE replaced_by IS NOT NULL").await, 0);
}

async fn a_key_follows_its_holder_s_role(app: TestApp) {
    earned(&app).await;
    let sam = app.member(Role::Owner).await;
    let key = make_key(&sam).await;
    let id = app.number("SELECT max(user_id) FROM memberships").await;
    app.arrange(&format!("UPDATE memberships SET role = 'developer' WHERE user_id = {id}")).await;
    a_moment_later(&app);
    assert_eq!(deeds(&app, &key).await, [403, 403, 403, 201]);
    let me = call(&app, &key, "GET", "/v1/me", None).await.is(200).body;
    assert!(!me.contains("money:write") && me.contains("money:read"), "{me}");
    app.arrange(&format!("UPDATE memberships SET role = 'marketing' WHERE user_id = {id}")).await;
    a_moment_later(&app);
    assert_eq!(deeds(&app, &key).await, [200, 201, 201, 201]);
}

async fn a_member_who_is_removed_leaves_no_key_behind(app: TestApp) {
    earned(&app).await;
    app.sign_in().await;
    let dana = app.member(Role::Developer).await;
    let key = make_key(&dana).await;
    let id = app.number("SELECT max(user_id) FROM memberships").await;
    let remove = format!("/team/members/{id}/remove");
    app.get(&remove).await.is(200).says("Checkout").says("Revoke them");
    app.post_form(&remove, &[("keys", "revoke")]).await.goes_to("/team");
    assert_eq!(deeds(&app, &key).await, [401; 4]);
    let revoked = "SELECT count(*) FROM audit_entries WHERE action = 'key.revoked'";
    assert_eq!(app.number(revoked).await, 1);
    // However a member went, the key holds nothing.
    let eve = app.member(Role::Owner).await;
    let key = make_key(&eve).await;
    let id = app.number("SELECT max(user_id) FROM memberships").await;
    app.arrange(&format!("DELETE FROM memberships WHERE user_id = {id}")).await;
    a_moment_later(&app);
    assert_eq!(deeds(&app, &key).await, [401; 4]);
    app.get("/integrations").await.is(200).says("Holder left");
}

async fn keys_of_a_removed_member_are_kept_by_choice(app: TestApp) {
    earned(&app).await;
    app.sign_in().await;
    let dana = app.member(Role::Developer).await;
    let key = make_key(&dana).await;
    let id = app.number("SELECT max(user_id) FROM memberships").await;
    app.post_form(&format!("/team/members/{id}/remove"), &[("keys", "keep")]).await.goes_to("/team");
    assert_eq!(deeds(&app, &key).await, [403, 403, 403, 201], "it holds what it was given");
    let handed_over = "SELECT count(*) FROM audit_entries WHERE action = 'key.handed_over'";
    assert_eq!(app.number(handed_over).await, 1);
}

async fn money_is_moved_by_keys_for_money_only(app: TestApp) {
    let shop = app.shop();
    let (jane, bob) = (shop.referrer("Jane Miller").await, shop.referrer("Bob Hill").await);
    shop.lead("amy@example.com", None).await;
    shop.pay("amy@example.com", "100.00", "2026-06-10").await;
    app.sign_in().await;
    let leads = ["events:write", "leads:read", "leads:write", "money:read"].map(|scope| ("scope", scope));
    let leads = [&[("name", "CRM"), ("mode", "live")], &leads[..]].concat();
    let key = app.post_form("/integrations/keys", &leads).await.is(200).text("#secret");
    let lead = app.number("SELECT id FROM leads").await;
    let path = format!("/v1/leads/{lead}/attribution");
    let to = |code: &str, pay_back: bool| Some(json!({ "code": code, "reason": "said so", "pay_back": pay_back }));
    // The lead earned nothing yet, so no money moves; paying back moves some.
    let refused = call(&app, &key, "PUT", &path, to(&jane.code, true)).await.is(403).body;
    assert!(refused.contains("money:write"), "{refused}");
    call(&app, &key, "PUT", &path, to(&jane.code, false)).await.is(200);
    app.api_put(&path, to(&jane.code, true).unwrap_or_default()).await.is(200);
    assert_eq!(app.number("SELECT count(*) FROM commissions").await, 1);
    // A pending commission would go over to Bob.
    call(&app, &key, "PUT", &path, to(&bob.code, false)).await.is(403);
    // Possibly a second payment on the same day.
    shop.pay("amy@example.com", "49.00", "2026-06-10").await;
    let item = app.number("SELECT max(id) FROM inbox_items WHERE kind = 'second_payment'").await;
    let accept = format!("/v1/inbox/{item}/accept");
    call(&app, &key, "POST", &accept, None).await.is(403);
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 1);
    app.call("POST", &accept, &app.business.api_key, None).await.is(200);
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 2);
}

async fn a_test_key_reads_no_live_audit_entry(app: TestApp) {
    earned(&app).await;
    app.sign_in().await;
    let key = make_key(&app).await;
    call(&app, &key, "POST", "/v1/leads", Some(json!({ "name": "Live lead" }))).await.is(201);
    let test = app.key(false).await;
    call(&app, &test, "POST", "/v1/leads", Some(json!({ "name": "Test lead" }))).await.is(201);
    let entries = async |key: &str| -> Vec<Json> {
        let list = call(&app, key, "GET", "/v1/audit", None).await.is(200).json();
        list["data"].as_array().cloned().unwrap_or_default()
    };
    let of_tests = entries(&test).await;
    assert!(!of_tests.is_empty());
    for entry in &of_tests {
        let id = entry["subject_number"].as_i64().unwrap_or_default();
        assert_eq!(app.number(&format!("SELECT count(*) FROM leads WHERE id = {id} AND test")).await, 1, "{entry}");
    }
    let owner = app.number("SELECT count(*) FROM users WHERE name <> ''").await;
    assert!(owner > 0);
    let made = entries(&key).await;
    let by_key = made.iter().find(|entry| entry["actor_name"] == "Checkout").expect("an entry of the key");
    assert!(by_key["made_by"].as_str().is_some_and(|name| !name.is_empty()), "{by_key}");
    app.get("/audit?who=key").await.is(200).says("made by");
}
