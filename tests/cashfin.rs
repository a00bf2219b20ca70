//! /business/lead/*: Cashfin's leads API.

mod examples;

use std::collections::BTreeSet;

use refdesk::engine::{Archive, Merge, Qualify, SetStatus, Status, What};
use refdesk::id;
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::{Answer, TestApp};

on_both_databases! {
    a_lead_is_created_as_the_contract_shows,
    a_list_is_as_the_contract_shows,
    what_is_wrong_is_said_and_stores_nothing,
    every_refusal_has_the_contract_s_shape,
    a_fault_of_ours_is_an_internal_error,
    hundreds_at_once_are_all_kept,
    repeats_are_linked_to_the_first,
    a_referral_code_attributes_by_e_mail_and_by_phone,
    a_code_that_does_not_count_fails_nothing,
    no_address_is_refused_for_its_form,
    every_answer_says_where_the_limit_stands,
    pages_show_every_lead_once_from_both_ends,
    nonsense_in_the_query_falls_back,
    totals_follow_whatever_happens_to_a_lead,
    a_search_takes_every_character_as_it_is,
    any_text_is_kept_as_it_is,
    live_and_test_are_apart,
    another_business_is_not_seen,
}

const CREATE: &str = "/business/lead/create";
const LIST: &str = "/business/lead/list";

impl TestApp {
    async fn cf_create(&self, body: Json) -> Json {
        self.api_post(CREATE, body).await.is(201).json()["data"].clone()
    }

    async fn cf_list(&self, query: &str) -> Json {
        self.api_get(&format!("{LIST}?{query}")).await.is(200).json()
    }

    /// The total of a list, and the names on its page.
    async fn cf_listed(&self, query: &str) -> (i64, Vec<String>) {
        let list = self.cf_list(query).await;
        assert_eq!(list["pagination"], list["meta"]);
        let names = list["data"].as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap().to_owned()).collect();
        (list["meta"]["total"].as_i64().unwrap(), names)
    }

    async fn cf_total(&self, query: &str) -> i64 {
        self.cf_listed(query).await.0
    }
}

fn tick(app: &TestApp, seconds: i64) {
    app.clock.set(app.clock.now().plus_seconds(seconds));
}

fn row_id(lead: &Json) -> i64 {
    id::parse_object_id(lead["_id"].as_str().unwrap()).unwrap()
}

