//! Payments of a past period: what a dry run says, what the import records, and runs that are cut.

use refdesk::jobs::{self, Kinds};
use refdesk::providers::apply;
use refdesk::providers::store::runs::{NewRun, RunKind};
use refdesk::providers::stripe::runs::{self, HistoryCounts};
use serde_json::{Value as Json, json};

use super::fake::{Fake, LIVE_KEY};
use super::sync::connected;
use super::{THEN, event};
use crate::on_both_databases;
use crate::support::{TestApp, actor};

on_both_databases! {
    a_past_period_is_looked_at_and_imported,
    an_import_that_was_cut_goes_on_and_two_nodes_double_nothing,
    a_first_day_is_checked,
}

const DAY: i64 = 86_400;
/// 2026-03-20, ninety days before [`THEN`].
const FIRST: i64 = THEN - 90 * DAY;

fn invoice(n: i64, paid_at: i64) -> Json {
    json!({
        "id": format!("in_{n}"), "object": "invoice", "customer": "cus_1", "customer_email": "amy@example.com",
        "currency": "usd", "amount_paid": 11900, "total": 11900, "total_excluding_tax": 10000, "created": paid_at - 3_600,
        "discounts": [{ "id": "di_plain", "promotion_code": null }], "status_transitions": { "paid_at": paid_at },
        "payments": { "data": [{ "payment": { "type": "payment_intent", "payment_intent": format!("pi_1{n}") } }] },
    })
}

fn session(n: i64, email: &str, paid_at: i64) -> Json {
    json!({
        "id": format!("cs_{n}"), "object": "checkout.session", "mode": "payment", "payment_status": "paid",
        "status": "complete", "amount_total": 5000, "currency": "usd", "customer": null, "created": paid_at - 600,
        "customer_details": { "email": email, "name": "Bob" }, "invoice": null, "discounts": [], "metadata": {},
        "payment_intent": { "id": format!("pi_2{n}"), "latest_charge": { "id": format!("ch_2{n}"), "created": paid_at } },
        "total_details": { "amount_tax": 0, "amount_shipping": 0 },
    })
}

/// A subscription that Jane's code brought, with two renewals, one of them half refunded; and what counts for nothing.
fn fill(fake: &Fake, code: &str) {
    let mut first = session(1, "amy@example.com", FIRST);
    first["mode"] = json!("subscription");
    first["amount_total"] = json!(11900);
    first["total_details"]["amount_tax"] = json!(1900);
    first["customer"] = json!("cus_1");
    first["payment_intent"] = Json::Null;
    first["invoice"] = json!({ "id": "in_1", "status_transitions": { "paid_at": FIRST } });
    first["discounts"] = json!([{ "coupon": "co_1", "promotion_code": "promo_1" }]);
    let mut unpaid = session(3, "eve@example.com", FIRST + DAY);
    unpaid["payment_status"] = json!("unpaid");
    let refund = |id: &str, intent: &str| {
        json!({
            "id": id, "object": "refund", "amount": 5950, "currency": "usd", "charge": null, "payment_intent": intent,
            "status": "succeeded", "created": FIRST + 40 * DAY,
        })
    };
    // An invoice names its customer by the id alone.
    let mut nameless = invoice(4, FIRST + 10 * DAY);
    (nameless["customer"], nameless["customer_email"]) = (json!("cus_4"), Json::Null);
    fake.with(|world| {
        world.codes.insert("promo_1".into(), json!({ "id": "promo_1", "code": code, "active": true }));
        world.objects.insert("cus_4".into(), json!({ "id": "cus_4", "email": "may@example.com", "name": "May" }));
        world.lists.insert("checkout/sessions", vec![unpaid, session(2, "bob@example.com", FIRST + 5 * DAY), first]);
        let invoices = [(3, 60), (2, 30), (1, 0)].map(|(n, days)| invoice(n, FIRST + days * DAY));
        let mut invoices = invoices.to_vec();
        invoices.insert(2, nameless);
        invoices.push(invoice(0, FIRST - 20 * DAY));
        world.lists.insert("invoices", invoices);
        world.lists.insert("refunds", vec![refund("re_1", "pi_12"), refund("re_2", "pi_elsewhere")]);
    });
}

