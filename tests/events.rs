//! Refairn's events over HTTP: refunds and cancelled subscriptions, their checks, answers and conflicts.

use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::{Answer, TestApp};

on_both_databases! {
    a_refund_is_answered_in_the_style_of_a_payment,
    a_refund_before_its_payment_s_day_is_refused,
    amounts_have_the_decimals_of_the_payment_s_currency,
    checks_come_in_order_and_store_nothing,
    a_refund_that_was_here_tells_its_ids,
    a_refund_may_come_before_its_payment,
    a_payment_after_its_refund_is_answered_with_what_is_left,
    a_payment_that_comes_again_is_told_what_it_was_told_at_first,
    a_cancellation_is_answered,
    a_test_key_refunds_test_payments,
    no_code_fails_a_sign_up,
}

const REFUND: &str = "/api/events/payment-refunded";
const CANCEL: &str = "/api/events/subscription-cancelled";

impl TestApp {
    fn event(&self, fields: Json) -> Json {
        let mut body = json!({
            "businessId": self.business.public_id, "productId": self.business.product_id, "customerEmail": "jane@example.com",
        });
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    async fn refund(&self, fields: Json) -> Answer {
        self.api_post(REFUND, self.event(fields)).await
    }

    /// A payment of 14 June by a customer whom Ann referred; its answer.
    async fn paid(&self, amount: Json, currency: &str) -> Json {
        let ann = self.shop().referrer("Ann Ash").await;
        self.shop().lead("jane@example.com", Some(&ann.code)).await;
        self.pay(amount, currency, "2026-06-14", "evt_1").await.is(200).json()
    }

    async fn pay(&self, amount: Json, currency: &str, day: &str, id: &str) -> Answer {
        let fields = json!({
            "amount": amount, "currency": currency, "subscriptionStatus": "active", "paymentDate": day, "eventId": id,
        });
        self.api_post("/api/events/payment-succeeded", self.event(fields)).await
    }
}

#[track_caller]
fn is_problem(answer: &Answer, status: u16, code: &str, part: &str) {
    let json = answer.json();
    let said = json["message"].as_str().unwrap_or_default();
    assert!(answer.status == status && json["code"] == code && json["success"] == false, "{status} {code}: {answer:?}");
    assert!(said.contains(part), "{part:?}: {said}");
}

async fn a_refund_is_answered_in_the_style_of_a_payment(app: TestApp) {
    let paid = app.paid(json!(100), "USD").await;
    let answer =
        app.refund(json!({"paymentDate": "2026-06-14", "amount": 30, "refundDate": "2026-06-18"})).await.is(200);
    let body = answer.json();
    assert_eq!(body["success"], true);
    assert_eq!(body["commissionId"], paid["commissionId"]);
    assert_eq!(body["agentId"], paid["agentId"]);
    assert_eq!(body["commissionStatus"], "pending");
    assert_eq!(body["holdUntil"], "2026-06-28");
    assert_eq!(body["parked"], false);
    assert_eq!(body["currency"], "USD");
    assert!(body["refundId"].as_str().unwrap().starts_with("refund_"));
    assert!(body["paymentId"].as_str().unwrap().starts_with("pay_"));
    assert_eq!(body["message"], "30.00 USD refunded. 70.00 USD is left of the payment.");
    for part in ["\"refundedAmount\":30.00", "\"remainingAmount\":70.00", "\"commissionAmount\":14.00"] {
        assert!(answer.body.contains(part), "{part}: {answer:?}");
    }
    let names: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names.len(), 13, "{names:?}");
    // Named by its commission, what is left of it.
    let whole = app.refund(json!({"commissionId": paid["commissionId"], "refundDate": "2026-06-19"})).await.is(200);
    let body = whole.json();
    assert_eq!((&body["commissionStatus"], &body["commissionId"]), (&json!("void"), &paid["commissionId"]));
    for part in ["\"refundedAmount\":70.00", "\"remainingAmount\":0.00", "\"commissionAmount\":0.00"] {
        assert!(whole.body.contains(part), "{part}: {whole:?}");
    }
}

async fn a_refund_before_its_payment_s_day_is_refused(app: TestApp) {
    // One that came first waits for its payment, and for a person once the day is known.
    app.refund(json!({"paymentEventId": "evt_1", "amount": 5, "refundDate": "2026-06-13"})).await.is(200);
    app.paid(json!(100), "USD").await;
    let states = app.rows::<(String,)>("SELECT state FROM refunds").await;
    assert_eq!(states, [("refused".to_owned(),)]);
    assert_eq!(app.rows::<(String,)>("SELECT kind FROM inbox_items").await, [("refund_unfit".to_owned(),)]);
    for name in [json!({"paymentDate": "2026-06-14"}), json!({"paymentEventId": "evt_1"})] {
        let mut sent = json!({"amount": 30, "refundDate": "2026-06-13"});
        name.as_object().unwrap().iter().for_each(|(name, value)| sent[name] = value.clone());
        is_problem(&app.refund(sent).await, 400, "invalid_field", "refundDate is before the day of the payment");
    }
    app.refund(json!({"paymentDate": "2026-06-14", "amount": 30, "refundDate": "2026-06-14"})).await.is(200);
    assert_eq!(app.number("SELECT refunded FROM payments").await, 3_000);
}

