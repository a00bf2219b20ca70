//! Promises of every call: versions, cursors, items that are no objects, fields to clear.

use serde_json::{Value as Json, json};

use super::{call, text, with};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    nothing_is_done_to_a_newer_version_than_was_meant,
    a_cursor_is_of_its_own_list,
    campaigns_and_products_come_in_pages,
    a_field_is_cleared_by_null_or_by_nothing_in_it,
    an_item_that_is_no_object_fails_alone,
    qualifications_sent_again_are_answered_the_same,
}

async fn nothing_is_done_to_a_newer_version_than_was_meant(app: TestApp) {
    let lead = app.shop().lead("amy@example.com", None).await;
    let path = format!("/v1/leads/{lead}");
    let tag = call(&app, "GET", &path, None).await.is(200).header("etag").to_owned();
    app.clock.set(app.clock.now().plus_seconds(1));
    call(&app, "PATCH", &path, Some(json!({ "company": "Acme" }))).await.is(200);
    let before = call(&app, "GET", &path, None).await.json();
    let (status, qualification) = (format!("{path}/status"), format!("{path}/qualification"));
    let asked = [
        ("PUT", &status, json!({ "status": "lost" })),
        ("PUT", &qualification, json!({ "qualified": true })),
        ("DELETE", &path, Json::Null),
    ];
    for (method, path, body) in &asked {
        let refused = with(&app, method, path, ("if-match", &tag), body).await.is(412);
        assert_eq!(refused.json()["status"], json!(412), "{method} {path}");
    }
    assert_eq!(call(&app, "GET", &path, None).await.json(), before);
    for (method, path, body) in &asked {
        let tag = call(&app, "GET", &format!("/v1/leads/{lead}"), None).await.is(200).header("etag").to_owned();
        let done = with(&app, method, path, ("if-match", &tag), body).await;
        assert!(done.status < 300, "{method} {path}: {}", done.body);
        app.clock.set(app.clock.now().plus_seconds(1));
    }

    let jane = app.shop().referrer("Jane Miller").await;
    let path = format!("/v1/referrers/{}", jane.id);
    with(&app, "DELETE", &path, ("if-match", "\"1\""), &Json::Null).await.is(412);
    let tag = call(&app, "GET", &path, None).await.is(200).header("etag").to_owned();
    with(&app, "DELETE", &path, ("if-match", &tag), &Json::Null).await.is(204);
}

async fn a_cursor_is_of_its_own_list(app: TestApp) {
    let shop = app.shop();
    for n in 0..3 {
        shop.lead(&format!("lead{n}@example.com"), None).await;
        shop.referrer(&format!("Referrer {n}")).await;
    }
    let next = async |path: &str| text(&call(&app, "GET", path, None).await.is(200).json()["next"]).to_owned();
    let (leads, oldest) = (next("/v1/leads?limit=1").await, next("/v1/leads?limit=1&sort=created").await);
    for (path, cursor) in [("/v1/referrers?", &leads), ("/v1/leads?sort=created&", &leads), ("/v1/leads?", &oldest)] {
        let refused = call(&app, "GET", &format!("{path}after={cursor}"), None).await.is(400).json();
        assert_eq!(refused["errors"][0]["pointer"], json!("/after"), "{refused}");
    }
    call(&app, "GET", &format!("/v1/leads?after={leads}&limit=2"), None).await.is(200);
    call(&app, "GET", &format!("/v1/leads?sort=created&after={oldest}"), None).await.is(200);
}

async fn campaigns_and_products_come_in_pages(app: TestApp) {
    for name in ["Summer", "Winter"] {
        app.shop().campaign(name).await;
    }
    for list in ["/v1/campaigns", "/v1/products"] {
        let all = call(&app, "GET", list, None).await.is(200).json();
        let mut crawled = Vec::new();
        let mut path = format!("{list}?limit=1");
        loop {
            let page = call(&app, "GET", &path, None).await.is(200).json();
            crawled.extend(page["data"].as_array().expect("rows").clone());
            let Some(next) = page["next"].as_str() else { break };
            path = format!("{list}?limit=1&after={next}");
        }
        assert_eq!((Json::from(crawled), &all["next"]), (all["data"].clone(), &Json::Null), "{list}");
        call(&app, "GET", &format!("{list}?colour=red"), None).await.is(400);
    }
}

async fn a_field_is_cleared_by_null_or_by_nothing_in_it(app: TestApp) {
    let lead = app.shop().lead("amy@example.com", None).await;
    let path = format!("/v1/leads/{lead}");
    for nothing in [Json::Null, json!("")] {
        let full = json!({ "company": "Acme", "budget": 1250.5 });
        let lead = call(&app, "PATCH", &path, Some(full)).await.is(200).json();
        assert_eq!((&lead["company"], &lead["budget"]), (&json!("Acme"), &json!(1250.5)));
        let cleared = json!({ "company": nothing, "budget": nothing });
        let lead = call(&app, "PATCH", &path, Some(cleared)).await.is(200).json();
        assert_eq!((&lead["company"], &lead["budget"]), (&Json::Null, &Json::Null));
        assert_eq!(lead["email"], json!("amy@example.com"), "what is left out stays");
    }
}

async fn an_item_that_is_no_object_fails_alone(app: TestApp) {
    let lead = app.shop().lead("amy@example.com", None).await;
    let batches = [
        ("/v1/leads/batch", json!({ "name": "Jane Smith" })),
        ("/v1/qualifications/batch", json!({ "lead": lead, "qualified": true })),
    ];
    for (path, item) in batches {
        for odd in [json!(5), Json::Null, json!([])] {
            let sent = json!({ "items": [odd, item] });
            let answer = call(&app, "POST", path, Some(sent)).await.is(200).json();
            assert_eq!(answer["items"][0]["result"], json!("invalid"), "{path} {answer}");
            assert_eq!(answer["items"][0]["errors"][0]["field"], json!("item"), "{path} {answer}");
            assert_ne!(answer["items"][1]["result"], json!("invalid"), "{path} {answer}");
        }
    }
}

async fn qualifications_sent_again_are_answered_the_same(app: TestApp) {
    let lead = app.shop().lead("amy@example.com", None).await;
    let path = "/v1/qualifications/batch";
    let body = |qualified: bool| json!({ "items": [{ "lead": lead, "qualified": qualified }] });
    let key = ("idempotency-key", "qualify-1");
    let first = with(&app, "POST", path, key, &body(true)).await.is(200).json();
    assert_eq!(first["items"][0]["result"], json!("changed"));
    assert_eq!(with(&app, "POST", path, key, &body(true)).await.is(200).json(), first);
    with(&app, "POST", path, key, &body(false)).await.is(409);
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await, 1);
}
