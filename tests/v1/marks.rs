//! What other programs call people, and store with them: external ids and metadata; many referrers at once.

use serde_json::{Value as Json, json};

use super::{call, text, with};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    a_lead_keeps_its_external_id_and_metadata,
    an_external_id_names_one_lead_of_a_campaign,
    a_referrer_keeps_an_external_id_and_metadata,
    metadata_is_bounded_field_by_field,
    metadata_and_meta_are_the_same_fields,
    fields_that_cannot_be_null_say_so,
    an_odd_email_is_stored_with_a_warning,
    many_referrers_are_added_with_an_answer_each,
    the_balances_of_all_are_one_list,
}

async fn a_lead_keeps_its_external_id_and_metadata(app: TestApp) {
    let new = json!({
        "name": "Amy", "email": "amy@example.com", "external_id": "crm-7",
        "metadata": { "plan": "pro", "seats": "3", "gone": null },
    });
    let lead = call(&app, "POST", "/v1/leads", Some(new)).await.is(201).json();
    assert_eq!(lead["external_id"], "crm-7");
    assert_eq!(lead["metadata"], json!({ "plan": "pro", "seats": "3" }));
    let path = format!("/v1/leads/{}", text(&lead["id"]));
    for (change, external_id, metadata) in [
        (json!({ "company": "Acme" }), json!("crm-7"), json!({ "plan": "pro", "seats": "3" })),
        (
            json!({ "metadata": { "seats": null, "city": "Nairobi" } }),
            json!("crm-7"),
            json!({ "plan": "pro", "city": "Nairobi" }),
        ),
        (json!({ "metadata": {} }), json!("crm-7"), json!({ "plan": "pro", "city": "Nairobi" })),
        (json!({ "external_id": "crm-8", "metadata": { "plan": "" } }), json!("crm-8"), json!({ "city": "Nairobi" })),
        (json!({ "external_id": null, "metadata": null }), Json::Null, json!({})),
        (json!({ "external_id": "crm-7" }), json!("crm-7"), json!({})),
    ] {
        let changed = call(&app, "PATCH", &path, Some(change.clone())).await.is(200).json();
        assert_eq!((&changed["external_id"], &changed["metadata"]), (&external_id, &metadata), "{change}");
        assert_eq!(call(&app, "GET", &path, None).await.json(), changed);
    }
    let found = call(&app, "GET", "/v1/leads?external_id=crm-7", None).await.is(200).json();
    assert_eq!((&found["data"][0]["id"], &found["data"][1]), (&lead["id"], &Json::Null));
    assert_eq!(call(&app, "GET", "/v1/leads?external_id=crm-8", None).await.json()["data"], json!([]));
    app.sign_in().await;
    app.get(&format!("/leads/{}", lead["number"])).await.is(200).says("crm-7");
}

async fn an_external_id_names_one_lead_of_a_campaign(app: TestApp) {
    let add = async |body: Json| call(&app, "POST", "/v1/leads", Some(body)).await;
    let amy = add(json!({ "name": "Amy", "email": "amy@example.com", "external_id": "7" })).await.is(201).json();
    // The same person again, by the id alone, by both, by the address alone.
    for body in [
        json!({ "name": "Amy", "external_id": "7" }),
        json!({ "name": "Amy", "email": "AMY@example.com", "external_id": "7" }),
        json!({ "name": "Amy", "email": "amy@example.com" }),
    ] {
        assert_eq!(add(body.clone()).await.is(200).json()["id"], amy["id"], "{body}");
    }
    // A lead without one takes it.
    let eve = add(json!({ "name": "Eve", "email": "eve@example.com" })).await.is(201).json();
    let marked = add(json!({ "name": "Eve", "email": "eve@example.com", "external_id": "8" })).await.is(200).json();
    assert_eq!((&marked["id"], &marked["external_id"]), (&eve["id"], &json!("8")));
    for body in [
        json!({ "name": "Eve", "email": "eve@example.com", "external_id": "7" }),
        json!({ "name": "Eve", "email": "eve@example.com", "external_id": "9" }),
        json!({ "name": "Bob", "email": "bob@example.com", "external_id": "7" }),
    ] {
        let refused = add(body.clone()).await.is(409).json();
        assert_eq!(refused["code"], "external_id_taken", "{body}");
    }
    let path = format!("/v1/leads/{}", text(&eve["id"]));
    let taken = call(&app, "PATCH", &path, Some(json!({ "external_id": "7" }))).await.is(409).json();
    assert_eq!(taken["code"], "external_id_taken");
    assert!(text(&taken["detail"]).contains(text(&amy["id"])), "{taken}");
    // Another campaign and test data have ids of their own.
    let second = app.shop().campaign("Second").await;
    add(json!({ "name": "Amy", "external_id": "7", "campaign": second })).await.is(201);
    let test_key = app.key(false).await;
    app.call("POST", "/v1/leads", &test_key, Some(json!({ "name": "Amy", "external_id": "7" }))).await.is(201);
    // In a batch each is decided after the one before.
    let items = json!({ "items": [
        { "name": "Cleo", "external_id": "20" },
        { "name": "Cleo", "external_id": "20" },
        { "name": "Dora", "email": "dora@example.com", "external_id": "7" },
        { "name": "Dora", "email": "dora@example.com", "external_id": "21" },
    ] });
    let answer = call(&app, "POST", "/v1/leads/batch", Some(items)).await.is(200).json();
    let results: Vec<&Json> = answer["items"].as_array().expect("items").iter().map(|i| &i["result"]).collect();
    assert_eq!(results, ["added", "known", "invalid", "added"], "{answer}");
    assert_eq!(answer["items"][2]["errors"][0]["field"], "external_id");
    // Of many at once exactly one makes the lead.
    let many = (0..12).map(|_| add(json!({ "name": "Zoe", "external_id": "99" })));
    let made = futures::future::join_all(many).await.into_iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1);
}

