//! The product in a real browser, on SQLite: what only a browser can tell.

use std::collections::HashSet;

use refdesk::router;
use refdesk::users::Role;
use reqwest::Method;
use serde_json::json;

use crate::support::{Browser, Database, EmptyApp, Engine, PASSWORD, Start, TestApp, Visitor};

async fn new_app() -> TestApp {
    TestApp::start(Database::new(Engine::Sqlite).await.into()).await
}

/// Whole pages that can be opened by their address alone, by whoever the visitor is.
async fn plain_pages(visitor: &Visitor) -> Vec<&'static str> {
    let pages = router::pages();
    let gets = pages.table().iter().filter(|r| r.method == Method::GET && !r.path.contains('{'));
    let mut whole = Vec::new();
    for path in gets.map(|r| r.path) {
        let answer = visitor.get(path).await;
        // Files to download and parts that a script fetches are no pages; a redirect is another page's.
        if answer.status == 200 && answer.has("html[lang] body main") {
            whole.push(path);
        }
    }
    whole
}

/// Every name that is shown somewhere.
async fn names(app: &TestApp) -> Vec<String> {
    let mut all = Vec::new();
    for table in ["referrers", "leads", "campaigns", "products", "users", "businesses", "api_keys"] {
        let names: Vec<(String,)> = app.rows(&format!("SELECT name FROM {table}")).await;
        all.extend(names.into_iter().map(|(name,)| name).filter(|name| name.len() > 2));
    }
    all
}

/// Makes each of some names in the page one that does not end.
const STRETCH: &str = "
    const long = 'W'.repeat(120), texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let stretched = 0;
    while (texts.nextNode()) {
        for (const name of arguments[0]) {
            if (texts.currentNode.data.trim() === name) {
                texts.currentNode.data = long;
                stretched += 1;
            }
        }
    }
    return stretched;";

