//! Faults around the program: the disk, the database, the network, its callers, itself.

mod callers;
pub mod disk;
mod lost;
mod restart;

use serde_json::{Value as Json, json};

use crate::support::{Answer, TestApp};

const SIGN_UP: &str = "/api/events/customer-created";
const PAY: &str = "/api/events/payment-succeeded";

fn sign_up(app: &TestApp, address: &str, code: &str) -> Json {
    json!({ "businessId": app.business.public_id, "productId": app.business.product_id, "customerEmail": address,
        "customerName": "Amy", "referralCode": code })
}

fn payment(app: &TestApp, address: &str, id: &str) -> Json {
    json!({ "businessId": app.business.public_id, "productId": app.business.product_id, "customerEmail": address,
        "amount": 100, "currency": "USD", "subscriptionStatus": "active", "paymentDate": "2026-06-20", "eventId": id })
}

/// The answer while the database is away, in the words of Refairn's API.
#[track_caller]
fn comes_back_later(answer: Answer) -> Answer {
    let answer = answer.is(503);
    let body = answer.json();
    assert_eq!((&body["success"], &body["code"]), (&false.into(), &"unavailable".into()), "{answer:?}");
    assert!(body["message"].as_str().is_some_and(|text| text.ends_with('.')), "{answer:?}");
    assert!(answer.header("retry-after").parse::<u32>().is_ok(), "{answer:?}");
    answer
}

/// The number of rows about events; a write that failed adds none.
async fn footprint(app: &TestApp) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in [
        "leads",
        "touches",
        "sign_ups",
        "payments",
        "purchases",
        "commissions",
        "ledger_entries",
        "inbox_items",
        "audit_entries",
        "outbox",
        "counters",
        "referrers",
        "enrollments",
        "codes",
    ] {
        counts.push(app.number(&format!("SELECT count(*) FROM {table}")).await);
    }
    counts
}
