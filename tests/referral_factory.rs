//! /api/v1, /api/v2 and /webhook: Referral Factory's contract.

use std::collections::BTreeSet;

use refdesk::api;
use refdesk::generate::{self, Load};
use refdesk::id::{self, Kind};
use refdesk::users::Role;
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::race::{Call, at_once};
use crate::support::{Answer, Referrer, TestApp, ThreeNodes, is_long};

on_both_databases! {
    somebody_who_refers_is_added_read_changed_and_archived,
    a_lead_is_added_under_whoever_is_named,
    a_referrer_of_another_campaign_is_refused_by_name,
    a_code_of_digits_may_be_sent_as_a_number,
    a_code_of_digits_comes_behind_the_ids,
    the_same_person_again_is_brought_up_to_date,
    a_lead_is_qualified_by_whatever_names_it,
    names_that_disagree_change_nothing,
    a_referrers_code_makes_or_means_one_lead,
    qualified_is_said_in_json_as_true_or_false,
    doing_it_again_changes_nothing,
    a_user_is_changed_in_parts,
    leads_and_referrers_are_one_list,
    a_page_far_behind_is_the_page_it_should_be,
    users_are_looked_for,
    figures_are_told_when_asked_for,
    campaigns_are_listed_and_found,
    every_refusal_has_its_shape,
    hostile_bodies_are_refused_in_words,
    another_business_is_not_there,
    a_test_key_sees_test_leads_only,
    a_test_key_changes_no_referrer,
    a_webhook_qualifies_without_a_key,
    a_qualification_sent_by_many_counts_once,
}

const VERSIONS: [&str; 2] = ["/api/v1", "/api/v2"];

async fn add(app: &TestApp, body: Json) -> Json {
    app.api_post("/api/v2/users", body).await.is(201).json()["data"].clone()
}

async fn lead(app: &TestApp, jane: &Referrer, name: &str) -> Json {
    let email = format!("{}@example.com", name.to_lowercase());
    add(app, json!({ "first_name": name, "email": email, "referrer": { "field": "code", "value": jane.code } })).await
}

async fn qualify(app: &TestApp, body: Json) -> Answer {
    app.api_put("/api/v2/users/qualification", body).await
}

/// The problem with a field, in the contract's shape.
#[track_caller]
fn error(answer: &Answer, field: &str) -> String {
    let body = answer.json();
    assert_eq!((answer.status, &body["code"]), (422, &json!(422)), "{answer:?}");
    assert_eq!(body["errors"][field][0]["field"], field, "{answer:?}");
    body["errors"][field][0]["message"].as_str().unwrap().to_owned()
}

async fn qualified(app: &TestApp) -> i64 {
    app.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await
}

async fn somebody_who_refers_is_added_read_changed_and_archived(app: TestApp) {
    let body = json!({
        "campaign_id": app.business.campaign_id, "first_name": "Jane", "email": "Jane@Example.com",
        "meta": [{ "field": "plan", "value": "pro" }], "notify": true, "promotion": false,
    });
    let jane = add(&app, body).await;
    assert_eq!(jane["type"], "person_referring");
    assert_eq!((&jane["campaign_id"], &jane["referrer_id"]), (&json!(app.business.campaign_id), &Json::Null));
    assert_eq!((&jane["first_name"], &jane["email"]), (&json!("Jane"), &json!("Jane@Example.com")));
    assert_eq!((&jane["signed_up_at"], &jane["qualified_at"]), (&json!("2026-06-20"), &Json::Null));
    assert_eq!((&jane["source"], &jane["meta"]), (&json!("Api"), &json!([{ "field": "plan", "value": "pro" }])));
    let code = jane["code"].as_str().unwrap();
    assert_eq!(jane["url"], app.url(&format!("/r/{code}")));
    let rendered = id::render(Kind::Referrer, jane["id"].as_i64().unwrap());
    for version in VERSIONS {
        for by in [jane["id"].to_string(), code.to_lowercase(), "jane%40example.com".into(), rendered.clone()] {
            let read = app.api_get(&format!("{version}/users/{by}")).await.is(200);
            assert_eq!(read.json()["data"], jane, "{by}");
        }
    }
    let change = json!({ "first_name": "Janet", "meta": [{ "field": "seats", "value": 3 }, { "field": "plan", "value": null }] });
    let changed = app.api_put(&format!("/api/v1/users/{code}"), change).await.is(200).json()["data"].clone();
    assert_eq!(
        (&changed["first_name"], &changed["meta"]),
        (&json!("Janet"), &json!([{ "field": "seats", "value": 3 }]))
    );
    let said = error(&app.api_put(&format!("/api/v2/users/{code}"), json!({ "qualified": true })).await, "qualified");
    assert!(said.contains("is a referrer"), "{said}");

    let gone = app.call("DELETE", &format!("/api/v2/users/{code}"), &app.business.api_key, None).await.is(200);
    assert_eq!(gone.json()["data"], changed);
    for method in ["GET", "DELETE", "PUT"] {
        let body = (method == "PUT").then(|| json!({ "first_name": "Eve" }));
        let by_id = format!("/api/v2/users/{}", jane["id"]);
        let answer = app.call(method, &by_id, &app.business.api_key, body).await.is(404);
        assert_eq!(answer.json(), json!({ "code": 404, "message": "There is no such user." }));
    }
    assert_eq!(app.api_get("/api/v2/users").await.is(200).json()["meta"]["total"], 0);
    assert_eq!(app.number("SELECT count(*) FROM referrers").await, 1, "archived, not erased");
    let back = json!({ "first_name": "Janet", "email": "jane@example.com" });
    assert_eq!(add(&app, back).await["id"], jane["id"], "added again, they come back");
}

async fn a_lead_is_added_under_whoever_is_named(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let named = [
        json!({ "referrer": { "field": "id", "value": jane.id } }),
        json!({ "referrer": { "field": "id", "value": jane.id.to_string() } }),
        json!({ "referrer": { "field": "code", "value": jane.code.to_lowercase() } }),
        json!({ "referrer": { "field": "email", "value": "Jane.Miller@example.org" } }),
        json!({ "referrer_code": jane.code }),
    ];
    for (n, mut body) in named.into_iter().enumerate() {
        body["first_name"] = "Amy".into();
        body["email"] = format!("amy{n}@example.com").into();
        body["campaign_id"] = id::render(Kind::Campaign, app.business.campaign_id).into();
        let amy = app.api_post(&format!("{}/users", VERSIONS[n % 2]), body).await.is(201).json()["data"].clone();
        assert_eq!((&amy["type"], &amy["referrer_id"]), (&json!("person_invited"), &json!(jane.id)));
        let own = id::lead_code(amy["id"].as_i64().unwrap());
        assert_eq!((&amy["code"], &amy["url"]), (&json!(own), &Json::Null));
        assert_eq!(app.api_get(&format!("/api/v2/users/{own}")).await.is(200).json()["data"], amy);
    }
    let unknown = [
        ("referrer.value", json!({ "referrer": { "field": "id", "value": 987_654_321 } })),
        ("referrer.value", json!({ "referrer": { "field": "code", "value": "NO-SUCH-CODE" } })),
        ("referrer.value", json!({ "referrer": { "field": "email", "value": "nobody@example.com" } })),
        ("referrer.value", json!({ "referrer": { "field": "email", "value": "nobody" } })),
        ("referrer.field", json!({ "referrer": { "field": "phone", "value": "1" } })),
        ("referrer.value", json!({ "referrer": { "field": "id" } })),
        ("referrer", json!({ "referrer": "jane" })),
        ("referrer_code", json!({ "referrer_code": "NO-SUCH-CODE" })),
        ("campaign_id", json!({ "campaign_id": 987_654_321, "referrer_code": jane.code })),
    ];
    for (field, mut body) in unknown {
        body["first_name"] = "Eve".into();
        body["email"] = "eve@example.com".into();
        error(&app.api_post("/api/v2/users", body).await, field);
    }
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 5, "what was refused is not there");
    // A code that is known and rests fails nobody: the lead is stored for a person to look at.
    app.arrange(&format!("UPDATE enrollments SET state = 'paused' WHERE id = {}", jane.enrollment_id)).await;
    let body = json!({ "first_name": "Zoe", "email": "zoe@example.com", "referrer_code": jane.code });
    assert_eq!(add(&app, body).await["referrer_id"], Json::Null);
    assert_eq!(app.number("SELECT count(*) FROM inbox_items WHERE kind = 'paused'").await, 1);
}

