//! Disputes of payments of which a part was given back while a payout had their commissions.

use super::{earned, line, locked, path, sums, why};
use crate::on_both_databases;
use crate::support::{TestApp, day};
use crate::v1::call;

on_both_databases! { a_dispute_moves_what_came_back_though_a_part_was_taken_off }

async fn a_dispute_moves_what_came_back_though_a_part_was_taken_off(app: TestApp) {
    let shop = app.shop();
    earned(&app, "Jane Miller").await;
    let payment = app.number("SELECT id FROM payments").await;
    let payout = locked(&app).await;
    shop.refund("jane.miller@customers.example", day("2026-06-10"), Some("30")).await;
    call(&app, "POST", &format!("{}/failed", line(&payout, 0)), why("closed")).await.is(200);
    assert_eq!(sums(&app).await, (0, 1_400, 0, 0));
    shop.dispute(payment, true).await;
    assert_eq!(sums(&app).await, (2_000, -600, 0, 0), "the commission is held, and its correction is due");
    app.database.prove().await;
    shop.dispute(payment, false).await;
    assert_eq!(sums(&app).await, (0, 1_400, 0, 0));
    // The dispute begins while it is being paid, and ends when it has come back.
    let payout = locked(&app).await;
    shop.dispute(payment, true).await;
    call(&app, "POST", &format!("{}/failed", line(&payout, 0)), why("closed")).await.is(200);
    assert_eq!(sums(&app).await, (2_000, -600, 0, 0));
    shop.dispute(payment, false).await;
    assert_eq!(sums(&app).await, (0, 1_400, 0, 0));
    let payout = locked(&app).await;
    call(&app, "POST", &format!("{}/paid", path(&payout)), Some(serde_json::json!({}))).await.is(200);
    assert_eq!(sums(&app).await, (0, 0, 0, 1_400));
    // A lost one takes what is left.
    shop.dispute(payment, true).await;
    shop.refund("jane.miller@customers.example", day("2026-06-10"), None).await;
    assert_eq!(sums(&app).await, (0, -1_400, 0, 1_400));
}
