//! Codes for all who have none, and for one.

use serde_json::json;

use super::{call, text, with};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    codes_are_generated_for_all_who_have_none,
    generating_may_go_on_in_the_background,
    a_referrer_is_given_a_code_by_their_own_address,
}

async fn codes_are_generated_for_all_who_have_none(app: TestApp) {
    let shop = app.shop();
    shop.referrer("Jane Miller").await;
    for name in ["Tom Busy", "Ann Other", "Paul Paused"] {
        shop.referrer_without_code(name).await;
    }
    let paused = app.number("SELECT id FROM referrers WHERE name = 'Paul Paused'").await;
    let state = format!("/v1/referrers/{paused}/state");
    call(&app, "PUT", &state, Some(json!({ "state": "paused" }))).await.is(200);
    // No body says the same as an empty one.
    let made = app.with_jobs(call(&app, "POST", "/v1/referrers/codes", None)).await.is(200).json();
    assert_eq!((&made["state"], &made["made"], &made["skipped"]), (&json!("done"), &json!(2), &json!(1)));
    let job = call(&app, "GET", &format!("/v1/jobs/{}", text(&made["id"])), None).await.is(200).json();
    assert_eq!(job, made);
    assert_eq!(app.number("SELECT count(*) FROM codes WHERE state = 'active'").await, 3);
    let again = app.with_jobs(call(&app, "POST", "/v1/referrers/codes", Some(json!({})))).await.is(200).json();
    assert_eq!((&again["made"], &again["skipped"]), (&json!(0), &json!(3)));
    let audit = call(&app, "GET", "/v1/audit?action=codes.generated", None).await.json();
    assert_eq!(
        (&audit["data"][1]["actor_kind"], &audit["data"][1]["after"]["made"]),
        (&json!("key"), &json!(2)),
        "{audit}"
    );

    let other = app.another_business("Other").await;
    let wanted = json!({ "campaign": app.business.campaign_id });
    app.call("POST", "/v1/referrers/codes", &other.api_key, Some(wanted)).await.is(400);
    app.call("GET", &format!("/v1/jobs/{}", text(&made["id"])), &other.api_key, None).await.is(404);
}

async fn generating_may_go_on_in_the_background(app: TestApp) {
    app.shop().referrer_without_code("Tom Busy").await;
    // Nobody works here until the jobs are run.
    let once = ("idempotency-key", "generate-1");
    let begun = with(&app, "POST", "/v1/referrers/codes", once, &json!({})).await.is(202).json();
    assert_eq!((&begun["state"], &begun["total"], &begun["made"]), (&json!("queued"), &json!(1), &json!(0)));
    let joined = call(&app, "POST", "/v1/referrers/codes", None).await.is(202).json();
    assert_eq!(joined["id"], begun["id"], "asked for again it is the same job");
    app.run_jobs().await;
    let job = call(&app, "GET", &format!("/v1/jobs/{}", text(&begun["id"])), None).await.is(200).json();
    assert_eq!((&job["state"], &job["made"]), (&json!("done"), &json!(1)));
    let repeated = with(&app, "POST", "/v1/referrers/codes", once, &json!({})).await.is(202);
    assert_eq!((repeated.header("idempotency-replayed"), repeated.json()), ("true", begun));
}

async fn a_referrer_is_given_a_code_by_their_own_address(app: TestApp) {
    let jane = app.shop().referrer_without_code("Jane Miller").await;
    let path = format!("/v1/referrers/{}/codes", jane.id);
    let made = call(&app, "POST", &path, None).await.is(201).json();
    assert_eq!((&made["kind"], &made["state"]), (&json!("generated"), &json!("active")));
    assert_eq!(call(&app, "POST", &path, Some(json!({}))).await.is(200).json(), made);
    let chosen = call(&app, "POST", &path, Some(json!({ "text": "JANE2026" }))).await.is(201).json();
    assert_eq!(chosen["text"], "JANE2026");
    let second = app.shop().campaign("Second").await;
    let elsewhere = call(&app, "POST", &path, Some(json!({ "campaign": second }))).await.is(400).json();
    assert_eq!(elsewhere["errors"][0]["pointer"], "/campaign");

    let paul = app.shop().referrer_without_code("Paul Paused").await;
    let state = format!("/v1/referrers/{}/state", paul.id);
    call(&app, "PUT", &state, Some(json!({ "state": "paused" }))).await.is(200);
    let refused = call(&app, "POST", &format!("/v1/referrers/{}/codes", paul.id), None).await.is(409).json();
    assert_eq!(refused["detail"], "The referrer is paused in this campaign, so no code was generated.");
    let other = app.another_business("Other").await;
    app.call("POST", &path, &other.api_key, None).await.is(404);
}