/// Everything that a call could have left behind.
async fn row_counts(app: &TestApp) -> Vec<i64> {
    let mut all = Vec::new();
    for table in ["leads", "touches", "inbox_items", "audit_entries", "outbox", "counters", "search_queue"] {
        all.push(app.number(&format!("SELECT count(*) FROM {table}")).await);
    }
    all
}

async fn a_code_of_digits_may_be_sent_as_a_number(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let long = "98765432109876543210987";
    for text in [long, "900412345"] {
        let named = json!({ "referrer": jane.id, "text": text });
        app.api_post("/v1/codes", named).await.is(201);
    }
    // A number of that length is one only as text.
    let number = |text: &str| -> Json { serde_json::from_str(text).unwrap() };
    let send = async |method: &str, path: &str, body: String| {
        let bearer = format!("Bearer {}", app.business.api_key);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        app.request(method, path, &headers, body.into_bytes()).await
    };
    let mut n = 0;
    for code in ["900412345", long] {
        for named in
            [format!("\"referrer_code\": {code}"), format!("\"referrer\": {{\"field\": \"code\", \"value\": {code}}}")]
        {
            n += 1;
            let body = format!("{{\"first_name\": \"Amy\", \"email\": \"amy{n}@example.com\", {named}}}");
            let amy = send("POST", "/api/v2/users", body).await.is(201).json()["data"].clone();
            assert_eq!(amy["referrer_id"], jane.id, "{named}");
        }
        let found = send("POST", "/api/v2/users/search", format!("{{\"code\": {code}}}")).await.is(200).json();
        assert_eq!(ids(found["data"].as_array().unwrap()), [jane.id]);
        for name in ["code", "coupon"] {
            n += 1;
            let body = format!("{{\"{name}\": {code}, \"phone\": 1415555267{n}, \"qualified\": true}}");
            let zoe = send("PUT", "/api/v1/users/qualification", body).await.is(200).json()["data"].clone();
            assert_eq!(zoe["referrer_id"], jane.id, "{name}");
        }
    }
    let before = row_counts(&app).await;
    let why = "must be a string or a whole number";
    for odd in ["-7", "1.5", "1e3", "true", "[]", "{}"] {
        for name in ["code", "coupon", "phone"] {
            let answer = qualify(&app, json!({ name: number(odd), "id": jane.id, "qualified": true })).await;
            assert_eq!(error(&answer, name), format!("{name} {why}."), "{odd}");
        }
        let new = json!({ "first_name": "Eve", "email": "eve@example.com", "referrer_code": number(odd) });
        assert_eq!(error(&app.api_post("/api/v2/users", new).await, "referrer_code"), format!("referrer_code {why}."));
        let value = json!({ "field": "code", "value": number(odd) });
        let new = json!({ "first_name": "Eve", "email": "eve@example.com", "referrer": value });
        error(&app.api_post("/api/v2/users", new).await, "referrer.value");
        error(&app.api_post("/api/v2/users/search", json!({ "code": number(odd) })).await, "code");
    }
    for (path, body) in [
        ("/api/v2/users", json!({ "first_name": 7, "email": "eve@example.com" })),
        ("/api/v2/users/search", json!({ "first_name": 7 })),
    ] {
        assert_eq!(error(&app.api_post(path, body).await, "first_name"), "first_name must be a string.");
    }
    assert_eq!(row_counts(&app).await, before);
}

async fn a_code_of_digits_comes_behind_the_ids(app: TestApp) {
    let (jane, bob) = (app.shop().referrer("Jane Miller").await, app.shop().referrer("Bob Stone").await);
    let amy = lead(&app, &bob, "Amy").await["id"].as_i64().unwrap();
    let give = async |who: &Referrer, text: &str| {
        app.api_post("/v1/codes", json!({ "referrer": who.id, "text": text })).await.is(201);
    };
    give(&jane, "900412345").await;
    give(&bob, &amy.to_string()).await;
    let read = async |by: &str| app.api_get(&format!("/api/v2/users/{by}")).await.is(200).json()["data"]["id"].clone();
    assert_eq!(read("900412345").await, jane.id, "nobody has that id");
    assert_eq!(read(&amy.to_string()).await, amy, "somebody has that id");
    // The same for what changes: a program that goes by ids changes whom it means.
    let path = format!("/api/v2/users/{amy}");
    let changed = app.api_put(&path, json!({ "first_name": "Amelia" })).await.is(200).json()["data"].clone();
    assert_eq!((&changed["id"], &changed["first_name"]), (&json!(amy), &json!("Amelia")));
    // A call that asks for a code gets the code.
    assert_eq!(search(&app, json!({ "code": amy })).await, [bob.id]);
    let zoe = json!({ "first_name": "Zoe", "email": "zoe@example.com", "referrer_code": amy.to_string() });
    assert_eq!(add(&app, zoe).await["referrer_id"], bob.id);
    app.call("DELETE", &path, &app.business.api_key, None).await.is(200);
    assert_eq!(app.number("SELECT count(*) FROM referrers WHERE archived_at IS NOT NULL").await, 0);
}

async fn the_same_person_again_is_brought_up_to_date(app: TestApp) {
    let (jane, bob) = (app.shop().referrer("Jane Miller").await, app.shop().referrer("Bob Stone").await);
    let amy = lead(&app, &jane, "Amy").await;
    let again = json!({
        "first_name": "Amelia", "email": "AMY@example.com", "referrer_code": bob.code, "meta": [{ "field": "a", "value": 1 }],
    });
    let known = app.api_post("/api/v2/users", again.clone()).await.is(200).json()["data"].clone();
    assert_eq!((&known["id"], &known["referrer_id"]), (&amy["id"], &json!(jane.id)), "the first referrer stays");
    assert_eq!((&known["first_name"], &known["meta"][0]["value"]), (&json!("Amelia"), &json!(1)));
    let touches = app.number("SELECT count(*) FROM touches").await;
    let entries = app.number("SELECT count(*) FROM audit_entries").await;
    assert_eq!(app.api_post("/api/v1/users", again).await.is(200).json()["data"], known);
    assert_eq!(app.number("SELECT count(*) FROM touches").await, touches, "a call made again says nothing new");
    assert_eq!(app.number("SELECT count(*) FROM audit_entries").await, entries);

    // Staff know her whole name; a program that knows only the first does not shorten it.
    let again = json!({ "first_name": "Jane", "email": "jane.miller@example.org" });
    let known = app.api_post("/api/v2/users", again).await.is(200).json()["data"].clone();
    assert_eq!((&known["id"], &known["first_name"]), (&json!(jane.id), &json!("Jane Miller")));
    assert_eq!(known["source"], "Added");
    let again = json!({ "first_name": "Joan", "email": "jane.miller@example.org" });
    assert_eq!(app.api_post("/api/v2/users", again).await.is(200).json()["data"]["first_name"], "Joan");
    app.sign_in().await;
    app.get("/referrers?q=joan").await.is(200).says("Joan");
    // One person may refer and be referred.
    let both = json!({ "first_name": "Amy", "email": "amy@example.com" });
    assert_ne!(add(&app, both).await["id"], amy["id"]);
}

