//! /integrations

use refdesk::users::Role;
use serde_json::json;

use crate::on_both_databases;
use crate::support::{EmptyApp, TestApp};

on_both_databases! {
    a_key_is_shown_once_and_revoked,
    a_key_may_do_what_was_ticked_until_it_expires,
    every_ready_call_works,
    faults_of_the_form_are_said,
    keys_of_another_business_are_not_there,
    a_key_is_rotated_with_an_overlap,
    a_key_that_may_have_been_seen_ends_at_once,
    a_key_may_be_used_from_its_addresses_only,
    a_key_makes_so_many_calls_a_minute,
    our_own_api_lets_every_key_call_so_often,
    bad_keys_are_limited_by_address,
    answers_about_people_are_stored_by_no_cache,
    metrics_are_for_this_machine_and_not_through_a_proxy,
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

const LIST: &str = "/business/lead/list";

/// Makes a key by the form; answers its text and its row.
async fn made(app: &TestApp, more: &[(&str, &str)]) -> (String, i64) {
    let mut fields = vec![("name", "CRM"), ("mode", "live"), ("scope", "leads:read"), ("campaign", "")];
    fields.extend(more);
    let text = app.post_form("/integrations/keys", &fields).await.is(200).text("#secret");
    (text, app.number("SELECT max(id) FROM api_keys").await)
}

/// The answer to a call with a key.
async fn listed(app: &TestApp, key: &str) -> u16 {
    app.call("GET", LIST, key, None).await.status
}

fn tick(app: &TestApp, seconds: i64) {
    app.clock.set(app.clock.now().plus_seconds(seconds));
}

type Taken = (String, bool, String, Option<i64>, String, Option<i64>);

async fn a_key_is_rotated_with_an_overlap(app: TestApp) {
    app.sign_in().await;
    let campaign = app.shop().campaign("Second").await.to_string();
    let more = [
        ("campaign", campaign.as_str()),
        ("networks", "127.0.0.0/8"),
        ("per_minute", "1,000"),
        ("expires", "2026-08-01"),
    ];
    let more: Vec<_> = [("name", "CRM"), ("mode", "live"), ("scope", "leads:read")].into_iter().chain(more).collect();
    let old = app.post_form("/integrations/keys", &more).await.is(200).text("#secret");
    let id = app.number("SELECT max(id) FROM api_keys").await;
    let list = app.get("/integrations").await.is(200);
    list.clone().says("1000 calls a minute").says("only from 127.0.0.0/8").says("Rotate CRM");

    let rotate = format!("/integrations/keys/{id}/rotate");
    app.get(&rotate).await.is(200).says("Rotate CRM").says("still works");
    for (fields, at) in
        [(vec![("overlap", "year")], "overlap"), (vec![("overlap", "hour"), ("expires", "never")], "expires")]
    {
        let refused = app.post_form(&rotate, &fields).await.is(422);
        assert!(!refused.error_at(at).is_empty(), "{refused:?}");
    }
    let made =
        app.post_form(&rotate, &[("overlap", "hour"), ("expires", "")]).await.is(200).says("still works for 1 hour");
    let new = made.text("#secret");
    assert_ne!(new, old);
    let taken =
        "SELECT name, test, scopes, campaign_id, networks, per_minute FROM api_keys WHERE name = 'CRM' ORDER BY id";
    let taken: Vec<Taken> = app.rows(taken).await;
    assert_eq!(taken[0], taken[1]);
    let ends: Vec<(Option<i64>, Option<i64>)> =
        app.rows("SELECT expires_at, replaced_by FROM api_keys WHERE name = 'CRM' ORDER BY id").await;
    assert_eq!(ends[0].0, Some(app.clock.now().plus_seconds(3_600).micros()));
    assert_eq!((ends[0].1.is_some(), ends[1]), (true, (None, None)));
    assert_eq!((listed(&app, &old).await, listed(&app, &new).await), (200, 200));
    app.get("/integrations").await.is(200).says("Ending");
    let again = app.post_form(&rotate, &[("overlap", "week")]).await.goes_to("/integrations").follow().await;
    assert!(again.flash().ends_with("No key was made."), "{}", again.flash());
    tick(&app, 3_599);
    assert_eq!(listed(&app, &old).await, 200);
    tick(&app, 1);
    assert_eq!((listed(&app, &old).await, listed(&app, &new).await), (401, 200));
    app.get("/integrations").await.is(200).says("Expired");
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'key.rotated'").await, 1);
    // A key that ends before the overlap does ends as before.
    let (_, id) = self::made(&app, &[("expires", "2026-06-21")]).await;
    let before = app.number(&format!("SELECT expires_at FROM api_keys WHERE id = {id}")).await;
    app.post_form(&format!("/integrations/keys/{id}/rotate"), &[("overlap", "week"), ("expires", "2027-01-01")])
        .await
        .is(200);
    assert_eq!(app.number(&format!("SELECT expires_at FROM api_keys WHERE id = {id}")).await, before);
    let other = app.another_business("Globex").await;
    let theirs = app.member_of(&other, Role::Developer).await;
    theirs.get(&rotate).await.is(404);
    theirs.post_form(&rotate, &[("overlap", "now")]).await.is(404);
}

async fn a_key_that_may_have_been_seen_ends_at_once(app: TestApp) {
    app.sign_in().await;
    let other_node = app.another_node().await;
    let (old, id) = made(&app, &[]).await;
    assert_eq!((listed(&app, &old).await, listed(&other_node, &old).await), (200, 200));
    let page = app.post_form(&format!("/integrations/keys/{id}/rotate"), &[("overlap", "now")]).await.is(200);
    let new = page.says("is refused from now on").text("#secret");
    assert_eq!((listed(&app, &old).await, listed(&app, &new).await), (401, 200));
    tick(&app, 1);
    assert_eq!(
        (listed(&other_node, &old).await, listed(&other_node, &new).await),
        (401, 200),
        "everywhere within a second"
    );
    let (_, revoked) = made(&app, &[]).await;
    app.post_form(&format!("/integrations/keys/{revoked}/revoke"), &[]).await.goes_to("/integrations");
    app.post_form(&format!("/integrations/keys/{revoked}/rotate"), &[("overlap", "week")])
        .await
        .goes_to("/integrations");
    assert_eq!(
        app.number(&format!("SELECT count(*) FROM api_keys WHERE replaced_by IS NOT NULL AND id <> {id}")).await,
        0
    );
}

async fn a_key_may_be_used_from_its_addresses_only(app: TestApp) {
    app.sign_in().await;
    let fields = [("name", "A"), ("mode", "live"), ("scope", "leads:read"), ("networks", "10.0.0.0/8 here")];
    let page = app.post_form("/integrations/keys", &fields).await.is(422);
    assert_eq!(
        page.error_at("networks"),
        "The list of addresses has an entry that is neither an address nor a network: here."
    );
    for (networks, status) in [
        ("", 200),
        ("127.0.0.1", 200),
        ("10.0.0.0/8\r\n127.0.0.0/30, 2001:db8::/32", 200),
        ("10.0.0.0/8", 403),
        ("127.0.0.2 ::1", 403),
    ] {
        let (key, _) = made(&app, &[("networks", networks), ("scope", "events:write")]).await;
        let answer = app.call("GET", LIST, &key, None).await.is(status);
        // Events come through the same door.
        let event = app.call("POST", "/api/events/customer-created", &key, Some(json!({}))).await;
        assert_eq!(event.status, if status == 403 { 403 } else { 400 });
        if status == 403 {
            let why = "This API key may not be used from this address.";
            assert_eq!(answer.json(), json!({"success": false, "error": why, "message": why}));
        }
    }
}

async fn a_key_makes_so_many_calls_a_minute(app: TestApp) {
    app.sign_in().await;
    for (typed, fine) in [("0", false), ("100001", false), ("1.5", false), ("many", false)] {
        let fields = [("name", "A"), ("mode", "live"), ("scope", "leads:read"), ("per_minute", typed)];
        let page = app.post_form("/integrations/keys", &fields).await.is(422);
        assert_eq!(page.error_at("per_minute").is_empty(), fine, "{typed}");
    }
    let (key, _) = made(&app, &[("per_minute", "3")]).await;
    let reset = |seconds: i64| (app.clock.now().seconds() + seconds).to_string();
    for (left, full_in) in [(2, 20), (1, 40), (0, 20)] {
        let answer = app.call("GET", LIST, &key, None).await.is(200);
        assert_eq!(answer.header("ratelimit-policy"), "\"key\";q=3;w=60");
        assert_eq!(answer.header("ratelimit"), format!("\"key\";r={left};t={full_in}"));
        assert_eq!(answer.header("x-ratelimit-limit"), "3");
        assert_eq!(answer.header("x-ratelimit-remaining"), left.to_string());
        assert_eq!(answer.header("x-ratelimit-reset"), reset(full_in));
    }
    let answer = app.call("GET", LIST, &key, None).await.is(429);
    assert_eq!((answer.header("retry-after"), answer.header("x-ratelimit-remaining")), ("20", "0"));
    let why = "This API key may make 3 calls a minute, and has made them.";
    assert_eq!(answer.json(), json!({"success": false, "error": why, "message": why, "retry_after": 20}));
    // Another key has calls of its own, and each node counts for itself.
    let free = app.api_get(LIST).await.is(200);
    assert_eq!((free.header("ratelimit"), free.header("x-ratelimit-limit")), ("\"key\";r=5999999;t=1", "6000000"));
    assert_eq!(listed(&app.another_node().await, &key).await, 200);
    tick(&app, 19);
    assert_eq!(listed(&app, &key).await, 429);
    tick(&app, 1);
    assert_eq!((listed(&app, &key).await, listed(&app, &key).await), (200, 429));
}

async fn our_own_api_lets_every_key_call_so_often(app: TestApp) {
    let me = async |app: &EmptyApp, key: &str| app.call("GET", "/v1/me", key, None).await;
    let key = app.business.api_key.as_str();
    let answer = me(&app, key).await.is(200);
    assert_eq!(answer.header("ratelimit-policy"), "\"key\";q=6000000;w=60");
    assert_eq!(answer.header("ratelimit"), "\"key\";r=5999999;t=1");
    let lean = app.with_calls_per_minute(2).await;
    for left in [1, 0] {
        let answer = me(&lean, key).await.is(200);
        assert_eq!(answer.header("ratelimit"), format!("\"key\";r={left};t=30"));
        assert_eq!(answer.header("x-ratelimit-limit"), "", "only where the contract has it");
    }
    let refused = me(&lean, key).await.is(429);
    assert_eq!((refused.header("retry-after"), refused.header("ratelimit")), ("30", "\"key\";r=0;t=30"));
    assert_eq!(refused.json()["code"], "rate_limited");
    // A limit of its own counts instead, and other contracts know no usual limit.
    app.sign_in().await;
    let (own, _) = made(&app, &[("per_minute", "5")]).await;
    assert_eq!(me(&lean, &own).await.is(200).header("ratelimit-policy"), "\"key\";q=5;w=60");
    for _ in 0..5 {
        assert_eq!(
            lean.call("GET", LIST, key, None).await.is(200).header("ratelimit-policy"),
            "\"key\";q=6000000;w=60"
        );
    }
    tick(&app, 30);
    me(&lean, key).await.is(200);
    me(&lean, key).await.is(429);
    let free = app.with_calls_per_minute(0).await;
    assert_eq!(me(&free, key).await.is(200).header("ratelimit"), "");
}

async fn bad_keys_are_limited_by_address(app: TestApp) {
    let unknown = refdesk::id::new_api_key(true, &mut rand::rng());
    for n in 0..60 {
        let key = if n % 2 == 0 { unknown.as_str() } else { "guessed" };
        assert_eq!(listed(&app, key).await, 401, "{n}");
    }
    let answer = app.call("GET", LIST, &unknown, None).await.is(429);
    assert_eq!(answer.header("retry-after"), "1");
    let why = "Too many calls with a key that is not valid came from this address.";
    assert_eq!(answer.json(), json!({"success": false, "error": why, "message": why, "retry_after": 1}));
    let event = app.call("POST", "/api/events/customer-created", &unknown, Some(json!({}))).await.is(429).json();
    assert_eq!(event, json!({"success": false, "code": "rate_limited", "message": why}));
    assert_eq!(listed(&app, &app.business.api_key).await, 200, "a good key from there still works");
    // The caller's word about itself changes nothing: no proxy is trusted here.
    let headers = [("authorization", "guessed"), ("x-forwarded-for", "203.0.113.9")];
    app.request("GET", LIST, &headers, vec![]).await.is(429);
    tick(&app, 1);
    assert_eq!((listed(&app, "guessed").await, listed(&app, "guessed").await), (401, 429));
}

async fn answers_about_people_are_stored_by_no_cache(app: TestApp) {
    app.shop().lead("amy@example.com", None).await;
    let lead = app.number("SELECT id FROM leads").await;
    for path in [
        "/v1/leads".to_owned(),
        format!("/v1/leads/{lead}"),
        "/v1/leads/9".to_owned(),
        "/business/lead/list".to_owned(),
        format!("/api/v2/users/{lead}"),
    ] {
        assert_eq!(app.api_get(&path).await.header("cache-control"), "no-store", "{path}");
    }
    for file in ["app.css", "app.js", "icon.svg"] {
        let kind = app.get(&format!("/static/{file}")).await.is(200);
        assert!(kind.header("content-type").ends_with("; charset=utf-8"), "{kind:?}");
    }
}

async fn metrics_are_for_this_machine_and_not_through_a_proxy(app: EmptyApp) {
    app.get("/metrics").await.is(200);
    for header in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
        app.request("GET", "/metrics", &[(header, "203.0.113.9")], Vec::new()).await.is(404);
        app.request("GET", "/metrics", &[(header, "127.0.0.1")], Vec::new()).await.is(404);
    }
    let trusting = app.behind_a_proxy().await;
    trusting.request("GET", "/metrics", &[("x-forwarded-for", "203.0.113.9")], Vec::new()).await.is(404);
    trusting.get("/metrics").await.is(200);
}