fn import(app: &TestApp, account_id: i64) -> NewRun {
    NewRun {
        business_id: app.business.id,
        account_id,
        campaign_id: app.business.campaign_id,
        kind: RunKind::History,
        asks: true,
        daily: false,
        since: Some((FIRST - 3_600) * 1_000_000),
    }
}

async fn counts(app: &TestApp) -> HistoryCounts {
    let (text,) = app.rows::<(String,)>("SELECT counts FROM provider_runs ORDER BY id DESC LIMIT 1").await.remove(0);
    serde_json::from_str(&text).unwrap()
}

async fn a_past_period_is_looked_at_and_imported(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    fill(&fake, &jane.code);
    app.sign_in().await;
    let place = format!("/campaigns/{}/payments/accounts/{account}/history", app.business.campaign_id);
    app.get(&place).await.is(200).says("the day on which it was paid");
    let preview = Box::pin(app.with_jobs(app.post_form(&place, &[("from", "2026-03-20")]))).await;
    let run = preview.header("location").split('?').next().unwrap().to_owned();
    let seen = app.get(&run).await.is(200).says("5 payments would be recorded").says("450.00 USD");
    let seen = seen.says("Paid before that day, or not paid.").says("payments from before that day");
    let found = counts(&app).await.foreseen;
    assert_eq!((found.payments, found.with_code, found.of_lead, found.leads, found.refunds), (5, 1, 3, 1, 1));
    assert!(found.reasons.is_empty(), "{found:?}");
    assert!(found.earning >= 1 && found.commissions["USD"] > 0, "{found:?}");
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 0, "nothing is recorded yet");
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 0);
    let button = seen.texts("button.primary");
    assert_eq!(button, ["Import 7 messages"]);
    Box::pin(app.with_jobs(app.post_form(&format!("{run}/go"), &[]))).await.is(303);
    app.apply().await;
    app.get(&run).await.is(200).says("7 messages imported");
    let paid: Vec<(String, String, i64, i64)> =
        app.rows("SELECT email, payment_date, amount, refunded FROM payments ORDER BY payment_date, email").await;
    let paid: Vec<(&str, &str, i64, i64)> = paid.iter().map(|(e, d, a, r)| (e.as_str(), d.as_str(), *a, *r)).collect();
    let wanted = [
        ("amy@example.com", "2026-03-20", 10_000, 0),
        ("bob@example.com", "2026-03-25", 5_000, 0),
        ("may@example.com", "2026-03-30", 10_000, 0),
        ("amy@example.com", "2026-04-19", 10_000, 5_000),
        ("amy@example.com", "2026-05-19", 10_000, 0),
    ];
    assert_eq!(paid, wanted);
    let earned = "SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM commissions WHERE state <> 'void'";
    assert_eq!(app.number(earned).await, found.commissions["USD"], "as the dry run said");
    let holds: Vec<(String,)> = app.rows("SELECT hold_until FROM commissions ORDER BY hold_until LIMIT 1").await;
    assert!(holds[0].0.as_str() < "2026-06-01", "the hold runs from the day of the payment: {holds:?}");
    assert_eq!(app.number(&format!("SELECT count(*) FROM leads WHERE referrer_id = {}", jane.id)).await, 1);
    app.is_sound().await;
    // The same payment by a message, and the same period again, are nothing new.
    let mut late = event("evt_9", "invoice.paid", FIRST + 60 * DAY, invoice(3, FIRST + 60 * DAY));
    late["livemode"] = json!(true);
    let body = late.to_string();
    let header = super::signed(&body, "whsec_made_by_stripe", app.app.clock.now().seconds());
    app.deliver(refdesk::providers::Provider::Stripe, &body, &[("stripe-signature", &header)]).await.is(200);
    app.apply().await;
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 5);
    let again = Box::pin(app.with_jobs(app.post_form(&place, &[("from", "2026-03-20")]))).await;
    let again = again.header("location").split('?').next().unwrap().to_owned();
    app.get(&again).await.is(200).says("0 payments would be recorded").says("Stored by an earlier import.");
    app.post_form(&format!("{again}/discard"), &[]).await.follow().await.is(200).says("was thrown away");
}