async fn a_lead_is_qualified_by_whatever_names_it(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let campaign = app.business.campaign_id;
    for (n, version) in (0..7).zip(VERSIONS.into_iter().cycle()) {
        let amy = lead(&app, &jane, &format!("Amy{n}")).await;
        let mut body = match n {
            0 => json!({ "id": amy["id"] }),
            1 => json!({ "id": id::render(Kind::Lead, amy["id"].as_i64().unwrap()) }),
            2 => json!({ "code": amy["code"] }),
            3 => json!({ "coupon": amy["code"].as_str().unwrap().to_lowercase() }),
            4 => json!({ "email": "AMY4@example.com", "campaign_id": campaign }),
            5 => json!({ "email": "amy5@example.com", "campaign_id": id::render(Kind::Campaign, campaign) }),
            _ => json!({ "id": amy["id"], "code": amy["code"], "email": amy["email"], "campaign_id": campaign }),
        };
        for on in [true, false, true] {
            body["qualified"] = on.into();
            let now = app.api_put(&format!("{version}/users/qualification"), body.clone()).await.is(200);
            let user = now.json()["data"].clone();
            assert_eq!(user["id"], amy["id"], "{body}");
            assert_eq!(user["qualified_at"], if on { json!("2026-06-20") } else { Json::Null }, "{body}");
        }
    }
    assert_eq!(qualified(&app).await, 7);
}

async fn names_that_disagree_change_nothing(app: TestApp) {
    let (jane, bob) = (app.shop().referrer("Jane Miller").await, app.shop().referrer("Bob Stone").await);
    let (amy, eve) = (lead(&app, &jane, "Amy").await, lead(&app, &jane, "Eve").await);
    let other = app.shop().campaign("Other").await;
    let campaign = app.business.campaign_id;
    let cases = [
        ("code", json!({ "id": amy["id"], "code": eve["code"] })),
        ("code", json!({ "id": amy["id"], "code": bob.code })),
        ("code", json!({ "code": "NO-SUCH-CODE" })),
        ("coupon", json!({ "code": amy["code"], "coupon": eve["code"] })),
        ("email", json!({ "id": amy["id"], "email": "eve@example.com" })),
        ("email", json!({ "code": amy["code"], "email": "eve@example.com" })),
        ("email", json!({ "email": "nobody@example.com", "campaign_id": campaign })),
        ("email", json!({ "email": "jane.miller@example.org", "campaign_id": campaign })),
        ("email", json!({ "email": "amy@example.com", "campaign_id": other })),
        ("email", json!({ "email": "amy" })),
        ("campaign_id", json!({ "email": "amy@example.com" })),
        ("campaign_id", json!({ "id": amy["id"], "campaign_id": other })),
        ("campaign_id", json!({ "id": amy["id"], "campaign_id": 987_654_321 })),
        ("id", json!({ "id": jane.id })),
        ("id", json!({ "id": 987_654_321 })),
        ("id", json!({ "id": "nonsense" })),
        ("id", json!({})),
        ("phone", json!({ "phone": "+1 202 555 0100" })),
        ("phone", json!({ "id": amy["id"], "phone": "+1 202 555 0100" })),
    ];
    for (field, mut body) in cases {
        for on in [true, false] {
            body["qualified"] = on.into();
            let said = error(&qualify(&app, body.clone()).await, field);
            assert!(said.starts_with(field) && said.ends_with('.'), "{said}");
        }
    }
    assert_eq!(qualified(&app).await, 0);
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 2);
    // Names that agree may stand together: the lead's, and the code of its referrer.
    qualify(&app, json!({ "id": amy["id"], "code": jane.code, "qualified": true })).await.is(200);
}

async fn a_referrers_code_makes_or_means_one_lead(app: TestApp) {
    let (jane, bob) = (app.shop().referrer("Jane Miller").await, app.shop().referrer("Bob Stone").await);
    let none = error(&qualify(&app, json!({ "code": jane.code, "qualified": true })).await, "code");
    assert!(none.contains("has 0 leads in this campaign, 0 of them qualified: nothing was qualified"), "{none}");
    // With a contact beside it the lead is made, and once it is there, meant.
    let body = json!({ "code": jane.code, "email": "amy@example.com", "first_name": "Amy", "qualified": true });
    error(&qualify(&app, json!({ "code": jane.code, "email": "amy@example.com", "qualified": false })).await, "email");
    let amy = qualify(&app, body.clone()).await.is(200).json()["data"].clone();
    assert_eq!((&amy["referrer_id"], &amy["qualified_at"]), (&json!(jane.id), &json!("2026-06-20")));
    assert_eq!(amy["first_name"], "Amy");
    let (touches, entries) =
        (app.number("SELECT count(*) FROM touches").await, app.number("SELECT count(*) FROM audit_entries").await);
    assert_eq!(qualify(&app, body).await.is(200).json()["data"], amy);
    assert_eq!(app.number("SELECT count(*) FROM touches").await, touches);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries").await, entries, "nothing happened");
    // Alone it means the one lead that she has, whatever its state.
    for on in [false, true] {
        let user = qualify(&app, json!({ "code": jane.code, "qualified": on })).await.is(200).json()["data"].clone();
        assert_eq!((&user["id"], user["qualified_at"].is_null()), (&amy["id"], !on));
    }
    let phone = json!({ "code": jane.code, "phone": "(202) 555-0100", "qualified": true });
    let zoe = qualify(&app, phone.clone()).await.is(200).json()["data"].clone();
    assert_eq!(qualify(&app, phone).await.is(200).json()["data"]["id"], zoe["id"]);
    let two = error(&qualify(&app, json!({ "code": jane.code, "qualified": false })).await, "code");
    assert!(two.contains("has 2 leads in this campaign, 2 of them qualified: nothing was taken back"), "{two}");
    assert_eq!(qualified(&app).await, 2);
    // One who was archived is not counted among them.
    app.call("DELETE", &format!("/api/v2/users/{}", zoe["id"]), &app.business.api_key, None).await.is(200);
    let user = qualify(&app, json!({ "code": jane.code, "qualified": true })).await.is(200).json()["data"].clone();
    assert_eq!(user["id"], amy["id"]);
    // Somebody else's lead is qualified and stays somebody else's.
    let body = json!({ "code": bob.code, "email": "amy@example.com", "qualified": true });
    assert_eq!(qualify(&app, body).await.is(200).json()["data"]["referrer_id"], jane.id);
}

