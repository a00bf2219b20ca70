//! /integrations/try

use std::collections::BTreeMap;

use refdesk::db::{Db, DbError, DbResult, Tx, sql};
use refdesk::id::{self, Kind};
use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::{Answer, Engine, TestApp};

on_both_databases! {
    a_pasted_call_is_answered_and_nothing_is_kept,
    ones_own_ids_are_put_in,
    what_differs_is_said,
    the_pasted_key_is_never_seen_again,
    what_cannot_be_tried_says_so,
    a_trial_sees_what_is_there_and_not_what_others_have,
    a_call_that_writes_and_reads_is_tried_on_one_connection,
    nothing_is_written_once_a_rehearsal_is_over,
    the_desk_goes_on_while_calls_are_tried,
    only_who_may_integrate_may_try,
}

/// The rows of every table. Sessions are the browser's, ids are drawn; so are the form by which a call is tried, and
/// the page that answers it.
async fn counts(app: &TestApp) -> BTreeMap<String, i64> {
    let tables = match app.engine() {
        Engine::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
        Engine::Postgres => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'"
        }
    };
    let mut counts = BTreeMap::new();
    for (table,) in app.rows::<(String,)>(tables).await {
        let of_the_call = match table.as_str() {
            "kept_texts" => continue,
            "stored_answers" => " WHERE text NOT LIKE 'form %'",
            _ => "",
        };
        let count = app.number(&format!("SELECT count(*) FROM {table}{of_the_call}")).await;
        counts.insert(table, count);
    }
    assert!(counts.len() > 20, "{counts:?}");
    counts
}

async fn tried(app: &TestApp, curl: &str) -> Answer {
    app.post_form("/integrations/try", &[("curl", curl), ("mode", "live")]).await.is(200)
}

fn body(page: &Answer) -> serde_json::Value {
    serde_json::from_str(&page.text("#answer pre")).unwrap_or_else(|e| panic!("{e}: {page:?}"))
}

fn event(business: &str, product: &str, email: &str) -> String {
    format!(
        "curl -X POST https://app.refairn.com/api/events/customer-created \\\n  -H \"Authorization: Bearer sk_live_whatever_it_is_0123456789\" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{{\"businessId\": \"{business}\", \"productId\": \"{product}\", \"customerEmail\": \"{email}\", \"customerName\": \"Amy\"}}'"
    )
}

async fn a_pasted_call_is_answered_and_nothing_is_kept(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().lead("eve@example.com", Some(&jane.code)).await;
    let (business, product) = (app.business.public_id.clone(), app.business.product_id.clone());
    app.get("/integrations/try").await.is(200);
    let before = counts(&app).await;
    let state = async || app.rows::<(String, i64)>("SELECT status, updated_at FROM leads ORDER BY id").await;
    let leads = state().await;

    let page = tried(&app, &event(&business, &product, "new@example.com")).await;
    assert_eq!(body(&page)["success"], true, "{page:?}");
    assert!(body(&page)["leadId"].as_str().unwrap().starts_with("lead_"));
    page.says("Refairn's event API").says("The call goes to app.refairn.com").says("not one of Refdesk's");
    assert_eq!(counts(&app).await, before, "a sign-up");

    // It is there as long as the call lasts: the same call in a row is the first one every time.
    assert_eq!(body(&tried(&app, &event(&business, &product, "new@example.com")).await)["success"], true);
    let duplicate = tried(&app, &event(&business, &product, "eve@example.com")).await;
    assert_eq!(duplicate.text("#answer .badge.is-warning"), "409", "{duplicate:?}");

    let payment = event(&business, &product, "eve@example.com").replace("customer-created", "payment-succeeded").replace(
        "\"customerName\": \"Amy\"",
        "\"amount\": 100.00, \"currency\": \"USD\", \"subscriptionStatus\": \"active\", \"paymentDate\": \"2026-06-20\"",
    );
    let page = tried(&app, &payment).await;
    assert!(page.text("#answer pre").contains("\"commissionAmount\": 20.00,"), "the number as it is sent: {page:?}");
    assert_eq!(counts(&app).await, before, "a payment");

    for curl in [
        format!(
            "curl -X POST https://api.referral-factory.com/api/v2/users -H 'Authorization: Bearer x' -H 'Content-Type: application/json' -d '{{\"campaign_id\": {}, \"first_name\": \"Gus\", \"email\": \"gus@example.com\"}}'",
            app.business.campaign_id
        ),
        format!(
            "curl -X POST {}/v1/leads --json '{{\"name\": \"Amy\", \"email\": \"amy@example.com\"}}' -u key:",
            app.url("")
        ),
        format!("curl {}/v1/leads -H 'Authorization: x'", app.url("")),
        format!("curl {}/v1/public/codes/{} -H 'Authorization: Bearer x'", app.url(""), jane.code),
    ] {
        let page = tried(&app, &curl).await;
        let status = page.text("#answer .badge.as-is");
        assert!(matches!(status.as_str(), "200" | "201"), "{curl}: {page:?}");
        assert_eq!(counts(&app).await, before, "{curl}");
    }
    assert_eq!(state().await, leads);
    app.app.calls.flush(&app.app.db, &app.app.ids).await.unwrap();
    app.run_jobs().await;
    assert_eq!(app.number("SELECT count(*) FROM calls").await, 0);
    assert_eq!(app.number("SELECT count(*) FROM api_keys WHERE last_used_at IS NOT NULL").await, 0);
    // And the real thing is as new as ever.
    app.api_post(
        "/api/events/customer-created",
        serde_json::json!({
            "businessId": business, "productId": product, "customerEmail": "new@example.com", "customerName": "Amy",
        }),
    )
    .await
    .is(200);
}

