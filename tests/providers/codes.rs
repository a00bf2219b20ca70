//! Stripe's API: connecting by a key, codes with a discount, and events that were missed.

use refdesk::providers::accounts;
use refdesk::providers::stripe::connect::{ByKey, NotConnected, by_key};
use refdesk::providers::stripe::{ask, catch_up, codes};
use serde_json::{Value as Json, json};

use super::fake::Fake;
use super::{THEN, checkout, event};
use crate::on_both_databases;
use crate::support::{TestApp, actor};

on_both_databases! {
    an_account_is_connected_by_its_key,
    staff_connect_it_on_two_pages,
    each_code_of_the_campaign_is_made_at_stripe,
    codes_follow_renames_and_other_rules,
    no_code_is_made_twice_when_answers_are_lost,
    a_code_of_somebody_else_is_reported,
    what_was_missed_is_caught_up_with,
    what_a_message_does_not_say_is_asked,
}

const KEY: &str = "rk_test_0123456789abcdef";

async fn connect(app: &TestApp, key: &str, webhook_secret: Option<&str>) -> Result<i64, NotConnected> {
    let new = ByKey {
        business_id: app.business.id,
        business: app.business.public_id.clone(),
        campaign_id: app.business.campaign_id,
        key: key.into(),
        webhook_secret: webhook_secret.map(str::to_owned),
        terms: None,
    };
    by_key(&app.app, &actor(), new).await.unwrap().map(|done| done.account_id)
}

/// A server with a Stripe of our own that is connected in test mode.
async fn connected(app: &TestApp) -> (TestApp, Fake, i64) {
    let (fake, base) = Fake::start().await;
    let app = app.with_stripe(&base).await;
    let account = connect(&app, KEY, None).await.unwrap();
    (app, fake, account)
}

async fn an_account_is_connected_by_its_key(app: TestApp) {
    let (fake, base) = Fake::start().await;
    let app = app.with_stripe(&base).await;
    assert!(matches!(connect(&app, "pk_live_1", None).await, Err(NotConnected::Key(_))));
    let unknown = connect(&app, "rk_live_0123456789abcdef", None).await.unwrap_err();
    assert!(unknown.to_string().contains("Stripe does not know this key"), "{unknown}");
    fake.with(|world| world.lacking = vec!["rak_webhook_write"]);
    let lacking = connect(&app, KEY, None).await.unwrap_err();
    assert!(lacking.to_string().contains("lacks the right rak_webhook_write"), "{lacking}");
    assert_eq!(app.number("SELECT count(*) FROM provider_accounts").await, 0);
    fake.with(|world| world.lacking = vec!["rak_accounts_kyc_basic_read"]);
    connect(&app, KEY, None).await.unwrap();
    let account: Vec<(String, String, bool, String)> =
        app.rows("SELECT account, masked, test, endpoint FROM provider_accounts").await;
    assert_eq!(account.len(), 1);
    assert_eq!((account[0].0.as_str(), account[0].1.as_str(), account[0].2), ("acct_1", "rk_test_…cdef", true));
    let endpoint = fake.with(|world| world.endpoints[0].clone());
    assert_eq!(endpoint["api_version"], "2026-10-28.endive");
    assert_eq!(endpoint["url"], json!(app.url(&format!("/webhooks/stripe/{}", app.business.public_id))));
    let stored = app.number(&format!("SELECT count(*) FROM provider_accounts WHERE sealed LIKE '%{KEY}%'")).await;
    assert_eq!(stored, 0, "the key is encrypted");
    // The same account again takes the new secrets and stays one.
    connect(&app, KEY, Some("whsec_by_hand")).await.unwrap();
    assert_eq!(app.number("SELECT count(*) FROM provider_accounts").await, 1);
}