async fn qualified_is_said_in_json_as_true_or_false(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let amy = lead(&app, &jane, "Amy").await;
    for wrong in [json!("true"), json!(1), json!(0), json!([]), json!("yes")] {
        let said = error(&qualify(&app, json!({ "id": amy["id"], "qualified": wrong })).await, "qualified");
        assert_eq!(said, "qualified must be true or false.");
    }
    for missing in [json!({ "id": amy["id"] }), json!({ "id": amy["id"], "qualified": null })] {
        assert_eq!(error(&qualify(&app, missing).await, "qualified"), "qualified is required.");
    }
    assert_eq!(qualified(&app).await, 0);
    let bearer = format!("Bearer {}", app.business.api_key);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    for (n, word) in [(1, "true"), (0, "false"), (1, "1"), (0, "0")] {
        let form = format!("id={}&qualified={word}", amy["id"]).into_bytes();
        app.request("PUT", "/api/v1/users/qualification", &headers, form).await.is(200);
        assert_eq!(qualified(&app).await, n, "{word}");
    }
}

async fn doing_it_again_changes_nothing(app: TestApp) {
    app.arrange("UPDATE campaigns SET qualify_on = 'hand', reward = '{\"USD\": 2500}'").await;
    let jane = app.shop().referrer("Jane Miller").await;
    let amy = lead(&app, &jane, "Amy").await;
    let body = json!({ "code": amy["code"], "qualified": true });
    let first = qualify(&app, body.clone()).await.is(200).json();
    let (entries, messages) =
        (app.number("SELECT count(*) FROM audit_entries").await, app.number("SELECT count(*) FROM outbox").await);
    app.clock.advance_days(3);
    assert_eq!(qualify(&app, body.clone()).await.is(200).json(), first, "the day it qualified stays");
    assert_eq!(app.number("SELECT count(*) FROM audit_entries").await, entries);
    assert_eq!(app.number("SELECT count(*) FROM outbox").await, messages);
    assert_eq!(app.number("SELECT count(*) FROM commissions WHERE state = 'pending'").await, 1);
    let off = json!({ "code": amy["code"], "qualified": false });
    qualify(&app, off.clone()).await.is(200);
    qualify(&app, off).await.is(200);
    assert_eq!(app.number("SELECT count(*) FROM commissions WHERE state = 'pending'").await, 0);
    assert_eq!(qualify(&app, body).await.is(200).json()["data"]["qualified_at"], "2026-06-23");
    assert_eq!(app.number("SELECT count(*) FROM commissions WHERE state = 'pending'").await, 1, "restored once");
}

async fn a_user_is_changed_in_parts(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let (amy, _) = (lead(&app, &jane, "Amy").await, lead(&app, &jane, "Eve").await);
    let path = format!("/api/v2/users/{}", amy["id"]);
    app.arrange(&format!("UPDATE leads SET company = 'Acme' WHERE id = {}", amy["id"])).await;
    let entries = app.number("SELECT count(*) FROM audit_entries").await;
    assert_eq!(app.api_put(&path, json!({})).await.is(200).json()["data"], amy);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries").await, entries, "nothing was changed");
    let taken = error(&app.api_put(&path, json!({ "email": "eve@example.com", "first_name": "Ann" })).await, "email");
    assert_eq!(taken, "email has already been taken in this campaign.");
    let both = json!({ "email": "eve@example.com", "qualified": true, "meta": [{ "field": "a", "value": 1 }] });
    error(&app.api_put(&path, both).await, "email");
    assert_eq!(app.api_get(&path).await.is(200).json()["data"], amy, "all of it or nothing");
    let change = json!({ "email": "ann@example.com", "campaign_id": app.business.campaign_id, "qualified": true });
    let changed = app.api_put("/api/v1/users/amy%40example.com", change).await.is(200).json()["data"].clone();
    assert_eq!((&changed["id"], &changed["email"]), (&amy["id"], &json!("ann@example.com")));
    assert_eq!((&changed["first_name"], &changed["qualified_at"]), (&json!("Amy"), &json!("2026-06-20")));
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE company = 'Acme'").await, 1, "the rest stays");
    app.api_get("/api/v2/users/amy%40example.com").await.is(404);
    let other = app.shop().campaign("Other").await;
    error(&app.api_put(&path, json!({ "campaign_id": other, "qualified": false })).await, "campaign_id");
    for (field, wrong) in [
        ("email", json!({ "email": "no address" })),
        ("first_name", json!({ "first_name": 7 })),
        ("meta", json!({ "meta": {} })),
        ("meta.0.field", json!({ "meta": [{ "value": 1 }] })),
        ("meta.0.value", json!({ "meta": [{ "field": "a", "value": [1] }] })),
        ("meta", json!({ "meta": (0..51).map(|n| json!({ "field": n.to_string(), "value": n })).collect::<Vec<_>>() })),
    ] {
        error(&app.api_put(&path, wrong).await, field);
    }
    let many =
        |from: usize| (from..from + 30).map(|n| json!({ "field": n.to_string(), "value": n })).collect::<Vec<_>>();
    app.api_put(&path, json!({ "meta": many(0) })).await.is(200);
    error(&app.api_put(&path, json!({ "meta": many(30), "first_name": "Zed" })).await, "meta");
    assert_eq!(app.api_get(&path).await.json()["data"]["first_name"], "Amy");
}

/// Every user of a list, page by page as a program follows it.
async fn crawl(app: &TestApp, first: &str) -> Vec<Json> {
    let (mut all, mut next) = (Vec::new(), first.to_owned());
    loop {
        let page = app.api_get(&next).await.is(200).json();
        all.extend(page["data"].as_array().unwrap().clone());
        match page["links"]["next"].as_str() {
            Some(link) => next = link.strip_prefix(&app.url("")).unwrap().to_owned(),
            None => return all,
        }
    }
}

fn ids(users: &[Json]) -> Vec<i64> {
    users.iter().map(|u| u["id"].as_i64().unwrap()).collect()
}

async fn leads_and_referrers_are_one_list(app: TestApp) {
    let other = app.shop().campaign("Other").await;
    let mut made = Vec::new();
    for n in 0..12 {
        app.clock.advance_days(1);
        let person = app.shop().referrer(&format!("Person {n}")).await;
        app.clock.advance_days(1);
        let amy = lead(&app, &person, &format!("Amy{n}")).await;
        made.extend([person.id, amy["id"].as_i64().unwrap()]);
    }
    // One of them refers in the other campaign as well.
    let both = json!({ "campaign_id": other, "first_name": "Person", "email": "person.3@example.org" });
    let in_other = add(&app, both).await;
    assert_eq!((&in_other["id"], &in_other["campaign_id"]), (&json!(made[6]), &json!(other)));
    made.reverse();
    for version in VERSIONS {
        let users = crawl(&app, &format!("{version}/users?per_page=5")).await;
        assert_eq!(ids(&users), made, "newest first, everybody once");
        let of_one = crawl(&app, &format!("{version}/users?per_page=7&campaign_id={}", app.business.campaign_id)).await;
        assert_eq!(ids(&of_one), made);
        let of_other = app.api_get(&format!("{version}/users?campaign_id={other}")).await.is(200).json();
        assert_eq!(of_other["data"], json!([in_other]));
    }
    let page = app.api_get("/api/v2/users?per_page=10&page=2").await.is(200).json();
    let path = app.url("/api/v2/users");
    assert_eq!(
        page["meta"],
        json!({ "current_page": 2, "from": 11, "last_page": 3, "path": path, "per_page": 10, "to": 20, "total": 24 })
    );
    assert_eq!(
        page["links"],
        json!({
            "first": format!("{path}?page=1&per_page=10"), "last": format!("{path}?page=3&per_page=10"),
            "prev": format!("{path}?page=1&per_page=10"), "next": format!("{path}?page=3&per_page=10"),
        })
    );
    for (asked, per_page, rows) in [
        ("", 25, 24),
        ("?per_page=9999", 250, 24),
        ("?per_page=0", 1, 1),
        ("?per_page=x&page=-3", 25, 24),
        ("?page=99", 25, 0),
    ] {
        let page = app.api_get(&format!("/api/v2/users{asked}")).await.is(200).json();
        assert_eq!(
            (&page["meta"]["per_page"], page["data"].as_array().unwrap().len()),
            (&json!(per_page), rows),
            "{asked}"
        );
    }
    error(&app.api_get("/api/v2/users?campaign_id=987654321").await, "campaign_id");
    app.call("DELETE", &format!("/api/v2/users/{}", made[0]), &app.business.api_key, None).await.is(200);
    app.call("DELETE", &format!("/api/v2/users/{}", made[1]), &app.business.api_key, None).await.is(200);
    assert_eq!(ids(&crawl(&app, "/api/v2/users?per_page=5").await), made[2..], "archived users are left out");
}