async fn ones_own_ids_are_put_in(app: TestApp) {
    app.sign_in().await;
    let before = counts(&app).await;
    let page = tried(&app, &event("business_01jexample", "product_01jexample", "amy@example.com")).await;
    assert_eq!(page.text("#answer .badge.is-warning"), "404");
    let page = page.says(&format!("businessId business_01jexample is not yours: yours is {}.", app.business.public_id));
    let page = page.says(&format!("{} is Pro plan", app.business.product_id)).says("Try it with your own ids");
    let fields = [
        ("curl", page.attr("input[name=curl]", "value")),
        ("mode", page.attr("input[name=mode][type=hidden]", "value")),
        ("ids", "mine".into()),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let page = app.post_form("/integrations/try", &fields).await.is(200);
    assert_eq!(body(&page)["success"], true, "{page:?}");
    assert!(page.text("textarea").contains(&app.business.public_id));
    assert!(!page.words().contains("Try it with your own ids"));
    assert_eq!(counts(&app).await, before);
    // A business that is there but another's says no more than one that is not.
    let globex = app.another_business("Globex").await;
    let page = tried(&app, &event(&globex.public_id, &globex.product_id, "amy@example.com")).await;
    page.says("is not yours").does_not_say("Globex");
}

async fn what_differs_is_said(app: TestApp) {
    app.sign_in().await;
    let url = app.url("");
    let form =
        tried(&app, &format!("curl {url}/v1/leads -H 'Authorization: Bearer x' -d '{{\"name\": \"Amy\"}}'")).await;
    form.says("curl sends -d as application/x-www-form-urlencoded").says("415");
    let fields =
        tried(&app, &format!("curl {url}/v1/codes -u x: --json '{{\"refferer\": 1, \"Referrer\": \"x\"}}'")).await;
    fields
        .says("Missing: referrer.")
        .says("Referrer is refused: it is not a field of this call. referrer is.")
        .says("400");
    tried(&app, &format!("curl {url}/v1/leads")).await.says("It carries no key");
    tried(&app, &format!("curl '{url}/v1/leads?api_key=abc&nonsense=1'"))
        .await
        .says("The key is in the address, as api_key")
        .says("nonsense is not a parameter");
    tried(&app, &format!("curl {url}/v1/leads -H 'X-Api-Key: abc'"))
        .await
        .says("the header x-api-key, which is not read");
    let key = app.business.api_key.clone();
    tried(&app, &format!("curl {url}/v1/me -u {key}:")).await.says("It is as documented.").says("200");
    let test = app.key(false).await;
    tried(&app, &format!("curl {url}/v1/me -u {test}:")).await.says("The key is a test key; this was tried as live.");
    let as_test = app
        .post_form("/integrations/try", &[("curl", &format!("curl {url}/v1/me -u {test}:")), ("mode", "test")])
        .await;
    assert_eq!(body(&as_test)["key"]["test"], true);
    tried(&app, &format!("curl {url}/v1/me -X DELETE -u {key}:")).await.says("405");
    app.arrange("UPDATE api_keys SET scopes = 'events:write'").await;
    tried(&app, &format!("curl {url}/v1/leads -u {key}:")).await.says("The key lacks the scope leads:read").says("200");
    app.arrange("UPDATE api_keys SET revoked_at = 1").await;
    tried(&app, &format!("curl {url}/v1/leads -u {key}:")).await.says("was revoked or has expired");
    let theirs = app.another_business("Globex").await.api_key;
    tried(&app, &format!("curl {url}/v1/leads -u {theirs}:")).await.says("belongs to no business here");
}

async fn the_pasted_key_is_never_seen_again(app: TestApp) {
    app.sign_in().await;
    let (url, key) = (app.url(""), app.business.api_key.clone());
    for curl in [
        format!("curl {url}/v1/me -H 'Authorization: Bearer {key}'"),
        format!("curl {url}/v1/me -H 'Authorization: {key}'"),
        format!("curl '{url}/v1/me?key={key}'"),
        format!("curl '{url}/v1/me -H 'Authorization: Bearer {key}"),
        format!("curl {url}/integrations -H 'Authorization: Bearer {key}'"),
    ] {
        let page = app.post_form("/integrations/try", &[("curl", &curl), ("mode", "live")]).await;
        assert!(matches!(page.status, 200 | 422), "{page:?}");
        assert!(!page.body.contains(&key) && !page.body.contains(&key[12..]), "{curl}: {page:?}");
    }
    for (table, text) in [("audit_entries", "after"), ("sessions", "data"), ("calls", "search")] {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table} WHERE {text} LIKE '%{key}%'")).await, 0);
    }
}

