//! The forecast by day, and the sum that Home says is to be paid.

use refdesk::engine::{Approve, Void};
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::{TestApp, day};
use crate::v1::{call, text};

on_both_databases! {
    what_is_held_is_due_the_day_after_its_hold,
    home_says_what_is_to_be_paid_and_since_when,
}

/// (day, amount) of the currency, as the call tells it.
async fn ahead(app: &TestApp) -> (i64, Vec<(String, i64)>) {
    let all: Json = call(app, "GET", "/v1/forecast", None).await.is(200).json();
    let Some(usd) = all["data"].as_array().unwrap().iter().find(|c| c["currency"] == "USD") else { return (0, vec![]) };
    let days = usd["days"].as_array().unwrap().iter();
    let days = days.map(|d| (text(&d["day"]).to_owned(), d["amount_minor"].as_i64().unwrap()));
    (usd["total_minor"].as_i64().unwrap(), days.collect())
}

async fn what_is_held_is_due_the_day_after_its_hold(app: TestApp) {
    let shop = app.shop();
    assert_eq!(ahead(&app).await, (0, vec![]));
    let jane = shop.referrer("Jane Miller").await;
    for (name, amount, date) in [
        ("amy", "100.00", "2026-06-10"),
        ("bob", "50.00", "2026-06-10"),
        ("cid", "10.00", "2026-06-12"),
        ("dan", "30.00", "2026-06-14"),
    ] {
        let address = format!("{name}@customers.example");
        shop.lead(&address, Some(&jane.code)).await;
        shop.pay(&address, amount, date).await;
    }
    let on = |day: &str, minor: i64| (day.to_owned(), minor);
    assert_eq!(ahead(&app).await, (3_800, vec![on("2026-06-25", 3_000), on("2026-06-27", 200), on("2026-06-29", 600)]));
    // Each change of a pending one is told.
    shop.refund("amy@customers.example", day("2026-06-10"), Some("50")).await;
    let of = async |name: &str| {
        app.number(&format!(
            "SELECT k.id FROM commissions k JOIN leads l ON l.id = k.lead_id WHERE l.email = '{name}@customers.example'"
        ))
        .await
    };
    shop.send(Void { commission_id: of("bob").await.into(), reason: "fraud".into() }).await;
    shop.send(Approve { commission_id: of("cid").await.into(), reason: Some("early".into()) }).await;
    assert_eq!(ahead(&app).await, (1_600, vec![on("2026-06-25", 1_000), on("2026-06-29", 600)]));
    let payment = app.number(&format!("SELECT payment_id FROM commissions WHERE id = {}", of("dan").await)).await;
    shop.dispute(payment, true).await;
    let all = call(&app, "GET", "/v1/forecast", None).await.json();
    assert_eq!((&all["data"][0]["total_minor"], &all["data"][0]["kept_back"]), (&json!(1_000), &json!(6.0)));
    shop.dispute(payment, false).await;
    app.arrange("UPDATE enrollments SET state = 'banned'").await;
    assert_eq!(ahead(&app).await, (0, vec![]), "nothing of a banned referrer becomes due by itself");
    app.arrange("UPDATE enrollments SET state = 'active'").await;
    app.sign_in().await;
    let page = app.get("/payouts/forecast").await.is(200);
    assert_eq!(page.texts("main tbody td.num"), ["10.00 USD", "10.00 USD", "6.00 USD", "16.00 USD"]);
    let report = refdesk::check::check(&app.app.db).await.unwrap();
    assert!(report.ok, "{:?}", report.findings);
    let key = app.key(false).await;
    assert_eq!(app.call("GET", "/v1/forecast", &key, None).await.is(200).json()["data"], json!([]));
}

async fn home_says_what_is_to_be_paid_and_since_when(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@customers.example", Some(&jane.code)).await;
    app.sign_in().await;
    app.get("/").await.is(200).says("nothing is due");
    shop.pay("amy@customers.example", "100.00", "2026-06-02").await;
    app.clock.advance_days(1);
    refdesk::sweep::run(&app.app).await.unwrap();
    app.sign_in().await;
    app.get("/").await.is(200).says("20.00 USD to be paid").says("since 4 days ago");
}
