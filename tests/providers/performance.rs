//! The figures of the codes of a campaign, a test checkout that is watched, and the reasons for a code that is not made.

use refdesk::figures;
use refdesk::providers::Provider;
use refdesk::providers::store::uses;
use refdesk::providers::stripe::codes;
use refdesk::providers::stripe::connect::{ByKey, by_key};
use serde_json::{Value as Json, json};

use super::fake::Fake;
use super::{SECRET, THEN, checkout, event, signed};
use crate::on_both_databases;
use crate::support::{Answer, TestApp, actor};

on_both_databases! {
    the_figures_are_of_what_came_by_codes,
    a_payment_told_by_many_messages_is_one_use,
    a_use_is_a_live_payment_and_only_so_many_are_counted,
    a_commission_is_shown_without_what_was_taken_back,
    a_test_checkout_is_followed_to_its_refund,
    a_refund_that_failed_is_said_in_words,
    a_referrer_s_row_says_why_no_code_was_made,
}

fn place(app: &TestApp, page: &str) -> String {
    format!("/campaigns/{}/payments/{page}", app.business.campaign_id)
}

/// A paid checkout whose shop names a referral code.
pub fn bought(n: u8, email: &str, code: &str) -> Json {
    let mut session = checkout(email, Json::Null);
    session["id"] = json!(format!("cs_{n}"));
    session["payment_intent"] = json!(format!("pi_{n}"));
    session["customer"] = json!(format!("cus_{n}"));
    session["metadata"] = json!({ "referral_code": code });
    event(&format!("evt_{n}"), "checkout.session.completed", THEN + i64::from(n), session)
}

pub fn refunded(n: u8, amount: i64) -> Json {
    let refund = json!({
        "id": format!("re_{n}"), "object": "refund", "amount": amount, "currency": "usd", "charge": format!("ch_{n}"),
        "payment_intent": format!("pi_{n}"), "status": "succeeded",
    });
    event(&format!("evt_refund_{n}"), "refund.created", THEN + 500, refund)
}

/// The figures of the page's head, by their names.
fn figure(page: &Answer, name: &str) -> String {
    let names = page.texts(".stat dt");
    let at = names.iter().position(|known| known == name).unwrap_or_else(|| panic!("no {name} in {names:?}"));
    page.texts(".stat dd")[at].clone()
}

