//! /v1

mod campaigns;
mod codes;
mod disputes;
mod files;
mod imports;
mod inbox;
mod leads;
mod lists;
mod marks;
mod once;
mod records;
mod referrers;
mod remarks;
mod versions;

use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::race::{Call, at_once};
use crate::support::{Answer, TestApp};

on_both_databases! {
    whoever_calls_hears_who_they_are,
    a_lead_is_added_read_changed_and_archived,
    a_change_is_made_to_the_version_it_is_for,
    changes_of_different_fields_at_once_all_stand,
    lists_go_page_by_page_while_rows_are_added,
    leads_are_filtered_as_on_their_page,
    many_leads_are_added_with_an_answer_each,
    many_leads_are_qualified_with_an_answer_each,
    referrers_are_added_changed_paused_and_archived,
    codes_are_given_looked_up_and_retired,
    money_is_read_and_decided,
    the_inbox_and_the_audit_are_read,
    campaigns_and_products_are_read,
    every_problem_is_one_of_rfc_9457,
    another_business_has_nothing_here,
    a_test_key_sees_test_data_only,
    lists_begin_at_either_end,
    events_come_in_batches_with_an_answer_each,
    a_batch_decides_payments_by_their_dates,
    a_batch_sent_again_changes_nothing,
    the_same_call_twice_is_one,
    the_same_call_fifty_times_at_once_is_one,
}

pub(crate) async fn call(app: &TestApp, method: &str, path: &str, body: Option<Json>) -> Answer {
    app.call(method, path, &app.business.api_key, body).await
}

async fn with(app: &TestApp, method: &str, path: &str, header: (&str, &str), body: &Json) -> Answer {
    let key = format!("Bearer {}", app.business.api_key);
    let headers = [("authorization", key.as_str()), ("content-type", "application/json"), header];
    app.request(method, path, &headers, body.to_string().into_bytes()).await
}

pub(crate) fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_else(|| panic!("{json} is no text"))
}

async fn whoever_calls_hears_who_they_are(app: TestApp) {
    let me = call(&app, "GET", "/v1/me", None).await.is(200).json();
    assert_eq!(me["business"]["id"], json!(app.business.public_id));
    assert_eq!(me["key"]["test"], json!(false));
    assert!(me["key"]["scopes"].as_array().is_some_and(|s| s.contains(&json!("leads:read"))));
}

async fn a_lead_is_added_read_changed_and_archived(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let new = json!({
        "name": "Amy Adams", "email": "Amy@Example.com", "phone": "(415) 555-2671", "budget": 1250.50, "code": jane.code,
        "request": "Two lines\nof text", "state": "CA",
    });
    let made = call(&app, "POST", "/v1/leads", Some(new)).await.is(201);
    let lead = made.json();
    assert_eq!(lead["status"], "new");
    assert_eq!(lead["source"], "referral");
    assert_eq!(lead["attribution"]["code"], json!(jane.code));
    assert_eq!(lead["attribution"]["arrival"], "code");
    assert!(made.body.contains("\"budget\":1250.5,"), "{}", made.body);
    let id = text(&lead["id"]).to_owned();
    let path = format!("/v1/leads/{id}");

    let read = call(&app, "GET", &path, None).await.is(200);
    assert_eq!(read.json(), lead);
    let by_number = call(&app, "GET", &format!("/v1/leads/{}", lead["number"]), None).await.is(200);
    assert_eq!(by_number.json(), lead);
    with(&app, "GET", &path, ("if-none-match", read.header("etag")), &json!({})).await.is(304);

    // The same person again is the lead that was there.
    let again = json!({ "name": "A. Adams", "email": "amy@example.com" });
    assert_eq!(call(&app, "POST", "/v1/leads", Some(again)).await.is(200).json()["id"], json!(id));

    let change = json!({ "company": "Acme", "phone": "", "budget": 7 });
    let changed = call(&app, "PATCH", &path, Some(change)).await.is(200).json();
    assert_eq!((&changed["company"], &changed["phone"], &changed["budget"]), (&json!("Acme"), &Json::Null, &json!(7)));
    assert_eq!((&changed["name"], &changed["email"]), (&json!("Amy Adams"), &json!("Amy@Example.com")));

    let status = call(&app, "PUT", &format!("{path}/status"), Some(json!({ "status": "contacted" }))).await.is(200);
    assert_eq!(status.json()["status"], "contacted");
    let qualified =
        call(&app, "PUT", &format!("{path}/qualification"), Some(json!({ "qualified": true }))).await.is(200);
    assert!(qualified.json()["qualified_at"].is_string());
    let back = json!({ "qualified": false, "reason": "a mistake" });
    let back = call(&app, "PUT", &format!("{path}/qualification"), Some(back)).await.is(200).json();
    assert_eq!((&back["qualified_at"], &back["status"]), (&Json::Null, &json!("contacted")));

    let touches = call(&app, "GET", &format!("{path}/touches"), None).await.is(200).json();
    assert_eq!(touches["data"][0]["id"], lead["attribution"]["touch"]);

    call(&app, "DELETE", &path, None).await.is(204);
    call(&app, "DELETE", &path, None).await.is(204);
    assert!(call(&app, "GET", &path, None).await.is(200).json()["archived_at"].is_string());
    assert_eq!(call(&app, "GET", "/v1/leads", None).await.json()["data"], json!([]));
    assert_eq!(call(&app, "GET", "/v1/leads?archived=true", None).await.json()["data"][0]["id"], json!(id));
}