async fn a_referrer_keeps_an_external_id_and_metadata(app: TestApp) {
    let add = async |body: Json| call(&app, "POST", "/v1/referrers", Some(body)).await;
    let new =
        json!({ "name": "Jane", "email": "jane@example.com", "external_id": "hr-1", "metadata": { "team": "north" } });
    let jane = add(new).await.is(201).json();
    assert_eq!((&jane["external_id"], &jane["metadata"]), (&json!("hr-1"), &json!({ "team": "north" })));
    assert_eq!(add(json!({ "name": "Jane", "external_id": "hr-1" })).await.is(200).json()["id"], jane["id"]);
    let tom = add(json!({ "name": "Tom", "email": "tom@example.com" })).await.is(201).json();
    let tom_again = json!({ "name": "Tom", "email": "tom@example.com", "external_id": "hr-2" });
    assert_eq!(add(tom_again).await.is(200).json()["external_id"], "hr-2");
    for body in [
        json!({ "name": "Tom", "email": "tom@example.com", "external_id": "hr-1" }),
        json!({ "name": "Tom", "email": "tom@example.com", "external_id": "hr-3" }),
        json!({ "name": "Ann", "email": "ann@example.com", "external_id": "hr-1" }),
    ] {
        assert_eq!(add(body.clone()).await.is(409).json()["code"], "external_id_taken", "{body}");
    }
    let path = format!("/v1/referrers/{}", text(&tom["id"]));
    let taken = call(&app, "PATCH", &path, Some(json!({ "external_id": "hr-1" }))).await.is(409).json();
    assert!(text(&taken["detail"]).contains(text(&jane["id"])), "{taken}");
    let changed = call(&app, "PATCH", &path, Some(json!({ "metadata": { "team": "south" } }))).await.is(200).json();
    assert_eq!((&changed["external_id"], &changed["metadata"]), (&json!("hr-2"), &json!({ "team": "south" })));
    let version = call(&app, "GET", &path, None).await.header("etag").to_owned();
    let written = json!({ "name": "Tom Busy", "email": "tom@example.com" });
    let written = with(&app, "PUT", &path, ("if-match", &version), &written).await.is(200).json();
    assert_eq!((&written["external_id"], &written["metadata"]), (&Json::Null, &json!({})), "all of it is written");
    let found = call(&app, "GET", "/v1/referrers?external_id=hr-1", None).await.is(200).json();
    assert_eq!((&found["data"][0]["id"], &found["data"][1]), (&jane["id"], &Json::Null));
    app.sign_in().await;
    app.get(&format!("/referrers/{}", jane["number"])).await.is(200).says("hr-1").says("north");
    let other = app.another_business("Other").await;
    app.call("POST", "/v1/referrers", &other.api_key, Some(json!({ "name": "Jane", "external_id": "hr-1" })))
        .await
        .is(201);
}