async fn the_figures_are_of_what_came_by_codes(app: TestApp) {
    let (jane, bob) = (app.shop().referrer("Jane").await, app.shop().referrer("Bob").await);
    app.shop().referrer_without_code("Carl").await;
    app.sign_in().await;
    let page = app.get(&place(&app, "performance")).await.is(200);
    assert_eq!(figure(&page, "Referrers with a code"), "2 of 3 who are active");
    let words = "payments that named a code, typed or brought by its link";
    assert_eq!(figure(&page, "Uses of codes"), format!("0 {words}"));
    app.connect(Provider::Stripe, SECRET, false, None).await;
    app.told(&[
        bought(1, "amy@example.com", &jane.code),
        bought(2, "ben@example.com", &jane.code),
        bought(3, "cat@example.com", &bob.code),
        bought(4, "dan@example.com", "NOBODY"),
        refunded(2, 11_900),
    ])
    .await;
    while refdesk::figures::run(&app.app).await.unwrap() {}
    let page = app.get(&place(&app, "performance")).await.is(200);
    assert_eq!(figure(&page, "Uses of codes"), format!("3 {words}"));
    assert!(figure(&page, "Revenue by codes").starts_with("200.00 USD"), "{page:?}");
    assert!(figure(&page, "Commissions").starts_with("40.00 USD"), "20 % of what stayed: {page:?}");
    assert!(
        figure(&page, "Leads by code").starts_with("3 of 4") || figure(&page, "Leads by code").starts_with("3 of 3")
    );
    assert_eq!(page.texts("tbody .code"), [jane.code.clone(), bob.code.clone()], "the one with more leads first");
    assert_eq!(page.texts("tbody tr:first-child td[data-label=Uses]"), ["2"]);
    assert_eq!(page.texts("tbody tr:first-child td[data-label=Leads]"), ["2"]);
    assert_eq!(page.texts("tbody tr:first-child td[data-label=Revenue]"), ["100.00 USD"]);
    assert_eq!(page.texts("tbody tr:first-child td[data-label=Earned]"), ["20.00 USD"]);
    let sorted = app.get(&place(&app, "performance?sort=code")).await.is(200).texts("tbody .code");
    let mut codes = vec![jane.code.clone(), bob.code.clone()];
    codes.sort();
    assert_eq!(sorted, codes);
    let found = app.get(&place(&app, &format!("performance?q={}", bob.code.to_lowercase()))).await.is(200);
    assert_eq!(found.texts("tbody .code"), [bob.code]);
    // From a code to its payments, and to the messages that name it.
    let own = page.attr("tbody tr:first-child a.name", "href");
    let own = app.get(&own).await.is(200).says("connected without a key").says("100.00 USD given back");
    assert_eq!(own.count("tbody tr"), 2);
    let messages = own.attr(".head .button", "href");
    assert_eq!(app.get(&messages).await.is(200).count("tbody tr"), 3, "two checkouts and a refund told together");
    let other = app.another_business("Globex").await;
    let theirs = app.member_of(&other, refdesk::users::Role::Owner).await;
    theirs.get(&place(&app, "performance")).await.is(404);
    theirs.get(&place(&app, "test")).await.is(404);
}

async fn a_payment_told_by_many_messages_is_one_use(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    let invoice = json!({
        "id": "in_1", "object": "invoice", "customer": "cus_1", "customer_email": "amy@example.com", "currency": "usd",
        "amount_paid": 10000, "total": 10000, "status_transitions": { "paid_at": THEN },
    });
    app.told(&[event("evt_0", "invoice.paid", THEN, invoice.clone())]).await;
    assert_eq!(app.number("SELECT count(*) FROM provider_messages WHERE code_id IS NOT NULL").await, 0);
    // The checkout says the code, when the payment is known by its invoice.
    let mut session = bought(1, "amy@example.com", &jane.code);
    session["data"]["object"]["invoice"] = json!("in_1");
    app.told(&[session]).await;
    let mut again = invoice;
    again["metadata"] = json!({ "referral_code": jane.code });
    app.told(&[event("evt_2", "invoice.payment_succeeded", THEN, again)]).await;
    assert_eq!(app.number("SELECT count(*) FROM provider_messages WHERE code_id IS NOT NULL").await, 2);
    let uses = "SELECT count(DISTINCT payment_id) FROM provider_messages WHERE code_id IS NOT NULL";
    assert_eq!(app.number(uses).await, 1);
    app.is_sound().await;
}