async fn a_change_is_made_to_the_version_it_is_for(app: TestApp) {
    let lead = call(&app, "POST", "/v1/leads", Some(json!({ "name": "Amy" }))).await.is(201);
    let path = format!("/v1/leads/{}", text(&lead.json()["id"]));
    let first = lead.header("etag").to_owned();
    app.clock.set(app.clock.now().plus_seconds(1));
    let changed = with(&app, "PATCH", &path, ("if-match", &first), &json!({ "company": "Acme" })).await.is(200);
    assert_ne!(changed.header("etag"), first);
    let late = with(&app, "PATCH", &path, ("if-match", &first), &json!({ "company": "Other" })).await.is(412).json();
    assert_eq!(late["code"], "changed_meanwhile");
    with(&app, "PATCH", &path, ("if-match", "nonsense"), &json!({ "company": "Other" })).await.is(412);
    with(&app, "PATCH", &path, ("if-match", "*"), &json!({ "company": "Any" })).await.is(200);
    assert_eq!(call(&app, "GET", &path, None).await.json()["company"], "Any");
}

async fn changes_of_different_fields_at_once_all_stand(app: TestApp) {
    let lead = call(&app, "POST", "/v1/leads", Some(json!({ "name": "Amy" }))).await.is(201).json();
    let path = format!("/v1/leads/{}", text(&lead["id"]));
    let fields = ["company", "jobtitle", "industry", "country"];
    let changes = fields.map(|field| {
        let (app, path) = (&app, &path);
        async move {
            // A caller who hears that the row keeps changing tries again, as the answer says.
            loop {
                let answer = call(app, "PATCH", path, Some(json!({ field: field }))).await;
                if answer.status != 409 {
                    return answer.is(200);
                }
            }
        }
    });
    futures::future::join_all(changes).await;
    let now = call(&app, "GET", &path, None).await.json();
    for field in fields {
        assert_eq!(now[field], json!(field), "{now}");
    }
}