async fn a_page_far_behind_is_the_page_it_should_be(app: TestApp) {
    let b = &app.business;
    let load =
        Load { business_id: b.id, campaign_id: b.campaign_id, product_id: b.product_row, leads: 8_000, referrers: 700 };
    generate::generate(&app.app, load, |_| {}).await.expect("load data");
    let newest = "SELECT id FROM (SELECT id, created_at FROM leads UNION ALL SELECT TABLE_ID, created_at FROM TABLE) u ORDER BY created_at DESC, u.id DESC";
    let expected = async |table: &str| -> Vec<i64> {
        let text = newest.replace("TABLE_ID", "id").replace("TABLE", table);
        app.rows::<(i64,)>(&text).await.into_iter().map(|(id,)| id).collect()
    };
    // An enrollment's place is by its own id; its user's is the referrer's.
    let referrer_of: std::collections::BTreeMap<i64, i64> =
        app.rows::<(i64, i64)>("SELECT id, referrer_id FROM enrollments").await.into_iter().collect();
    let enrolled: Vec<i64> =
        expected("enrollments").await.into_iter().map(|id| referrer_of.get(&id).copied().unwrap_or(id)).collect();
    let lists = [(String::new(), expected("referrers").await), (format!("&campaign_id={}", b.campaign_id), enrolled)];
    for (filter, all) in lists {
        assert_eq!(all.len(), 8_700);
        for page in [1, 2, 5, 9, 14, 18, 22, 27, 31, 34, 35, 36] {
            let answer = app.api_get(&format!("/api/v2/users?per_page=250&page={page}{filter}")).await.is(200).json();
            let from = (page - 1) * 250;
            let want = all.get(from..(from + 250).min(all.len())).unwrap_or_default();
            assert_eq!(ids(answer["data"].as_array().unwrap()), want, "page {page} {filter}");
            assert_eq!(answer["meta"]["total"], 8_700);
        }
    }
}

async fn search(app: &TestApp, body: Json) -> Vec<i64> {
    let found = app.api_post("/api/v2/users/search", body).await.is(200).json();
    assert_eq!(found["meta"]["total"], found["data"].as_array().unwrap().len());
    ids(found["data"].as_array().unwrap())
}

async fn users_are_looked_for(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let other = app.shop().campaign("Other").await;
    app.clock.advance_days(1);
    let amy = lead(&app, &jane, "Amy").await["id"].as_i64().unwrap();
    let body = json!({ "campaign_id": other, "first_name": "Jane Miller", "email": "jane.miller@example.org" });
    add(&app, body).await;
    let campaign = app.business.campaign_id;
    assert_eq!(search(&app, json!({})).await, [amy, jane.id]);
    assert_eq!(search(&app, json!({ "email": "AMY@example.com" })).await, [amy]);
    assert_eq!(search(&app, json!({ "email": "jane.miller@example.org" })).await, [jane.id], "once, in two campaigns");
    assert_eq!(search(&app, json!({ "code": jane.code })).await, [jane.id]);
    assert_eq!(search(&app, json!({ "code": id::lead_code(amy) })).await, [amy]);
    assert_eq!(search(&app, json!({ "first_name": "jan" })).await, [jane.id]);
    assert_eq!(search(&app, json!({ "first_name": "a", "campaign_id": campaign })).await, [amy]);
    assert_eq!(search(&app, json!({ "first_name": "a", "campaign_id": other })).await, [0_i64; 0]);
    assert_eq!(search(&app, json!({ "first_name": "Amy", "email": "jane.miller@example.org" })).await, [0_i64; 0]);
    assert_eq!(search(&app, json!({ "code": "NO-SUCH-CODE" })).await, [0_i64; 0]);
    assert_eq!(search(&app, json!({ "campaign_id": other })).await, [jane.id]);
    error(&app.api_post("/api/v1/users/search", json!({ "email": "x" })).await, "email");
    let page = app.api_post("/api/v1/users/search", json!({ "per_page": 1, "page": 2 })).await.is(200).json();
    assert_eq!((ids(page["data"].as_array().unwrap()), &page["meta"]["total"]), (vec![jane.id], &json!(2)));
    // A caller who follows the links sends the same body again.
    let body = json!({ "per_page": 1 });
    let first = app.api_post("/api/v2/users/search", body.clone()).await.is(200).json();
    let next = first["links"]["next"].as_str().unwrap().strip_prefix(&app.url("")).unwrap().to_owned();
    let second = app.api_post(&next, body).await.is(200).json();
    assert_eq!((ids(second["data"].as_array().unwrap()), &second["links"]["next"]), (vec![jane.id], &Json::Null));
}

async fn figures_are_told_when_asked_for(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let amy = lead(&app, &jane, "Amy").await;
    lead(&app, &jane, "Eve").await;
    qualify(&app, json!({ "id": amy["id"], "qualified": true })).await.is(200);
    let path = format!("/api/v2/users/{}", jane.id);
    assert!(app.api_get(&path).await.json()["data"].get("analytics").is_none());
    let analytics = json!({ "reach": 0, "referrals": 2, "qualified_referrals": 1 });
    assert_eq!(app.api_get(&format!("{path}?with=user.analytics")).await.json()["data"]["analytics"], analytics);
    let list = app.api_get("/api/v1/users?with=user.analytics").await.is(200).json();
    let of_jane = list["data"].as_array().unwrap().iter().find(|u| u["id"] == jane.id).unwrap();
    assert_eq!(of_jane["analytics"], analytics);
    let none = json!({ "reach": 0, "referrals": 0, "qualified_referrals": 0 });
    assert_eq!(list["data"][0]["analytics"], none, "a lead brought nobody");
}

async fn campaigns_are_listed_and_found(app: TestApp) {
    let other = app.shop().campaign("Summer").await;
    let code = id::render(Kind::Campaign, other);
    let summer = json!({ "id": other, "code": code, "name": "Summer", "status": "live" });
    for version in VERSIONS {
        let list = app.api_get(&format!("{version}/campaigns")).await.is(200).json();
        assert_eq!((&list["data"][1], &list["meta"]["total"]), (&summer, &json!(2)));
        for by in [other.to_string(), code.clone()] {
            assert_eq!(app.api_get(&format!("{version}/campaigns/{by}")).await.is(200).json()["data"], summer);
        }
        for body in [
            json!({ "name": "UMM" }),
            json!({ "id": other }),
            json!({ "code": code }),
            json!({ "page": 2, "per_page": 1 }),
        ] {
            let found = app.api_post(&format!("{version}/campaigns/search"), body).await.is(200).json();
            assert_eq!(found["data"], json!([summer]));
        }
        app.api_get(&format!("{version}/campaigns/987654321")).await.is(404);
        app.api_get(&format!("{version}/campaigns/nonsense")).await.is(404);
    }
}