async fn a_use_is_a_live_payment_and_only_so_many_are_counted(app: TestApp) {
    let (jane, bob) = (app.shop().referrer("Jane").await, app.shop().referrer("Bob").await);
    app.sign_in().await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    app.told(&[
        bought(1, "amy@example.com", &jane.code),
        bought(2, "ben@example.com", &jane.code),
        bought(3, "cat@example.com", &bob.code),
    ])
    .await;
    while refdesk::figures::run(&app.app).await.unwrap() {}
    let code = app.number(&format!("SELECT id FROM codes WHERE referrer_id = {}", jane.id)).await;
    let campaign = app.business.campaign_id;
    let mut conn = app.app.db.read().await.unwrap();
    let all = uses::count(&mut conn, campaign, 4).await.unwrap();
    let some = uses::count(&mut conn, campaign, 2).await.unwrap();
    assert_eq!((all.shown(), some.shown()), ("3".to_owned(), "2+".to_owned()));
    let shown: Vec<String> = uses::counts(&mut conn, &[code], 1).await.unwrap().iter().map(uses::Uses::shown).collect();
    assert_eq!(shown, ["1+"]);
    let (sums, is_cut) = figures::revenue_of_codes(&mut conn, campaign, 3).await.unwrap();
    assert_eq!((sums[0].shown().as_str(), is_cut), ("300.00 USD", false));
    let (sums, is_cut) = figures::revenue_of_codes(&mut conn, campaign, 1).await.unwrap();
    assert_eq!((sums[0].shown().as_str(), is_cut), ("200.00 USD", true), "the code with the most leads");
    drop(conn);
    // The product was one for tests when Ben bought.
    app.tamper("UPDATE payments SET test = true WHERE email = 'ben@example.com'").await;
    let page = app.get(&place(&app, "performance")).await.is(200);
    assert!(figure(&page, "Uses of codes").starts_with("2 payments"), "{page:?}");
    assert_eq!(page.texts("tbody tr:first-child td[data-label=Uses]"), ["1"]);
    app.get(&place(&app, &format!("codes/{code}"))).await.is(200).says("1 payment that named the code");
    // A message more than is looked at for the list.
    app.tamper(&format!(
        "INSERT INTO provider_messages (id, business_id, account_id, identity, kind, happened_at, received_at, body, state,
                outcome, payment_id, lead_id, code_id, updated_at)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         SELECT m.id + 1000000 + n.i, m.business_id, m.account_id, 'again ' || n.i, m.kind, m.happened_at, m.received_at,
                m.body, m.state, m.outcome, m.payment_id, m.lead_id, m.code_id, m.updated_at
           FROM provider_messages m, n
          WHERE m.code_id = {code}
            AND m.identity = 'evt_1'"
    ))
    .await;
    let page = app.get(&place(&app, "performance")).await.is(200);
    assert_eq!(page.texts("tbody tr:first-child td[data-label=Uses]"), ["1+"]);
    assert!(figure(&page, "Uses of codes").starts_with("2 payments"), "{page:?}");
}

async fn a_commission_is_shown_without_what_was_taken_back(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    app.told(&[bought(1, "amy@example.com", &jane.code)]).await;
    app.clock.advance_days(40);
    app.sign_in().await;
    while refdesk::sweep::run(&app.app).await.unwrap() {}
    app.shop().pay_out("USD").await;
    app.told(&[refunded(1, 5_950)]).await;
    assert_eq!(app.number("SELECT taken_back FROM commissions").await, 1_000, "half of what was paid");
    let code = app.number("SELECT id FROM codes").await;
    let page = app.get(&place(&app, &format!("codes/{code}"))).await.is(200);
    assert_eq!(page.texts("tbody td[data-label=Earned]"), ["10.00 USD"]);
}

async fn a_refund_that_failed_is_said_in_words(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    let (app, _, account) = connected(&app).await;
    app.sign_in().await;
    discount(&app, account).await;
    make_codes(&app).await;
    tell(&app, bought(1, "amy@example.com", &jane.code)).await;
    let lead = app.number("SELECT id FROM leads").await;
    let failed = |n: u8, amount: i64| {
        let mut event = refunded(n, amount);
        event["id"] = json!(format!("evt_failed_{n}"));
        event["type"] = json!("refund.failed");
        event["data"]["object"]["status"] = json!("failed");
        event
    };
    let second = |mut event: Json| {
        event["id"] = json!("evt_refund_1b");
        event["data"]["object"]["id"] = json!("re_1b");
        event
    };
    tell(&app, refunded(1, 4_760)).await;
    tell(&app, second(refunded(1, 1_190))).await;
    app.get(&place(&app, "test")).await.is(200).says("50.00 USD given back.");
    tell(&app, failed(1, 4_760)).await;
    app.get(&place(&app, "test"))
        .await
        .is(200)
        .says("10.00 USD given back. Another 40.00 USD did not reach the customer.");
    let page = app.get(&format!("/leads/{lead}")).await.is(200).does_not_say("-40.00").says("40.00 USD given back");
    page.says("A refund of 40.00 USD did not reach the customer").says("10.00 USD refunded");
    // A whole refund that failed leaves nothing given back.
    tell(&app, bought(2, "ben@example.com", &jane.code)).await;
    tell(&app, refunded(2, 11_900)).await;
    assert_eq!(steps(&app).await, ["done"; 6]);
    tell(&app, failed(2, 11_900)).await;
    let page = app.get(&place(&app, "test")).await.is(200).says("100.00 USD did not reach the customer");
    assert_eq!(page.texts(".timeline .badge").last().unwrap(), "needs a look");
    let ben = app.number("SELECT max(id) FROM leads").await;
    app.get(&format!("/leads/{ben}"))
        .await
        .is(200)
        .says("100.00 USD given back")
        .says("A refund of 100.00 USD did not reach");
}

