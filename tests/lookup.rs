//! GET /v1/public/codes/{text}: from the source of a web page.

use refdesk::users::Role;
use serde_json::json;

use crate::on_both_databases;
use crate::support::{Answer, TestApp};

on_both_databases! {
    a_checkout_looks_a_code_up,
    what_does_not_count_names_nobody,
    a_publishable_key_does_nothing_else,
    other_pages_are_refused,
    a_preflight_is_answered,
    trying_codes_out_is_slow,
    keys_are_made_and_revoked_on_the_page,
}

const SHOP: &str = "https://shop.example";

/// A publishable key of the business, as its page makes it.
async fn key(app: &TestApp, origins: &str) -> String {
    app.post_form("/integrations/publishable", &[("name", "Shop"), ("origins", origins)]).await.is(303);
    let made: Vec<(String,)> = app.rows("SELECT text FROM publishable_keys ORDER BY id DESC").await;
    made[0].0.clone()
}

async fn look_up(app: &TestApp, key: &str, origin: &str, code: &str) -> Answer {
    let bearer = format!("Bearer {key}");
    let mut headers = vec![("authorization", bearer.as_str())];
    if !origin.is_empty() {
        headers.push(("origin", origin));
    }
    app.request("GET", &format!("/v1/public/codes/{code}"), &headers, Vec::new()).await
}

async fn a_checkout_looks_a_code_up(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Alice Miller").await;
    let key = key(&app, SHOP).await;
    let found = look_up(&app, &key, SHOP, &jane.code.to_lowercase().replace('-', "%20")).await.is(200);
    assert_eq!(found.json(), json!({ "code": jane.code, "counts": true, "name": "Jane M." }));
    assert_eq!(found.header("access-control-allow-origin"), SHOP);
    assert!(found.headers.get_all("vary").iter().any(|v| v.to_str().unwrap().contains("Origin")), "{found:?}");
    assert!(!found.headers.contains_key("access-control-allow-credentials"));
    assert_eq!(found.header("cache-control"), "no-store");
    let unknown = look_up(&app, &key, SHOP, "NO-SUCH-CODE").await.is(404);
    assert_eq!(unknown.header("access-control-allow-origin"), SHOP, "the page may read why");
    assert_eq!(unknown.json()["code"], "unknown_code");
    assert!(!unknown.body.contains(&jane.code), "near misses are for staff: {unknown:?}");
    // A program on a server sends no origin.
    let found = look_up(&app, &key, "", &jane.code).await.is(200);
    assert!(!found.headers.contains_key("access-control-allow-origin"));
    app.app.calls.flush(&app.app.db, &app.app.ids).await.unwrap();
    let page = app.get("/integrations/log").await.is(200);
    assert_eq!(page.count("tbody tr"), 3, "it is in the log, without the customer's address");
    assert_eq!(app.number("SELECT count(*) FROM calls WHERE address <> ''").await, 0);
}

async fn what_does_not_count_names_nobody(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let key = key(&app, SHOP).await;
    let nobody = json!({ "code": jane.code, "counts": false, "name": null });
    for (broken, mended) in [
        ("UPDATE enrollments SET state = 'banned'", "UPDATE enrollments SET state = 'active'"),
        ("UPDATE enrollments SET state = 'paused'", "UPDATE enrollments SET state = 'active'"),
        ("UPDATE campaigns SET state = 'paused'", "UPDATE campaigns SET state = 'live'"),
        ("UPDATE campaigns SET state = 'ended'", "UPDATE campaigns SET state = 'live'"),
    ] {
        app.arrange(broken).await;
        assert_eq!(look_up(&app, &key, SHOP, &jane.code).await.is(200).json(), nobody, "{broken}");
        app.arrange(mended).await;
        app.clock.set(app.clock.now().plus_seconds(60));
    }
    assert_eq!(look_up(&app, &key, SHOP, &jane.code).await.is(200).json()["name"], "Jane M.");
    let globex = app.another_business("Globex").await;
    let theirs = app.shop_of(&globex).referrer("Gus Globe").await;
    look_up(&app, &key, SHOP, &theirs.code).await.is(404);
}

async fn a_publishable_key_does_nothing_else(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let key = key(&app, SHOP).await;
    for path in ["/v1/me", "/v1/leads", "/v1/referrers", &format!("/v1/codes/{}", jane.code), "/v1/audit"] {
        app.call("GET", path, &key, None).await.is(401);
    }
    for path in ["/api/events/customer-created", "/api/v2/users", "/v1/leads", "/v1/codes"] {
        app.call("POST", path, &key, Some(json!({}))).await.is(401);
    }
    let basic = [("authorization", "Basic cmtfcHViXw==")];
    app.request("GET", &format!("/v1/public/codes/{}", jane.code), &basic, Vec::new()).await.is(401);
    let in_query = format!("/v1/public/codes/{}?key={key}", jane.code);
    app.request("GET", &in_query, &[], Vec::new()).await.is(401);
    let secret = look_up(&app, &app.business.api_key, SHOP, &jane.code).await.is(401);
    assert!(secret.json()["detail"].as_str().unwrap().contains("secret key"), "{secret:?}");
    app.call("POST", &format!("/v1/public/codes/{}", jane.code), &key, Some(json!({}))).await.is(405);
}