async fn what_cannot_be_tried_says_so(app: TestApp) {
    app.sign_in().await;
    let url = app.url("");
    for (curl, why) in [
        ("", "Paste the call"),
        ("GET /v1/me", "begins with curl"),
        ("curl 'https://x/v1/me", "never closed"),
        ("curl https://x/v1/leads -d @lead.json", "in a file"),
        ("curl -v", "names no address"),
    ] {
        let page = app.post_form("/integrations/try", &[("curl", curl)]).await.is(422);
        assert!(page.error_at("curl").contains(why), "{curl}: {page:?}");
    }
    for path in ["/", "/integrations", "/setup", "/r/CODE", "/apix/v1", "//evil.example/v1/me"] {
        let page = tried(&app, &format!("curl '{url}{path}'")).await;
        let page = page.says("No contract has this address");
        assert!(!page.has("#answer pre"), "{page:?}");
    }
    tried(&app, &format!("curl {url}/webhook/s3cr3t/qualify -d code=1")).await.says("cannot be tried here");
    let large = format!("curl {url}/v1/leads -u x: --json '{{\"name\": \"{}\"}}'", "x".repeat(100_000));
    assert_eq!(tried(&app, &large).await.text("#answer .badge.is-warning"), "413");
    for hostile in [
        "curl \u{0}",
        "curl '\u{0}/v1/me'",
        "curl x/v1/me -H '\u{7f}: \n'",
        "curl x/v1/me -H 'Accept: a\nb'",
        "curl x/v1/%ff -X OPTIONS",
        "curl x/v1/codes/%00 -u x:",
        "curl x/v1/../v1/me -u x:",
    ] {
        let page = app.post_form("/integrations/try", &[("curl", hostile), ("mode", "live")]).await;
        assert!(matches!(page.status, 200 | 422), "{hostile:?}: {page:?}");
    }
}

async fn a_trial_sees_what_is_there_and_not_what_others_have(app: TestApp) {
    app.sign_in().await;
    app.shop().lead("eve@example.com", None).await;
    let globex = app.another_business("Globex").await;
    app.shop_of(&globex).lead("gus@example.com", None).await;
    let page =
        tried(&app, &format!("curl {}/v1/leads -H 'Authorization: Bearer {}'", app.url(""), globex.api_key)).await;
    let said = page.text("#answer pre");
    assert!(said.contains("eve@example.com") && !said.contains("gus@example.com"), "{page:?}");
}