async fn lists_go_page_by_page_while_rows_are_added(app: TestApp) {
    let second = app.shop().campaign("Second").await;
    for n in 0..7 {
        app.clock.set(app.clock.now().plus_seconds(1));
        let campaign = if n % 2 == 0 { json!(app.business.campaign_id) } else { json!(second) };
        let new = json!({ "name": format!("Lead {n}"), "campaign": campaign });
        call(&app, "POST", "/v1/leads", Some(new)).await.is(201);
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/leads?limit=2".to_owned());
    loop {
        let page = call(&app, "GET", &path, None).await.is(200);
        let json = page.json();
        seen.extend(json["data"].as_array().expect("rows").iter().map(|lead| text(&lead["name"]).to_owned()));
        // Somebody adds one while we read.
        app.clock.set(app.clock.now().plus_seconds(1));
        call(&app, "POST", "/v1/leads", Some(json!({ "name": "Newer" }))).await.is(201);
        match json["next"].as_str() {
            Some(next) => {
                assert!(page.header("link").contains(&format!("</v1/leads?limit=2&after={next}>; rel=\"next\"")));
                path = format!("/v1/leads?limit=2&after={next}");
            }
            None => break,
        }
    }
    assert_eq!(seen, ["Lead 6", "Lead 5", "Lead 4", "Lead 3", "Lead 2", "Lead 1", "Lead 0"]);
    let of_one = call(&app, "GET", &format!("/v1/leads?campaign={second}"), None).await.is(200).json();
    assert_eq!(of_one["data"].as_array().map(Vec::len), Some(3));
    for wrong in
        ["limit=0", "limit=251", "limit=x", "after=nonsense", "campaign=1", "colour=red", "status=old", "q=%00"]
    {
        let problem = call(&app, "GET", &format!("/v1/leads?{wrong}"), None).await.is(400).json();
        let field = wrong.split('=').next().expect("a name");
        assert_eq!(problem["errors"][0]["pointer"], json!(format!("/{field}")), "{wrong}");
    }
}

async fn leads_are_filtered_as_on_their_page(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    for (name, code) in [("Amy Adams", Some(&jane.code)), ("Bob Brown", None)] {
        let email = format!("{}@example.com", &name[..3]);
        let new = json!({ "name": name, "email": email, "code": code });
        let lead = call(&app, "POST", "/v1/leads", Some(new)).await.is(201).json();
        if code.is_none() {
            let path = format!("/v1/leads/{}/qualification", text(&lead["id"]));
            call(&app, "PUT", &path, Some(json!({ "qualified": true }))).await.is(200);
        }
    }
    let agent = refdesk::id::render(refdesk::id::Kind::Referrer, jane.id);
    for (query, names) in [
        ("", vec!["Bob Brown", "Amy Adams"]),
        ("status=new", vec!["Amy Adams"]),
        ("status=qualified", vec!["Bob Brown"]),
        ("qualified=true", vec!["Bob Brown"]),
        ("qualified=false", vec!["Amy Adams"]),
        ("arrival=code", vec!["Amy Adams"]),
        ("referrer=none", vec!["Bob Brown"]),
        (&format!("referrer={agent}"), vec!["Amy Adams"]),
        (&format!("referrer={}&status=qualified", jane.id), vec![]),
        ("email=AMY@example.com", vec!["Amy Adams"]),
        ("email=nobody", vec![]),
        ("q=dam", vec!["Amy Adams"]),
        ("q=BROWN", vec!["Bob Brown"]),
        ("q=%25", vec![]),
    ] {
        let list = call(&app, "GET", &format!("/v1/leads?{query}"), None).await.is(200).json();
        let found: Vec<&str> = list["data"].as_array().expect("rows").iter().map(|l| text(&l["name"])).collect();
        assert_eq!(found, names, "{query}");
    }
}

async fn many_leads_are_added_with_an_answer_each(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let items = json!([
        { "name": "Amy", "email": "amy@example.com", "code": jane.code },
        { "email": "nameless@example.com" },
        { "name": "Amy again", "email": "AMY@example.com" },
        { "name": "Bob", "code": "NOBODY" },
        { "name": "Cid", "campaign": 1 },
        { "name": "Dan", "shoe_size": 44 },
    ]);
    let answer = call(&app, "POST", "/v1/leads/batch", Some(json!({ "items": items }))).await.is(200).json();
    let items = answer["items"].as_array().expect("an answer each");
    let results: Vec<&str> = items.iter().map(|i| text(&i["result"])).collect();
    assert_eq!(results, ["added", "invalid", "known", "added", "invalid", "invalid"]);
    assert_eq!(items[1]["errors"][0], json!({ "field": "name", "message": "name is required." }));
    assert_eq!(items[0]["lead"], items[2]["lead"]);
    assert_eq!(items[3]["refused"], "unknown_code");
    assert_eq!(items[4]["errors"][0]["field"], "campaign");
    assert_eq!(items[5]["errors"][0]["field"], "shoe_size");
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 2);

    let many: Vec<Json> =
        (0..1000).map(|n| json!({ "name": format!("Lead {n}"), "email": format!("l{n}@example.com") })).collect();
    let answer = call(&app, "POST", "/v1/leads/batch", Some(json!({ "items": many }))).await.is(200).json();
    assert_eq!(answer["items"].as_array().map(Vec::len), Some(1000));
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 1002);
    let too_many: Vec<Json> = (0..1001).map(|n| json!({ "name": format!("Lead {n}") })).collect();
    let problem = call(&app, "POST", "/v1/leads/batch", Some(json!({ "items": too_many }))).await.is(400).json();
    assert_eq!(problem["detail"], "items may have at most 1000 items.");
}

async fn many_leads_are_qualified_with_an_answer_each(app: TestApp) {
    let mut ids = Vec::new();
    for n in 0..2 {
        let lead = call(&app, "POST", "/v1/leads", Some(json!({ "name": format!("Lead {n}") }))).await.is(201).json();
        ids.push(lead["id"].clone());
    }
    let items = json!([
        { "lead": ids[0], "qualified": true },
        { "lead": ids[1], "qualified": false },
        { "lead": "lead_0000000000000", "qualified": true },
        { "lead": ids[0], "qualified": "yes" },
        { "lead": ids[0], "qualified": true },
    ]);
    let answer = call(&app, "POST", "/v1/qualifications/batch", Some(json!({ "items": items }))).await.is(200).json();
    let results: Vec<&str> = answer["items"].as_array().expect("items").iter().map(|i| text(&i["result"])).collect();
    assert_eq!(results, ["changed", "already", "not_found", "invalid", "already"]);
}

