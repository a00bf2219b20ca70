//! /find

use refdesk::engine::ClaimBy;
use refdesk::id::{self, Kind};
use refdesk::query::encode;
use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::{Browser, Database, Engine, Start, TestApp, Visitor};

on_both_databases! {
    everything_is_found_from_one_field,
    a_role_finds_what_it_may_see,
    enter_opens_what_is_meant,
}

async fn found(visitor: &Visitor, q: &str) -> Vec<String> {
    visitor.get(&format!("/find?q={}", encode(q))).await.is(200).texts(".found b")
}

async fn everything_is_found_from_one_field(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.send(shop.lead_event("Cleo Customer", None, Some(ClaimBy::Code(jane.code.clone())))).await;
    let lead = app.number("SELECT id FROM leads").await;
    shop.pay("cleo.customer@example.org", "100.00", "2026-06-20").await;
    let payment = app.number("SELECT id FROM payments").await;
    let commission = app.number("SELECT id FROM commissions").await;
    app.arrange("UPDATE payment_names SET name = 'event:evt_1234'").await;
    for (q, name) in [
        (jane.code.as_str(), "Jane Miller"),
        (&jane.code[4..], "Jane Miller"),
        ("milller", "Jane Miller"),
        ("cleo", "Cleo Customer"),
        (&id::render(Kind::Lead, lead), "Cleo Customer"),
        (&id::object_id(lead), "Cleo Customer"),
        (&lead.to_string(), "Cleo Customer"),
        (&id::render(Kind::Referrer, jane.id), "Jane Miller"),
        (&id::render(Kind::Payment, payment), "Payment of 100.00 USD by Cleo Customer"),
        ("evt_1234", "Payment of 100.00 USD by Cleo Customer"),
        (&id::render(Kind::Commission, commission), "Commission of 20.00 USD"),
        ("audit", "Audit"),
        ("generate", "Generate referral codes"),
    ] {
        assert_eq!(found(&app, q).await.first().map(String::as_str), Some(name), "{q}");
    }
    app.get("/find?q=zqxzqx").await.is(200).says("Nothing found for “zqxzqx”");
    assert!(found(&app, "").await.len() > 10, "all pages");
}

async fn a_role_finds_what_it_may_see(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    app.arrange("UPDATE payment_names SET name = 'event:evt_1234'").await;
    let sam = app.member(Role::Sales).await;
    assert_eq!(found(&sam, "miller").await, ["Jane Miller"]);
    for q in ["amy", "evt_1234", &id::render(Kind::Lead, lead), "audit"] {
        assert!(found(&sam, q).await.is_empty(), "{q}");
    }
    let other = app.another_business("Globex").await;
    let theirs = app.member_of(&other, Role::Owner).await;
    for q in ["miller", "amy", "evt_1234", &id::render(Kind::Lead, lead), &lead.to_string(), jane.code.as_str()] {
        assert!(found(&theirs, q).await.is_empty(), "{q}");
    }
}

async fn enter_opens_what_is_meant(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().referrer("Jane Other").await;
    let page = format!("/referrers/{}", jane.id);
    app.get(&format!("/find?q={}&open=yes", jane.code)).await.goes_to(&page);
    app.get("/find?q=miller&open=yes").await.goes_to(&page);
    app.get("/find?q=jane&open=yes").await.is(200);
    let near = app.get("/find?q=millar&open=yes").await.is(200);
    near.says("Did you mean");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialog_finds_everything_by_keyboard() {
    let app = TestApp::start(Database::new(Engine::Sqlite).await.into()).await;
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().referrer("Peter Long").await;
    let browser = Browser::signed_in(&app).await;
    for (n, script) in [
        "document.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true }))",
        "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '/', bubbles: true }))",
    ]
    .into_iter()
    .enumerate()
    {
        // A page without a search of its own.
        browser.go("/account").await;
        browser.run(script, vec![]).await;
        browser.wait_for("dialog[open] [data-lookup]").await;
        browser.wait_for("dialog[open] .found li").await;
        browser.fill("q", "mil").await;
        browser.wait_for(&format!("dialog[open] .found a[href='/referrers/{}']", jane.id)).await;
        browser.accessible().await;
        browser.screenshot(&format!("palette_{n}")).await;
        let keys = "const field = document.querySelector('dialog [data-lookup]');
            const press = (key) => field.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
            press('ArrowDown'); press('Enter')";
        browser.run(keys, vec![]).await;
        browser.wait_for(".head h1").await;
        assert_eq!(browser.path().await, format!("/referrers/{}", jane.id));
    }
    for (dark, phone) in [(false, false), (true, false), (false, true), (true, true)] {
        browser.dark(dark).await;
        if phone {
            browser.phone().await;
        } else {
            browser.desktop().await;
        }
        for (name, path) in [
            ("find", "/find?q=jane"),
            ("record_near", "/record?q=Milller"),
            ("record_none", "/record?q=Zebedee"),
            ("record_unknown", "/record/unknown?q=Jane+from+the+gym"),
            ("referrers_near", "/referrers?q=Petre"),
        ] {
            browser.go(path).await;
            browser.fits().await;
            browser.accessible().await;
            browser
                .screenshot(&format!(
                    "{name}_{}_{}",
                    if phone { 390 } else { 1280 },
                    if dark { "dark" } else { "light" }
                ))
                .await;
        }
    }
    browser.desktop().await;
    browser.go("/record").await;
    browser.fill("q", &jane.code).await;
    browser.follow(".lookup button").await;
    assert_eq!(browser.text("h1").await, "Who did Jane Miller send?");
}