async fn a_call_that_writes_and_reads_is_tried_on_one_connection(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let before = counts(&app).await;
    let (url, referrer) = (app.url(""), id::render(Kind::Referrer, jane.id));
    for (path, body) in [
        ("referrers", r#"{"name": "Ada", "email": "ada@example.com"}"#.to_owned()),
        ("codes", format!(r#"{{"referrer": "{referrer}", "text": "JANE-9"}}"#)),
    ] {
        let page = tried(&app, &format!("curl {url}/v1/{path} -u key: --json '{body}'")).await;
        assert_eq!(page.text("#answer .badge.as-is"), "201", "{path}: {page:?}");
        assert_eq!(counts(&app).await, before, "{path}");
    }
}

async fn nothing_is_written_once_a_rehearsal_is_over(app: TestApp) {
    let db = &app.app.db;
    let rehearsal = db.rehearse().await.unwrap();
    let within = rehearsal.db();
    assert_eq!(within.is_postgres(), db.is_postgres());
    let count = async |db: &Db| {
        sql("SELECT count(*) FROM id_blocks").scalar::<i64>(&mut db.read().await.unwrap()).await.unwrap()
    };
    let before = count(&within).await;
    let name = "rehearsed".to_owned();
    within.write(vec![], name.clone(), insert).await.unwrap();
    assert_eq!((count(&within).await, count(db).await), (before + 1, before));
    // A write that fails leaves the earlier ones of the rehearsal as they are.
    assert!(within.write(vec![], name.clone(), insert_and_fail).await.is_err());
    assert_eq!(count(&within).await, before + 1);
    rehearsal.end().await;
    assert!(matches!(within.write(vec![], name.clone(), insert).await, Err(DbError::Unavailable(_))));
    assert_eq!(count(db).await, before);
    db.write(vec![], name, insert).await.unwrap();
    assert_eq!(count(db).await, before + 1);
}

async fn insert(tx: &mut Tx, name: &String) -> DbResult<()> {
    sql("INSERT INTO id_blocks (name, next) VALUES ($1, 1)").bind(name).execute(tx).await.map(|_| ())
}

async fn insert_and_fail(tx: &mut Tx, name: &String) -> DbResult<()> {
    insert(tx, &format!("{name} wrongly")).await?;
    Err(DbError::Fault("on purpose".into()))
}

async fn the_desk_goes_on_while_calls_are_tried(app: TestApp) {
    app.sign_in().await;
    let (business, product) = (app.business.public_id.clone(), app.business.product_id.clone());
    let trials = futures::future::join_all((0..6).map(|n| {
        let curl = event(&business, &product, &format!("trial{n}@example.com"));
        let app = &app;
        async move { app.post_form("/integrations/try", &[("curl", &curl), ("mode", "live")]).await.status }
    }));
    let calls = futures::future::join_all((0..20).map(|n| {
        let body = serde_json::json!({
            "businessId": business, "productId": product, "customerEmail": format!("real{n}@example.com"), "customerName": "Amy",
        });
        let app = &app;
        async move { app.api_post("/api/events/customer-created", body).await.status }
    }));
    let (trials, calls) = tokio::join!(trials, calls);
    assert!(trials.iter().all(|status| *status == 200), "{trials:?}");
    assert!(calls.iter().all(|status| *status == 200), "{calls:?}");
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 20);
}

async fn only_who_may_integrate_may_try(app: TestApp) {
    let developer = app.member(Role::Developer).await;
    developer.get("/integrations").await.is(200).says("Try a call").says("Log of calls");
    let sample = developer.get("/integrations/try?sample").await.is(200).text("textarea");
    let page = developer.post_form("/integrations/try", &[("curl", &sample), ("mode", "live")]).await.is(200);
    assert_eq!(body(&page)["success"], true, "{page:?}");
    page.says("It is as documented.");
    for role in [Role::Marketing, Role::Sales, Role::Viewer] {
        let member = app.member(role).await;
        member.get("/integrations/try").await.is(403);
        member.post_form("/integrations/try", &[("curl", &sample)]).await.is(403);
    }
}