async fn referrers_are_added_changed_paused_and_archived(app: TestApp) {
    let new = json!({ "name": "Jane Miller", "email": "jane@example.com", "company": "Acme" });
    let jane = call(&app, "POST", "/v1/referrers", Some(new.clone())).await.is(201).json();
    let code = text(&jane["enrollments"][0]["code"]).to_owned();
    assert!(text(&jane["enrollments"][0]["url"]).ends_with(&format!("/r/{code}")));
    assert_eq!(call(&app, "POST", "/v1/referrers", Some(new)).await.is(200).json()["id"], jane["id"]);
    let path = format!("/v1/referrers/{}", text(&jane["id"]));
    let read = call(&app, "GET", &path, None).await.is(200);
    with(&app, "GET", &path, ("if-none-match", read.header("etag")), &json!({})).await.is(304);

    let paused = call(&app, "PUT", &format!("{path}/state"), Some(json!({ "state": "paused" }))).await.is(200).json();
    assert_eq!(paused["enrollments"][0]["state"], "paused");
    let stale = with(&app, "GET", &path, ("if-none-match", read.header("etag")), &json!({})).await;
    assert_eq!(stale.status, 200, "another standing is another version");
    let found = call(&app, "GET", &format!("/v1/codes/{code}"), None).await.is(200).json();
    assert_eq!((&found["counts"], &found["why_not"]), (&json!(false), &json!("paused")));

    let tom =
        call(&app, "POST", "/v1/referrers", Some(json!({ "name": "Tom", "email": "tom@example.com" }))).await.is(201);
    let taken = json!({ "name": "Jane Miller", "email": "tom@example.com" });
    assert_eq!(call(&app, "PUT", &path, Some(taken)).await.is(409).json()["code"], "email_taken");
    let renamed = call(&app, "PUT", &path, Some(json!({ "name": "Jane M. Miller" }))).await.is(200).json();
    assert_eq!(
        (&renamed["name"], &renamed["email"], &renamed["company"]),
        (&json!("Jane M. Miller"), &Json::Null, &Json::Null)
    );

    call(&app, "DELETE", &path, None).await.is(204);
    let list = call(&app, "GET", "/v1/referrers", None).await.is(200).json();
    assert_eq!(list["data"][0]["id"], tom.json()["id"]);
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(call(&app, "GET", "/v1/referrers?email=TOM@example.com", None).await.json()["data"][0]["name"], "Tom");
}

async fn codes_are_given_looked_up_and_retired(app: TestApp) {
    let jane = app.shop().referrer_without_code("Jane Miller").await;
    let made = call(&app, "POST", "/v1/codes", Some(json!({ "referrer": jane.id }))).await.is(201).json();
    assert_eq!(call(&app, "POST", "/v1/codes", Some(json!({ "referrer": jane.id }))).await.is(200).json(), made);
    let chosen = json!({ "referrer": jane.id, "text": "JANE2026" });
    let chosen = call(&app, "POST", "/v1/codes", Some(chosen)).await.is(201).json();
    assert_eq!((&chosen["text"], &chosen["kind"]), (&json!("JANE2026"), &json!("custom")));
    let found = call(&app, "GET", "/v1/codes/jane-2026", None).await.is(200).json();
    assert_eq!((&found["code"]["id"], &found["counts"]), (&chosen["id"], &json!(true)));
    let old = call(&app, "GET", &format!("/v1/codes/{}", text(&made["text"])), None).await.is(200).json();
    assert_eq!((&old["code"]["state"], &old["counts"]), (&json!("alias"), &json!(true)));
    let unknown = call(&app, "GET", "/v1/codes/JANE2025", None).await.is(404).json();
    assert_eq!(unknown["code"], "unknown_code");
    assert!(text(&unknown["detail"]).contains("JANE2026"), "{unknown}");

    let tom = app.shop().referrer("Tom").await;
    let taken = json!({ "referrer": tom.id, "text": "Jane-2026" });
    assert_eq!(call(&app, "POST", "/v1/codes", Some(taken)).await.is(409).json()["code"], "code_taken");
    let path = format!("/v1/codes/{}/state", text(&chosen["id"]));
    let retired = call(&app, "PUT", &path, Some(json!({ "state": "retired" }))).await.is(200).json();
    assert_eq!(retired["state"], "retired");
    let of_jane = call(&app, "GET", &format!("/v1/codes?referrer={}", jane.id), None).await.is(200).json();
    assert_eq!(of_jane["data"].as_array().map(Vec::len), Some(2));
    let active = call(&app, "GET", "/v1/codes?state=active", None).await.is(200).json();
    assert_eq!(active["data"][0]["referrer_name"], "Tom");
}

