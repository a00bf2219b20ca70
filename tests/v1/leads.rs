//! Decisions about a lead: its referrer, and the lead it is part of.

use serde_json::{Value as Json, json};

use super::{call, text};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    a_lead_gets_another_referrer_for_the_money_that_was_seen,
    an_attribution_that_cannot_be_says_why,
    a_duplicate_is_merged_into_its_lead,
    a_lead_comes_back_from_the_archive,
}

async fn a_lead_gets_another_referrer_for_the_money_that_was_seen(app: TestApp) {
    let shop = app.shop();
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Busy").await);
    let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    let path = format!("/v1/leads/{lead}/attribution");
    let new = json!({ "code": tom.code, "reason": "she named him" });
    let preview = call(&app, "POST", &format!("{path}/preview"), Some(new.clone())).await.is(200).json();
    assert_eq!(
        (&preview["voided"][0]["amount_minor"], &preview["created"][0]["amount_minor"]),
        (&json!(2000), &json!(2000)),
        "{preview}"
    );
    let with_seen = |seen: &Json| json!({ "code": tom.code, "reason": "she named him", "seen": seen });
    call(&app, "PUT", &path, Some(with_seen(&json!("0123456789abcdef")))).await.is(412);
    let done = call(&app, "PUT", &path, Some(with_seen(&preview["seen"]))).await.is(200).json();
    assert_eq!((&done["attribution"]["code"], &done["attribution"]["arrival"]), (&json!(tom.code), &json!("staff")));
    let touches = call(&app, "GET", &format!("/v1/leads/{lead}/touches"), None).await.json();
    assert_eq!(touches["data"][0]["reason"], "she named him");

    let nobody = json!({ "referrer": "none", "reason": "a mistake" });
    let nobody = call(&app, "PUT", &path, Some(nobody)).await.is(200).json();
    assert_eq!(nobody["attribution"], Json::Null);
    let back = json!({ "referrer": jane.id, "reason": "hers after all", "pay_back": true });
    let back = call(&app, "PUT", &path, Some(back)).await.is(200).json();
    assert_eq!(back["attribution"]["code"], Json::Null, "no code was named");
    let report = refdesk::check::check(&app.app.db).await.expect("a report");
    assert!(report.ok, "{:?}", report.findings);
}

async fn an_attribution_that_cannot_be_says_why(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let lead = shop.lead("amy@example.com", None).await;
    let second = shop.campaign("Second").await;
    let stranger = shop.referrer_in(second, "Sam Stranger", true).await;
    let path = format!("/v1/leads/{lead}/attribution");
    for (body, pointer) in [
        (json!({ "reason": "x" }), "/referrer"),
        (json!({ "code": jane.code }), "/reason"),
        (json!({ "code": jane.code, "referrer": jane.id, "reason": "x" }), "/code"),
        (json!({ "code": "NOBODY99", "reason": "x" }), "/code"),
        (json!({ "code": stranger.code, "reason": "x" }), "/code"),
        (json!({ "referrer": stranger.id, "reason": "x" }), "/referrer"),
        (json!({ "referrer": lead, "reason": "x" }), "/referrer"),
    ] {
        let problem = call(&app, "PUT", &path, Some(body.clone())).await.is(400).json();
        assert_eq!(problem["errors"][0]["pointer"], json!(pointer), "{body}: {problem}");
    }
    let state = json!({ "state": "banned" });
    call(&app, "PUT", &format!("/v1/referrers/{}/state", jane.id), Some(state)).await.is(200);
    let banned = json!({ "referrer": jane.id, "reason": "x" });
    let refused = call(&app, "PUT", &path, Some(banned.clone())).await.is(409).json();
    assert_eq!(refused["detail"], "That referrer is banned.");
    call(&app, "POST", &format!("{path}/preview"), Some(banned.clone())).await.is(409);
    let other = app.another_business("Other").await;
    app.call("PUT", &path, &other.api_key, Some(banned.clone())).await.is(404);
    app.call("PUT", &path, &app.key(false).await, Some(banned)).await.is(404);
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE referrer_id IS NOT NULL").await, 0);
}

async fn a_duplicate_is_merged_into_its_lead(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let first = shop.lead("amy@example.com", None).await;
    let by_phone = json!({ "name": "Amy by phone", "phone": "(415) 555-2671", "code": jane.code });
    let second = call(&app, "POST", "/v1/leads", Some(by_phone)).await.is(201).json();
    let path = format!("/v1/leads/{}/merge", text(&second["id"]));
    let into = json!({ "into": first });
    let preview = call(&app, "POST", &format!("{path}/preview"), Some(into.clone())).await.is(200).json();
    let sent = json!({ "into": first, "seen": preview["seen"] });
    let merged = call(&app, "POST", &path, Some(sent)).await.is(200).json();
    assert_eq!((&merged["number"], &merged["phone"]), (&json!(first), &json!("(415) 555-2671")));
    assert_eq!(merged["attribution"]["code"], json!(jane.code), "the earliest touch counts");
    let gone = call(&app, "GET", &format!("/v1/leads/{}", text(&second["id"])), None).await.is(200).json();
    assert!(gone["archived_at"].is_string());
    let itself = call(&app, "POST", &format!("/v1/leads/{first}/merge"), Some(into)).await;
    assert_eq!(itself.status, 409, "{itself:?}");

    let other = app.another_business("Other").await;
    let theirs = app.call("POST", "/v1/leads", &other.api_key, Some(json!({ "name": "Zoe" }))).await.is(201).json();
    let elsewhere =
        call(&app, "POST", &format!("/v1/leads/{first}/merge"), Some(json!({ "into": theirs["id"] }))).await;
    assert_eq!(elsewhere.is(400).json()["errors"][0]["pointer"], "/into");
    let path = format!("/v1/leads/{first}/merge");
    app.call("POST", &path, &other.api_key, Some(json!({ "into": theirs["id"] }))).await.is(404);
}

async fn a_lead_comes_back_from_the_archive(app: TestApp) {
    let lead = app.shop().lead("amy@example.com", None).await;
    call(&app, "DELETE", &format!("/v1/leads/{lead}"), None).await.is(204);
    for _ in 0..2 {
        let back = call(&app, "POST", &format!("/v1/leads/{lead}/restore"), None).await.is(200).json();
        assert_eq!(back["archived_at"], Json::Null);
    }
    let other = app.another_business("Other").await;
    app.call("POST", &format!("/v1/leads/{lead}/restore"), &other.api_key, None).await.is(404);
}
