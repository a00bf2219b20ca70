//! Filters and orders of lists, beside their pages.

use serde_json::{Value as Json, json};

use super::{call, text};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    leads_are_found_by_their_source,
    payments_are_listed_by_campaign_and_address,
    commissions_are_listed_by_their_hold,
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