const KEY: &str = "rk_test_0123456789abcdef";

/// A server with a Stripe of our own that is connected in test mode.
async fn connected(app: &TestApp) -> (TestApp, Fake, i64) {
    let (fake, base) = Fake::start().await;
    let app = app.with_stripe(&base).await;
    let new = ByKey {
        business_id: app.business.id,
        business: app.business.public_id.clone(),
        campaign_id: app.business.campaign_id,
        key: KEY.into(),
        webhook_secret: None,
        terms: None,
    };
    let account = by_key(&app.app, &actor(), new).await.unwrap().unwrap().account_id;
    (app, fake, account)
}

/// Gives the codes of the campaign 10 % off.
async fn discount(app: &TestApp, account: i64) {
    let address = place(app, &format!("accounts/{account}/codes"));
    let fields =
        [("off", "percent"), ("percent", "10"), ("duration", "once"), ("name", "Friends"), ("first_order", "yes")];
    app.get(&address).await.is(200);
    app.post_form(&address, &fields).await.is(303);
}

async fn make_codes(app: &TestApp) {
    while codes::run(&app.app).await.unwrap() {}
}

async fn tell(app: &TestApp, event: Json) {
    send(app, event).await;
    app.apply().await;
}

async fn send(app: &TestApp, mut event: Json) {
    event["livemode"] = json!(false);
    let body = event.to_string();
    let header = signed(&body, "whsec_made_by_stripe", app.app.clock.now().seconds());
    app.deliver(Provider::Stripe, &body, &[("stripe-signature", &header)]).await.is(200);
}

/// The states of the steps.
async fn steps(app: &TestApp) -> Vec<String> {
    app.get(&place(app, "test")).await.is(200).texts(".timeline .badge")
}

