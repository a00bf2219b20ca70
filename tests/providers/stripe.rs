//! Stripe: who is attributed by a checkout, what a payment earns, and what refunds and disputes take back.

use refdesk::engine::Qualify;
use refdesk::providers::Provider;
use refdesk::providers::store::LinkTerms;
use serde_json::{Value as Json, json};

use super::{SECRET, THEN, checkout, event, signed};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    a_checkout_with_a_code_earns_its_referrer_a_commission,
    a_payment_told_under_two_names_is_one,
    amounts_that_disagree_are_for_a_person,
    refunds_take_back_their_share,
    what_comes_first_waits_for_its_payment,
    a_dispute_holds_the_money_until_it_is_decided,
    a_whole_refund_takes_the_qualification_back_where_that_is_wished,
    a_renewal_is_paid_by_whoever_referred,
    a_customer_with_another_address_stays_the_lead,
    nothing_is_taken_without_its_signature,
    what_is_of_no_use_is_kept_and_ignored,
    what_people_decided_stays,
    a_refund_that_fails_gives_back_what_it_took,
    what_staff_gave_back_stays_when_a_refund_fails,
    a_failed_refund_that_staff_recorded_is_for_a_person,
    money_that_comes_back_after_the_payout_is_for_a_person,
    a_refund_in_another_currency_is_for_a_person,
    hostile_ids_stop_nobody_s_payments,
    a_secret_of_both_modes_tells_them_apart,
}

/// The event by which Stripe says which text a promotion code has.
fn promotion(code: &str) -> Json {
    let object = json!({ "id": "promo_1", "object": "promotion_code", "code": code, "active": true });
    event("evt_promo", "promotion_code.created", THEN - 1_000, object)
}

fn refund(id: &str, amount: i64, status: &str) -> Json {
    json!({
        "id": id, "object": "refund", "amount": amount, "currency": "usd", "charge": "ch_1", "payment_intent": "pi_1",
        "status": status, "created": THEN + 100,
    })
}

/// The commissions, the newest last: state, amount, and what was taken back.
async fn commissions(app: &TestApp) -> Vec<(String, i64)> {
    app.rows("SELECT state, amount FROM commissions ORDER BY id").await
}

async fn a_checkout_with_a_code_earns_its_referrer_a_commission(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    let paid = event("evt_1", "checkout.session.completed", THEN, checkout("amy@example.com", json!("promo_1")));
    app.told(&[promotion(&jane.code), paid.clone()]).await;
    assert_eq!(commissions(&app).await, [("pending".to_owned(), 2000)], "20 % of 100.00, without the tax");
    let lead: Vec<(String, Option<i64>, String, bool)> =
        app.rows("SELECT email, referrer_id, status, qualified_at IS NOT NULL FROM leads").await;
    assert_eq!(lead, [("amy@example.com".to_owned(), Some(jane.id), "converted".to_owned(), true)]);
    assert_eq!(app.number("SELECT refunded FROM payments").await, 0);
    let outcome = app.outcomes().await.pop().unwrap();
    assert_eq!(outcome.1, "done");
    assert!(outcome.2.contains("A payment of 100.00 USD was recorded; it earned 20.00 USD."), "{}", outcome.2);
    let again = app.stripe(&paid).await.is(200).json();
    assert_eq!(again["duplicate"], true);
    app.apply().await;
    assert_eq!(commissions(&app).await.len(), 1);
    app.arrange("UPDATE provider_messages SET state = 'new'").await;
    app.apply().await;
    assert_eq!(app.outcomes().await.pop().unwrap(), outcome, "applied again, it says what it came to");
    app.is_sound().await;
}

