//! Paystack, Flutterwave, Paddle and Lemon Squeezy: a payment with a code, its refund, and each one's signature.

use refdesk::providers::Provider;
use ring::hmac;
use serde_json::{Value as Json, json};

use super::hmac_hex;
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    a_payment_and_its_refund_by_paystack,
    a_payment_and_its_refund_by_flutterwave,
    a_payment_and_its_chargeback_by_paddle,
    a_subscription_by_lemon_squeezy,
}

async fn state(app: &TestApp) -> Vec<(i64, i64, String, i64)> {
    app.rows(
        "SELECT p.amount, p.refunded, c.state, c.amount
           FROM payments p
           LEFT JOIN commissions c ON c.payment_id = p.id
          ORDER BY p.id",
    )
    .await
}

async fn a_payment_and_its_refund_by_paystack(app: TestApp) {
    let (jane, secret) = (app.shop().referrer("Jane").await, "sk_live_refdesk");
    app.connect(Provider::Paystack, secret, false, None).await;
    let send = async |message: Json| {
        let body = message.to_string();
        let header = hmac_hex(hmac::HMAC_SHA512, secret, &body);
        app.deliver(Provider::Paystack, &body, &[("x-paystack-signature", &header)]).await.is(200);
        app.apply().await;
    };
    let refund = json!({
        "event": "refund.processed",
        "data": { "status": "processed", "transaction_reference": "ps_1", "refund_reference": null, "amount": "250000",
                  "currency": "NGN", "domain": "live" },
    });
    send(refund).await;
    let metadata = json!({ "custom_fields": [{ "variable_name": "referral_code", "value": jane.code }] }).to_string();
    let charge = json!({
        "event": "charge.success",
        "data": { "id": 302961, "domain": "live", "status": "success", "reference": "ps_1", "amount": 500000,
                  "paid_at": "2026-06-18T12:00:00.000Z", "currency": "NGN", "metadata": metadata,
                  "customer": { "email": "amy@example.com", "first_name": "Amy", "customer_code": "CUS_1" } },
    });
    send(charge.clone()).await;
    send(charge).await;
    assert_eq!(state(&app).await, [(500_000, 250_000, "pending".to_owned(), 50_000)]);
    let wrong = app.deliver(Provider::Paystack, "{}", &[("x-paystack-signature", "00")]).await;
    wrong.is(400);
    app.is_sound().await;
}

async fn a_payment_and_its_refund_by_flutterwave(app: TestApp) {
    let (jane, secret) = (app.shop().referrer("Jane").await, "flw-hash");
    app.connect(Provider::Flutterwave, secret, false, None).await;
    let charge = json!({
        "event": "charge.completed",
        "data": { "id": 285959875, "tx_ref": "order-1", "amount": 100.50, "currency": "NGN", "status": "successful",
                  "created_at": "2026-06-18T12:00:00.000Z", "customer": { "id": 1, "email": "amy@example.com", "name": "Amy" } },
        "meta_data": { "referral_code": jane.code },
    });
    app.deliver(Provider::Flutterwave, &charge.to_string(), &[("verif-hash", secret)]).await.is(200);
    app.apply().await;
    let refund = json!({
        "type": "refund.completed", "webhook_id": "wbk_1",
        "data": { "id": "rfd_1", "charge_id": "285959875", "amount_refunded": 100.5, "currency": "NGN", "status": "succeeded" },
    })
    .to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let header =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hmac::sign(&key, refund.as_bytes()));
    app.deliver(Provider::Flutterwave, &refund, &[("flutterwave-signature", &header)]).await.is(200);
    app.apply().await;
    assert_eq!(state(&app).await, [(10_050, 10_050, "void".to_owned(), 0)]);
    app.deliver(Provider::Flutterwave, &refund, &[("verif-hash", "flw-has")]).await.is(400);
    app.is_sound().await;
}