async fn money_is_read_and_decided(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let lead = app.shop().lead("amy@example.com", Some(&jane.code)).await;
    app.shop().pay_as("evt_1", "amy@example.com", "100.00", "2026-06-10").await;
    app.clock.set(app.clock.now().plus_seconds(1));
    app.shop().pay_as("evt_2", "amy@example.com", "50.00", "2026-06-11").await;
    let payments = call(&app, "GET", "/v1/payments", None).await.is(200);
    let first = &payments.json()["data"][1];
    assert_eq!(
        (&first["event_id"], &first["decision"], &first["amount_minor"]),
        (&json!("evt_1"), &json!("earned"), &json!(10000))
    );
    assert_eq!(first["names"], json!([{ "kind": "event", "id": "evt_1" }]));
    assert!(payments.body.contains("\"amount\":100.00,"), "{}", payments.body);
    let one = call(&app, "GET", &format!("/v1/payments/{}", text(&first["id"])), None).await.is(200).json();
    assert_eq!(&one, first);
    assert_eq!(
        call(&app, "GET", &format!("/v1/payments?lead={lead}&limit=1"), None).await.is(200).json()["data"][0]["event_id"],
        "evt_2"
    );

    let list = call(&app, "GET", "/v1/commissions?state=pending", None).await.is(200).json();
    let rows = list["data"].as_array().expect("rows");
    assert_eq!(
        (rows.len(), &rows[1]["kind"], &rows[1]["percent"], &rows[1]["terms"]),
        (2, &json!("referral"), &json!("20"), &json!(1))
    );
    let (older, newer) = (text(&rows[1]["id"]), text(&rows[0]["id"]));
    let why = json!({ "reason": "agreed" });
    let approved =
        call(&app, "POST", &format!("/v1/commissions/{older}/approve"), Some(why.clone())).await.is(200).json();
    assert_eq!((&approved["state"], &approved["reason"]), (&json!("approved"), &json!("agreed")));
    let voided = call(&app, "POST", &format!("/v1/commissions/{newer}/void"), Some(why.clone())).await.is(200).json();
    assert_eq!(voided["state"], "void");
    let no = call(&app, "POST", &format!("/v1/commissions/{newer}/approve"), Some(why)).await.is(409).json();
    assert_eq!(no["code"], "refused");
    call(&app, "POST", &format!("/v1/commissions/{older}/void"), Some(json!({}))).await.is(400);

    let balances = call(&app, "GET", &format!("/v1/referrers/{}/balances", jane.id), None).await.is(200).json();
    let due: Vec<&Json> =
        balances["data"].as_array().expect("rows").iter().filter(|b| b["amount_minor"] != 0).collect();
    assert_eq!((due.len(), &due[0]["account"], &due[0]["amount_minor"]), (1, &json!("due"), &json!(2000)));
    let mut entries = Vec::new();
    let mut path = format!("/v1/ledger?referrer={}&currency=USD&limit=2", jane.id);
    let base = path.clone();
    loop {
        let page = call(&app, "GET", &path, None).await.is(200).json();
        entries.extend(page["data"].as_array().expect("rows").clone());
        match page["next"].as_str() {
            Some(next) => path = format!("{base}&after={next}"),
            None => break,
        }
    }
    let sum: i64 = entries.iter().filter(|e| e["account"] == "due").filter_map(|e| e["amount_minor"].as_i64()).sum();
    assert_eq!((entries.len(), sum), (5, 2000), "{entries:?}");
}

async fn the_inbox_and_the_audit_are_read(app: TestApp) {
    let lead = app.shop().lead("amy@example.com", Some("NOBODY")).await;
    let inbox = call(&app, "GET", "/v1/inbox", None).await.is(200).json();
    let item = &inbox["data"][0];
    assert_eq!((&item["kind"], &item["detail"]["code"]), (&json!("unknown_code"), &json!("NOBODY")));
    let path = format!("/v1/inbox/{}", text(&item["id"]));
    assert_eq!(&call(&app, "GET", &path, None).await.is(200).json(), item);
    let dismissed = call(&app, "POST", &format!("{path}/dismiss"), None).await.is(200).json();
    assert_eq!(dismissed["state"], "dismissed");
    call(&app, "POST", &format!("{path}/dismiss"), None).await.is(200);
    assert_eq!(call(&app, "GET", "/v1/inbox", None).await.json()["data"], json!([]));
    let audit = call(&app, "GET", &format!("/v1/audit?lead={lead}"), None).await.is(200).json();
    assert!(audit["data"].as_array().expect("rows").iter().any(|e| e["action"] == "customer.created"), "{audit}");
}

async fn campaigns_and_products_are_read(app: TestApp) {
    let campaigns = call(&app, "GET", "/v1/campaigns", None).await.is(200).json();
    let campaign = &campaigns["data"][0];
    assert_eq!((&campaign["state"], &campaign["number"]), (&json!("live"), &json!(app.business.campaign_id)));
    let one = call(&app, "GET", &format!("/v1/campaigns/{}", text(&campaign["id"])), None).await.is(200).json();
    assert_eq!(&one, campaign);
    let product = call(&app, "GET", &format!("/v1/products/{}", app.business.product_id), None).await.is(200).json();
    assert_eq!(product["terms"][0]["referral"], json!({ "percent": "20", "flat": null }));
    assert_eq!(call(&app, "GET", "/v1/products", None).await.is(200).json()["data"][0]["id"], product["id"]);
    call(&app, "GET", "/v1/products/product_nothing", None).await.is(404);
}