async fn amounts_have_the_decimals_of_the_payment_s_currency(app: TestApp) {
    app.paid(json!(3100), "JPY").await;
    let named = |fields: Json| {
        let mut all = json!({"paymentEventId": "evt_1", "refundDate": "2026-06-18"});
        fields.as_object().unwrap().iter().for_each(|(name, value)| all[name] = value.clone());
        all
    };
    for (fields, field, part) in [
        (json!({"amount": 10.5}), "amount", "no decimals for JPY"),
        (json!({"amount": 10.5, "currency": "JPY"}), "amount", "no decimals for JPY"),
        (json!({"amount": "10"}), "amount", "must be a number"),
        (json!({"amount": -1}), "amount", "negative"),
        (json!({"amount": 0}), "amount", "more than 0"),
        (json!({"amount": 0, "currency": "JPY"}), "amount", "more than 0"),
        (json!({"amount": 1.00001}), "amount", "at most 4 decimals"),
        (json!({"amount": 1e30}), "amount", "larger"),
        (json!({"amount": 10, "currency": "USD"}), "currency", "JPY"),
        (json!({"amount": 10, "currency": "XXX"}), "currency", "not a known currency"),
        (json!({"amount": 3101}), "amount", "3,100 JPY that is left"),
    ] {
        let answer = app.refund(named(fields)).await;
        is_problem(&answer, 400, "invalid_field", field);
        is_problem(&answer, 400, "invalid_field", part);
    }
    assert_eq!(app.number("SELECT count(*) FROM refunds").await, 0);
    // Zeros after the point do not count; a number is read from its text.
    let body = app.event(named(json!({}))).to_string().replacen('{', "{\"amount\": 1.0e2,", 1);
    let answer =
        app.call("POST", REFUND, &app.business.api_key, Some(serde_json::from_str(&body).unwrap())).await.is(200);
    assert!(answer.body.contains("\"refundedAmount\":100,"), "{answer:?}");
    assert!(answer.body.contains("\"remainingAmount\":3000,"), "{answer:?}");
}

async fn checks_come_in_order_and_store_nothing(app: TestApp) {
    app.paid(json!(100), "USD").await;
    let audited = app.number("SELECT count(*) FROM audit_entries").await;
    let fine = json!({"paymentDate": "2026-06-14", "refundDate": "2026-06-18", "amount": 10});
    for path in [REFUND, CANCEL] {
        is_problem(&app.call("POST", path, "", Some(json!({}))).await, 401, "unauthorized", "API key");
        is_problem(&app.api_post(path, json!([])).await, 400, "invalid_json", "JSON");
        is_problem(&app.api_post(path, json!({})).await, 400, "missing_field", "businessId");
        is_problem(&app.api_get(path).await, 405, "method_not_allowed", "POST");
    }
    let with = |name: &str, value: Json| {
        let mut fields = fine.clone();
        fields[name] = value;
        fields
    };
    for (name, value, code, part) in [
        ("customerEmail", json!("nobody"), "invalid_field", "customerEmail"),
        ("paymentDate", json!(null), "missing_field", "paymentEventId or commissionId"),
        ("paymentDate", json!("14/06/2026"), "invalid_field", "paymentDate"),
        ("paymentDate", json!("2026-06-22"), "invalid_field", "in the future"),
        ("paymentEventId", json!("evt_1"), "invalid_field", "exactly one of"),
        ("commissionId", json!("comm_1"), "invalid_field", "exactly one of"),
        ("refundDate", json!(null), "missing_field", "refundDate"),
        ("refundDate", json!("2026-6-1"), "invalid_field", "refundDate"),
        ("refundDate", json!("2026-06-22"), "invalid_field", "in the future"),
        ("eventId", json!(7), "invalid_field", "eventId"),
        ("amount", json!(100.01), "invalid_field", "100.00 USD that is left"),
    ] {
        is_problem(&app.refund(with(name, value)).await, 400, code, part);
    }
    is_problem(&app.refund(with("businessId", json!("business_x"))).await, 404, "business_not_found", "businessId");
    let other = app.another_business("Globex").await;
    is_problem(&app.refund(with("businessId", json!(other.public_id))).await, 403, "forbidden", "businessId");
    is_problem(&app.refund(with("productId", json!(other.product_id))).await, 404, "product_not_found", "productId");
    for name in ["comm_1", "comm_0000000000000"] {
        let fields = json!({"commissionId": name, "refundDate": "2026-06-18"});
        is_problem(&app.refund(fields).await, 404, "commission_not_found", "commissionId");
    }
    let named = json!({"paymentEventId": "evt_1", "refundDate": "2026-06-18", "customerEmail": "bob@example.com"});
    is_problem(&app.refund(named).await, 400, "invalid_field", "customerEmail");
    for (date, code) in
        [(json!(null), "missing_field"), (json!("soon"), "invalid_field"), (json!("2026-06-22"), "invalid_field")]
    {
        is_problem(&app.api_post(CANCEL, app.event(json!({ "date": date }))).await, 400, code, "date");
    }
    assert_eq!(app.number("SELECT count(*) FROM refunds").await, 0);
    assert_eq!(app.number("SELECT count(*) FROM cancellations").await, 0);
    let of_the_other =
        app.number(&format!("SELECT count(*) FROM audit_entries WHERE business_id = {}", other.id)).await;
    assert_eq!(app.number("SELECT count(*) FROM audit_entries").await, audited + of_the_other);
}