async fn a_payment_and_its_chargeback_by_paddle(app: TestApp) {
    let (jane, secret) = (app.shop().referrer("Jane").await, "pdl_ntfset_1");
    app.connect(Provider::Paddle, secret, false, None).await;
    let send = async |message: Json| {
        let (body, ts) = (message.to_string(), app.app.clock.now().seconds());
        let header = format!("ts={ts};h1={}", hmac_hex(hmac::HMAC_SHA256, secret, &format!("{ts}:{body}")));
        app.deliver(Provider::Paddle, &body, &[("paddle-signature", &header)]).await.is(200);
        app.apply().await;
    };
    let at = "2026-06-18T12:00:00.000000Z";
    send(json!({
        "event_id": "evt_1", "event_type": "transaction.completed", "occurred_at": at,
        "data": { "id": "txn_1", "customer_id": "ctm_1", "currency_code": "USD", "billed_at": at, "origin": "web",
                  "custom_data": { "referral_code": jane.code },
                  "details": { "totals": { "subtotal": "10000", "discount": "0", "tax": "1900", "total": "11900", "grand_total": "11900" } } },
    }))
    .await;
    assert_eq!(app.outcomes().await[0].1, "waiting", "whose payment it is, another message says");
    send(json!({
        "event_id": "evt_2", "event_type": "customer.created", "occurred_at": at,
        "data": { "id": "ctm_1", "email": "amy@example.com", "name": "Amy" },
    }))
    .await;
    assert_eq!(state(&app).await, [(10_000, 0, "pending".to_owned(), 2_000)]);
    send(json!({
        "event_id": "evt_3", "event_type": "adjustment.updated", "occurred_at": at,
        "data": { "id": "adj_1", "action": "refund", "transaction_id": "txn_1", "status": "approved", "currency_code": "USD",
                  "totals": { "subtotal": "5000", "tax": "950", "total": "5950" } },
    }))
    .await;
    assert_eq!(state(&app).await, [(10_000, 5_000, "pending".to_owned(), 1_000)]);
    app.is_sound().await;
}

async fn a_subscription_by_lemon_squeezy(app: TestApp) {
    let (jane, secret) = (app.shop().referrer("Jane").await, "ls-secret-1");
    app.connect(Provider::LemonSqueezy, secret, false, None).await;
    let send = async |name: &str, kind: &str, id: &str, attributes: Json| {
        let meta = json!({ "event_name": name, "test_mode": false, "custom_data": { "referral_code": jane.code } });
        let body = json!({ "meta": meta, "data": { "type": kind, "id": id, "attributes": attributes } }).to_string();
        let header = hmac_hex(hmac::HMAC_SHA256, secret, &body);
        app.deliver(Provider::LemonSqueezy, &body, &[("x-signature", &header), ("x-event-name", name)]).await.is(200);
        app.apply().await;
    };
    let at = "2026-06-18T12:00:00.000000Z";
    let amounts = |more: Json| {
        let mut all = json!({
            "customer_id": 7, "user_email": "amy@example.com", "user_name": "Amy", "currency": "USD", "subtotal": 10000,
            "discount_total": 0, "tax": 1900, "total": 11900, "status": "paid", "created_at": at,
        });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    send("order_created", "orders", "1", amounts(json!({}))).await;
    send("subscription_payment_success", "subscription-invoices", "1", amounts(json!({ "billing_reason": "initial" })))
        .await;
    send("subscription_payment_success", "subscription-invoices", "2", amounts(json!({ "billing_reason": "renewal" })))
        .await;
    send("order_refunded", "orders", "1", amounts(json!({ "refunded": true, "refunded_amount": 11900 }))).await;
    send("subscription_expired", "subscriptions", "1", amounts(json!({}))).await;
    assert_eq!(
        state(&app).await,
        [(10_000, 10_000, "void".to_owned(), 0), (10_000, 0, "pending".to_owned(), 2_000)],
        "the first payment counts once"
    );
    assert_eq!(app.number("SELECT count(*) FROM cancellations").await, 1);
    app.is_sound().await;
}