async fn every_problem_is_one_of_rfc_9457(app: TestApp) {
    let key = format!("Bearer {}", app.business.api_key);
    let authorized = ("authorization", key.as_str());
    let json_body = ("content-type", "application/json");
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(100_000)).into_bytes();
    for (method, path, headers, body, status, code) in [
        ("GET", "/v1/me", vec![], vec![], 401, "unauthorized"),
        ("GET", "/v1/me", vec![("authorization", "Bearer rk_live_nonsense")], vec![], 401, "unauthorized"),
        ("GET", "/v1", vec![authorized], vec![], 404, "not_found"),
        ("GET", "/v1/", vec![authorized], vec![], 404, "not_found"),
        ("GET", "/v1/nothing/at/all", vec![authorized], vec![], 404, "not_found"),
        ("GET", "/v1/leads/lead_nonsense", vec![authorized], vec![], 404, "not_found"),
        ("GET", "/v1/leads/%FF", vec![authorized], vec![], 400, "invalid_field"),
        ("DELETE", "/v1/leads", vec![authorized], vec![], 405, "method_not_allowed"),
        ("POST", "/v1/leads", vec![authorized, json_body], b"{".to_vec(), 400, "invalid_json"),
        ("POST", "/v1/leads", vec![authorized, json_body], b"[]".to_vec(), 400, "invalid_json"),
        ("POST", "/v1/leads", vec![authorized, json_body], b"{}".to_vec(), 400, "missing_field"),
        ("POST", "/v1/leads", vec![authorized, json_body], b"{\"name\": 1}".to_vec(), 400, "invalid_field"),
        (
            "POST",
            "/v1/leads",
            vec![authorized, ("content-type", "text/xml")],
            b"<a/>".to_vec(),
            415,
            "unsupported_media_type",
        ),
        ("POST", "/v1/leads", vec![authorized, json_body], large, 413, "payload_too_large"),
    ] {
        let answer = app.request(method, path, &headers, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
        let problem = answer.json();
        assert_eq!((&problem["code"], &problem["status"]), (&json!(code), &json!(status)), "{method} {path}");
        assert_eq!(problem["instance"], json!(answer.header("x-request-id")), "{method} {path}");
        if status == 405 {
            assert!(answer.header("allow").contains("POST"), "{}", answer.header("allow"));
        }
    }
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 0);
}

async fn another_business_has_nothing_here(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let lead = app.shop().lead("amy@example.com", Some(&jane.code)).await;
    app.shop().pay("amy@example.com", "100.00", "2026-06-10").await;
    let commission = app.number("SELECT max(id) FROM commissions").await;
    let other = app.another_business("Other").await;
    for (method, path, body) in [
        ("GET", format!("/v1/leads/{lead}"), json!(null)),
        ("PATCH", format!("/v1/leads/{lead}"), json!({ "name": "Mine" })),
        ("DELETE", format!("/v1/leads/{lead}"), json!(null)),
        ("PUT", format!("/v1/leads/{lead}/qualification"), json!({ "qualified": true })),
        ("GET", format!("/v1/leads/{lead}/touches"), json!(null)),
        ("GET", format!("/v1/referrers/{}", jane.id), json!(null)),
        ("PUT", format!("/v1/referrers/{}", jane.id), json!({ "name": "Mine" })),
        ("GET", format!("/v1/referrers/{}/balances", jane.id), json!(null)),
        ("GET", format!("/v1/codes/{}", jane.code), json!(null)),
        ("GET", format!("/v1/commissions/{commission}"), json!(null)),
        ("POST", format!("/v1/commissions/{commission}/void"), json!({ "reason": "mine" })),
    ] {
        let body = Some(body).filter(|b| !b.is_null());
        let answer = app.call(method, &path, &other.api_key, body).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
    }
    for list in [
        "/v1/leads",
        "/v1/referrers",
        "/v1/codes",
        "/v1/payments",
        "/v1/commissions",
        "/v1/inbox",
        "/v1/touches",
        "/v1/refunds",
    ] {
        let json = app.call("GET", list, &other.api_key, None).await.is(200).json();
        assert_eq!(json["data"], json!([]), "{list}");
    }
    let named =
        app.call("GET", &format!("/v1/leads?campaign={}", app.business.campaign_id), &other.api_key, None).await;
    named.is(400);
}