async fn other_pages_are_refused(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let key = key(&app, "https://shop.example\nhttp://localhost:3000").await;
    look_up(&app, &key, "http://localhost:3000", &jane.code).await.is(200);
    for origin in [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop.example.evil.example",
        "https://a.shop.example",
        "https://shop.exampl",
        "null",
        "*",
    ] {
        let refused = look_up(&app, &key, origin, &jane.code).await.is(403);
        assert!(!refused.headers.contains_key("access-control-allow-origin"), "{origin}: {refused:?}");
        assert_eq!(refused.json()["code"], "origin_not_allowed");
        app.clock.set(app.clock.now().plus_seconds(30));
    }
}

async fn a_preflight_is_answered(app: TestApp) {
    app.sign_in().await;
    key(&app, SHOP).await;
    let ask = async |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
        ];
        app.request("OPTIONS", "/v1/public/codes/ANY", &headers, Vec::new()).await.is(204)
    };
    let fine = ask(SHOP).await;
    assert_eq!(fine.header("access-control-allow-origin"), SHOP);
    assert_eq!(fine.header("access-control-allow-headers"), "authorization");
    assert_eq!(fine.header("access-control-allow-methods"), "GET");
    assert!(fine.headers.get_all("vary").iter().any(|v| v.to_str().unwrap().contains("Origin")), "{fine:?}");
    let other = ask("https://evil.example").await;
    assert!(!other.headers.contains_key("access-control-allow-origin"), "{other:?}");
    assert!(!other.headers.contains_key("access-control-allow-headers"), "{other:?}");
}

async fn trying_codes_out_is_slow(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let key = key(&app, SHOP).await;
    let mut misses = 0;
    let refused = loop {
        let answer = look_up(&app, &key, SHOP, &format!("GUESS{misses}")).await;
        if answer.status != 404 {
            break answer.is(429);
        }
        misses += 1;
        assert!(misses < 10, "nobody may guess so often at once");
    };
    assert!(misses >= 4, "a customer may mistype a few times: {misses}");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1, "{refused:?}");
    assert_eq!(refused.header("access-control-allow-origin"), SHOP);
    look_up(&app, &key, SHOP, &jane.code).await.is(429);
    app.clock.set(app.clock.now().plus_seconds(60));
    // A look-up that finds costs a sixth of one that does not.
    for _ in 0..25 {
        look_up(&app, &key, SHOP, &jane.code).await.is(200);
    }
    // A code that is found but does not count is no cheaper than one that is not found.
    app.clock.set(app.clock.now().plus_seconds(120));
    app.arrange("UPDATE enrollments SET state = 'paused'").await;
    let mut uncounted = 0;
    while look_up(&app, &key, SHOP, &jane.code).await.status == 200 {
        uncounted += 1;
    }
    assert_eq!(uncounted, misses);
    // Nor is a key that is none.
    app.clock.set(app.clock.now().plus_seconds(120));
    let mut answers = Vec::new();
    for _ in 0..40 {
        answers.push(look_up(&app, "rk_pub_nonsense", SHOP, &jane.code).await.status);
    }
    assert!(answers.contains(&401) && answers.last() == Some(&429), "{answers:?}");
}

async fn keys_are_made_and_revoked_on_the_page(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let wrong = app
        .post_form("/integrations/publishable", &[("name", ""), ("origins", "https://*.shop.example")])
        .await
        .is(422);
    assert_eq!(wrong.error_at("name"), "The name is missing.");
    assert!(wrong.error_at("origins").contains("wildcards"), "{wrong:?}");
    let none = app.post_form("/integrations/publishable", &[("name", "Shop"), ("origins", " ")]).await.is(422);
    assert!(none.error_at("origins").contains("at least one"));
    let key = key(&app, "HTTPS://Shop.Example/").await;
    assert!(refdesk::id::publishable_key_ok(&key));
    app.get("/integrations").await.is(200).says(SHOP).says(&key);
    look_up(&app, &key, SHOP, &jane.code).await.is(200);
    let id = app.number("SELECT max(id) FROM publishable_keys").await;
    let revoke = format!("/integrations/publishable/{id}/revoke");
    app.get(&revoke).await.is(200).says("Revoke Shop");
    let globex = app.another_business("Globex").await;
    let theirs = app.member_of(&globex, Role::Owner).await;
    theirs.get(&revoke).await.is(404);
    theirs.post_form(&revoke, &[]).await.is(404);
    app.post_form(&revoke, &[]).await.goes_to("/integrations");
    look_up(&app, &key, SHOP, &jane.code).await.is(401);
    assert!(app.post_form(&revoke, &[]).await.follow().await.flash().contains("revoked already"));
    app.member(Role::Marketing).await.get("/integrations/publishable/new").await.is(403);
    let audited = "SELECT count(*) FROM audit_entries WHERE action LIKE 'key.publishable%'";
    assert_eq!(app.number(audited).await, 2);
}