async fn a_refund_that_was_here_tells_its_ids(app: TestApp) {
    let paid = app.paid(json!(100), "USD").await;
    let fields = json!({"paymentDate": "2026-06-14", "amount": 30, "refundDate": "2026-06-18"});
    let first = app.refund(fields.clone()).await.is(200).json();
    let again = app.refund(fields.clone()).await.is(409);
    let body = again.json();
    assert_eq!((&body["success"], &body["code"]), (&json!(false), &json!("duplicate_event")));
    for name in ["refundId", "paymentId", "commissionId", "agentId", "commissionStatus", "holdUntil", "parked"] {
        assert_eq!(body[name], first[name], "{name}");
    }
    assert_eq!(body["commissionId"], paid["commissionId"]);
    assert!(again.body.contains("\"refundedAmount\":30.00"), "{again:?}");
    let mut own = fields.clone();
    own["eventId"] = "ref_1".into();
    app.refund(own.clone()).await.is(200);
    assert_eq!(app.refund(own.clone()).await.is(409).json()["code"], "duplicate_event");
    own["amount"] = 31.into();
    assert_eq!(app.refund(own).await.is(409).json()["code"], "idempotency_mismatch");
    let whole = json!({"paymentDate": "2026-06-14", "refundDate": "2026-06-20"});
    let rest = app.refund(whole.clone()).await.is(200).json();
    assert_eq!(app.refund(whole).await.is(409).json()["refundId"], rest["refundId"]);
    let later = json!({"paymentDate": "2026-06-14", "refundDate": "2026-06-21", "amount": 100, "eventId": "ref_9"});
    assert_eq!(app.refund(later).await.is(409).json()["refundId"], rest["refundId"]);
}

async fn a_refund_may_come_before_its_payment(app: TestApp) {
    let fields = json!({"paymentEventId": "evt_1", "refundDate": "2026-06-18", "amount": 30});
    let parked = app.refund(fields.clone()).await.is(200).json();
    assert_eq!(parked["parked"], true);
    for name in
        ["paymentId", "commissionId", "agentId", "refundedAmount", "remainingAmount", "commissionAmount", "holdUntil"]
    {
        assert_eq!(parked[name], Json::Null, "{name}");
    }
    let again = app.refund(fields.clone()).await.is(409).json();
    assert_eq!((&again["refundId"], &again["parked"]), (&parked["refundId"], &json!(true)));
    app.paid(json!(100), "USD").await;
    let after = app.refund(fields).await.is(409).json();
    assert_eq!((&after["refundId"], &after["parked"]), (&parked["refundId"], &json!(false)));
    assert!(after["paymentId"].is_string());
}

async fn a_payment_after_its_refund_is_answered_with_what_is_left(app: TestApp) {
    app.refund(json!({"paymentDate": "2026-06-14", "refundDate": "2026-06-18", "amount": 30})).await.is(200);
    let paid = app.paid(json!(100), "USD").await;
    assert_eq!((&paid["commissionAmount"], &paid["commissionStatus"]), (&json!(14.0), &json!("pending")));
}

/// The earnings that an answer names.
fn earned(answer: &Answer) -> Vec<Json> {
    let json = answer.json();
    ["commissionId", "agentId", "commissionAmount", "commissionStatus", "holdUntil"]
        .map(|name| json[name].clone())
        .into()
}

