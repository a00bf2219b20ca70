//! Records without a call that changes them: refunds and touches.

use refdesk::clock::Day;
use refdesk::id::{self, Kind};
use serde_json::{Value as Json, json};

use super::{call, text};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    refunds_are_read_and_filtered,
    touches_are_read_and_filtered,
}

fn ids(list: &Json) -> Vec<&str> {
    list["data"].as_array().expect("rows").iter().map(|row| text(&row["id"])).collect()
}

async fn refunds_are_read_and_filtered(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    let day = |text: &str| Day::parse(text).expect("a day");
    shop.refund_as("re_1", "amy@example.com", day("2026-06-14"), Some("12.5")).await;
    app.clock.set(app.clock.now().plus_seconds(1));
    shop.refund("ben@example.com", day("2026-06-10"), Some("5")).await;

    let all = call(&app, "GET", "/v1/refunds", None).await.is(200);
    let (parked, applied) = (&all.json()["data"][0], &all.json()["data"][1]);
    assert!(all.body.contains("\"amount\":12.50,"), "{}", all.body);
    assert_eq!(
        (&applied["state"], &applied["amount_minor"], &applied["event_id"], &applied["lead"]),
        (&json!("applied"), &json!(1250), &json!("re_1"), &json!(id::render(Kind::Lead, lead)))
    );
    assert_eq!(
        (&parked["state"], &parked["payment"], &parked["amount"], &parked["asked_amount"]),
        (&json!("parked"), &Json::Null, &Json::Null, &json!(5))
    );
    let payment = call(&app, "GET", &format!("/v1/payments/{}", text(&applied["payment"])), None).await.json();
    assert_eq!(payment["refunded"], json!(12.5));
    for (query, expected) in [
        ("state=applied", vec![applied]),
        ("state=parked", vec![parked]),
        ("state=refused", vec![]),
        ("email=BEN@example.com", vec![parked]),
        (&format!("lead={lead}"), vec![applied]),
        (&format!("payment={}", text(&applied["payment"])), vec![applied]),
        (&format!("payment={}&state=parked", text(&applied["payment"])), vec![]),
    ] {
        let list = call(&app, "GET", &format!("/v1/refunds?{query}"), None).await.is(200).json();
        let expected: Vec<&str> = expected.iter().map(|row| text(&row["id"])).collect();
        assert_eq!(ids(&list), expected, "{query}");
    }
    let first = call(&app, "GET", "/v1/refunds?limit=1", None).await.json();
    let next = format!("/v1/refunds?limit=1&after={}", text(&first["next"]));
    assert_eq!(&call(&app, "GET", &next, None).await.json()["data"][0], applied);
    let path = format!("/v1/refunds/{}", text(&applied["id"]));
    assert_eq!(&call(&app, "GET", &path, None).await.is(200).json(), applied);
    let other = app.another_business("Other").await;
    app.call("GET", &path, &other.api_key, None).await.is(404);
    let test_key = app.key(false).await;
    app.call("GET", &path, &test_key, None).await.is(404);
    for key in [&other.api_key, &test_key] {
        assert_eq!(app.call("GET", "/v1/refunds", key, None).await.is(200).json()["data"], json!([]));
    }
}

async fn touches_are_read_and_filtered(app: TestApp) {
    let shop = app.shop();
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Busy").await);
    let amy = shop.lead("amy@example.com", Some(&jane.code)).await;
    app.clock.set(app.clock.now().plus_seconds(1));
    shop.lead("amy@example.com", Some(&tom.code)).await;
    app.clock.set(app.clock.now().plus_seconds(1));
    let ben = shop.lead("ben@example.com", Some("NOBODY99")).await;
    let lead = |id| json!(id::render(Kind::Lead, id));

    let all = call(&app, "GET", "/v1/touches", None).await.is(200).json();
    let rows = all["data"].as_array().expect("rows");
    assert_eq!(rows.len(), 3, "{all}");
    assert_eq!(
        (&rows[0]["lead"], &rows[0]["code"], &rows[0]["refused"], &rows[0]["counts"]),
        (&lead(ben), &json!("NOBODY99"), &json!("unknown_code"), &json!(false))
    );
    assert_eq!((&rows[1]["code"], &rows[1]["counts"]), (&json!(tom.code), &json!(false)), "the first one counts");
    assert_eq!((&rows[2]["lead"], &rows[2]["counts"]), (&lead(amy), &json!(true)));
    for (query, expected) in [
        (format!("lead={amy}"), vec![&rows[1], &rows[2]]),
        (format!("referrer={}", tom.id), vec![&rows[1]]),
        (format!("code={}", jane.code.to_lowercase()), vec![&rows[2]]),
        (format!("code={}&referrer={}", jane.code, tom.id), vec![]),
        (format!("lead={ben}&referrer={}", tom.id), vec![]),
    ] {
        let list = call(&app, "GET", &format!("/v1/touches?{query}"), None).await.is(200).json();
        let expected: Vec<&str> = expected.iter().map(|row| text(&row["id"])).collect();
        assert_eq!(ids(&list), expected, "{query}");
    }
    call(&app, "GET", "/v1/touches?code=NOBODY98", None).await.is(400);
    let other = app.another_business("Other").await;
    for key in [other.api_key.clone(), app.key(false).await] {
        assert_eq!(app.call("GET", "/v1/touches", &key, None).await.is(200).json()["data"], json!([]));
    }
    let foreign = app.call("GET", &format!("/v1/touches?lead={amy}"), &other.api_key, None).await.is(200).json();
    assert_eq!(foreign["data"], json!([]));
}