async fn a_payment_told_under_two_names_is_one(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    let mut session = checkout("amy@example.com", Json::Null);
    session["mode"] = json!("subscription");
    session["invoice"] = json!("in_1");
    session["payment_intent"] = Json::Null;
    session["client_reference_id"] = json!(jane.code);
    let invoice = json!({
        "id": "in_1", "object": "invoice", "customer": "cus_1", "customer_email": "amy@example.com", "currency": "usd",
        "amount_paid": 11900, "total": 11900, "total_excluding_tax": 10000, "billing_reason": "subscription_create",
        "discounts": ["di_1"], "status_transitions": { "paid_at": THEN },
    });
    let linked = json!({
        "id": "inpay_1", "object": "invoice_payment", "invoice": "in_1", "amount_paid": 11900, "currency": "usd",
        "payment": { "type": "payment_intent", "payment_intent": "pi_1" }, "status": "paid",
    });
    app.told(&[
        event("evt_1", "invoice.paid", THEN, invoice),
        event("evt_2", "invoice_payment.paid", THEN, linked),
        event("evt_3", "checkout.session.completed", THEN, session),
    ])
    .await;
    assert_eq!(commissions(&app).await, [("pending".to_owned(), 2000)]);
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 1);
    // The refund names the intent alone, which only the payment of the invoice ties to it.
    app.told(&[event("evt_4", "refund.created", THEN + 100, refund("re_1", 5950, "succeeded"))]).await;
    assert_eq!(commissions(&app).await, [("pending".to_owned(), 1000)]);
    app.is_sound().await;
}

/// A live account, and a payment of 119.00 that Jane's code brought.
async fn paid_by_jane(app: &TestApp, terms: Option<LinkTerms>) {
    let jane = app.shop().referrer("Jane").await;
    app.connect(Provider::Stripe, SECRET, false, terms).await;
    let mut session = checkout("amy@example.com", Json::Null);
    session["metadata"] = json!({ "referral_code": jane.code });
    app.told(&[event("evt_1", "checkout.session.completed", THEN, session)]).await;
    assert_eq!(commissions(app).await, [("pending".to_owned(), 2000)]);
}

async fn amounts_that_disagree_are_for_a_person(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    let mut session = checkout("amy@example.com", Json::Null);
    session["mode"] = json!("subscription");
    session["invoice"] = json!("in_1");
    session["client_reference_id"] = json!(jane.code);
    let invoice = json!({
        "id": "in_1", "object": "invoice", "customer": "cus_1", "customer_email": "amy@example.com", "currency": "usd",
        "amount_paid": 9900, "total": 9900, "total_excluding_tax": 8000, "billing_reason": "subscription_create",
        "status_transitions": { "paid_at": THEN },
    });
    app.told(&[event("evt_1", "checkout.session.completed", THEN, session)]).await;
    app.told(&[event("evt_2", "invoice.paid", THEN, invoice)]).await;
    let last = app.outcomes().await.pop().unwrap();
    assert!(last.1 == "failed" && last.2.contains("recorded with 100.00 USD, and should be 80.00 USD"), "{last:?}");
    assert_eq!(commissions(&app).await, [("pending".to_owned(), 2000)]);
    // Later messages say what they bring, and nothing of it.
    app.told(&[event("evt_3", "refund.created", THEN + 100, refund("re_1", 990, "succeeded"))]).await;
    assert_eq!(app.number("SELECT count(*) FROM provider_messages WHERE state = 'failed'").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 1);
    app.is_sound().await;
}

async fn refunds_take_back_their_share(app: TestApp) {
    paid_by_jane(&app, None).await;
    app.told(&[event("evt_2", "refund.created", THEN + 100, refund("re_1", 3000, "pending"))]).await;
    assert_eq!(app.number("SELECT refunded FROM payments").await, 0, "nothing is given back yet");
    app.told(&[
        event("evt_3", "refund.updated", THEN + 101, refund("re_1", 3000, "succeeded")),
        event("evt_3b", "refund.updated", THEN + 101, refund("re_1", 3000, "succeeded")),
    ])
    .await;
    assert_eq!(app.number("SELECT refunded FROM payments").await, 2521, "30.00 of 119.00 are 25.21 of 100.00");
    // The charge's own sum says the same, and then all of it.
    let charge = |sum: i64| json!({ "id": "ch_1", "payment_intent": "pi_1", "amount": 11900, "amount_refunded": sum, "currency": "usd" });
    app.told(&[event("evt_4", "charge.refunded", THEN + 102, charge(3000))]).await;
    assert_eq!(app.number("SELECT count(*) FROM refunds").await, 1);
    app.told(&[event("evt_5", "charge.refunded", THEN + 103, charge(11900))]).await;
    assert_eq!(commissions(&app).await, [("void".to_owned(), 0)]);
    assert_eq!(app.number("SELECT refunded FROM payments").await, 10000);
    app.told(&[event("evt_6", "refund.created", THEN + 103, refund("re_2", 8900, "succeeded"))]).await;
    assert_eq!(app.number("SELECT count(*) FROM refunds").await, 2, "it was in the charge's sum");
    let failed: Vec<_> = app.outcomes().await.into_iter().filter(|(_, state, _)| state == "failed").collect();
    assert!(failed.is_empty(), "{failed:?}");
    app.is_sound().await;
}

