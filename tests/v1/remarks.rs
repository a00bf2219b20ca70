//! /v1: tags and notes of leads and referrers

use serde_json::json;

use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    tags_are_set_and_read,
    notes_are_written_and_read,
    what_is_not_the_keys_own_is_not_found,
}

async fn tags_are_set_and_read(app: TestApp) {
    let ann = app.shop().referrer("Ann").await.id;
    let lead = app.shop().lead("one@example.com", None).await;
    for path in [format!("/v1/referrers/{ann}/tags"), format!("/v1/leads/{lead}/tags")] {
        assert_eq!(app.api_get(&path).await.is(200).json(), json!({ "tags": [] }));
        let set = app.api_put(&path, json!({ "tags": ["VIP", "press", "vip"] })).await.is(200);
        assert_eq!(set.json(), json!({ "tags": ["press", "VIP"] }));
        let again = app.api_put(&path, json!({ "tags": ["PRESS", "fair"] })).await.is(200);
        assert_eq!(again.json(), json!({ "tags": ["fair", "press"] }), "a tag keeps its first spelling");
        assert_eq!(app.api_get(&path).await.is(200).json(), json!({ "tags": ["fair", "press"] }));
        let many: Vec<String> = (0..21).map(|n| format!("tag {n}")).collect();
        for wrong in [json!(many), json!(["a, b"]), json!(["x".repeat(41)]), json!("VIP"), json!([""])] {
            let problem = app.api_put(&path, json!({ "tags": wrong })).await.is(400);
            assert!(problem.body.contains("/tags"), "{}", problem.body);
        }
        assert_eq!(app.api_put(&path, json!({ "tags": [] })).await.is(200).json(), json!({ "tags": [] }));
    }
}

async fn notes_are_written_and_read(app: TestApp) {
    let ann = app.shop().referrer("Ann").await.id;
    let lead = app.shop().lead("one@example.com", None).await;
    for path in [format!("/v1/referrers/{ann}/notes"), format!("/v1/leads/{lead}/notes")] {
        let note = app.api_post(&path, json!({ "text": "Prefers the phone" })).await.is(201).json();
        assert_eq!(note["text"], "Prefers the phone");
        app.api_post(&path, json!({ "text": "Called\nback" })).await.is(201);
        let all = app.api_get(&path).await.is(200).json();
        assert_eq!(
            (&all["data"][0]["text"], &all["data"][1]["text"]),
            (&json!("Called\nback"), &json!("Prefers the phone"))
        );
        app.api_post(&path, json!({ "text": "" })).await.is(400);
        app.api_post(&path, json!({ "text": "x".repeat(2_001) })).await.is(400);
    }
    app.sign_in().await;
    app.get(&format!("/referrers/{ann}")).await.is(200).says("Prefers the phone");
}

async fn what_is_not_the_keys_own_is_not_found(app: TestApp) {
    let other = app.another_business("Globex").await;
    let theirs = app.shop_of(&other).referrer("Ann").await.id;
    let lead = app.shop_of(&other).lead("one@example.com", None).await;
    for path in [format!("/v1/referrers/{theirs}"), format!("/v1/leads/{lead}"), "/v1/leads/77".to_owned()] {
        app.api_get(&format!("{path}/tags")).await.is(404);
        app.api_put(&format!("{path}/tags"), json!({ "tags": ["mine"] })).await.is(404);
        app.api_get(&format!("{path}/notes")).await.is(404);
        app.api_post(&format!("{path}/notes"), json!({ "text": "mine" })).await.is(404);
    }
    assert_eq!(app.number("SELECT count(*) FROM tagged").await + app.number("SELECT count(*) FROM notes").await, 0);
}