async fn a_test_key_sees_test_data_only(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let real = app.shop().lead("amy@example.com", Some(&jane.code)).await;
    let key = app.key(false).await;
    let new = json!({ "name": "Amy", "email": "amy@example.com", "code": jane.code });
    let made = app.call("POST", "/v1/leads", &key, Some(new)).await.is(201).json();
    assert_eq!((&made["test"], &made["attribution"]["code"]), (&json!(true), &json!(jane.code)));
    let list = app.call("GET", "/v1/leads", &key, None).await.json();
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
    app.call("GET", &format!("/v1/leads/{real}"), &key, None).await.is(404);
    call(&app, "GET", &format!("/v1/leads/{}", text(&made["id"])), None).await.is(404);
    let audit = app.call("GET", "/v1/audit", &key, None).await.is(200).json();
    let actions: Vec<&str> = audit["data"].as_array().expect("rows").iter().map(|e| text(&e["action"])).collect();
    assert!(actions.contains(&"lead.added") && !actions.contains(&"customer.created"), "{actions:?}");
    assert_eq!(app.call("GET", &format!("/v1/audit?lead={real}"), &key, None).await.json()["data"], json!([]));
}

async fn lists_begin_at_either_end(app: TestApp) {
    let second = app.shop().campaign("Second").await;
    let jane = app.shop().referrer("Jane Miller").await;
    for n in 0..5 {
        app.clock.set(app.clock.now().plus_seconds(1));
        let campaign = if n % 2 == 0 { json!(app.business.campaign_id) } else { json!(second) };
        call(&app, "POST", "/v1/leads", Some(json!({ "name": format!("Lead {n}"), "campaign": campaign })))
            .await
            .is(201);
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/leads?sort=created&limit=2".to_owned());
    loop {
        let page = call(&app, "GET", &path, None).await.is(200).json();
        seen.extend(page["data"].as_array().expect("rows").iter().map(|lead| text(&lead["name"]).to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/leads?sort=created&limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["Lead 0", "Lead 1", "Lead 2", "Lead 3", "Lead 4"]);
    let newest = call(&app, "GET", "/v1/leads?sort=-created&limit=1", None).await.is(200).json();
    assert_eq!(newest["data"][0]["name"], "Lead 4");
    call(&app, "GET", "/v1/leads?sort=shoe_size", None).await.is(400);

    app.clock.set(app.clock.now().plus_seconds(1));
    app.shop().referrer_in(second, "Tom Busy", false).await;
    for (query, names) in [
        ("", vec!["Tom Busy", "Jane Miller"]),
        ("sort=created", vec!["Jane Miller", "Tom Busy"]),
        ("has_code=true", vec!["Jane Miller"]),
        ("has_code=false", vec!["Tom Busy"]),
        ("state=paused", vec![]),
        (&format!("campaign={second}"), vec!["Tom Busy"]),
        (&format!("campaign={second}&has_code=true"), vec![]),
        (&format!("campaign={}&state=active", app.business.campaign_id), vec!["Jane Miller"]),
    ] {
        let list = call(&app, "GET", &format!("/v1/referrers?{query}"), None).await.is(200).json();
        let found: Vec<&str> = list["data"].as_array().expect("rows").iter().map(|r| text(&r["name"])).collect();
        assert_eq!(found, names, "{query}");
    }
    for list in ["codes", "payments", "refunds", "commissions"] {
        call(&app, "GET", &format!("/v1/{list}?sort=created"), None).await.is(200);
    }
    let of_jane = call(&app, "GET", &format!("/v1/commissions?kind=reward&referrer={}", jane.id), None).await;
    assert_eq!(of_jane.is(200).json()["data"], json!([]));
}

async fn the_same_call_twice_is_one(app: TestApp) {
    let new = json!({ "name": "Nameless twin" });
    let once = ("idempotency-key", "order-1");
    let first = with(&app, "POST", "/v1/leads", once, &new).await.is(201);
    let again = with(&app, "POST", "/v1/leads", once, &new).await.is(201);
    assert_eq!((again.json(), again.header("idempotency-replayed")), (first.json(), "true"));
    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(again.header("content-type"), "application/json");
    let other = with(&app, "POST", "/v1/leads", once, &json!({ "name": "Another person" })).await.is(409).json();
    assert_eq!(other["code"], "idempotency_mismatch");
    with(&app, "POST", "/v1/leads", ("idempotency-key", "order-2"), &json!({})).await.is(400);
    with(&app, "POST", "/v1/leads", ("idempotency-key", "order-2"), &new).await.is(201);
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 2);
    app.clock.set(app.clock.now().plus_seconds(72 * 60 * 60 + 1));
    refdesk::stored_answers::tidy(&app.app.db, app.clock.now()).await.expect("old answers go");
    assert_eq!(app.number("SELECT count(*) FROM stored_answers").await, 0);
}

async fn the_same_call_fifty_times_at_once_is_one(app: TestApp) {
    let calls =
        (0..50).map(|_| Call::new(&app, "/v1/leads", json!({ "name": "Once" })).header("idempotency-key", "one"));
    let replies = at_once(calls.collect()).await;
    let made: Vec<_> = replies.iter().filter(|r| r.status == 201).collect();
    assert!(!made.is_empty() && replies.iter().all(|r| r.status == 201 || r.status == 409), "{replies:?}");
    assert!(made.iter().all(|r| r.json == made[0].json));
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 1);
}

fn paid(app: &TestApp, email: &str, amount: f64, date: &str, id: &str) -> Json {
    json!({
        "type": "payment-succeeded", "businessId": app.business.public_id, "productId": app.business.product_id,
        "customerEmail": email, "amount": amount, "currency": "USD", "subscriptionStatus": "active",
        "paymentDate": date, "eventId": id,
    })
}

fn signed_up(app: &TestApp, email: &str, code: &str) -> Json {
    json!({
        "type": "customer-created", "businessId": app.business.public_id, "productId": app.business.product_id,
        "customerEmail": email, "customerName": "Amy Adams", "referralCode": code,
    })
}

async fn events_come_in_batches_with_an_answer_each(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let refund = json!({
        "type": "payment-refunded", "businessId": app.business.public_id, "productId": app.business.product_id,
        "customerEmail": "amy@example.com", "paymentEventId": "evt_1", "amount": 50, "refundDate": "2026-06-15",
    });
    let foreign = app.another_business("Other").await;
    let mut elsewhere = paid(&app, "amy@example.com", 1.0, "2026-06-14", "evt_9");
    elsewhere["businessId"] = json!(foreign.public_id);
    let items = json!([
        signed_up(&app, "amy@example.com", &jane.code),
        paid(&app, "amy@example.com", 100.0, "2026-06-14", "evt_1"),
        refund,
        signed_up(&app, "amy@example.com", &jane.code),
        { "type": "lunch-eaten" },
        "nonsense",
        { "type": "payment-succeeded", "customerEmail": "amy@example.com" },
        elsewhere,
        paid(&app, "amy@example.com", 29.999, "2026-06-14", "evt_2"),
    ]);
    let answer = call(&app, "POST", "/v1/events/batch", Some(json!({ "items": items }))).await.is(200);
    let json = answer.json();
    let items = json["items"].as_array().expect("an answer each");
    let statuses: Vec<u64> = items.iter().filter_map(|i| i["status"].as_u64()).collect();
    assert_eq!(statuses, [200, 200, 200, 409, 400, 400, 400, 403, 400], "{json}");
    assert_eq!(items[0]["body"]["leadId"], items[3]["body"]["leadId"]);
    assert!(answer.body.contains("\"commissionAmount\":20.00,"), "{}", answer.body);
    assert!(answer.body.contains("\"remainingAmount\":50.00,"), "{}", answer.body);
    assert_eq!(items[6]["errors"][0]["field"], "businessId");
    assert_eq!(items[8]["errors"][0]["field"], "amount");
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 1);
}