/// Something of everything, so that no list is empty.
async fn busy_app() -> TestApp {
    let app = new_app().await;
    let shop = app.shop();
    app.arrange(
        "UPDATE campaigns SET customer_reward_kind = 'voucher', customer_reward_text = '20 % off with WELCOME20'",
    )
    .await;
    let jane = shop.referrer("Jane Miller").await;
    shop.referrer_without_code("Bob Stone").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.lead("eve@example.com", Some("NO-SUCH-CODE")).await;
    shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    shop.pay("amy@example.com", "120.00", "2026-06-20").await;
    let tested = serde_json::json!({ "name": "Tom", "email": "tom@example.com", "code": jane.code });
    app.call("POST", "/v1/leads", &app.key(false).await, Some(tested)).await.is(201);
    app.api_post("/v1/payout-settings", serde_json::json!({ "adjustment_limit": { "USD": 5_000 } })).await.is(200);
    for amount in [25, -10, 60] {
        let adjustment = serde_json::json!({
            "referrer": jane.id, "amount": amount, "currency": "USD", "reason": "spoke at the fair and then some more",
        });
        app.api_post("/v1/adjustments", adjustment).await.is(201);
    }
    app
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_desk_is_set_up_and_a_referrer_gets_a_code() {
    let app = EmptyApp::start(Database::new(Engine::Sqlite).await.into()).await;
    let browser = Browser::at(&app).await;
    browser.go("/setup").await;
    for (field, text) in [
        ("token", &*app.app.setup_token),
        ("name", "Ada Okoro"),
        ("email", "ada@example.com"),
        ("password", PASSWORD),
        ("business", "Acme"),
        ("campaign", "Friends"),
        ("product", "Pro plan"),
    ] {
        browser.fill(field, text).await;
    }
    browser.press("Set up").await;
    browser.click(".for-developers > summary").await;
    assert!(browser.text("main").await.contains("rk_live_"), "the first key is shown: {}", browser.text("main").await);

    browser.go("/referrers").await;
    browser.press("Add referrer").await;
    browser.fill("name", "Jane Miller").await;
    browser.fill("email", "jane@example.org").await;
    browser.press("Add referrer").await;
    assert!(browser.path().await.starts_with("/referrers?campaign="), "{}", browser.path().await);
    assert!(browser.text(".flash").await.starts_with("Jane Miller was added with the code "));
    browser.screenshot("referrers").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_accessible_in_light_and_dark_and_fits_names_without_end() {
    let app = busy_app().await;
    app.arrange("UPDATE referrers SET company = 'Stone Brothers'").await;
    app.sign_in().await;
    let mut pages: Vec<String> = plain_pages(&app).await.into_iter().map(str::to_owned).collect();
    for table in ["referrers", "leads", "campaigns", "products", "commissions", "inbox_items"] {
        let id = app.number(&format!("SELECT min(id) FROM {table}")).await;
        pages.push(format!("/{}/{id}", table.trim_end_matches("_items")));
    }
    let jane = app.number("SELECT min(id) FROM referrers").await;
    pages.push(format!("/referrers/{jane}/adjustments/new"));
    pages.push(format!("/record?referrer={jane}"));
    assert!(pages.len() > 20, "{pages:?}");
    let browser = Browser::signed_in(&app).await;
    let (names, mut stretched) = (names(&app).await, 0);
    for path in &pages {
        browser.desktop().await;
        browser.dark(false).await;
        browser.go(path).await;
        browser.phone().await;
        browser.fits().await;
        browser.desktop().await;
        browser.thin_documentation().await;
        browser.accessible().await;
        browser.dark(true).await;
        browser.phone().await;
        browser.accessible().await;
        browser.desktop().await;
        browser.readable().await;
        let of_page = browser.run(STRETCH, vec![json!(names)]).await.as_u64();
        stretched += of_page.unwrap_or_default();
        browser.fits().await;
        browser.phone().await;
        browser.fits().await;
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "{path}");
    }
    assert!(stretched > 100, "{stretched} names were seen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_in_a_dialog_that_is_not_answered_comes_back_in_words() {
    let app = busy_app().await;
    let browser = Browser::signed_in(&app).await;
    browser.go("/commissions").await;
    browser.click("td.do a[data-dialog]").await;
    browser.wait_for("dialog[open] .submit").await;
    browser.follow("dialog[open] .submit button").await;
    assert_eq!(browser.text(".field .error").await, "The reason is missing.");
    assert_eq!(browser.run("return document.activeElement.className", vec![]).await, "errors");
    browser.accessible().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_morning_of_marketing() {
    let app = new_app().await;
    let jobs = refdesk::jobs::start(&app.app, router::job_kinds(), router::schedule(&app.app));
    for name in ["Ann Archer", "Ben Baker", "Cid Carter"] {
        app.shop().referrer_without_code(name).await;
    }
    let browser = Browser::signed_in(&app).await;
    browser.go("/referrers/generate").await;
    browser.press("Generate 3 codes").await;
    browser.wait_for(".result").await;
    assert_eq!(browser.text("h1").await, "3 codes generated");

    let code = app.rows::<(String,)>("SELECT text FROM codes ORDER BY id").await[0].0.clone();
    let file = std::env::temp_dir().join(format!("refdesk-upload-{}.csv", std::process::id()));
    std::fs::write(&file, format!("e-mail;code\namy@example.com;{code}\neve@example.com;NO-SUCH-CODE\n")).unwrap();
    browser.go("/imports/new").await;
    browser.choose_file("file", &file).await;
    browser.press("Upload").await;
    browser.press("Try it without storing").await;
    browser.wait_for("table.list").await;
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 0, "a dry run stores nothing");
    browser.press("Qualify 1 customer").await;
    browser.wait_for("table.list").await;
    std::fs::remove_file(&file).unwrap();
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await, 1);

    // Taken back and given again by the switch on the row, without leaving the page. What it did is said
    // where it is seen, also from far down.
    browser.go("/leads").await;
    browser.run("document.querySelector('main').style.minHeight = '4000px'; scrollTo(0, 120)", vec![]).await;
    browser.click(".toggle button[aria-pressed=true]").await;
    browser.wait_for(".toggle button[aria-pressed=false]").await;
    let seen = "const box = document.querySelector('.flash').getBoundingClientRect(); \
                return box.top > innerHeight / 2 && box.bottom < innerHeight";
    assert_eq!(browser.run(seen, vec![]).await, true, "the message is at the foot of the window");
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await, 0);
    browser.click(".toggle button[aria-pressed=false]").await;
    browser.wait_for(".toggle button[aria-pressed=true]").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    app.app.stop.cancel();
    drop(jobs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_referral_is_recorded_on_a_phone() {
    let app = new_app().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let address = app.add_member(&app.business, Role::Sales).await;
    let browser = Browser::at(&app).await;
    browser.phone().await;
    browser.go("/sign-in").await;
    browser.fill("email", &address).await;
    browser.fill("password", PASSWORD).await;
    browser.press("Sign in").await;
    browser.go("/record").await;
    browser.fits().await;
    // Half of what she said.
    browser.fill("q", &jane.code[..4]).await;
    browser.wait_for("#people li a").await;
    browser.screenshot("record-found").await;
    browser.accessible().await;
    browser.follow("#people li a").await;
    browser.fill("name", "Amy Pond").await;
    browser.fill("reach", "+1 202 555 0142").await;
    browser.press("Record referral").await;
    assert!(browser.text("main").await.contains("Amy Pond"), "{}", browser.text("main").await);
    browser.fits().await;
    browser.accessible().await;
    browser.screenshot("record-done").await;
    let referred = format!("SELECT count(*) FROM leads WHERE referrer_id = {} AND recorded_by IS NOT NULL", jane.id);
    assert_eq!(app.number(&referred).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_of_strangers_are_accessible_too() {
    let app = new_app().await;
    let browser = Browser::at(&app).await;
    // Most lead to the sign-in, which is looked at once.
    let mut seen = HashSet::new();
    for path in plain_pages(&app).await.into_iter().chain(["/nothing-here"]) {
        browser.go(path).await;
        let at = browser.path().await;
        if !seen.insert(at.split('?').next().unwrap_or_default().to_owned()) {
            continue;
        }
        browser.dark(false).await;
        browser.thin_documentation().await;
        browser.accessible().await;
        browser.dark(true).await;
        browser.readable().await;
    }
    browser.go("/sign-in").await;
    browser.fill("email", "nobody@example.com").await;
    browser.fill("password", "wrong").await;
    browser.press("Sign in").await;
    browser.accessible().await;
    assert_eq!(browser.run("return document.activeElement.className", vec![]).await, "errors", "errors take the focus");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_menu_of_the_documentation_marks_what_is_read() {
    let app = new_app().await;
    let browser = Browser::at(&app).await;
    browser.go("/docs").await;
    browser.wait_for(".docs-nav a[href='#start'][aria-current]").await;
    browser.run("document.getElementById('createLead').scrollIntoView()", vec![]).await;
    browser.wait_for(".docs-nav details[open] a[href='#createLead'][aria-current]").await;
    assert_eq!(browser.texts(".docs-nav li a[aria-current]").await.len(), 1);
    browser.run("document.getElementById('authentication').scrollIntoView()", vec![]).await;
    browser.wait_for(".docs-nav a[href='#authentication'][aria-current]").await;
    assert!(!browser.has(".docs-nav details[open]").await, "what was opened for the reader is closed behind them");
}