async fn staff_connect_it_on_two_pages(app: TestApp) {
    let (_, base) = Fake::start().await;
    let app = app.with_stripe(&base).await;
    app.sign_in().await;
    let place = format!("/campaigns/{}/payments", app.business.campaign_id);
    app.get(&place).await.is(200).says("Connect an account");
    let ask = format!("{place}/connect/stripe");
    app.get(&ask).await.is(200).says("Restricted key");
    app.post_form(&ask, &[("api_key", "pk_test_1")]).await.is(422).says("publishable key");
    app.post_form(&ask, &[("api_key", "rk_live_1234")]).await.is(422).says("Stripe does not know this key");
    let seen = app.post_form(&ask, &[("api_key", KEY)]).await.is(200).says("Acme Shop");
    assert_eq!(app.number("SELECT count(*) FROM provider_accounts").await, 0, "nothing is stored yet");
    let (sealed, product) = (seen.field("sealed"), app.business.product_row.to_string());
    assert!(!sealed.contains(KEY));
    let fields = [
        ("sealed", sealed.as_str()),
        ("product", product.as_str()),
        ("qualify_on_code", "yes"),
        ("webhook_secret", ""),
    ];
    let done = app.post_form(&format!("{place}/confirm/stripe"), &fields).await.follow().await.is(200);
    let done = done.says("Stripe is connected").says("no message yet").says("Acme Shop");
    assert!(!done.words().contains(KEY));
    let account = app.number("SELECT id FROM provider_accounts").await;
    app.get(&format!("{place}/accounts/{account}")).await.is(200);
    let codes = format!("{place}/accounts/{account}/codes");
    app.get(&codes).await.is(200).says("Eligible for first-time order only");
    let fields = [
        ("off", "percent"),
        ("percent", "10"),
        ("duration", "once"),
        ("name", "Refer a friend"),
        ("first_order", "yes"),
    ];
    app.post_form(&codes, &fields).await.follow().await.is(200).says("10 % off, once");
    app.post_form(&format!("{place}/accounts/{account}/disconnect"), &[]).await.follow().await.says("is disconnected");
    app.get("/provider-messages").await.is(200).says("No message yet");
}

/// Gives the codes of the campaign a discount.
async fn discount(app: &TestApp, account: i64, fields: &[(&str, &str)]) {
    let place = format!("/campaigns/{}/payments/accounts/{account}/codes", app.business.campaign_id);
    let mut all =
        vec![("off", "percent"), ("percent", "10"), ("duration", "once"), ("name", "Friends"), ("replace", "yes")];
    all.retain(|(name, _)| !fields.iter().any(|(other, _)| other == name));
    all.extend(fields);
    app.get(&place).await.is(200);
    app.post_form(&place, &all).await.is(303);
}

async fn run(app: &TestApp) {
    while codes::run(&app.app).await.unwrap() {}
}

async fn each_code_of_the_campaign_is_made_at_stripe(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    let (app, fake, account) = connected(&app).await;
    app.sign_in().await;
    assert!(!codes::is_due(&app.app).await.unwrap(), "no discount, no codes");
    let rules = [
        ("first_order", "yes"),
        ("most_uses", "5"),
        ("last_day", "2026-12-31"),
        ("least", "50"),
        ("least_currency", "USD"),
    ];
    discount(&app, account, &rules).await;
    assert!(codes::is_due(&app.app).await.unwrap());
    run(&app).await;
    assert_eq!(fake.active().join(" "), jane.code);
    let code = fake.with(|world| world.codes.values().next().cloned().unwrap());
    assert_eq!(code["max_redemptions"], "5");
    assert_eq!(code["expires_at"], "1798761600", "the end of the last day");
    assert_eq!(code["restrictions"], json!({ "first_time_transaction": "true", "minimum_amount": "5000" }));
    assert!(!codes::is_due(&app.app).await.unwrap(), "all is done");
    let amy = app.shop().referrer("Amy").await;
    assert!(codes::is_due(&app.app).await.unwrap(), "a new code is made by itself");
    run(&app).await;
    let mut both = vec![jane.code.clone(), amy.code];
    both.sort();
    assert_eq!(fake.active(), both);
    // A checkout names the promotion code by its id alone.
    let mut paid = event("evt_1", "checkout.session.completed", THEN, checkout("bob@example.com", code["id"].clone()));
    paid["livemode"] = json!(false);
    let body = paid.to_string();
    let header = super::signed(&body, "whsec_made_by_stripe", app.app.clock.now().seconds());
    app.deliver(refdesk::providers::Provider::Stripe, &body, &[("stripe-signature", &header)]).await.is(200);
    app.apply().await;
    assert_eq!(app.number(&format!("SELECT count(*) FROM leads WHERE referrer_id = {} AND test", jane.id)).await, 1);
}