async fn what_comes_first_waits_for_its_payment(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    app.told(&[event("evt_2", "refund.created", THEN + 100, refund("re_1", 11900, "succeeded"))]).await;
    assert_eq!(app.outcomes().await[0].1, "waiting");
    let ended = json!({ "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "canceled", "ended_at": THEN + 50 });
    app.told(&[event("evt_3", "customer.subscription.deleted", THEN + 50, ended)]).await;
    assert_eq!(app.outcomes().await[1].1, "waiting", "whose subscription is not known");
    let mut session = checkout("amy@example.com", Json::Null);
    session["client_reference_id"] = json!(jane.code);
    app.told(&[event("evt_1", "checkout.session.completed", THEN, session)]).await;
    assert_eq!(app.number("SELECT refunded FROM payments").await, 10000);
    assert_eq!(app.number("SELECT count(*) FROM commissions WHERE state = 'void'").await, 1);
    assert!(app.outcomes().await.iter().all(|(_, state, _)| state == "done"), "{:?}", app.outcomes().await);
    assert_eq!(app.number("SELECT count(*) FROM cancellations").await, 1);
    app.is_sound().await;
}

async fn a_dispute_holds_the_money_until_it_is_decided(app: TestApp) {
    paid_by_jane(&app, None).await;
    let dispute = |status: &str| {
        json!({ "id": "dp_1", "object": "dispute", "charge": "ch_1", "payment_intent": "pi_1", "amount": 11900,
                "currency": "usd", "status": status })
    };
    let disputed = "SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL";
    app.told(&[event("evt_2", "charge.dispute.created", THEN + 10, dispute("warning_needs_response"))]).await;
    assert_eq!(app.number(disputed).await, 0, "a question of the bank holds nothing");
    app.told(&[event("evt_3", "charge.dispute.updated", THEN + 20, dispute("needs_response"))]).await;
    assert_eq!(app.number(disputed).await, 1);
    app.told(&[event("evt_5", "charge.dispute.closed", THEN + 40, dispute("won"))]).await;
    assert_eq!(app.number(disputed).await, 0);
    app.told(&[event("evt_4", "charge.dispute.updated", THEN + 30, dispute("under_review"))]).await;
    assert_eq!(app.number(disputed).await, 0, "it came late, and the dispute is over");
    let mut second = dispute("lost");
    second["id"] = json!("dp_2");
    app.told(&[event("evt_6", "charge.dispute.closed", THEN + 50, second)]).await;
    assert_eq!(commissions(&app).await, [("void".to_owned(), 0)], "lost is refunded");
    app.is_sound().await;
}

async fn a_whole_refund_takes_the_qualification_back_where_that_is_wished(app: TestApp) {
    paid_by_jane(&app, Some(LinkTerms { unqualify_on_refund: true, ..app.usual_terms() })).await;
    let qualified = "SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL";
    app.told(&[event("evt_2", "refund.created", THEN + 10, refund("re_1", 100, "succeeded"))]).await;
    assert_eq!(app.number(qualified).await, 1);
    app.told(&[event("evt_3", "refund.created", THEN + 20, refund("re_2", 11800, "succeeded"))]).await;
    assert_eq!(app.number(qualified).await, 0);
}

async fn a_renewal_is_paid_by_whoever_referred(app: TestApp) {
    paid_by_jane(&app, None).await;
    let invoice = json!({
        "id": "in_2", "object": "invoice", "customer": "cus_1", "customer_email": null, "currency": "usd",
        "amount_paid": 5000, "total": 5000, "billing_reason": "subscription_cycle", "discounts": [],
        "status_transitions": { "paid_at": THEN + 3_600 },
    });
    app.told(&[event("evt_2", "invoice.paid", THEN + 3_600, invoice)]).await;
    assert_eq!(commissions(&app).await, [("pending".to_owned(), 2000), ("pending".to_owned(), 1000)]);
}

async fn a_customer_with_another_address_stays_the_lead(app: TestApp) {
    paid_by_jane(&app, None).await;
    let renewal = json!({
        "id": "in_2", "customer": "cus_1", "customer_email": "amy@new.example", "currency": "usd", "amount_paid": 11900,
        "total": 11900, "total_excluding_tax": 10000, "discounts": [], "billing_reason": "subscription_cycle",
        "status_transitions": { "paid_at": THEN + 86_400 },
    });
    app.told(&[event("evt_2", "invoice.paid", THEN + 86_400, renewal)]).await;
    let paid: Vec<(String, bool)> = app.rows("SELECT email, lead_id IS NOT NULL FROM payments ORDER BY id").await;
    assert_eq!(paid, [("amy@example.com".to_owned(), true), ("amy@example.com".to_owned(), true)]);
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 1);
    app.is_sound().await;
}

async fn nothing_is_taken_without_its_signature(app: TestApp) {
    let body = event("evt_1", "checkout.session.completed", THEN, checkout("amy@example.com", Json::Null)).to_string();
    let now = app.app.clock.now().seconds();
    let post = async |header: Option<String>| {
        let headers: Vec<(&str, &str)> = header.iter().map(|h| ("stripe-signature", h.as_str())).collect();
        app.deliver(Provider::Stripe, &body, &headers).await
    };
    let answer = post(Some(signed(&body, SECRET, now))).await.is(404).json();
    assert_eq!(answer["detail"], "No account of Stripe is connected to this business.");
    app.connect(Provider::Stripe, SECRET, false, None).await;
    for (header, words) in [
        (None, "Stripe-Signature is missing"),
        (Some("v1=00".to_owned()), "cannot be read"),
        (Some(signed(&body, "whsec_other", now)), "does not fit"),
        (Some(signed(&format!("{body} "), SECRET, now)), "does not fit"),
        (Some(signed(&body, SECRET, now - 301)), "too old"),
    ] {
        let answer = post(header).await.is(400);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json()["code"], "bad_signature");
        assert!(answer.json()["detail"].as_str().unwrap().contains(words), "{answer:?}");
    }
    assert_eq!(app.number("SELECT count(*) FROM provider_messages").await, 0);
    assert_eq!(app.number("SELECT count(*) FROM provider_accounts WHERE refused_at IS NOT NULL").await, 1);
    let two =
        format!("{},v1={}", signed(&body, "whsec_old", now), signed(&body, SECRET, now).split_once("v1=").unwrap().1);
    post(Some(two)).await.is(200);
    let large = "x".repeat(5 << 20);
    let header = signed(&large, SECRET, now);
    let refused = app.deliver(Provider::Stripe, &large, &[("stripe-signature", &header)]).await;
    assert_eq!(refused.is(413).json()["code"], "payload_too_large");
    // Nobody's body says nothing; one with a signature may be a payment that is missing.
    app.arrange("UPDATE provider_accounts SET refused_at = NULL, refused_why = NULL").await;
    let noted = "SELECT count(*) FROM provider_accounts WHERE refused_why = 'It is larger than 512 kB.'";
    app.deliver(Provider::Stripe, &large, &[]).await.is(413);
    assert_eq!(app.number(noted).await, 0);
    app.deliver(Provider::Stripe, &large, &[("stripe-signature", &header)]).await.is(413);
    assert_eq!(app.number(noted).await, 1);
    let elsewhere = format!("/webhooks/stripe/{}x", app.business.public_id);
    app.request("POST", &elsewhere, &[], body.clone().into_bytes()).await.is(404);
    app.request("POST", &app.webhook(Provider::Stripe).replace("stripe", "bank"), &[], body.into_bytes()).await.is(404);
    app.request("GET", &app.webhook(Provider::Stripe), &[], Vec::new()).await.is(405);
}