async fn a_batch_decides_payments_by_their_dates(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let items = json!([
        paid(&app, "amy@example.com", 300.0, "2026-06-16", "third"),
        signed_up(&app, "amy@example.com", &jane.code),
        paid(&app, "amy@example.com", 100.0, "2026-06-14", "first"),
        paid(&app, "amy@example.com", 200.0, "2026-06-15", "second"),
    ]);
    call(&app, "POST", "/v1/events/batch", Some(json!({ "items": items }))).await.is(200);
    let kinds: Vec<(String, String)> = app
        .rows("SELECT n.name, c.kind FROM commissions c JOIN payments p ON p.id = c.payment_id JOIN payment_names n ON n.payment_id = p.id
              ORDER BY p.payment_date")
        .await;
    let kinds: Vec<(&str, &str)> = kinds.iter().map(|(id, kind)| (id.as_str(), kind.as_str())).collect();
    assert_eq!(kinds, [("event:first", "referral"), ("event:second", "recurring"), ("event:third", "recurring")]);
}

async fn a_batch_sent_again_changes_nothing(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let mut items: Vec<Json> = (0..300).map(|n| signed_up(&app, &format!("c{n}@example.com"), &jane.code)).collect();
    items.extend((0..300).map(|n| paid(&app, &format!("c{n}@example.com"), 10.0, "2026-06-14", &format!("evt_{n}"))));
    let batch = json!({ "items": items });
    let statuses = |json: &Json| -> Vec<u64> {
        json["items"].as_array().expect("items").iter().filter_map(|i| i["status"].as_u64()).collect()
    };
    let first = call(&app, "POST", "/v1/events/batch", Some(batch.clone())).await.is(200).json();
    assert_eq!(statuses(&first), vec![200; 600]);
    let again = call(&app, "POST", "/v1/events/batch", Some(batch)).await.is(200).json();
    assert_eq!(statuses(&again), vec![409; 600]);
    assert_eq!(again["items"][599]["body"]["commissionId"], first["items"][599]["body"]["commissionId"]);
    assert_eq!(app.number("SELECT count(*) FROM commissions").await, 300);
}