async fn every_refusal_has_its_shape(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let bearer = format!("Bearer {}", app.business.api_key);
    let json_kind = ("content-type", "application/json");
    let auth = ("authorization", bearer.as_str());
    for version in VERSIONS {
        let users = format!("{version}/users");
        let send = |method: &'static str, path: String, headers: Vec<(&'static str, &str)>, body: &[u8]| {
            let (headers, body): (Vec<(&str, String)>, Vec<u8>) =
                (headers.into_iter().map(|(n, v)| (n, v.to_owned())).collect(), body.to_vec());
            let app = &app;
            async move {
                let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
                app.request(method, &path, &headers, body).await
            }
        };
        let huge = vec![b'x'; 70_000];
        let answers = [
            (400, send("POST", users.clone(), vec![auth, json_kind], b"{").await),
            (400, send("POST", users.clone(), vec![auth, json_kind], b"[]").await),
            (401, send("GET", users.clone(), vec![], b"").await),
            (401, send("GET", users.clone(), vec![("authorization", "Bearer nonsense")], b"").await),
            (404, send("GET", format!("{version}/nothing"), vec![auth], b"").await),
            (404, send("GET", format!("{users}/987654321"), vec![auth], b"").await),
            (405, send("PATCH", users.clone(), vec![auth], b"").await),
            (405, send("GET", format!("{users}/qualification"), vec![auth], b"").await),
            (413, send("POST", users.clone(), vec![auth, json_kind], &huge).await),
            (
                415,
                send("POST", users.clone(), vec![auth, ("content-type", "application/x-www-form-urlencoded")], b"a=b")
                    .await,
            ),
        ];
        for (status, answer) in answers {
            let body = answer.clone().is(status).json();
            assert_eq!(body["code"], status, "{answer:?}");
            assert!(body["message"].is_string() && body.get("errors").is_none(), "{answer:?}");
            assert!(!answer.header("x-request-id").is_empty());
        }
        let wrong = app.api_post(&users, json!({ "email": "x" })).await.is(422).json();
        assert_eq!(wrong["message"], "The given data was invalid.");
        assert_eq!(
            wrong["errors"]["first_name"],
            json!([{ "field": "first_name", "message": "first_name is required." }])
        );
        assert!(wrong["errors"]["email"][0]["message"].is_string());
    }
    // Each call needs its scope.
    app.sign_in().await;
    let key = async |scope: &str| {
        let form = [("name", "Narrow"), ("mode", "live"), ("scope", scope)];
        app.post_form("/integrations/keys", &form).await.is(200).text("#secret")
    };
    let (reader, writer) = (key("leads:read").await, key("leads:write").await);
    let person = json!({ "first_name": "Amy", "email": "amy@example.com" });
    let mut invited = person.clone();
    invited["referrer_code"] = jane.code.clone().into();
    let of_jane = format!("/api/v2/users/{}", jane.id);
    for (key, method, path, body) in [
        (&reader, "GET", "/api/v2/users", None),
        (&reader, "GET", of_jane.as_str(), None),
        (&reader, "GET", "/api/v2/campaigns", None),
        (&reader, "POST", "/api/v2/users", Some(invited.clone())),
        (&reader, "PUT", "/api/v2/users/qualification", Some(json!({ "id": 1, "qualified": true }))),
        (&reader, "DELETE", of_jane.as_str(), None),
        (&writer, "POST", "/api/v2/users", Some(person)),
        (&writer, "PUT", of_jane.as_str(), Some(json!({ "first_name": "Eve" }))),
        (&writer, "DELETE", of_jane.as_str(), None),
    ] {
        let answer = app.call(method, path, key, body).await.is(403);
        assert_eq!(answer.json()["code"], 403, "{answer:?}");
    }
    app.call("POST", "/api/v2/users", &writer, Some(invited)).await.is(201);
}

async fn hostile_bodies_are_refused_in_words(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let amy = lead(&app, &jane, "Amy").await;
    let before = app.number("SELECT count(*) FROM audit_entries").await;
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("a\u{0}b"),
        json!([]),
        json!({}),
        json!([[[[]]]]),
        json!("9".repeat(400)),
        json!("x".repeat(5_000)),
        json!(i64::MAX),
        json!("' OR 1=1 --"),
        json!("\u{202e}evil"),
        json!({ "$ne": null }),
        json!("%"),
    ];
    let fields = ["id", "code", "coupon", "email", "phone", "campaign_id", "qualified", "first_name"];
    for field in fields {
        for value in &values {
            for path in ["/api/v2/users/qualification", "/api/v1/users/987654321"] {
                let answer = app.api_put(path, json!({ field: value })).await;
                assert!((400..500).contains(&answer.status), "{field} {value}: {answer:?}");
                assert_eq!(answer.json()["code"], answer.status);
            }
        }
    }
    for field in ["first_name", "email", "referrer", "referrer_code", "meta", "campaign_id"] {
        for value in &values {
            let answer = app.api_post("/api/v2/users", json!({ "first_name": "E", field: value })).await;
            assert!((400..500).contains(&answer.status), "{field} {value}: {answer:?}");
        }
    }
    for field in ["first_name", "email", "code", "campaign_id", "page", "per_page", "with"] {
        for value in &values {
            let answer = app.api_post("/api/v2/users/search", json!({ field: value })).await;
            assert!(answer.status < 500, "{field} {value}: {answer:?}");
        }
    }
    for text in ["%00", "%ff", "%20", "..%2f", "9223372036854775808", "-1", "0", "%E2%80%AE", "L", "@", "a@"] {
        for method in ["GET", "DELETE", "PUT"] {
            let body = (method == "PUT").then(|| json!({ "first_name": "Eve" }));
            let answer = app.call(method, &format!("/api/v2/users/{text}"), &app.business.api_key, body).await;
            assert!((400..500).contains(&answer.status), "{answer:?}");
        }
        let answer = app.api_get(&format!("/api/v2/users?campaign_id={text}&page={text}&per_page={text}")).await;
        assert!(answer.status < 500, "{answer:?}");
    }
    assert_eq!(app.number("SELECT count(*) FROM audit_entries").await, before, "nothing was changed");
    assert_eq!(app.api_get(&format!("/api/v2/users/{}", amy["id"])).await.is(200).json()["data"], amy);
}

