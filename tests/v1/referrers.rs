//! Referrers, changed by a program.

use serde_json::{Value as Json, json};

use super::{call, text, with};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    a_referrer_is_changed_field_by_field,
    a_change_is_made_to_the_version_of_a_referrer_it_is_for,
    a_referrer_is_enrolled_and_comes_back_from_the_archive,
    many_are_enrolled_by_their_ids,
    all_of_another_campaign_are_enrolled_by_a_job,
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

async fn many_are_enrolled_by_their_ids(app: TestApp) {
    let shop = app.shop();
    let summer = shop.campaign("Summer").await;
    let mut ids: Vec<Json> = Vec::new();
    for n in 0..3 {
        ids.push(shop.referrer_without_code(&format!("Person {n}")).await.id.into());
    }
    let gone = shop.referrer("Gone Away").await.id;
    call(&app, "DELETE", &format!("/v1/referrers/{gone}"), None).await.is(204);
    ids.extend([ids[0].clone(), json!("agent_nonsense"), json!(gone)]);
    let wanted = json!({ "campaign": summer, "referrers": ids });
    let once = ("idempotency-key", "enroll-1");
    let made = with(&app, "POST", "/v1/enrollments", once, &wanted).await.is(200).json();
    let results: Vec<&str> = made["items"].as_array().unwrap().iter().map(|i| text(&i["result"])).collect();
    assert_eq!(results, ["enrolled", "enrolled", "enrolled", "already", "not_found", "archived"]);
    assert!(made["items"][0]["code"].is_string() && made["items"][3]["code"].is_null(), "{made}");
    assert_eq!((&made["items"][4]["referrer"], &made["job"]), (&Json::Null, &Json::Null));
    assert_eq!(with(&app, "POST", "/v1/enrollments", once, &wanted).await.is(200).json(), made);
    let there = format!("SELECT count(*) FROM enrollments WHERE campaign_id = {summer} AND has_code");
    assert_eq!(app.number(&there).await, 3);
    let audit = call(&app, "GET", "/v1/audit?action=referrer.enrolled", None).await.json();
    assert_eq!(audit["data"].as_array().unwrap().len(), 3, "{audit}");
    for wrong in [
        json!({ "campaign": summer }),
        json!({ "campaign": summer, "referrers": [], "from": app.business.campaign_id }),
        json!({ "campaign": summer, "from": summer }),
        json!({ "campaign": summer, "from": app.business.campaign_id, "tag": "Nobody" }),
        json!({ "campaign": summer, "referrers": [], "tag": "VIP" }),
        json!({ "campaign": summer, "referrers": vec![1; 1_001] }),
    ] {
        call(&app, "POST", "/v1/enrollments", Some(wrong)).await.is(400);
    }
    let other = app.another_business("Other").await;
    let theirs = json!({ "referrers": [ids[0]] });
    let theirs = app.call("POST", "/v1/enrollments", &other.api_key, Some(theirs)).await.is(200).json();
    assert_eq!(theirs["items"][0]["result"], "not_found");
}

async fn all_of_another_campaign_are_enrolled_by_a_job(app: TestApp) {
    let shop = app.shop();
    let ann = shop.referrer("Ann Ash").await;
    shop.referrer("Ben Brook").await;
    let summer = shop.campaign("Summer").await;
    let wanted = json!({ "campaign": summer, "from": app.business.campaign_id, "generate_code": false });
    let begun = call(&app, "POST", "/v1/enrollments", Some(wanted.clone())).await.is(202).json();
    let joined = call(&app, "POST", "/v1/enrollments", Some(wanted.clone())).await.is(202).json();
    assert_eq!(joined["job"]["id"], begun["job"]["id"]);
    app.run_jobs().await;
    let path = format!("/v1/jobs/{}", text(&begun["job"]["id"]));
    let job = call(&app, "GET", &path, None).await.is(200).json();
    assert_eq!((&job["kind"], &job["state"], &job["made"]), (&json!("enrollments"), &json!("done"), &json!(2)));
    let again = app.with_jobs(call(&app, "POST", "/v1/enrollments", Some(wanted))).await.is(200).json();
    assert_eq!((&again["job"]["made"], &again["job"]["skipped"]), (&json!(0), &json!(2)));
    let audit = call(&app, "GET", "/v1/audit?action=referrers.enrolled", None).await.json();
    assert_eq!(audit["data"][1]["after"]["enrolled"], 2, "{audit}");
    app.sign_in().await;
    app.get(&format!("/referrers/{}", ann.id)).await.is(200).says("Enrolled in a campaign").says("(key)");
}