async fn metadata_is_bounded_field_by_field(app: TestApp) {
    let long = |n: usize| "x".repeat(n);
    for (metadata, pointer) in [
        (json!("text"), "/metadata"),
        (json!(["a"]), "/metadata"),
        (json!({ "a": 1 }), "/metadata/a"),
        (json!({ "a": { "b": "c" } }), "/metadata/a"),
        (json!({ "a": long(501) }), "/metadata/a"),
        (json!({ long(41): "a" }), &format!("/metadata/{}", long(41))),
        (json!({ " a": "a" }), "/metadata/ a"),
    ] {
        for path in ["/v1/leads", "/v1/referrers"] {
            let body = json!({ "name": "Amy", "metadata": metadata });
            let refused = call(&app, "POST", path, Some(body)).await.is(400).json();
            assert_eq!(refused["errors"][0]["pointer"], pointer, "{path} {metadata}");
        }
    }
    let fifty: serde_json::Map<String, Json> = (0..50).map(|n| (format!("f{n}"), json!(long(500)))).collect();
    let body = json!({ "name": "Amy", "metadata": fifty });
    let lead = call(&app, "POST", "/v1/leads", Some(body)).await.is(201).json();
    assert_eq!(lead["metadata"], Json::Object(fifty));
    let path = format!("/v1/leads/{}", text(&lead["id"]));
    call(&app, "PATCH", &path, Some(json!({ "metadata": { "one": "more" } }))).await.is(400);
    let swapped = json!({ "metadata": { "one": "more", "f0": null } });
    call(&app, "PATCH", &path, Some(swapped)).await.is(200);
    call(&app, "POST", "/v1/leads", Some(json!({ "name": "Amy", "external_id": long(201) }))).await.is(400);
    call(&app, "PATCH", &path, Some(json!({ "external_id": "two\nlines" }))).await.is(400);
}

async fn metadata_and_meta_are_the_same_fields(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let new = json!({
        "campaign_id": app.business.campaign_id, "first_name": "Amy", "email": "amy@example.com",
        "referrer": { "field": "code", "value": jane.code },
        "meta": [{ "field": "plan", "value": "pro" }, { "field": "seats", "value": 3 }],
    });
    let user = app.api_post("/api/v2/users", new).await.is(201).json();
    let path = format!("/v1/leads/{}", user["data"]["id"]);
    assert_eq!(call(&app, "GET", &path, None).await.json()["metadata"], json!({ "plan": "pro", "seats": "3" }));
    call(&app, "PATCH", &path, Some(json!({ "metadata": { "city": "Oslo" }, "external_id": "7" }))).await.is(200);
    let user = app.api_get(&format!("/api/v2/users/{}", user["data"]["id"])).await.is(200).json();
    let fields: Vec<&Json> = user["data"]["meta"].as_array().expect("meta").iter().map(|m| &m["field"]).collect();
    assert_eq!(fields, ["plan", "seats", "city"]);
    // What another contract changes leaves both alone.
    let change = json!({ "first_name": "Amy Adams", "meta": [{ "field": "plan", "value": null }] });
    app.api_put(&format!("/api/v2/users/{}", user["data"]["id"]), change).await.is(200);
    let lead = call(&app, "GET", &path, None).await.json();
    assert_eq!((&lead["external_id"], &lead["metadata"]), (&json!("7"), &json!({ "city": "Oslo", "seats": "3" })));
}

async fn fields_that_cannot_be_null_say_so(app: TestApp) {
    let lead = call(&app, "POST", "/v1/leads", Some(json!({ "name": "Amy" }))).await.is(201).json();
    let jane = app.shop().referrer("Jane Miller").await;
    let (lead_path, number) = (format!("/v1/leads/{}", text(&lead["id"])), lead["number"].clone());
    let (referrer, campaign) =
        (format!("/v1/referrers/{}", jane.id), format!("/v1/campaigns/{}", app.business.campaign_id));
    let product = format!("/v1/products/{}", app.business.product_id);
    for (path, field) in [
        (&lead_path, "name"),
        (&lead_path, "active"),
        (&referrer, "name"),
        (&campaign, "name"),
        (&campaign, "qualify_on"),
        (&campaign, "reward"),
        (&campaign, "reward_hold_days"),
        (&product, "name"),
    ] {
        for nothing in [Json::Null, json!("")] {
            let refused = call(&app, "PATCH", path, Some(json!({ field: nothing }))).await.is(400).json();
            assert_eq!(refused["errors"][0]["pointer"], json!(format!("/{field}")), "{path} {nothing}");
        }
    }
    for field in ["first_name", "email", "qualified"] {
        let refused = app.api_put(&format!("/api/v2/users/{number}"), json!({ field: null })).await.is(422).json();
        assert!(refused["errors"][field].is_array(), "{refused}");
    }
    assert_eq!(call(&app, "GET", &lead_path, None).await.json(), lead);
}