async fn another_business_is_not_there(app: TestApp) {
    let globex = app.another_business("Globex").await;
    let hank = app.shop_of(&globex).referrer("Hank Scorpio").await;
    let lead_id = app.shop_of(&globex).lead("homer@example.com", Some(&hank.code)).await;
    let before = app.number("SELECT count(*) FROM audit_entries").await;
    let theirs = [
        hank.id.to_string(),
        hank.code.clone(),
        "hank.scorpio%40example.org".into(),
        lead_id.to_string(),
        id::lead_code(lead_id),
        "homer%40example.com".into(),
        id::render(Kind::Lead, lead_id),
    ];
    for by in theirs {
        for method in ["GET", "PUT", "DELETE"] {
            let body = (method == "PUT").then(|| json!({ "first_name": "Eve" }));
            app.call(method, &format!("/api/v2/users/{by}"), &app.business.api_key, body).await.is(404);
        }
    }
    let (ours, campaign) = (app.business.campaign_id, globex.campaign_id);
    for (field, body) in [
        ("id", json!({ "id": lead_id })),
        ("id", json!({ "id": hank.id })),
        ("code", json!({ "code": id::lead_code(lead_id) })),
        ("code", json!({ "code": hank.code })),
        ("code", json!({ "code": hank.code, "email": "amy@example.com" })),
        ("email", json!({ "email": "homer@example.com", "campaign_id": ours })),
        ("campaign_id", json!({ "email": "homer@example.com", "campaign_id": campaign })),
    ] {
        let mut body = body;
        body["qualified"] = true.into();
        error(&qualify(&app, body).await, field);
    }
    for (field, value) in
        [("code", json!(hank.code)), ("id", json!(hank.id)), ("email", json!("hank.scorpio@example.org"))]
    {
        let body =
            json!({ "first_name": "Amy", "email": "amy@example.com", "referrer": { "field": field, "value": value } });
        error(&app.api_post("/api/v2/users", body).await, "referrer.value");
    }
    let body = json!({ "first_name": "Amy", "email": "amy@example.com", "campaign_id": campaign });
    error(&app.api_post("/api/v2/users", body).await, "campaign_id");
    error(&app.api_get(&format!("/api/v2/users?campaign_id={campaign}")).await, "campaign_id");
    app.api_get(&format!("/api/v2/campaigns/{campaign}")).await.is(404);
    assert_eq!(app.api_get("/api/v2/users").await.json()["meta"]["total"], 0);
    assert_eq!(app.api_get("/api/v2/campaigns").await.json()["meta"]["total"], 1);
    for body in [json!({ "code": hank.code }), json!({ "email": "homer@example.com" }), json!({ "first_name": "h" })] {
        assert_eq!(search(&app, body).await, [0_i64; 0]);
    }
    assert_eq!(app.number("SELECT count(*) FROM audit_entries").await, before);
}

async fn a_test_key_sees_test_leads_only(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let live = lead(&app, &jane, "Amy").await;
    let key = app.key(false).await;
    let body = json!({ "first_name": "Tess", "email": "amy@example.com", "referrer_code": jane.code });
    let tess = app.call("POST", "/api/v2/users", &key, Some(body)).await.is(201).json()["data"].clone();
    assert_eq!((&tess["source"], &tess["referrer_id"]), (&json!("Test"), &json!(jane.id)));
    assert_ne!(tess["id"], live["id"], "the same address in the other mode is somebody else");
    for (key, mine, other) in [(&key, &tess, &live), (&app.business.api_key, &live, &tess)] {
        let list = app.call("GET", "/api/v2/users", key, None).await.is(200).json();
        assert_eq!(ids(list["data"].as_array().unwrap()), [mine["id"].as_i64().unwrap(), jane.id]);
        assert_eq!(list["meta"]["total"], 2);
        app.call("GET", &format!("/api/v2/users/{}", mine["id"]), key, None).await.is(200);
        app.call("GET", &format!("/api/v2/users/{}", other["id"]), key, None).await.is(404);
        let by_email = app.call("GET", "/api/v2/users/amy%40example.com", key, None).await.is(200).json();
        assert_eq!(by_email["data"]["id"], mine["id"]);
        let body = json!({ "id": other["id"], "qualified": true });
        error(&app.call("PUT", "/api/v2/users/qualification", key, Some(body)).await, "id");
        let body = json!({ "code": jane.code, "qualified": true });
        let one = app.call("PUT", "/api/v2/users/qualification", key, Some(body)).await.is(200).json();
        assert_eq!(one["data"]["id"], mine["id"], "counted in its own mode");
    }
}

async fn a_test_key_changes_no_referrer(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let key = app.key(false).await;
    let before = row_counts(&app).await;
    let path = format!("/api/v2/users/{}", jane.id);
    for (method, path, body) in [
        ("POST", "/api/v2/users".to_owned(), json!({ "first_name": "Tess", "email": "tess@example.com" })),
        ("POST", "/api/v1/users".to_owned(), json!({ "first_name": "Tess", "email": "jane.miller@example.org" })),
        ("PUT", path.clone(), json!({ "first_name": "Tess" })),
        ("PUT", format!("/api/v1/users/{}", jane.code), json!({ "email": "tess@example.com" })),
        ("DELETE", path.clone(), Json::Null),
    ] {
        let body = Some(body).filter(|body| !body.is_null());
        let refused = app.call(method, &path, &key, body).await.is(403).json();
        let message = "Referrers are not test data: change them with a live key.";
        assert_eq!(refused, json!({ "code": 403, "message": message }), "{method} {path}");
    }
    assert_eq!(row_counts(&app).await, before);
    app.call("GET", &path, &key, None).await.is(200);
}

async fn a_webhook_qualifies_without_a_key(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let amy = lead(&app, &jane, "Amy").await;
    let developer = app.member(Role::Developer).await;
    let confirm = format!("/integrations/campaigns/{}/webhook", app.business.campaign_id);
    developer.get(&confirm).await.is(200).says("Make the webhook address of Refer a friend");
    let make = async || developer.post_form(&confirm, &[]).await.is(200).text("#secret");
    let address = make().await;
    let path = address.strip_prefix(&app.url("")).unwrap().to_owned();
    let token = path.split('/').nth(2).unwrap().to_owned();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let call = async |path: &str, body: String| app.request("POST", path, &form, body.into_bytes()).await;
    let user = call(&path, format!("code={}", amy["code"].as_str().unwrap())).await.is(200).json();
    assert_eq!((&user["data"]["id"], &user["data"]["qualified_at"]), (&amy["id"], &json!("2026-06-20")));
    call(&path, format!("coupon={}&qualified=0", amy["code"].as_str().unwrap())).await.is(200);
    assert_eq!(qualified(&app).await, 0);
    call(&path, "email=amy%40example.com".into()).await.is(200);
    call(&path, format!("code={}&email=eve%40example.com", jane.code)).await.is(200);
    assert_eq!(qualified(&app).await, 2);
    let json_body = json!({ "email": "amy@example.com" }).to_string().into_bytes();
    app.request("POST", &path, &[("content-type", "application/json")], json_body).await.is(200);
    // PHP sends an array in parts, and some programs name no kind.
    app.request("POST", &path, &[], format!("code={}&qualified=0", amy["code"].as_str().unwrap()).into_bytes())
        .await
        .is(200);
    assert_eq!(qualified(&app).await, 1);
    let parts = format!(
        "--b\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\n{}\r\n--b--\r\n",
        amy["code"].as_str().unwrap()
    );
    let in_parts = [("content-type", "multipart/form-data; boundary=b")];
    app.request("POST", &path, &in_parts, parts.into_bytes()).await.is(200);
    assert_eq!(qualified(&app).await, 2);
    app.request("POST", &path, &in_parts, b"--b\r\nbroken".to_vec()).await.is(400);
    let odd = app.request("POST", &path, &[("content-type", "text/plain")], b"code=X".to_vec()).await.is(415);
    assert!(odd.json()["message"].as_str().unwrap().contains("as a form"), "{}", odd.body);
    error(&call(&path, "code=NO-SUCH-CODE".into()).await, "code");
    error(&call(&path, String::new()).await, "id");
    let origin =
        "SELECT count(*) FROM audit_entries WHERE actor_name = 'Webhook of Refer a friend' AND actor_kind = 'key'";
    assert!(app.number(origin).await >= 3);
    let logged = format!(
        "SELECT count(*) FROM audit_entries WHERE after LIKE '%{token}%' OR before LIKE '%{token}%' OR origin LIKE '%{token}%'"
    );
    assert_eq!(app.number(&logged).await, 0, "the audit leaves the secret out");
    let stored = format!("SELECT count(*) FROM webhook_tokens WHERE shown LIKE '%{token}%' OR hash LIKE '%{token}%'");
    assert_eq!(app.number(&stored).await, 0, "the database does not tell the secret");
    developer.get("/integrations").await.is(200).does_not_say(&token).says(&token[token.len() - 4..]);

    for wrong in [
        format!("/webhook/{}/qualify", &token[1..]),
        "/webhook/x/qualify".into(),
        format!("/webhook/{token}"),
        "/webhook/x/nothing".into(),
    ] {
        let answer = call(&wrong, "email=amy%40example.com".into()).await.is(404);
        assert_eq!(answer.json()["code"], 404);
    }
    app.get(&path).await.is(405);
    developer.get(&confirm).await.is(200).says("Replace the webhook address of Refer a friend");
    call(&path, "email=amy%40example.com".into()).await.is(200);
    let new = make().await;
    assert_ne!(new, address);
    call(&path, "email=amy%40example.com".into()).await.is(404);
    call(new.strip_prefix(&app.url("")).unwrap(), "email=amy%40example.com".into()).await.is(200);
    for role in [Role::Marketing, Role::Sales, Role::Viewer] {
        app.member(role).await.post_form(&confirm, &[]).await.is(403);
    }
}