async fn codes_follow_renames_and_other_rules(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    let (app, fake, account) = connected(&app).await;
    app.sign_in().await;
    discount(&app, account, &[]).await;
    run(&app).await;
    let renamed = app.api_post(&format!("/v1/referrers/{}/codes", jane.id), json!({ "text": "JANE-2026" })).await;
    assert!(renamed.status < 300, "{}", renamed.status);
    run(&app).await;
    assert_eq!(fake.active(), ["JANE-2026"], "the old text ended");
    let place = format!("/campaigns/{}/payments/accounts/{account}/codes", app.business.campaign_id);
    let fields = [("off", "kept"), ("duration", "once"), ("name", "Friends"), ("most_uses", "1")];
    app.post_form(&place, &fields).await.is(200).says("cannot be edited").says("Replace 1 codes");
    assert_eq!(fake.with(|world| world.codes.len()), 2, "nothing was replaced yet");
    discount(&app, account, &[("off", "kept"), ("most_uses", "1")]).await;
    run(&app).await;
    run(&app).await;
    assert_eq!(fake.active(), ["JANE-2026"]);
    let newest = fake.with(|world| world.codes.values().find(|code| code["active"] == true).cloned().unwrap());
    assert_eq!(newest["max_redemptions"], "1");
}

async fn no_code_is_made_twice_when_answers_are_lost(app: TestApp) {
    for n in 0..30 {
        app.shop().referrer(&format!("Referrer {n}")).await;
    }
    let (app, fake, account) = connected(&app).await;
    app.sign_in().await;
    discount(&app, account, &[]).await;
    fake.with(|world| world.lost_answers = 7);
    for _ in 0..4 {
        run(&app).await;
        // What failed is tried again in a while.
        app.arrange("UPDATE provider_codes SET next_at = 0").await;
    }
    assert_eq!(fake.active().len(), 30);
    assert_eq!(fake.with(|world| world.codes.len()), 30, "each once");
    assert_eq!(app.number("SELECT count(*) FROM provider_codes WHERE state = 'made'").await, 30);
}

async fn a_code_of_somebody_else_is_reported(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    let (app, fake, account) = connected(&app).await;
    app.sign_in().await;
    let theirs = json!({ "id": "promo_x", "code": jane.code, "active": true, "metadata": {} });
    fake.with(|world| world.codes.insert("promo_x".into(), theirs));
    discount(&app, account, &[]).await;
    run(&app).await;
    let place = format!("/campaigns/{}/payments/accounts/{account}/codes", app.business.campaign_id);
    app.get(&place).await.is(200).says("1 refused by Stripe").says("which Refdesk did not make (promo_x)");
    fake.with(|world| world.codes.clear());
    app.post_form(&format!("{place}/again"), &[]).await.is(303);
    run(&app).await;
    assert_eq!(fake.active(), [jane.code]);
}