async fn an_odd_email_is_stored_with_a_warning(app: TestApp) {
    let odd = json!({ "name": "Amy", "email": "amy at example" });
    let lead = call(&app, "POST", "/v1/leads", Some(odd.clone())).await.is(201).json();
    assert_eq!(lead["email"], "amy at example");
    assert!(text(&lead["warnings"][0]).starts_with("email "), "{lead}");
    let path = format!("/v1/leads/{}", text(&lead["id"]));
    let fixed = call(&app, "PATCH", &path, Some(json!({ "email": "amy@example.com" }))).await.is(200).json();
    assert_eq!(fixed["warnings"], Json::Null);
    let fine = json!({ "name": "Eve", "email": "eve@example.com" });
    let many = json!({ "items": [odd, fine] });
    let many = call(&app, "POST", "/v1/leads/batch", Some(many)).await.is(200).json();
    assert!(many["items"][0]["warnings"][0].is_string() && many["items"][1]["warnings"].is_null(), "{many}");
}

async fn many_referrers_are_added_with_an_answer_each(app: TestApp) {
    let mut items: Vec<Json> =
        (0..120).map(|n| json!({ "name": format!("R {n}"), "email": format!("r{n}@example.com") })).collect();
    items.push(json!({ "name": "R 0", "email": "R0@example.com" }));
    items.push(json!({ "name": "No code", "generate_code": false, "external_id": "hr-9" }));
    items.push(json!({ "email": "nobody@example.com" }));
    items.push(json!({ "name": "Bad", "phone": "12" }));
    items.push(json!({ "name": "Other", "email": "other@example.com", "external_id": "hr-9" }));
    items.push(json!({ "name": "Elsewhere", "campaign": "campaign_nothing" }));
    items.push(json!("text"));
    let body = json!({ "items": items });
    let answer = with(&app, "POST", "/v1/referrers/batch", ("idempotency-key", "one"), &body).await.is(200).json();
    let of = |n: usize| &answer["items"][n];
    assert!((0..120).all(|n| of(n)["result"] == "added" && of(n)["code"].is_string()), "{answer}");
    assert_eq!((&of(120)["result"], &of(120)["referrer"]), (&json!("known"), &of(0)["referrer"]));
    assert_eq!((&of(121)["result"], &of(121)["code"]), (&json!("added"), &Json::Null));
    for (n, field) in [(122, "name"), (123, "phone"), (124, "external_id"), (125, "campaign"), (126, "item")] {
        assert_eq!((&of(n)["result"], &of(n)["errors"][0]["field"]), (&json!("invalid"), &json!(field)), "{n}");
    }
    let again = with(&app, "POST", "/v1/referrers/batch", ("idempotency-key", "one"), &body).await.is(200);
    assert_eq!((again.header("idempotency-replayed"), again.json()), ("true", answer));
    assert_eq!(app.number("SELECT count(*) FROM referrers").await, 121);
    let many = json!({ "items": vec![json!({ "name": "R" }); 1_001] });
    call(&app, "POST", "/v1/referrers/batch", Some(many)).await.is(400);
    let test_key = app.key(false).await;
    app.call("POST", "/v1/referrers/batch", &test_key, Some(json!({ "items": [] }))).await.is(403);
}

async fn the_balances_of_all_are_one_list(app: TestApp) {
    let mut ids = Vec::new();
    for name in ["Jane Miller", "Nobody Yet", "Tom Busy", "Ann Able"] {
        let one = app.shop().referrer(name).await;
        if name != "Nobody Yet" {
            let address = format!("{}@example.com", one.id);
            app.shop().lead(&address, Some(&one.code)).await;
            app.shop().pay(&address, "100.00", "2026-06-12").await;
            ids.push(one.id);
        }
    }
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = call(&app, "GET", &format!("/v1/balances?limit=2{after}"), None).await.is(200).json();
        all.extend(page["data"].as_array().expect("rows").clone());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(all.len(), 3);
    for (row, id) in all.iter().zip(ids) {
        let own = call(&app, "GET", &format!("/v1/referrers/{id}/balances"), None).await.is(200).json();
        assert_eq!((&row["balances"], &row["balances"][0]["amount_minor"]), (&own["data"], &json!(2000)));
    }
    call(&app, "GET", "/v1/balances?after=nonsense", None).await.is(400);
    let other = app.another_business("Other").await;
    for key in [other.api_key, app.key(false).await] {
        assert_eq!(app.call("GET", "/v1/balances", &key, None).await.is(200).json()["data"], json!([]));
    }
}