async fn a_qualification_sent_by_many_counts_once(nodes: ThreeNodes) {
    nodes.arrange("UPDATE campaigns SET qualify_on = 'hand', reward = '{\"USD\": 2500}'").await;
    let jane = nodes.shop().referrer("Jane Miller").await;
    let rounds: i64 = if is_long() { 200 } else { 20 };
    for round in 0..rounds {
        let email = format!("amy{round}@example.com");
        // By address, by own code, by an address beside a referrer's code (the lead is not there yet).
        let body = match round % 3 {
            2 => json!({ "code": jane.code, "email": email, "qualified": true }),
            kind => {
                let lead_id = nodes.shop().lead(&email, Some(&jane.code)).await;
                match kind {
                    0 => json!({ "email": email, "campaign_id": nodes.business.campaign_id, "qualified": true }),
                    _ => json!({ "code": id::lead_code(lead_id), "qualified": true }),
                }
            }
        };
        let calls = (0..50).map(|n| Call::put(nodes.node(n), "/api/v2/users/qualification", body.clone()));
        let replies = at_once(calls.collect()).await;
        let different: BTreeSet<&str> = replies.iter().map(|r| r.text.as_str()).collect();
        assert!(replies.iter().all(|r| r.status == 200) && different.len() == 1, "{different:?}");
    }
    assert_eq!(nodes.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await, rounds);
    assert_eq!(nodes.number("SELECT count(*) FROM leads").await, rounds);
    assert_eq!(nodes.number("SELECT count(*) FROM commissions WHERE kind = 'reward'").await, rounds);
    assert_eq!(nodes.number("SELECT count(*) FROM outbox WHERE kind = 'lead.qualified'").await, rounds);
}

/// The keys of an example, an answer, and a schema must be the same.
fn keys(value: &Json) -> BTreeSet<String> {
    value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_says_what_is_answered() {
    let apis = api::apis();
    let operations = apis.iter().flat_map(|api| api.operations()).map(|o| o.as_ref());
    let document = api::document::document(operations, "https://desk.example.com");
    let mut names = BTreeSet::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{operation}");
        }
    }
    for name in
        ["rfAddUser", "rfAddUserV1", "rfQualifyUser", "rfQualifyUserV1", "rfQualifyByWebhook", "rfSearchCampaignsV1"]
    {
        assert!(names.contains(name), "{names:?}");
    }
    let of_schema = |name: &str| keys(&document["components"]["schemas"][name]["properties"]);
    let example = |path: &str, status: &str| {
        document["paths"][path]["get"]["responses"][status]["content"]["application/json"]["example"].clone()
    };
    let app = <TestApp as crate::support::Start>::start(std::sync::Arc::new(
        crate::support::Database::new(crate::support::Engine::Sqlite).await,
    ))
    .await;
    let jane = app.shop().referrer("Jane Miller").await;
    let user = app.api_get(&format!("/api/v2/users/{}?with=user.analytics", jane.id)).await.json()["data"].clone();
    assert_eq!(keys(&user), of_schema("RfUser"));
    let list = app.api_get("/api/v2/users").await.json();
    let shown = example("/api/v2/users", "200");
    assert_eq!((keys(&list), keys(&list["meta"])), (of_schema("RfUsers"), of_schema("RfPageMeta")));
    for part in ["links", "meta"] {
        assert_eq!(keys(&list[part]), keys(&shown[part]));
    }
    assert_eq!(keys(&list["data"][0]), keys(&shown["data"][0]));
    assert_eq!(keys(&list["data"][0]), keys(&example("/api/v1/users/{identifier}", "200")["data"]));
    let campaigns = app.api_get("/api/v2/campaigns").await.json();
    assert_eq!(keys(&campaigns["data"][0]), keys(&example("/api/v2/campaigns", "200")["data"][0]));
    assert_eq!(keys(&campaigns["data"][0]), of_schema("RfCampaign"));
}

/// A referrer of another campaign is named in the refusal, however the call names them.
async fn a_referrer_of_another_campaign_is_refused_by_name(app: TestApp) {
    let second = app.shop().campaign("Second").await;
    let tom = app.shop().referrer_in(second, "Tom Busy", true).await;
    let user = |more: serde_json::Value| {
        let mut body =
            json!({ "campaign_id": app.business.campaign_id, "first_name": "Amy", "email": "amy@example.com" });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    for (more, field) in [
        (json!({ "referrer": { "field": "code", "value": tom.code } }), "referrer.value"),
        (json!({ "referrer": { "field": "id", "value": tom.id } }), "referrer.value"),
        (
            json!({ "referrer": { "field": "email", "value": crate::support::address_of("Tom Busy") } }),
            "referrer.value",
        ),
        (json!({ "referrer_code": tom.code }), "referrer_code"),
    ] {
        let refused = app.api_post("/api/v2/users", user(more.clone())).await.is(422).json();
        assert!(refused["errors"][field][0]["message"].as_str().is_some_and(|m| m.contains("campaign")), "{refused}");
    }
    let qualify = json!({
        "qualified": true, "code": tom.code, "email": "amy@example.com", "campaign_id": app.business.campaign_id,
    });
    let refused = app.api_put("/api/v2/users/qualification", qualify).await.is(422).json();
    assert!(refused["errors"]["code"][0]["message"].as_str().is_some_and(|m| m.contains("campaign")), "{refused}");
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 0, "nothing was stored");
    // One who is in both counts by either code.
    let enroll = json!({ "campaign": app.business.campaign_id, "generate_code": false });
    app.api_post(&format!("/v1/referrers/{}/enrollments", tom.id), enroll).await.is(201);
    let amy = app.api_post("/api/v2/users", user(json!({ "referrer_code": tom.code }))).await.is(201).json();
    assert_eq!(amy["data"]["referrer_id"], json!(tom.id));
}