async fn what_is_of_no_use_is_kept_and_ignored(app: TestApp) {
    app.connect(Provider::Stripe, SECRET, false, None).await;
    let mut other_mode = event("evt_1", "checkout.session.completed", THEN, checkout("amy@example.com", Json::Null));
    other_mode["livemode"] = json!(false);
    let unknown = event("evt_2", "product.created", THEN, json!({ "id": "prod_1" }));
    let mut strange = checkout("amy@example.com", Json::Null);
    strange["currency"] = json!("zzz");
    let strange = event("evt_3", "checkout.session.completed", THEN, strange);
    app.told(&[other_mode, unknown, strange]).await;
    let states: Vec<String> = app.outcomes().await.into_iter().map(|(_, state, _)| state).collect();
    assert_eq!(states, ["ignored", "ignored", "failed"]);
    assert!(app.outcomes().await[2].2.contains("Its currency zzz is not known."));
    app.sign_in().await;
    app.get("/").await.is(200).says("messages about payments to look at");
    let message = app.number("SELECT max(id) FROM provider_messages").await;
    let page = app.get(&format!("/provider-messages/{message}")).await.is(200);
    let page = page.says("Its currency zzz is not known.").says("needs a look");
    assert!(page.words().contains("checkout.session"), "it is shown as it came");
    app.get("/provider-messages?state=failed").await.is(200).says("checkout.session.completed");
    app.post_form(&format!("/provider-messages/{message}/apply"), &[]).await.is(303);
    app.apply().await;
    assert_eq!(app.outcomes().await[2].1, "failed", "it says the same again");
    let thin = json!({ "id": "evt_4", "object": "v2.core.event", "type": "v1.billing.meter", "created": "2026-06-18" });
    let refused = app.stripe(&thin).await.is(400).json();
    assert!(refused["detail"].as_str().unwrap().contains("thin event"), "{refused}");
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 0);
}