async fn a_payment_that_comes_again_is_told_what_it_was_told_at_first(app: TestApp) {
    let ann = app.shop().referrer("Ann Ash").await;
    let bob = app.shop().referrer("Bob Stone").await;
    let lead = app.shop().lead("jane@example.com", Some(&ann.code)).await;
    let pay = async |day: &str, id: &str| app.pay(json!(100), "USD", day, id).await;
    let first = earned(&pay("2026-06-14", "evt_1").await.is(200));
    assert_eq!(first[2..4], [json!(20.0), json!("pending")]);
    // A refund that waited was in the first answer; the one that comes later is not.
    let waits = json!({"paymentEventId": "evt_2", "refundDate": "2026-06-18", "amount": 30});
    app.refund(waits).await.is(200);
    let second = earned(&pay("2026-06-15", "evt_2").await.is(200));
    assert_eq!(second[2..4], [json!(14.0), json!("pending")]);
    app.refund(json!({"paymentEventId": "evt_3", "refundDate": "2026-06-18"})).await.is(200);
    let third = earned(&pay("2026-06-16", "evt_3").await.is(200));
    assert_eq!(third[2..4], [json!(0.0), json!("void")]);
    let all = [("2026-06-14", "evt_1", &first), ("2026-06-15", "evt_2", &second), ("2026-06-16", "evt_3", &third)];
    let again = async |when: &str| {
        for (day, id, earned_first) in &all {
            let known = pay(day, id).await.is(409);
            assert_eq!((&earned(&known), &known.json()["amount"]), (*earned_first, &json!(100.0)), "{id} {when}");
        }
    };
    again("at once").await;
    for (id, date) in [("evt_1", "2026-06-18"), ("evt_1", "2026-06-19"), ("evt_2", "2026-06-19")] {
        app.refund(json!({"paymentEventId": id, "refundDate": date, "amount": 10})).await.is(200);
    }
    again("after a part was refunded").await;
    app.refund(json!({"paymentEventId": "evt_1", "refundDate": "2026-06-20"})).await.is(200);
    again("after all was").await;
    let to_bob = json!({ "referrer": bob.id, "reason": "she said so" });
    app.api_put(&format!("/v1/leads/{lead}/attribution"), to_bob).await.is(200);
    again("after Bob was found to have referred her").await;
}

async fn a_cancellation_is_answered(app: TestApp) {
    app.paid(json!(100), "USD").await;
    let cancel = |fields: Json| {
        let body = app.event(fields);
        async { app.api_post(CANCEL, body).await }
    };
    let done = cancel(json!({"date": "2026-06-18"})).await.is(200).json();
    assert_eq!((&done["success"], &done["subscriptionStatus"]), (&json!(true), &json!("cancelled")));
    assert!(done["leadId"].as_str().unwrap().starts_with("lead_") && done["agentId"].is_string());
    let again = cancel(json!({"date": "2026-06-18"})).await.is(409).json();
    assert_eq!((&again["code"], &again["leadId"]), (&json!("duplicate_event"), &done["leadId"]));
    cancel(json!({"date": "2026-06-18", "eventId": "end_1"})).await.is(200);
    let other = cancel(json!({"date": "2026-06-19", "eventId": "end_1"})).await.is(409).json();
    assert_eq!(other["code"], "idempotency_mismatch");
    let nobody = cancel(json!({"date": "2026-06-18", "customerEmail": "nobody@example.com"})).await.is(200).json();
    assert_eq!((&nobody["leadId"], &nobody["agentId"]), (&Json::Null, &Json::Null));
    let gone = cancel(json!({"date": "2026-06-10", "customerEmail": "jane@example.com"})).await.is(200).json();
    assert_eq!(gone["subscriptionStatus"], "cancelled", "it ended already");
}

async fn a_test_key_refunds_test_payments(app: TestApp) {
    app.paid(json!(100), "USD").await;
    let key = app.key(false).await;
    let fields = app.event(json!({"paymentEventId": "evt_1", "refundDate": "2026-06-18"}));
    let answer = app.call("POST", REFUND, &key, Some(fields)).await.is(200).json();
    assert_eq!(answer["parked"], true, "the live payment is not a test's");
}

async fn no_code_fails_a_sign_up(app: TestApp) {
    for (n, code) in ["X".repeat(500), "NO\u{0}SUCH\nCODE".to_owned(), "<script>".to_owned()].iter().enumerate() {
        let fields = json!({
            "customerEmail": format!("customer{n}@example.com"), "customerName": "Amy Ash", "referralCode": code,
        });
        let answer = app.api_post("/api/events/customer-created", app.event(fields)).await.is(200).json();
        assert_eq!((&answer["success"], &answer["agentId"]), (&json!(true), &Json::Null), "{answer}");
    }
    assert_eq!(app.number("SELECT count(*) FROM inbox_items").await, 3, "each asks a person");
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 3);
}
