//! Filters and orders of lists, beside their pages.

use serde_json::{Value as Json, json};

use super::{call, text};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    leads_are_found_by_their_source,
    payments_are_listed_by_campaign_and_address,
    commissions_are_listed_by_their_hold,
    every_list_knows_times_and_orders,
    a_reader_of_changes_misses_none,
    whatever_changes_is_among_the_changes,
    payments_are_found_by_name_day_referrer_and_state,
}

/// A field of every row of a list, page by page.
async fn column(app: &TestApp, list: &str, query: &str, field: &str) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = call(app, "GET", &format!("/v1/{list}?limit=2&{query}{after}"), None).await.is(200).json();
        all.extend(page["data"].as_array().expect("rows").iter().map(|row| text(&row[field]).to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

async fn leads_are_found_by_their_source(app: TestApp) {
    let second = app.shop().campaign("Second").await;
    for (n, source) in ["fair", "Fair", "fair", "web", "fair"].into_iter().enumerate() {
        app.clock.set(app.clock.now().plus_seconds(1));
        let campaign = if n < 4 { app.business.campaign_id } else { second };
        let new = json!({ "name": format!("Lead {n}"), "campaign": campaign, "source": source, "company": "Acme" });
        let made = call(&app, "POST", "/v1/leads", Some(new)).await.is(201).json();
        if n == 2 {
            let status = json!({ "status": "contacted" });
            call(&app, "PUT", &format!("/v1/leads/{}/status", text(&made["id"])), Some(status)).await.is(200);
        }
    }
    let of = app.business.campaign_id;
    for (query, names) in [
        ("source=fair", vec!["Lead 4", "Lead 2", "Lead 0"]),
        ("source=fair&sort=created", vec!["Lead 0", "Lead 2", "Lead 4"]),
        ("source=Fair", vec!["Lead 1"]),
        ("source=nowhere", vec![]),
        ("source=", vec!["Lead 4", "Lead 3", "Lead 2", "Lead 1", "Lead 0"]),
        (&format!("source=fair&campaign={of}"), vec!["Lead 2", "Lead 0"]),
        (&format!("source=fair&campaign={second}"), vec!["Lead 4"]),
        ("source=fair&status=contacted", vec!["Lead 2"]),
        ("source=fair&qualified=false&referrer=none", vec!["Lead 4", "Lead 2", "Lead 0"]),
        ("source=fair&q=acme", vec!["Lead 4", "Lead 2", "Lead 0"]),
        ("source=web&email=lead@example.com", vec![]),
        ("source=fair&archived=true", vec![]),
    ] {
        assert_eq!(column(&app, "leads", query, "name").await, names, "{query}");
    }
    let first = call(&app, "GET", "/v1/leads?source=fair&sort=created&limit=1", None).await.json();
    call(&app, "DELETE", &format!("/v1/leads/{}", text(&first["data"][0]["id"])), None).await.is(204);
    assert_eq!(column(&app, "leads", "source=fair&archived=true", "name").await, ["Lead 0"]);
    assert_eq!(column(&app, "leads", "source=fair", "name").await, ["Lead 4", "Lead 2"]);
    let other = app.another_business("Other").await;
    let theirs = app.call("GET", "/v1/leads?source=fair", &other.api_key, None).await.is(200).json();
    assert_eq!(theirs["data"], json!([]));
}

async fn payments_are_listed_by_campaign_and_address(app: TestApp) {
    let second = app.shop().campaign("Second").await;
    let terms = json!({ "referral": { "percent": 10 } });
    let new = json!({ "name": "Course", "campaign": second, "terms": terms });
    let product = call(&app, "POST", "/v1/products", Some(new)).await.is(201).json()["id"].clone();
    let pay = async |product: &Json, email: &str, day: &str| {
        app.clock.set(app.clock.now().plus_seconds(1));
        let body = json!({
            "businessId": app.business.public_id, "productId": product, "customerEmail": email, "amount": 10,
            "currency": "USD", "subscriptionStatus": "active", "paymentDate": day, "eventId": format!("{email} {day}"),
        });
        call(&app, "POST", "/api/events/payment-succeeded", Some(body)).await.is(200);
    };
    let ours = json!(app.business.product_id);
    for day in ["2026-06-11", "2026-06-12", "2026-06-13"] {
        pay(&ours, "amy@example.com", day).await;
        pay(&product, "amy@example.com", &day.replace("06", "05")).await;
    }
    pay(&product, "eve@example.com", "2026-06-01").await;
    let of = app.business.campaign_id;
    let (early, late) = (["2026-05-13", "2026-05-12", "2026-05-11"], ["2026-06-13", "2026-06-12", "2026-06-11"]);
    for (query, days) in [
        (format!("campaign={of}"), late.to_vec()),
        (format!("campaign={second}"), ["2026-06-01"].into_iter().chain(early).collect()),
        (format!("campaign={second}&email=Amy@Example.com"), early.to_vec()),
        (format!("campaign={second}&disputed=true"), vec![]),
        (format!("campaign={second}&email=amy@example.com&disputed=false"), early.to_vec()),
        ("email=eve@example.com".to_owned(), vec!["2026-06-01"]),
        ("email=nobody".to_owned(), vec![]),
        (
            "email=amy@example.com&sort=created".to_owned(),
            vec!["2026-06-11", "2026-05-11", "2026-06-12", "2026-05-12", "2026-06-13", "2026-05-13"],
        ),
    ] {
        assert_eq!(column(&app, "payments", &query, "payment_date").await, days, "{query}");
    }
    let other = app.another_business("Other").await;
    app.call("GET", &format!("/v1/payments?campaign={second}"), &other.api_key, None).await.is(400);
    let theirs = app.call("GET", "/v1/payments?email=amy@example.com", &other.api_key, None).await.is(200).json();
    assert_eq!(theirs["data"], json!([]));
}

async fn commissions_are_listed_by_their_hold(app: TestApp) {
    let (jane, tom) = (app.shop().referrer("Jane Miller").await, app.shop().referrer("Tom Busy").await);
    let amy = app.shop().lead("amy@example.com", Some(&jane.code)).await;
    app.shop().lead("eve@example.com", Some(&tom.code)).await;
    // Decided in another order than that of their days.
    for (email, day) in [
        ("amy@example.com", "2026-06-12"),
        ("eve@example.com", "2026-06-10"),
        ("amy@example.com", "2026-06-14"),
        ("eve@example.com", "2026-06-14"),
        ("amy@example.com", "2026-06-11"),
    ] {
        app.clock.set(app.clock.now().plus_seconds(1));
        app.shop().pay(email, "100.00", day).await;
    }
    let voided = call(&app, "GET", "/v1/commissions?sort=hold&limit=1", None).await.is(200).json();
    assert_eq!(voided["data"][0]["hold_until"], "2026-06-24");
    let void = format!("/v1/commissions/{}/void", text(&voided["data"][0]["id"]));
    call(&app, "POST", &void, Some(json!({ "reason": "a test" }))).await.is(200);
    let all = ["2026-06-24", "2026-06-25", "2026-06-26", "2026-06-28", "2026-06-28"];
    for (query, days) in [
        ("sort=hold".to_owned(), all.to_vec()),
        ("sort=-hold".to_owned(), all.into_iter().rev().collect()),
        ("sort=hold&state=pending".to_owned(), all[1..].to_vec()),
        ("sort=hold&state=void".to_owned(), all[..1].to_vec()),
        (format!("sort=hold&referrer={}", jane.id), vec!["2026-06-25", "2026-06-26", "2026-06-28"]),
        (format!("sort=-hold&lead={amy}&kind=recurring"), vec!["2026-06-28", "2026-06-25"]),
        (format!("sort=hold&campaign={}&kind=reward", app.business.campaign_id), vec![]),
    ] {
        assert_eq!(column(&app, "commissions", &query, "hold_until").await, days, "{query}");
    }
    let ids = column(&app, "commissions", "sort=hold", "id").await;
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 5, "each once");
    // A place in one order is none in another.
    let page = call(&app, "GET", "/v1/commissions?sort=hold&limit=2", None).await.json();
    let elsewhere = format!("/v1/commissions?sort=created&limit=2&after={}", text(&page["next"]));
    call(&app, "GET", &elsewhere, None).await.is(400);
}

/// Every list, by its address.
const LISTS: [&str; 11] = [
    "campaigns",
    "products",
    "referrers",
    "codes",
    "leads",
    "touches",
    "payments",
    "refunds",
    "commissions",
    "inbox",
    "audit",
];

async fn every_list_knows_times_and_orders(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    for n in 0..3 {
        app.clock.set(app.clock.now().plus_seconds(60));
        let address = format!("amy{n}@example.com");
        app.shop().lead(&address, Some(&jane.code)).await;
        app.shop().lead(&format!("eve{n}@example.com"), Some("NOBODY99")).await;
        app.shop().pay_as(&format!("in_{n}"), &address, "100.00", "2026-06-18").await;
        let day = refdesk::clock::Day::parse("2026-06-18").expect("a day");
        app.shop().refund_as(&format!("re_{n}"), &address, day, Some("10.00")).await;
    }
    for list in LISTS {
        let newest = column(&app, list, "", "id").await;
        assert!(!newest.is_empty(), "{list}");
        let (asc, desc) = (column(&app, list, "order=asc", "id").await, column(&app, list, "order=desc", "id").await);
        assert_eq!(asc, desc.iter().rev().cloned().collect::<Vec<_>>(), "{list}");
        assert!(newest == desc || newest == asc, "{list}");
        let changes = column(&app, list, "updated_since=2026-06-01", "id").await;
        let mut sorted = (changes.clone(), asc.clone());
        sorted.0.sort();
        sorted.1.sort();
        // A reader of changes hears of closed items too: none here.
        assert_eq!(sorted.0, sorted.1, "{list}");
        for (query, rows) in [
            ("updated_since=2027-01-01", 0),
            ("created_since=2027-01-01", 0),
            ("created_before=2026-06-01", 0),
            ("created_since=2026-06-01&created_before=2027-01-01T00:00:00%2B02:00", asc.len()),
            ("updated_since=2026-06-01T00:00:00Z&order=desc", asc.len()),
            ("sort=updated&order=desc", asc.len()),
            ("sort=-updated", asc.len()),
        ] {
            assert_eq!(column(&app, list, query, "id").await.len(), rows, "{list} {query}");
        }
        let page = call(&app, "GET", &format!("/v1/{list}?updated_since=2026-06-01&limit=1"), None).await.json();
        assert!(page["synced_until"].is_string(), "{list} {page}");
        for wrong in ["order=up", "updated_since=yesterday", "created_before=2026-13-01", "sort=-created&order=asc"] {
            let answer = call(&app, "GET", &format!("/v1/{list}?{wrong}"), None).await.is(400).json();
            let name = wrong.split('=').next().unwrap_or_default();
            let named = format!("/{}", if name == "sort" { "order" } else { name });
            assert_eq!(answer["errors"][0]["pointer"], json!(named), "{list} {wrong}");
        }
        call(&app, "GET", &format!("/v1/{list}?updated_since=2026-06-01&sort=created"), None).await.is(400);
    }
    // The bounds of a range belong to the row that has them, or do not.
    let at = |page: &Json, field: &str| text(&page["data"][0][field]).to_owned();
    let second = call(&app, "GET", "/v1/leads?order=asc&limit=1&created_since=2026-06-20T12:02:00Z", None).await.json();
    assert_eq!(at(&second, "created_at"), "2026-06-20T12:02:00.000Z");
    let first = call(&app, "GET", "/v1/leads?limit=1&created_before=2026-06-20T12:02:00Z", None).await.json();
    assert_eq!(at(&first, "created_at"), "2026-06-20T12:01:00.000Z");
}

async fn a_reader_of_changes_misses_none(app: TestApp) {
    let mut ids = Vec::new();
    for n in 0..6 {
        let made = call(&app, "POST", "/v1/leads", Some(json!({ "name": format!("Lead {n}") }))).await.is(201).json();
        ids.push(text(&made["id"]).to_owned());
    }
    let started = app.clock.now();
    let first = call(&app, "GET", "/v1/leads?updated_since=2026-06-01&limit=3", None).await.is(200).json();
    // While it reads, a row that was read changes, and one that was not.
    for (id, company) in [(&ids[0], "Acme"), (&ids[5], "Umbrella")] {
        app.clock.set(app.clock.now().plus_seconds(1));
        call(&app, "PATCH", &format!("/v1/leads/{id}"), Some(json!({ "company": company }))).await.is(200);
    }
    let mut copy: std::collections::BTreeMap<String, Json> = std::collections::BTreeMap::new();
    let mut page = first.clone();
    loop {
        for row in page["data"].as_array().expect("rows") {
            copy.insert(text(&row["id"]).to_owned(), row["company"].clone());
        }
        assert_eq!(page["synced_until"], first["synced_until"], "the same on every page");
        let Some(next) = page["next"].as_str() else { break };
        page = call(&app, "GET", &format!("/v1/leads?updated_since=2026-06-01&limit=3&after={next}"), None)
            .await
            .is(200)
            .json();
    }
    assert_eq!(copy.len(), 6);
    assert_eq!((&copy[&ids[0]], &copy[&ids[5]]), (&json!("Acme"), &json!("Umbrella")));
    // The next reading begins a minute before this one began: changes that were stored late come then.
    assert_eq!(first["synced_until"], json!(started.plus_seconds(-60).to_rfc3339_millis()));
    // A place among changes is none among rows.
    let elsewhere = format!("/v1/leads?after={}", text(&first["next"]));
    call(&app, "GET", &elsewhere, None).await.is(400);
    call(&app, "GET", "/v1/leads?q=lead&updated_since=2026-06-01", None).await.is(400);
}

async fn whatever_changes_is_among_the_changes(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let lead = app.shop().lead("amy@example.com", Some(&jane.code)).await;
    app.shop().pay_as("in_1", "amy@example.com", "100.00", "2026-06-18").await;
    let (agent, key) = (jane.id, app.business.api_key.clone());
    let changes: [(&str, &str, String, Json, &[&str]); 8] = [
        ("leads", "PUT", format!("/v1/leads/{lead}/status"), json!({ "status": "lost" }), &["leads"]),
        ("referrers", "PUT", format!("/v1/referrers/{agent}/state"), json!({ "state": "paused" }), &["referrers"]),
        ("referrers", "PUT", format!("/v1/referrers/{agent}/state"), json!({ "state": "active" }), &["referrers"]),
        (
            "codes",
            "POST",
            format!("/v1/referrers/{agent}/codes"),
            json!({ "text": "JANE2026" }),
            &["codes", "referrers"],
        ),
        (
            "products",
            "PATCH",
            format!("/v1/products/{}", app.business.product_id),
            json!({ "name": "Pro" }),
            &["products"],
        ),
        ("payments", "POST", "/v1/payments/PAY/dispute".into(), json!({ "reason": "a test" }), &["payments"]),
        ("commissions", "POST", "/v1/commissions/COMM/void".into(), json!({ "reason": "a test" }), &["commissions"]),
        (
            "campaigns",
            "PATCH",
            format!("/v1/campaigns/{}", app.business.campaign_id),
            json!({ "name": "New" }),
            &["campaigns"],
        ),
    ];
    for (_, method, path, body, lists) in changes {
        app.clock.set(app.clock.now().plus_seconds(10));
        let since = app.clock.now().to_rfc3339_millis();
        let id = async |list: &str| text(&app.call("GET", list, &key, None).await.json()["data"][0]["id"]).to_owned();
        let path = path.replace("PAY", &id("/v1/payments").await).replace("COMM", &id("/v1/commissions").await);
        let answer = call(&app, method, &path, Some(body)).await;
        assert!(matches!(answer.status, 200 | 201), "{path}: {answer:?}");
        for list in lists {
            let found = column(&app, list, &format!("updated_since={since}"), "id").await;
            assert!(!found.is_empty(), "{list} after {path}");
        }
        let after = app.clock.now().plus_seconds(1).to_rfc3339_millis();
        assert!(column(&app, lists[0], &format!("updated_since={after}"), "id").await.is_empty(), "{path}");
    }
}

async fn payments_are_found_by_name_day_referrer_and_state(app: TestApp) {
    let (jane, tom) = (app.shop().referrer("Jane Miller").await, app.shop().referrer("Tom Busy").await);
    app.shop().lead("amy@example.com", Some(&jane.code)).await;
    app.shop().lead("eve@example.com", Some(&tom.code)).await;
    app.shop().lead("bob@example.com", None).await;
    for (id, email, day) in [
        ("in_1", "amy@example.com", "2026-06-12"),
        ("in_2", "eve@example.com", "2026-06-10"),
        ("in_3", "bob@example.com", "2026-06-14"),
        ("in_4", "amy@example.com", "2026-06-11"),
    ] {
        app.clock.set(app.clock.now().plus_seconds(1));
        app.shop().pay_as(id, email, "100.00", day).await;
    }
    let day = refdesk::clock::Day::parse("2026-06-12").expect("a day");
    app.shop().refund_as("re_1", "amy@example.com", day, Some("10.00")).await;
    for (query, ids) in [
        ("event_id=in_2".to_owned(), vec!["in_2"]),
        ("name=in_2".to_owned(), vec!["in_2"]),
        ("event_id=in_9".to_owned(), vec![]),
        ("event_id=in_2&email=eve@example.com".to_owned(), vec!["in_2"]),
        ("event_id=in_2&email=amy@example.com".to_owned(), vec![]),
        (format!("referrer={}", jane.id), vec!["in_4", "in_1"]),
        (format!("referrer={}&order=asc", jane.id), vec!["in_1", "in_4"]),
        (format!("referrer={}&state=refunded", jane.id), vec!["in_1"]),
        ("state=waiting".to_owned(), vec!["in_3"]),
        ("state=earned&order=asc".to_owned(), vec!["in_1", "in_2", "in_4"]),
        ("state=disputed".to_owned(), vec![]),
        ("payment_date=2026-06-11".to_owned(), vec!["in_4"]),
        ("paid_since=2026-06-11&paid_before=2026-06-14".to_owned(), vec!["in_1", "in_4"]),
        ("paid_since=2026-06-11&order=asc".to_owned(), vec!["in_4", "in_1", "in_3"]),
        ("sort=paid".to_owned(), vec!["in_2", "in_4", "in_1", "in_3"]),
        ("paid_before=2026-06-12&sort=created".to_owned(), vec!["in_2", "in_4"]),
        ("updated_since=2026-06-01&state=refunded".to_owned(), vec!["in_1"]),
    ] {
        assert_eq!(column(&app, "payments", &query, "event_id").await, ids, "{query}");
    }
    call(&app, "GET", "/v1/payments?state=odd", None).await.is(400);
    let other = app.another_business("Other").await;
    for query in ["event_id=in_1", "name=in_1", &format!("referrer={}", jane.id)] {
        let theirs = app.call("GET", &format!("/v1/payments?{query}"), &other.api_key, None).await.is(200).json();
        assert_eq!(theirs["data"], json!([]), "{query}");
    }
}