async fn a_lead_is_created_as_the_contract_shows(app: TestApp) {
    let body = r#"{
        "name": "Jane Smith",
        "email": "[email protected]",
        "phone": "+254722000001",
        "company": "Acme Corp",
        "jobtitle": "CTO",
        "source": "website",
        "request": "Interested in enterprise billing solution",
        "budget": 50000
    }"#;
    let headers = [("authorization", app.business.api_key.as_str()), ("content-type", "application/json")];
    let answer = app.request("POST", CREATE, &headers, body.into()).await.is(201);
    assert!(answer.body.contains(r#""budget":50000,"#), "{}", answer.body);
    let answer = answer.json();
    let id = answer["data"]["_id"].as_str().unwrap().to_owned();
    assert!(id.len() == 24 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{id}");
    let expected = json!({
        "success": true,
        "message": "Lead created successfully",
        "data": {
            "_id": id, "name": "Jane Smith", "email": "[email protected]", "phone": "+254722000001",
            "company": "Acme Corp", "jobtitle": "CTO", "industry": null, "website": null,
            "request": "Interested in enterprise billing solution", "budget": 50000, "country": null, "state": null,
            "address": null, "source": "website", "status": "new", "sourceorigin": "api", "active": true,
            "createdat": "2026-06-20T12:00:00.000Z", "updatedat": "2026-06-20T12:00:00.000Z",
        },
    });
    assert_eq!(answer, expected);
    assert_eq!(app.cf_list("").await["data"], json!([expected["data"]]));
    // The rest of the fields, and what comes without any.
    let full = json!({
        "name": " Amina ", "industry": "Coffee", "website": "https://amina.example", "budget": 1250.50, "country": "Kenya",
        "state": "Nairobi", "address": "1 High Street\nNairobi", "status": "contacted", "nobody": "knows this", "email": "",
    });
    let amina = app.cf_create(full).await;
    for (field, value) in [
        ("name", json!("Amina")),
        ("industry", json!("Coffee")),
        ("website", json!("https://amina.example")),
        ("country", json!("Kenya")),
        ("state", json!("Nairobi")),
        ("address", json!("1 High Street\nNairobi")),
        ("status", json!("contacted")),
        ("email", Json::Null),
        ("phone", Json::Null),
        ("source", Json::Null),
    ] {
        assert_eq!(amina[field], value, "{field}");
    }
    for written in ["0", "50000", "1250.50", "0.10", "12345678901234567890.12"] {
        let body = format!(r#"{{"name": "Budget", "budget": {written}}}"#);
        let answer = app.request("POST", CREATE, &headers, body.into()).await.is(201);
        assert!(answer.body.contains(&format!(r#""budget":{written},"#)), "{}", answer.body);
    }
    let stored: Vec<(String, String)> =
        app.rows("SELECT source_origin, actor_kind FROM leads JOIN audit_entries a ON a.lead_id = leads.id WHERE action = 'lead.added'").await;
    assert!(stored.len() == 7 && stored.iter().all(|row| *row == ("api".into(), "key".into())), "{stored:?}");
}

async fn a_list_is_as_the_contract_shows(app: TestApp) {
    assert_eq!(
        app.cf_list("").await,
        json!({
            "success": true, "data": [],
            "pagination": {"total": 0, "page": 1, "limit": 10, "pages": 0},
            "meta": {"total": 0, "page": 1, "limit": 10, "pages": 0},
        })
    );
    for n in 0..42 {
        tick(&app, 1);
        app.cf_create(json!({"name": format!("Lead {n}"), "source": if n % 2 == 0 { "website" } else { "ad" }})).await;
    }
    let headers = [("authorization", app.business.api_key.as_str())];
    let list = app.request("GET", "/business/lead/list?page=1&limit=10&status=new", &headers, vec![]).await.is(200);
    let list = list.json();
    let at = json!({"total": 42, "page": 1, "limit": 10, "pages": 5});
    assert_eq!((&list["success"], &list["pagination"], &list["meta"]), (&json!(true), &at, &at));
    let names: Vec<&str> = list["data"].as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap()).collect();
    let expected: Vec<String> = (32..42).rev().map(|n| format!("Lead {n}")).collect();
    assert_eq!(names, expected);
    let last = app.cf_list("page=5").await;
    assert_eq!(last["data"].as_array().unwrap().len(), 2);
    let behind = app.cf_list("page=6").await;
    assert_eq!((&behind["data"], &behind["meta"]["page"]), (&json!([]), &json!(6)));
    assert_eq!(app.cf_listed("source=ad&status=new&limit=2").await, (21, vec!["Lead 41".into(), "Lead 39".into()]));
}

async fn what_is_wrong_is_said_and_stores_nothing(app: TestApp) {
    let missing = "Key: 'ApiLeadRequest.Name' Error:Field validation for 'Name' failed on the 'required' tag";
    for body in [json!({}), json!({"name": ""}), json!({"name": "  "}), json!({"name": null, "email": "a@example.org"})]
    {
        let answer = app.api_post(CREATE, body).await.is(400).json();
        let expected = json!({"success": false, "error": missing, "message": missing, "errors": {"name": missing}});
        assert_eq!(answer, expected);
    }
    let long = "x".repeat(201);
    for (field, value) in [
        ("name", json!(7)),
        ("name", json!(long)),
        ("email", json!(["a@example.org"])),
        ("phone", json!(254_722_000_001_i64)),
        ("company", json!({"name": "Acme"})),
        ("jobtitle", json!(true)),
        ("request", json!(1)),
        ("budget", json!("50000")),
        ("budget", json!(-1)),
        ("budget", json!(true)),
        ("status", json!("Pending")),
        ("status", json!("NEW")),
        ("status", json!(1)),
        ("referralCode", json!(5)),
        ("code", json!([])),
    ] {
        let mut body = json!({"name": "Jane"});
        body[field] = value.clone();
        let answer = app.api_post(CREATE, body).await.is(400).json();
        let why = answer["error"].as_str().unwrap();
        assert!(why.starts_with(field), "{field} {value}: {answer}");
        assert_eq!(
            (&answer["success"], &answer["message"], &answer["errors"][field]),
            (&json!(false), &json!(why), &json!(why))
        );
    }
    // All that is wrong at once, the first of it in front.
    let answer = app.api_post(CREATE, json!({"budget": "x", "status": "x"})).await.is(400).json();
    assert_eq!(answer["error"], missing);
    assert_eq!(answer["errors"].as_object().unwrap().len(), 3);
    let bearer = format!("Bearer {}", app.business.api_key);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    for body in ["", "{", "[]", "\"name\"", "name=Jane", "{\"name\": \"Jane\"} x", "null"] {
        let answer = app.request("POST", CREATE, &headers, body.into()).await.is(400).json();
        assert_eq!(
            answer,
            json!({"success": false, "error": "The body is not a JSON object.", "message": "The body is not a JSON object."})
        );
    }
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 0);
}

/// `{success: false, error, message}`, both filled with the same.
#[track_caller]
fn refusal(answer: Answer, status: u16) -> String {
    let answer = answer.is(status);
    assert!(!answer.header("x-request-id").is_empty());
    let json = answer.json();
    let error = json["error"].as_str().unwrap().to_owned();
    assert_eq!(json, json!({"success": false, "error": error, "message": error}));
    error
}

async fn every_refusal_has_the_contract_s_shape(app: TestApp) {
    let good = app.business.api_key.as_str();
    let unknown = id::new_api_key(true, &mut rand::rng());
    for key in ["", "cs_your_client_secret", "Bearer nonsense", unknown.as_str()] {
        for (method, path) in [("POST", CREATE), ("GET", LIST)] {
            let answer = app.request(method, path, &[("authorization", key)], vec![]).await;
            assert_eq!(refusal(answer, 401), "Unauthorized access!", "{key}");
        }
    }
    let answer = app.request("GET", LIST, &[], vec![]).await;
    assert_eq!(refusal(answer, 401), "Unauthorized access!");
    // In all three forms.
    use base64::Engine as _;
    let basic = format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(format!("{good}:")));
    for key in [good.to_owned(), format!("Bearer {good}"), basic] {
        app.request("GET", LIST, &[("authorization", &key)], vec![]).await.is(200);
    }
    let key = [("authorization", good)];
    for path in [
        "/business/lead",
        "/business/lead/",
        "/business/lead/delete",
        "/business/lead/details/1",
        "/business/lead/list/1",
    ] {
        refusal(app.request("GET", path, &key, vec![]).await, 404);
    }
    for (method, path, allow) in [("GET", CREATE, "POST"), ("DELETE", CREATE, "POST"), ("POST", LIST, "GET,HEAD")] {
        let answer = app.request(method, path, &key, vec![]).await;
        assert_eq!(answer.header("allow"), allow);
        refusal(answer, 405);
    }
    let json = [("authorization", good), ("content-type", "application/json")];
    let large = json!({"name": "Jane", "request": "x".repeat(70_000)}).to_string();
    refusal(app.request("POST", CREATE, &json, large.into()).await, 413);
    for kind in
        ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/xml"]
    {
        let headers = [("authorization", good), ("content-type", kind)];
        refusal(app.request("POST", CREATE, &headers, b"name=Jane".to_vec()).await, 415);
    }
    let body = br#"{"name": "Jane"}"#.to_vec();
    for kind in ["application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json"] {
        app.request("POST", CREATE, &[("authorization", good), ("content-type", kind)], body.clone()).await.is(201);
    }
    // A client that says nothing of the kind means JSON.
    app.request("POST", CREATE, &key, body).await.is(201);
    // A key that may not.
    app.sign_in().await;
    for (scope, method, path, needs) in
        [("leads:read", "POST", CREATE, "leads:write"), ("leads:write", "GET", LIST, "leads:read")]
    {
        let fields = [("name", "Half"), ("mode", "live"), ("scope", scope), ("campaign", "")];
        let key = app.post_form("/integrations/keys", &fields).await.is(200).text("#secret");
        let headers = [("authorization", key.as_str()), ("content-type", "application/json")];
        let why = refusal(app.request(method, path, &headers, br#"{"name": "No"}"#.to_vec()).await, 403);
        assert!(why.contains(needs), "{why}");
    }
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 4);
}

async fn a_fault_of_ours_is_an_internal_error(app: TestApp) {
    app.tamper("ALTER TABLE outbox RENAME TO outbox_gone").await;
    let answer = app.api_post(CREATE, json!({"name": "Jane"})).await;
    assert_eq!(refusal(answer, 500), "Error creating lead");
    app.tamper("ALTER TABLE outbox_gone RENAME TO outbox").await;
    app.cf_create(json!({"name": "Jane"})).await;
    assert_eq!(app.cf_total("").await, 1);
}

async fn hundreds_at_once_are_all_kept(app: TestApp) {
    let create = async |n: usize| {
        // Every address three times.
        let body =
            json!({"name": format!("Lead {n}"), "email": format!("lead{}@example.org", n % 100), "source": "ad"});
        let lead = app.cf_create(body).await;
        (lead["_id"].as_str().unwrap().to_owned(), lead["name"].as_str().unwrap().to_owned())
    };
    let made: Vec<(String, String)> = futures::future::join_all((0..300).map(create)).await;
    let (ids, names): (BTreeSet<_>, BTreeSet<_>) = made.into_iter().unzip();
    assert_eq!((ids.len(), names.len()), (300, 300));
    let mut seen = BTreeSet::new();
    for page in 1..=3 {
        let list = app.cf_list(&format!("limit=100&page={page}&source=ad&status=new")).await;
        assert_eq!(list["meta"], json!({"total": 300, "page": page, "limit": 100, "pages": 3}));
        seen.extend(list["data"].as_array().unwrap().iter().map(|l| l["_id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(seen, ids);
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE duplicate_of IS NULL").await, 100);
    let linked = "SELECT count(*) FROM leads d JOIN leads p ON p.id = d.duplicate_of
                   WHERE p.email_key = d.email_key AND p.duplicate_of IS NULL";
    assert_eq!(app.number(linked).await, 200);
}

async fn repeats_are_linked_to_the_first(app: TestApp) {
    let of = async |lead: &Json| {
        app.rows::<(Option<i64>,)>(&format!("SELECT duplicate_of FROM leads WHERE id = {}", row_id(lead))).await[0].0
    };
    let first = app.cf_create(json!({"name": "Jane", "email": "jane@example.org", "phone": "+254722000001"})).await;
    assert_eq!(of(&first).await, None);
    let again = app.cf_create(json!({"name": "J. Smith", "email": " JANE@Example.org ", "status": "converted"})).await;
    assert_eq!(of(&again).await, Some(row_id(&first)));
    assert_eq!(again["status"], "new", "a duplicate is not qualified beside its lead");
    assert_eq!(again["email"], "JANE@Example.org");
    let by_phone = app.cf_create(json!({"name": "Jane", "phone": "+254 722 000 001"})).await;
    assert_eq!(of(&by_phone).await, Some(row_id(&first)));
    // The same text that is no address says nothing; neither does a family's phone beside another address.
    for email in ["[email protected]", "[email protected]", "joe@example.org"] {
        let phone = if email.starts_with('j') { "+254722000001" } else { "" };
        let other = app.cf_create(json!({"name": "Other", "email": email, "phone": phone})).await;
        assert_eq!((of(&other).await, &other["email"]), (None, &json!(email)));
    }
    assert_eq!(app.cf_total("").await, 6);
    // A duplicate becomes part of its lead, and is a row no longer.
    app.sign_in().await;
    app.shop().send(What::Merge(Merge { lead_id: (row_id(&again)).into(), into: (row_id(&first)).into() })).await;
    assert_eq!((app.cf_total("").await, app.cf_total("status=new").await), (5, 5));
}

async fn a_referral_code_attributes_by_e_mail_and_by_phone(app: TestApp) {
    let ann = app.shop().referrer("Ann Ash").await;
    let bodies = [
        json!({"name": "A", "email": "a@example.org", "referralCode": ann.code}),
        json!({"name": "B", "phone": "+254722000002", "referral_code": ann.code.to_lowercase().replace('-', " ")}),
        json!({"name": "C", "code": ann.code, "source": "website"}),
        json!({"name": "D", "email": "[email protected]", "referralCode": "", "code": ann.code}),
    ];
    for (n, body) in bodies.into_iter().enumerate() {
        let lead = app.cf_create(body).await;
        let found: Vec<(Option<i64>, Option<String>)> =
            app.rows(&format!("SELECT referrer_id, arrival FROM leads WHERE id = {}", row_id(&lead))).await;
        assert_eq!(found, [(Some(ann.id), Some("code".into()))], "{n}");
        assert_eq!(lead["source"], if n == 2 { "website" } else { "referral" });
    }
    // By phone alone until a payment brings the address: then it earns.
    let paid = app.api_post("/api/events/payment-succeeded", json!({
        "businessId": app.business.public_id, "productId": app.business.product_id, "customerEmail": "b@example.org",
        "customerPhone": "+254722000002", "amount": 100, "currency": "USD", "subscriptionStatus": "active",
        "paymentDate": "2026-06-20",
    })).await.is(200).json();
    assert_eq!(
        (&paid["commissionAmount"], &paid["agentId"]),
        (&json!(20.0), &json!(id::render(id::Kind::Referrer, ann.id)))
    );
    assert_eq!(app.cf_total("status=converted").await, 1);
    assert_eq!(app.cf_total("status=converted&source=referral").await, 1);
}

async fn a_code_that_does_not_count_fails_nothing(app: TestApp) {
    let ann = app.shop().referrer("Ann Ash").await;
    let lead = app.cf_create(json!({"name": "A", "email": "a@example.org", "referralCode": "NOSUCHCODE"})).await;
    let refused: Vec<(String, Option<String>)> = app.rows("SELECT code_text, refused FROM touches").await;
    assert_eq!(refused, [("NOSUCHCODE".to_owned(), Some("unknown_code".to_owned()))]);
    assert_eq!(app.number(&format!("SELECT count(*) FROM inbox_items WHERE lead_id = {}", row_id(&lead))).await, 1);
    // A repeat keeps its touch and earns nothing; a code that is new to the person is offered once.
    let again = app.cf_create(json!({"name": "A", "email": "a@example.org", "referralCode": ann.code})).await;
    let touched =
        format!("SELECT count(*) FROM touches WHERE lead_id = {} AND referrer_id = {}", row_id(&again), ann.id);
    assert_eq!(app.number(&touched).await, 1);
    app.cf_create(json!({"name": "A", "email": "a@example.org", "referralCode": "NOSUCHCODE"})).await;
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE referrer_id IS NOT NULL").await, 0);
    let items: Vec<(String,)> = app.rows("SELECT kind FROM inbox_items ORDER BY id").await;
    assert_eq!(items, [("unknown_code".to_owned(),), ("late_claim".to_owned(),)]);
    for (n, odd) in ["X".repeat(500), "NO\u{0}SUCH\nCODE".to_owned(), " \t".to_owned()].iter().enumerate() {
        app.cf_create(json!({"name": "B", "email": format!("b{n}@example.org"), "referralCode": odd})).await;
    }
}

async fn no_address_is_refused_for_its_form(app: TestApp) {
    for (sent, stored) in [
        ("a\nb@c.d".to_owned(), "a b@c.d".to_owned()),
        ("none yet\t".to_owned(), "none yet".to_owned()),
        (format!("{}@example.org", "x".repeat(400)), format!("{}@example.org", "x".repeat(400))),
    ] {
        let lead = app.cf_create(json!({"name": "Tab\there", "email": sent})).await;
        assert_eq!((&lead["email"], &lead["name"]), (&json!(stored), &json!("Tab here")));
    }
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE email_key IS NOT NULL").await, 0);
}

async fn every_answer_says_where_the_limit_stands(app: TestApp) {
    for answer in [app.api_get(LIST).await.is(200), app.api_post(CREATE, json!({"name": "A"})).await.is(201)] {
        let of = |name: &str| answer.header(&format!("x-ratelimit-{name}")).parse::<i64>().unwrap();
        assert!(of("limit") > 0 && of("remaining") >= 0 && of("reset") > 0);
    }
}

async fn pages_show_every_lead_once_from_both_ends(app: TestApp) {
    // Several of one moment: the id decides.
    let bodies: Vec<Json> = (0..57)
        .map(|n| {
            let (source, status) = (["website", "ad", "Ad"][n % 3], ["new", "lost"][n % 2]);
            json!({"name": format!("Lead {n}"), "source": source, "status": status})
        })
        .collect();
    for chunk in bodies.chunks(19) {
        futures::future::join_all(chunk.iter().map(|body| app.cf_create(body.clone()))).await;
        tick(&app, 1);
    }
    let archived = app.number("SELECT max(id) - 20 FROM leads").await;
    app.shop().send(Archive { lead_id: archived.into(), archived: true }).await;
    for (query, condition) in [
        ("", "TRUE"),
        ("status=lost", "status = 'lost'"),
        ("source=ad", "source = 'ad'"),
        ("source=website&status=new", "source = 'website' AND status = 'new'"),
    ] {
        let text =
            format!("SELECT id FROM leads WHERE {condition} AND archived_at IS NULL ORDER BY created_at DESC, id DESC");
        let expected: Vec<i64> = app.rows::<(i64,)>(&text).await.into_iter().map(|(id,)| id).collect();
        for limit in [1, 4, 7, 100] {
            let mut seen = Vec::new();
            for page in 1..=expected.len().div_ceil(limit) + 1 {
                let list = app.cf_list(&format!("{query}&page={page}&limit={limit}")).await;
                assert_eq!(list["meta"]["total"], expected.len());
                assert_eq!(list["meta"]["pages"], expected.len().div_ceil(limit));
                seen.extend(list["data"].as_array().unwrap().iter().map(row_id));
            }
            assert_eq!(seen, expected, "{query} {limit}");
        }
    }
}

async fn nonsense_in_the_query_falls_back(app: TestApp) {
    for n in 0..12 {
        app.cf_create(json!({"name": format!("Lead {n}")})).await;
    }
    for query in [
        "page=0",
        "page=-3",
        "page=abc",
        "page=",
        "page=1.5",
        "page=%00",
        "limit=0",
        "limit=-1",
        "limit=ten",
        "limit=%F0%9F",
        "limit=1e1",
        "page=NaN&limit=NaN",
        "unknown=1",
        "status=",
        "source=&search=",
        "&&=&",
        "search=%20",
    ] {
        let list = app.cf_list(query).await;
        assert_eq!(list["meta"], json!({"total": 12, "page": 1, "limit": 10, "pages": 2}), "{query}");
        assert_eq!(list["data"].as_array().unwrap().len(), 10, "{query}");
    }
    for (query, page, limit, rows) in [
        ("limit=101", 1, 100, 12),
        ("limit=99999999999999999999999", 1, 100, 12),
        ("page=2&limit=11", 2, 11, 1),
        ("page=9999999999", 9_999_999_999_i64, 10, 0),
        ("page=99999999999999999999999&limit=100", 9_007_199_254_740_991, 100, 0),
    ] {
        let list = app.cf_list(query).await;
        assert_eq!((&list["meta"]["page"], &list["meta"]["limit"]), (&json!(page), &json!(limit)), "{query}");
        assert_eq!(list["data"].as_array().unwrap().len(), rows, "{query}");
    }
    for query in ["status=archived", "status=New", "status=new%20", "status=%27%20OR%201%3D1", "source=nowhere"] {
        let list = app.cf_list(query).await;
        let expected = if query == "status=new%20" { 12 } else { 0 };
        assert_eq!(list["meta"]["total"], expected, "{query}");
        assert_eq!(list["data"].as_array().unwrap().is_empty(), expected == 0);
    }
}

async fn totals_follow_whatever_happens_to_a_lead(app: TestApp) {
    let shop = app.shop();
    let lead = app.cf_create(json!({"name": "Jane", "email": "jane@example.org", "source": "website"})).await;
    let id = row_id(&lead);
    tick(&app, 2);
    // Qualified and converted by a status, by a page's form and by an event.
    shop.send(SetStatus { lead_id: id.into(), status: Status::Contacted }).await;
    assert_eq!((app.cf_total("status=new").await, app.cf_total("status=contacted&source=website").await), (0, 1));
    let moved = app.cf_list("").await["data"][0].clone();
    assert_eq!(
        (&moved["createdat"], &moved["updatedat"]),
        (&json!("2026-06-20T12:00:00.000Z"), &json!("2026-06-20T12:00:02.000Z"))
    );
    shop.send(Qualify { lead_id: id.into(), qualified: true, reason: None }).await;
    assert_eq!(app.cf_total("status=qualified&source=website").await, 1);
    shop.pay("jane@example.org", "100.00", "2026-06-20").await;
    assert_eq!((app.cf_total("status=qualified").await, app.cf_total("status=converted").await), (0, 1));
    app.sign_in().await;
    let fields = [
        ("name", "Jane"),
        ("email", "jane@example.org"),
        ("source", "fair"),
        ("status", "converted"),
        ("active", "yes"),
    ];
    app.post_form(&format!("/leads/{id}"), &fields).await.goes_to(&format!("/leads/{id}"));
    assert_eq!((app.cf_total("source=website").await, app.cf_total("source=fair").await), (0, 1));
    shop.send(Archive { lead_id: id.into(), archived: true }).await;
    assert_eq!((app.cf_total("").await, app.cf_total("source=fair").await), (0, 0));
    shop.send(Archive { lead_id: id.into(), archived: false }).await;
    assert_eq!((app.cf_total("").await, app.cf_total("source=fair&status=converted").await), (1, 1));
    // A lead that came another way is a row as well; it names the person who typed it.
    shop.lead("amy@example.com", None).await;
    app.post_form("/leads", &[("name", "By hand"), ("status", "lost"), ("source", "fair")]).await;
    let list = app.cf_list("status=lost&source=fair").await;
    assert_eq!((&list["meta"]["total"], &list["data"][0]["sourceorigin"]), (&json!(1), &json!("dashboard")));
    // A source goes to the lead that a duplicate becomes part of.
    let primary = app.cf_create(json!({"name": "P", "email": "p@example.org"})).await;
    let repeat = app.cf_create(json!({"name": "P", "email": "p@example.org", "source": "ad"})).await;
    shop.send(What::Merge(Merge { lead_id: (row_id(&repeat)).into(), into: (row_id(&primary)).into() })).await;
    assert_eq!((app.cf_total("source=ad").await, app.cf_total("").await), (1, 4));
}

async fn a_search_takes_every_character_as_it_is(app: TestApp) {
    for (name, more) in [
        ("Jane O'Neill", json!({"email": "jane@example.org"})),
        ("100% Coffee", json!({"company": "under_score \\ Ltd"})),
        ("ÄNNE Müller", json!({"phone": "+254722000001"})),
        ("Plain", json!({"email": "[email protected]", "status": "lost", "source": "ad"})),
    ] {
        let mut body = more;
        body["name"] = json!(name);
        tick(&app, 1);
        app.cf_create(body).await;
    }
    let all = ["Plain", "ÄNNE Müller", "100% Coffee", "Jane O'Neill"];
    for (search, found) in [
        ("jane", &all[3..]),
        ("O%27NEILL", &all[3..]),
        ("EXAMPLE.ORG", &all[3..]),
        ("%25", &all[2..3]),
        ("_", &all[2..3]),
        ("under_score", &all[2..3]),
        ("under%25score", &[]),
        ("%5C", &all[2..3]),
        ("%C3%A4nne", &all[1..2]),
        ("M%C3%9CLLER", &all[1..2]),
        ("722000001", &all[1..2]),
        ("protected%5D", &all[..1]),
        ("n", &all),
        ("nobody", &[]),
        ("%22%3B%20DROP%20TABLE%20leads", &[]),
    ] {
        let names: Vec<String> = found.iter().map(|name| (*name).to_owned()).collect();
        let total = i64::try_from(names.len()).unwrap();
        assert_eq!(app.cf_listed(&format!("search={search}")).await, (total, names), "{search}");
    }
    assert_eq!(
        app.cf_listed("search=n&status=new").await,
        (3, vec!["ÄNNE Müller".into(), "100% Coffee".into(), "Jane O'Neill".into()])
    );
    assert_eq!(app.cf_listed("search=n&source=ad&status=lost").await, (1, vec!["Plain".into()]));
    assert_eq!(app.cf_listed("search=n&limit=1&page=2").await, (4, vec!["ÄNNE Müller".into()]));
    assert_eq!(app.cf_listed("search=n&limit=1&page=5").await, (4, vec![]));
    let answer = app.api_get(&format!("{LIST}?search=a%00b")).await.is(400).json();
    assert_eq!(answer["errors"]["search"], "search must not contain control characters.");
}

async fn any_text_is_kept_as_it_is(app: TestApp) {
    let texts = [
        "<script>alert(1)</script>",
        "'; DROP TABLE leads; --",
        "{{ 7 * 7 }} ${jndi:ldap://x} %s %n",
        "\u{202e}txet desrever",
        "日本語 名前 👩‍👩‍👧‍👦 é\u{301}",
        "=HYPERLINK(\"http://evil\")",
        "\\u0000 \\x00 \"quoted\" 'single'",
        "null",
    ];
    for text in texts {
        tick(&app, 1);
        let body =
            json!({"name": text, "email": text, "phone": text, "company": text, "request": text, "source": text});
        let lead = app.cf_create(body).await;
        for field in ["name", "email", "phone", "company", "request", "source"] {
            assert_eq!(lead[field], text, "{field}");
        }
        assert_eq!(app.cf_list("").await["data"][0], lead);
        let encoded: String = serde_urlencoded::to_string([("source", text), ("status", "new")]).unwrap();
        assert_eq!(app.cf_listed(&encoded).await, (1, vec![text.to_owned()]));
    }
    app.sign_in().await;
    app.get("/leads").await.is(200);
}

async fn live_and_test_are_apart(app: TestApp) {
    let test = app.key(false).await;
    let live = app.cf_create(json!({"name": "Live", "email": "jane@example.org", "source": "ad"})).await;
    let body = json!({"name": "Test", "email": "jane@example.org", "source": "ad"});
    let made = app.call("POST", CREATE, &test, Some(body)).await.is(201).json()["data"].clone();
    let stored: Vec<(bool, Option<i64>)> =
        app.rows(&format!("SELECT test, duplicate_of FROM leads WHERE id = {}", row_id(&made))).await;
    assert_eq!(stored, [(true, None)]);
    for query in ["", "status=new", "source=ad", "source=ad&status=new", "search=jane"] {
        let list = app.call("GET", &format!("{LIST}?{query}"), &test, None).await.is(200).json();
        assert_eq!((&list["data"], &list["meta"]["total"]), (&json!([made]), &json!(1)), "{query}");
        assert_eq!(app.cf_list(query).await["data"], json!([live]), "{query}");
    }
    for n in 0..10 {
        app.call("POST", CREATE, &test, Some(json!({"name": format!("Test {n}")}))).await.is(201);
    }
    let list = app.call("GET", &format!("{LIST}?page=2"), &test, None).await.is(200).json();
    assert_eq!((&list["data"], &list["meta"]["pages"]), (&json!([made]), &json!(2)));
    assert_eq!(app.cf_total("").await, 1);
}

async fn another_business_is_not_seen(app: TestApp) {
    let other = app.another_business("Globex").await;
    app.cf_create(json!({"name": "Ours", "email": "jane@example.org", "source": "ad"})).await;
    for query in ["", "status=new", "source=ad", "search=jane"] {
        let list = app.call("GET", &format!("{LIST}?{query}"), &other.api_key, None).await.is(200).json();
        assert_eq!((&list["data"], &list["meta"]["total"]), (&json!([]), &json!(0)), "{query}");
    }
    // Another campaign of one's own is one's own: a key that puts leads there shows those of the first as well.
    app.sign_in().await;
    tick(&app, 1);
    let second = app.shop().campaign("Second").await;
    let fields = [
        ("name", "Second"),
        ("mode", "live"),
        ("scope", "leads:read"),
        ("scope", "leads:write"),
        ("campaign", &second.to_string()),
    ];
    let key = app.post_form("/integrations/keys", &fields).await.is(200).text("#secret");
    let made =
        app.call("POST", CREATE, &key, Some(json!({"name": "There", "email": "jane@example.org"}))).await.is(201);
    let id = row_id(&made.json()["data"]);
    let stored: Vec<(i64, Option<i64>)> =
        app.rows(&format!("SELECT campaign_id, duplicate_of FROM leads WHERE id = {id}")).await;
    assert_eq!(stored, [(second, None)]);
    let list = app.call("GET", LIST, &key, None).await.is(200).json();
    assert_eq!(
        (&list["data"][0]["name"], &list["data"][1]["name"], &list["meta"]["total"]),
        (&json!("There"), &json!("Ours"), &json!(2))
    );
    assert_eq!(app.cf_total("").await, 2);
}