async fn a_test_checkout_is_followed_to_its_refund(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    app.sign_in().await;
    app.get(&place(&app, "test")).await.is(200).says("Stripe is not connected");
    let (app, _, account) = connected(&app).await;
    app.sign_in().await;
    app.get(&place(&app, "test")).await.is(200).says("No code of this campaign is made at Stripe yet");
    let waits = app.get(&place(&app, &format!("test?code={}", jane.code))).await.is(200);
    assert_eq!(waits.texts(".timeline .badge"), ["needs a look", "next", "later", "later", "later", "later"]);
    waits.says("have no discount yet");
    discount(&app, account).await;
    make_codes(&app).await;
    let page = app.get(&place(&app, "test")).await.is(200).says("4242 4242 4242 4242").says(&jane.code);
    assert_eq!(page.texts(".timeline .badge"), ["done", "next", "later", "later", "later", "later"]);
    assert!(page.has("#steps[data-poll-url]") && page.body.contains("http-equiv=\"refresh\""), "it watches");
    tell(&app, bought(9, "zoe@example.com", "")).await;
    app.get(&place(&app, "test")).await.is(200).says("did not use this code");
    tell(&app, bought(1, "amy@example.com", &jane.code)).await;
    assert_eq!(steps(&app).await, ["done", "done", "done", "done", "done", "next"]);
    let page = app.get(&place(&app, "test")).await.is(200).says("100.00 USD").says("20.00 USD for Jane, pending");
    for link in page.attrs("#steps a", "href") {
        app.get(&link).await.is(200);
    }
    tell(&app, refunded(1, 11_900)).await;
    assert_eq!(steps(&app).await, ["done"; 6]);
    let page = app.get(&place(&app, "test")).await.is(200).says("100.00 USD given back");
    assert!(!page.has("#steps[data-poll-url]") && !page.body.contains("http-equiv=\"refresh\""), "it is over");
    // A refund that is applied together with its checkout says nothing of the code itself.
    send(&app, bought(2, "ben@example.com", &jane.code)).await;
    send(&app, refunded(2, 11_900)).await;
    app.apply().await;
    assert_eq!(steps(&app).await, ["done"; 6]);
    app.get(&place(&app, "test")).await.is(200).says("Amy Pond: The use counts, and the lead is qualified.");
    app.get(&place(&app, "performance"))
        .await
        .is(200)
        .says("is in test mode")
        .says("Only for a customer’s first order");
    app.get(&place(&app, "test?code=NOBODY")).await.is(200).says("No code of this campaign reads like NOBODY");
}

async fn a_referrer_s_row_says_why_no_code_was_made(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    let carl = app.shop().referrer_without_code("Carl").await;
    app.sign_in().await;
    app.get(&format!("/referrers/{}", jane.id)).await.is(200).does_not_say("At Stripe");
    let code = app.number(&format!("SELECT id FROM codes WHERE referrer_id = {}", jane.id)).await;
    let of_code = place(&app, &format!("codes/{code}"));
    app.get(&of_code).await.is(200).says("not connected to Stripe");
    let (app, fake, account) = connected(&app).await;
    app.sign_in().await;
    let says = async |words: &str| {
        app.get(&of_code).await.is(200).says(words);
        app.get(&format!("/referrers/{}", jane.id)).await.is(200).says(words);
    };
    says("have no discount yet").await;
    let theirs = json!({ "id": "promo_x", "code": jane.code, "active": true, "metadata": {} });
    fake.with(|world| world.codes.insert("promo_x".into(), theirs));
    discount(&app, account).await;
    says("It is about to be made at Stripe.").await;
    app.get(&format!("/referrers/{}", carl.id)).await.is(200).says("has no code in this campaign. Generate one");
    make_codes(&app).await;
    says("which Refdesk did not make (promo_x)").await;
    app.get(&place(&app, "performance")).await.is(200).says("refused");
    fake.with(|world| world.codes.clear());
    app.post_form(&place(&app, &format!("accounts/{account}/codes/again")), &[]).await.is(303);
    make_codes(&app).await;
    says("Made at Stripe.").await;
    app.arrange(&format!("UPDATE enrollments SET state = 'banned' WHERE id = {}", jane.enrollment_id)).await;
    says("New referrals do not count: the referrer is banned.").await;
    app.arrange(&format!("UPDATE enrollments SET state = 'paused' WHERE id = {}", carl.enrollment_id)).await;
    app.get(&format!("/referrers/{}", carl.id)).await.is(200).says("gets none while paused");
    app.post_form(&format!("/codes/{code}/state"), &[("to", "retired")]).await.is(303);
    make_codes(&app).await;
    app.get(&of_code).await.is(200).says("The code is retired, so it does not work at Stripe.");
    app.post_form(&format!("/codes/{code}/state"), &[("to", "active")]).await.is(303);
    app.post_form(&place(&app, &format!("accounts/{account}/disconnect")), &[]).await.is(303);
    says("Stripe is disconnected").await;
    app.is_sound().await;
}