async fn what_was_missed_is_caught_up_with(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    let (app, fake, account) = connected(&app).await;
    let missed = |n: i64| -> Json {
        let mut session = checkout(&format!("amy{n}@example.com"), Json::Null);
        session["id"] = json!(format!("cs_{n}"));
        session["payment_intent"] = json!(format!("pi_{n}"));
        session["metadata"] = json!({ "referral_code": jane.code });
        let mut event = event(&format!("evt_{n}"), "checkout.session.completed", THEN + 180_000 + n, session);
        event["livemode"] = json!(false);
        event
    };
    fake.with(|world| world.events = (0..230).rev().map(missed).collect());
    let accounts = accounts::of(&mut app.app.db.read().await.unwrap(), app.business.id).await.unwrap();
    let found = accounts.iter().find(|found| found.row.id == account).unwrap();
    assert_eq!(catch_up::look(&app.app, found).await.unwrap(), Ok(230));
    assert_eq!(catch_up::look(&app.app, found).await.unwrap(), Ok(0), "nothing comes twice");
    app.apply().await;
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 230);
    fake.with(|world| world.lacking = vec![]);
    assert_eq!(app.number("SELECT count(*) FROM provider_accounts WHERE caught_up_at IS NULL").await, 0);
}

async fn what_a_message_does_not_say_is_asked(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    let (app, fake, _) = connected(&app).await;
    let deliver = async |id: &str, kind: &str, object: Json| {
        let mut event = event(id, kind, THEN, object);
        event["livemode"] = json!(false);
        let body = event.to_string();
        let header = super::signed(&body, "whsec_made_by_stripe", app.app.clock.now().seconds());
        app.deliver(refdesk::providers::Provider::Stripe, &body, &[("stripe-signature", &header)]).await.is(200);
        app.apply().await;
    };
    // An invoice names its customer and its discount by ids, and a refund names the intent alone.
    let invoice = json!({
        "id": "in_1", "customer": "cus_1", "customer_email": null, "currency": "usd", "amount_paid": 10000,
        "total": 10000, "discounts": ["di_1"], "status_transitions": { "paid_at": THEN },
    });
    let mut whole = invoice.clone();
    whole["discounts"] = json!([{ "id": "di_1", "promotion_code": "promo_old" }]);
    fake.with(|world| {
        world.codes.insert("promo_old".into(), json!({ "id": "promo_old", "code": jane.code, "active": true }));
        world.objects.insert("cus_1".into(), json!({ "id": "cus_1", "email": "amy@example.com", "name": "Amy" }));
        world.objects.insert("in_1".into(), whole);
        let tie = json!({ "id": "inpay_1", "invoice": "in_1", "payment": { "payment_intent": "pi_1" } });
        world.objects.insert("inpay_1".into(), tie);
    });
    let refund = json!({
        "id": "re_1", "amount": 4000, "currency": "usd", "charge": "ch_1", "payment_intent": "pi_1", "status": "succeeded",
    });
    deliver("evt_1", "refund.created", refund).await;
    deliver("evt_2", "invoice.paid", invoice).await;
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 0, "whose payment it is, is not known");
    for _ in 0..4 {
        assert!(!ask::run(&app.app).await.unwrap());
        app.apply().await;
    }
    let found: Vec<(String, i64, i64, Option<i64>)> = app
        .rows("SELECT p.email, p.amount, p.refunded, l.referrer_id FROM payments p JOIN leads l ON l.id = p.lead_id")
        .await;
    assert_eq!(found, [("amy@example.com".to_owned(), 10_000, 4_000, Some(jane.id))]);
    assert!(!ask::is_due(&app.app).await.unwrap(), "each is asked for once");
    // What Stripe does not know is not asked for again.
    let ended = json!({ "id": "sub_9", "customer": "cus_9", "status": "canceled", "ended_at": THEN });
    deliver("evt_3", "customer.subscription.deleted", ended).await;
    assert!(ask::is_due(&app.app).await.unwrap());
    ask::run(&app.app).await.unwrap();
    assert!(!ask::is_due(&app.app).await.unwrap());
    let asked = fake.with(|world| world.calls.iter().filter(|(_, path, _)| path == "/v1/customers/cus_9").count());
    assert_eq!(asked, 1);
}