async fn an_import_that_was_cut_goes_on_and_two_nodes_double_nothing(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    let sessions: Vec<Json> = (1..=260)
        .rev()
        .map(|n| {
            let mut one = session(n, &format!("customer{}@example.com", n % 90), FIRST + n * 600);
            one["client_reference_id"] = if n <= 90 { json!(jane.code) } else { Json::Null };
            one
        })
        .collect();
    fake.with(|world| {
        world.lists.insert("checkout/sessions", sessions);
        world.pages = Some(2);
    });
    let asked = runs::start(&app.app, &actor(), import(&app, account)).await.unwrap().unwrap();
    app.run_jobs().await;
    assert_eq!(app.number("SELECT count(*) FROM provider_staged").await, 200);
    fake.with(|world| world.pages = None);
    app.arrange("UPDATE provider_runs SET again_at = 0 WHERE again_at IS NOT NULL").await;
    runs::run_due(&app.app).await.unwrap();
    app.arrange("UPDATE jobs SET state = 'running', claim = 1 WHERE state = 'queued'").await;
    app.run_jobs().await;
    let found = counts(&app).await.foreseen;
    assert_eq!((found.payments, found.of_lead, found.leads), (260, 260, 90), "{found:?}");
    let base = app.app.config.stripe_api.clone();
    let other = app.with_stripe(&base).await;
    let kinds = || Kinds::new().with(runs::KIND, runs::step);
    let mut here = jobs::start(&app.app, kinds(), Default::default());
    let mut there = jobs::start(&other.app, kinds(), Default::default());
    runs::go_on(&app.app, &actor(), app.business.id, asked.run_id).await.unwrap().unwrap();
    // One of the nodes stops in the middle; both apply what is there.
    for n in 0..600 {
        let (one, two) = tokio::join!(apply::run(&app.app), apply::run(&other.app));
        one.unwrap();
        two.unwrap();
        if n == 3 {
            app.app.stop.cancel();
            while here.join_next().await.is_some() {}
        }
        if app.number("SELECT count(*) FROM provider_runs WHERE state = 'done'").await == 1 && n > 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    while apply::run(&other.app).await.unwrap() {}
    other.app.stop.cancel();
    while there.join_next().await.is_some() {}
    assert_eq!(app.number("SELECT count(*) FROM provider_messages WHERE identity LIKE 'had:%'").await, 260);
    assert_eq!(app.number("SELECT count(*) FROM provider_staged").await, 0);
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 260);
    let earned = "SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM commissions WHERE state <> 'void'";
    assert_eq!(app.number(earned).await, found.commissions["USD"], "as the dry run said");
    app.is_sound().await;
}

async fn a_first_day_is_checked(app: TestApp) {
    let (app, _, account) = connected(&app, LIVE_KEY).await;
    app.sign_in().await;
    let place = format!("/campaigns/{}/payments/accounts/{account}/history", app.business.campaign_id);
    app.post_form(&place, &[("from", "2026-06-21")]).await.is(422).says("is in the future");
    app.post_form(&place, &[("from", "2023-01-01")]).await.is(422).says("more than two years ago");
    app.post_form(&place, &[("from", "soon")]).await.is(422).says("is not understood");
    assert_eq!(app.number("SELECT count(*) FROM provider_runs").await, 0);
}