async fn what_people_decided_stays(app: TestApp) {
    paid_by_jane(&app, None).await;
    let payment = app.number("SELECT id FROM payments").await;
    let path = format!("/v1/payments/{}/dispute", refdesk::id::render(refdesk::id::Kind::Payment, payment));
    app.api_post(&path, json!({ "reason": "the bank called" })).await.is(200);
    let lead = app.number("SELECT id FROM leads").await;
    app.shop().send(Qualify { lead_id: lead.into(), qualified: false, reason: Some("fraud".into()) }).await;
    let tie = json!({ "invoice": "in_1", "payment": { "type": "payment_intent", "payment_intent": "pi_1" } });
    let code = app.rows::<(String,)>("SELECT text FROM codes").await.remove(0).0;
    let invoice = |id: &str| {
        json!({
            "id": id, "customer": "cus_1", "customer_email": "amy@example.com", "currency": "usd", "amount_paid": 11900,
            "total": 11900, "total_excluding_tax": 10000, "discounts": [], "metadata": { "referral_code": code },
            "status_transitions": { "paid_at": THEN },
        })
    };
    app.told(&[
        event("evt_2", "invoice_payment.paid", THEN, tie),
        event("evt_3", "invoice.paid", THEN, invoice("in_1")),
        event("evt_4", "invoice.paid", THEN, invoice("in_2")),
    ])
    .await;
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 2, "the renewal is another payment");
    assert_eq!(app.number("SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await, 0);
    app.is_sound().await;
}

async fn a_refund_that_fails_gives_back_what_it_took(app: TestApp) {
    paid_by_jane(&app, None).await;
    let refunded = "SELECT refunded FROM payments";
    app.told(&[event("evt_2", "refund.created", THEN + 10, refund("re_1", 5950, "succeeded"))]).await;
    assert_eq!(commissions(&app).await, [("pending".to_owned(), 1000)]);
    app.told(&[event("evt_3", "refund.failed", THEN + 20, refund("re_1", 5950, "failed"))]).await;
    let last = app.outcomes().await.pop().unwrap();
    assert!(last.1 == "done" && last.2.contains("50.00 USD is yours again"), "{last:?}");
    assert_eq!(commissions(&app).await, [("pending".to_owned(), 2000)]);
    assert_eq!(app.number(refunded).await, 0);
    // The whole: what was voided stands again.
    app.told(&[event("evt_4", "refund.created", THEN + 30, refund("re_2", 11900, "succeeded"))]).await;
    assert_eq!(commissions(&app).await, [("void".to_owned(), 0)]);
    app.told(&[event("evt_5", "refund.failed", THEN + 40, refund("re_2", 11900, "failed"))]).await;
    assert_eq!(commissions(&app).await, [("pending".to_owned(), 2000)]);
    let rows: Vec<(i64,)> = app.rows("SELECT amount FROM refunds ORDER BY id").await;
    assert_eq!(rows, [(5000,), (-5000,), (10000,), (-10000,)]);
    app.is_sound().await;
}

async fn what_staff_gave_back_stays_when_a_refund_fails(app: TestApp) {
    paid_by_jane(&app, None).await;
    let day = app.rows::<(String,)>("SELECT payment_date FROM payments").await.remove(0).0;
    app.shop().refund("amy@example.com", refdesk::clock::Day::parse(&day).unwrap(), Some("20.00")).await;
    app.told(&[event("evt_2", "refund.created", THEN + 10, refund("re_1", 5950, "succeeded"))]).await;
    assert_eq!(app.number("SELECT refunded FROM payments").await, 5000, "the sum that Stripe says, with staff's part");
    app.told(&[event("evt_3", "refund.failed", THEN + 20, refund("re_1", 5950, "failed"))]).await;
    assert_eq!(app.number("SELECT refunded FROM payments").await, 2000);
    assert_eq!(commissions(&app).await, [("pending".to_owned(), 1600)]);
    app.is_sound().await;
}

async fn a_failed_refund_that_staff_recorded_is_for_a_person(app: TestApp) {
    paid_by_jane(&app, Some(LinkTerms { unqualify_on_refund: true, ..app.usual_terms() })).await;
    let day = app.rows::<(String,)>("SELECT payment_date FROM payments").await.remove(0).0;
    app.shop().refund("amy@example.com", refdesk::clock::Day::parse(&day).unwrap(), Some("50.00")).await;
    app.told(&[event("evt_2", "refund.created", THEN + 10, refund("re_1", 5950, "succeeded"))]).await;
    app.told(&[event("evt_3", "refund.failed", THEN + 20, refund("re_1", 5950, "failed"))]).await;
    let last = app.outcomes().await.pop().unwrap();
    assert!(last.1 == "failed" && last.2.contains("50.00 USD came back that was given back by a call"), "{last:?}");
    assert_eq!(app.number("SELECT refunded FROM payments").await, 5000);
    // A whole refund that Stripe told took the qualification, and its failure says that it stays taken.
    app.told(&[event("evt_4", "refund.created", THEN + 30, refund("re_2", 11900, "succeeded"))]).await;
    app.told(&[event("evt_5", "refund.failed", THEN + 40, refund("re_2", 11900, "failed"))]).await;
    let last = app.outcomes().await.pop().unwrap();
    assert!(last.2.contains("The lead stays not qualified"), "{last:?}");
    app.is_sound().await;
}

async fn money_that_comes_back_after_the_payout_is_for_a_person(app: TestApp) {
    paid_by_jane(&app, None).await;
    app.clock.advance_days(20);
    while refdesk::sweep::run(&app.app).await.unwrap() {}
    app.shop().pay_out("USD").await;
    app.told(&[event("evt_2", "refund.created", THEN + 10, refund("re_1", 5950, "succeeded"))]).await;
    app.told(&[event("evt_3", "refund.failed", THEN + 20, refund("re_1", 5950, "failed"))]).await;
    let last = app.outcomes().await.pop().unwrap();
    assert!(last.1 == "failed" && last.2.contains("give back by an adjustment"), "{last:?}");
    assert_eq!(app.number("SELECT refunded FROM payments").await, 5000);
    // A person sets it aside; later messages of the payment say nothing of it.
    app.sign_in().await;
    let looked = app.get("/provider-messages?state=failed").await.is(200);
    let message = looked.attr("table.list tbody a", "href").to_owned();
    app.get(&message).await.is(200).says("Nothing to do");
    let done = app.post_form(&format!("{message}/dismiss"), &[]).await.follow().await.is(200);
    done.says("It was set aside.").says("looked at it: nothing to do.");
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'provider.dismissed'").await, 1);
    app.post_form(&format!("{message}/dismiss"), &[]).await.follow().await.says("It needs no look");
    app.told(&[event("evt_4", "refund.created", THEN + 30, refund("re_2", 1190, "succeeded"))]).await;
    assert_eq!(app.number("SELECT count(*) FROM provider_messages WHERE state = 'failed'").await, 0);
    app.is_sound().await;
}

async fn a_refund_in_another_currency_is_for_a_person(app: TestApp) {
    paid_by_jane(&app, None).await;
    let mut other = refund("re_2", 1000, "succeeded");
    other["currency"] = json!("eur");
    app.told(&[event("evt_4", "refund.created", THEN + 30, other)]).await;
    let last = app.outcomes().await.pop().unwrap();
    assert!(last.1 == "failed" && last.2.contains("another currency"), "{last:?}");
    assert_eq!(app.number("SELECT refunded FROM payments").await, 0);
    app.is_sound().await;
}

async fn hostile_ids_stop_nobody_s_payments(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    let mut hostile = checkout("eve@example.com", Json::Null);
    hostile["id"] = json!("cs_\u{0}");
    hostile["client_secret"] = json!("cs_secret_of_a_browser");
    hostile["discounts"] = json!(["\u{0}", "x".repeat(5_000), "di_1", 7, null, { "id": ["y"] }]);
    hostile["metadata"] = json!({ "referral_code": "\u{0}\u{202e}" });
    let mut deep = checkout("eve@example.com", Json::Null);
    deep["amount_total"] = json!(1e40);
    let mut session = checkout("amy@example.com", Json::Null);
    session["client_reference_id"] = json!(jane.code);
    app.told(&[
        event("evt_1", "checkout.session.completed", THEN, hostile),
        event("evt_2", "checkout.session.completed", THEN, deep),
        event("evt_3", "checkout.session.completed", THEN, session),
    ])
    .await;
    let states: Vec<String> = app.outcomes().await.into_iter().map(|(_, state, _)| state).collect();
    assert_eq!(states, ["done", "failed", "done"], "{:?}", app.outcomes().await);
    assert_eq!(commissions(&app).await.last().unwrap().1, 2000);
    let kept = "SELECT count(*) FROM provider_messages WHERE body LIKE '%secret_of_a_browser%'";
    assert_eq!(app.number(kept).await, 0, "what a browser pays with is not stored");
}

async fn a_secret_of_both_modes_tells_them_apart(app: TestApp) {
    app.connect(Provider::Stripe, SECRET, true, None).await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    let live = event("evt_1", "checkout.session.completed", THEN, checkout("amy@example.com", Json::Null));
    let mut test = event("evt_2", "checkout.session.completed", THEN, checkout("eve@example.com", Json::Null));
    test["livemode"] = json!(false);
    app.told(&[live, test]).await;
    let modes: Vec<(String, bool)> = app.rows("SELECT email, test FROM payments ORDER BY email").await;
    assert_eq!(modes, [("amy@example.com".to_owned(), false), ("eve@example.com".to_owned(), true)]);
}
