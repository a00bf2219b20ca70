//! The script for a shop's own pages: in a real browser on pages of other origins, and what the server says of it.

use std::collections::HashMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Html;
use refdesk::clock::Instant;
use refdesk::query::encode;
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::{Browser, Database, Engine, Start, TestApp};

on_both_databases! {
    the_script_is_made_for_other_sites,
    a_visit_is_noted_with_the_printed_mark_only,
    strangers_cannot_fill_the_database,
    the_page_shows_the_lines,
}

async fn new_app() -> TestApp {
    TestApp::start(Database::new(Engine::Sqlite).await.into()).await
}

async fn the_script_is_made_for_other_sites(app: TestApp) {
    let answer = app.stranger().get("/refdesk.js").await.is(200);
    assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("cache-control"), "public, max-age=600");
    assert!(answer.headers.get("set-cookie").is_none(), "{answer:?}");
    assert!(answer.body.len() < 4_500, "every page of a shop loads it: {}", answer.body.len());
    let tag = answer.header("etag").to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
        let headers = [("if-none-match", known.as_str()), ("referer", "https://shop.example/")];
        let again = app.stranger().request("GET", "/refdesk.js", &headers, Vec::new()).await.is(304);
        assert_eq!((again.header("etag"), again.body.as_str()), (tag.as_str(), ""));
    }
    app.stranger().request("GET", "/refdesk.js", &[("if-none-match", "\"other\"")], Vec::new()).await.is(200);
    app.stranger().request("HEAD", "/refdesk.js", &[], Vec::new()).await.is(200);
    app.stranger().request("POST", "/refdesk.js", &[], Vec::new()).await.is(405);
}

/// The mark in the lines of a campaign's page.
async fn mark(app: &TestApp) -> String {
    let page = app.get(&here(app)).await.is(200);
    let line = page.attrs(".block .copy", "data-copy").into_iter().next().unwrap();
    let (_, rest) = line.split_once("data-watch=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

fn here(app: &TestApp) -> String {
    format!("/campaigns/{}/shop", app.business.campaign_id)
}

/// The script tells that it runs; what the server answers to a browser's cache.
async fn tell(app: &TestApp, campaign: &str, watch: &str, origin: &str) -> String {
    let path = format!("/refdesk/seen?campaign={campaign}&watch={watch}&origin={}", encode(origin));
    let answer = app.stranger().get(&path).await.is(204);
    assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
    assert!(answer.headers.get("set-cookie").is_none() && answer.body.is_empty(), "{answer:?}");
    answer.header("cache-control").to_owned()
}

const NOTED: &str = "private, max-age=3600";
const IGNORED: &str = "no-store";

async fn a_visit_is_noted_with_the_printed_mark_only(app: TestApp) {
    app.sign_in().await;
    let id = app.business.campaign_id.to_string();
    app.get(&here(&app)).await.says("No visit was seen yet.");
    let mark = mark(&app).await;
    let other = app.another_business("Globex").await;
    for (campaign, watch, origin) in [
        (id.as_str(), "", "https://shop.example"),
        (&id, &mark[1..], "https://shop.example"),
        (&id, "1781992000-00000000000000000000", "https://shop.example"),
        (&other.campaign_id.to_string(), &mark, "https://shop.example"),
        ("", &mark, "https://shop.example"),
        ("x", &mark, "https://shop.example"),
        ("9223372036854775807", &mark, "https://shop.example"),
        (&id, &mark, ""),
        (&id, &mark, "null"),
        (&id, &mark, "javascript://shop.example"),
        (&id, &mark, "https://shop.example/cart?email=amy@example.com"),
        (&id, &mark, &format!("https://{}.example", "a".repeat(300))),
    ] {
        assert_eq!(tell(&app, campaign, watch, origin).await, IGNORED, "{campaign} {watch} {origin}");
    }
    assert_eq!(app.number("SELECT count(*) FROM shop_visits").await, 0);

    assert_eq!(tell(&app, &id, &mark, "https://shop.example").await, NOTED);
    let page = app.get(&here(&app)).await;
    assert!(page.words().contains("First visit seen from shop.example at 12:00."), "{}", page.words());
    assert!(!page.has("[data-poll-url]"), "it is asked for no more");

    // Once a minute is enough.
    let first = app.number("SELECT last_at FROM shop_visits").await;
    app.clock.set(app.clock.now().plus_seconds(59));
    assert_eq!(tell(&app, &id, &mark, "https://shop.example").await, NOTED);
    assert_eq!(app.number("SELECT last_at FROM shop_visits").await, first);
    app.clock.set(app.clock.now().plus_seconds(61));
    let public = refdesk::id::render(refdesk::id::Kind::Campaign, app.business.campaign_id);
    assert_eq!(tell(&app, &public, &mark, "HTTPS://SHOP.example:443").await, NOTED, "as browsers do not write it");
    app.get(&here(&app)).await.says("First visit seen from shop.example at 12:00, the last at 12:02.");
    assert_eq!(tell(&app, &id, &mark, "http://localhost:3000").await, NOTED);
    app.get(&here(&app)).await.says("First visit seen from http://localhost:3000 at 12:02.");

    app.clock.advance_days(8);
    assert_eq!(tell(&app, &id, &mark, "https://shop.example").await, IGNORED, "the mark ends by itself");
    app.sign_in().await;
    app.get(&here(&app)).await.says("First visit seen from shop.example on 20 Jun 2026, 12:00");
}

async fn strangers_cannot_fill_the_database(app: TestApp) {
    app.sign_in().await;
    let id = app.business.campaign_id.to_string();
    let mark = mark(&app).await;
    for n in 0..40 {
        let answer = tell(&app, &id, &mark, &format!("https://s{n}.example")).await;
        assert_eq!(answer, if n < 30 { NOTED } else { IGNORED }, "a campaign's visits are written at a bounded rate");
    }
    assert_eq!(app.number("SELECT count(*) FROM shop_visits").await, 20);
    // Whoever calls on and on is not looked at any more, even with the mark and an origin that is known.
    for _ in 0..30 {
        tell(&app, &id, "forged", "https://s29.example").await;
    }
    assert_eq!(tell(&app, &id, &mark, "https://s29.example").await, IGNORED);
    app.clock.set(app.clock.now().plus_seconds(61));
    assert_eq!(tell(&app, &id, &mark, "https://shop.example").await, NOTED);
    assert_eq!(app.number("SELECT count(*) FROM shop_visits").await, 20, "the eldest made room");
    assert_eq!(app.number("SELECT count(*) FROM shop_visits WHERE origin = 'https://shop.example'").await, 1);
}

async fn the_page_shows_the_lines(app: TestApp) {
    app.sign_in().await;
    let campaign = format!("/campaigns/{}", app.business.campaign_id);
    let link = app.get(&campaign).await.attrs("a[href$='/shop']", "href");
    assert_eq!(link, [here(&app)]);
    let page = app.get(&here(&app)).await.is(200).says("a plain page that shows the code");
    let lines = page.attrs(".block .copy", "data-copy");
    let script = format!(
        "<script src=\"{}/refdesk.js\" data-campaign=\"{}\" data-days=\"90\" data-watch=\"",
        app.url(""),
        app.business.campaign_id
    );
    assert!(lines[0].starts_with(&script) && lines[0].ends_with("\" defer></script>"), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with(&script) && line.contains(" data-consent=\"ask\" ")), "{lines:?}");
    for part in
        ["data-refdesk-code", "type=\"hidden\"", "data-refdesk-stripe", "refdesk.consent(true)", "refdesk.ready"]
    {
        assert!(lines.iter().any(|line| line.contains(part)), "{part}: {lines:?}");
    }
    app.arrange("UPDATE campaigns SET destination = 'https://shop.example/welcome', link_days = 30").await;
    let lines = app.get(&here(&app)).await.says("keeps that code for 30 days").attrs(".block .copy", "data-copy");
    assert!(lines[0].contains(" data-days=\"30\" "), "{lines:?}");
    app.get(&here(&app)).await.says("lead to https://shop.example/welcome with ?ref=CODE");
    let answer = app.get("/campaigns/1/shop").await;
    assert_eq!(answer.status, 404);
}

/// A shop on origins of its own: its pages by their names, served on every host.
struct ShopSite {
    port: u16,
}

async fn page_of(State(pages): State<HashMap<&'static str, String>>, Path(name): Path<String>) -> Html<String> {
    Html(pages.get(name.as_str()).cloned().unwrap_or_default())
}

impl ShopSite {
    async fn open(pages: HashMap<&'static str, String>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().route("/{page}", axum::routing::get(page_of)).with_state(pages);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port }
    }

    fn url(&self, host: &str, page: &str) -> String {
        format!("http://{host}.shop.example:{}/{page}", self.port)
    }
}

/// What a shop may have on a page.
const BODY: &str = r#"
    <input id="empty" data-refdesk-code> <input id="hidden" type="hidden" data-refdesk-code>
    <input id="typed" data-refdesk-code value="MINE"> <input id="unmarked">
    <a id="pay" href="https://buy.stripe.com/test_1?prefilled_email=a%2Bb%40example.com">Buy</a>
    <a id="own" href="https://pay.shop.example/b/1#top" data-refdesk-stripe>Buy</a>
    <a id="kept" href="https://buy.stripe.com/test_2?client_reference_id=cart_1">Buy</a>
    <a id="other" href="https://example.com/?to=https://buy.stripe.com/">Elsewhere</a>
    <a id="mail" href="mailto:sales@shop.example" data-refdesk-stripe>Write</a>
    <stripe-buy-button id="button"></stripe-buy-button>
    <stripe-pricing-table id="table" client-reference-id="user_1"></stripe-pricing-table>"#;

/// A page of the shop: what stands before the script, its attributes, and the same for a second one.
fn shop_page(desk: &str, before: &str, attributes: &[&str]) -> String {
    let script = |more: &&str| format!("<script src=\"{desk}/refdesk.js\" {more} defer></script>");
    let scripts: String = attributes.iter().map(script).collect();
    let listen = "window.heard = []; document.addEventListener('refdesk:code', (e) => heard.push(e.detail))";
    format!(
        "<!doctype html><title>Shop</title><link rel=icon href=data:,><script>{listen};{before}</script>{scripts}{BODY}"
    )
}

/// The values of the page's cookies, by name.
async fn cookies(browser: &Browser) -> HashMap<String, Json> {
    let all = browser.cookies().await;
    all.into_iter().map(|cookie| (cookie["name"].as_str().unwrap().to_owned(), cookie)).collect()
}

async fn code(browser: &Browser) -> Json {
    browser.run("return refdesk.code", vec![]).await
}

/// A property of an element.
async fn at(browser: &Browser, id: &str, what: &str) -> String {
    let script = "const e = document.getElementById(arguments[0]), w = arguments[1]; return e[w] ?? e.getAttribute(w)";
    browser.run(script, vec![json!(id), json!(what)]).await.as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_script_keeps_a_code_and_hands_it_on() {
    let app = new_app().await;
    let desk = app.url("");
    let shop = ShopSite::open(HashMap::from([
        ("plain", shop_page(&desk, "", &["data-days=30"])),
        ("twice", shop_page(&desk, "", &["", ""])),
    ]))
    .await;
    let browser = Browser::at(&app).await;
    browser.forget_cookies().await;
    let open = async |page: &str| browser.visit(&shop.url("www", page)).await;

    open("plain").await;
    assert_eq!(code(&browser).await, Json::Null);
    assert_eq!(browser.run("return heard", vec![]).await, json!([]));
    assert_eq!(at(&browser, "pay", "href").await, "https://buy.stripe.com/test_1?prefilled_email=a%2Bb%40example.com");

    // The code of a link is kept for the window, on this host alone.
    open("plain?utm_source=x&ref=AGENT.1-2#top").await;
    assert_eq!(code(&browser).await, "AGENT.1-2");
    assert_eq!(browser.run("return heard", vec![]).await, json!(["AGENT.1-2"]));
    let now = browser.run("return Date.now() / 1000", vec![]).await.as_f64().unwrap();
    let first = cookies(&browser).await;
    assert_eq!(first.len(), 2, "{first:?}");
    for name in ["refdesk_code", "refairn_code"] {
        let cookie = &first[name];
        assert_eq!(
            (&cookie["value"], &cookie["sameSite"], &cookie["path"]),
            (&json!("AGENT.1-2"), &json!("Lax"), &json!("/"))
        );
        assert_eq!(cookie["domain"], "www.shop.example");
        let lasts = cookie["expires"].as_f64().unwrap() - now;
        assert!((lasts - 30.0 * 86_400.0).abs() < 120.0, "{lasts}");
    }
    for (id, what, value) in [
        ("empty", "value", "AGENT.1-2"),
        ("hidden", "value", "AGENT.1-2"),
        ("typed", "value", "MINE"),
        ("unmarked", "value", ""),
        (
            "pay",
            "href",
            "https://buy.stripe.com/test_1?prefilled_email=a%2Bb%40example.com&client_reference_id=AGENT1-2",
        ),
        ("own", "href", "https://pay.shop.example/b/1?client_reference_id=AGENT1-2#top"),
        ("kept", "href", "https://buy.stripe.com/test_2?client_reference_id=cart_1"),
        ("other", "href", "https://example.com/?to=https://buy.stripe.com/"),
        ("mail", "href", "mailto:sales@shop.example"),
        ("button", "client-reference-id", "AGENT1-2"),
        ("table", "client-reference-id", "user_1"),
    ] {
        assert_eq!(at(&browser, id, what).await, value, "{id}");
    }

    // What comes later has it too; what the customer emptied stays empty.
    let later = "document.body.insertAdjacentHTML('beforeend', `<div><p><input id=late data-refdesk-code>
        <a id=latelink href=https://buy.stripe.com/x>Buy</a></p><stripe-pricing-table id=latetable></stripe-pricing-table></div>`);
        other.href = 'https://buy.stripe.com/y'; empty.value = ''; document.body.append(empty);
        window.events = []; const box = document.createElement('div'); box.oninput = (e) => events.push(e.target.id);
        box.innerHTML = '<input id=told data-refdesk-code>'; document.body.append(box)";
    browser.run(later, vec![]).await;
    for (id, what, value) in [
        ("late", "value", "AGENT.1-2"),
        ("latelink", "href", "https://buy.stripe.com/x?client_reference_id=AGENT1-2"),
        ("latetable", "client-reference-id", "AGENT1-2"),
        ("other", "href", "https://buy.stripe.com/y?client_reference_id=AGENT1-2"),
        ("empty", "value", ""),
    ] {
        assert_eq!(at(&browser, id, what).await, value, "{id}");
    }
    assert_eq!(browser.run("return events", vec![]).await, json!(["told"]), "the shop's program hears of it");
    browser.run("refdesk.ready((c) => { document.title = `ready-${c}`; const p = document.createElement('p'); p.id = 'ready'; p.textContent = c; document.body.append(p) })", vec![]).await;
    browser.wait_for("#ready").await;
    assert_eq!(browser.text("#ready").await, "AGENT.1-2");

    // The first code stays, for as long as it was to stay.
    open("plain?ref=SECOND").await;
    assert_eq!(code(&browser).await, "AGENT.1-2");
    assert_eq!(cookies(&browser).await, first);
    open("twice").await;
    assert_eq!(browser.run("return heard", vec![]).await, json!(["AGENT.1-2"]), "loaded twice, it runs once");

    // Once it has ended, the next one is kept.
    browser.forget_cookies().await;
    open("plain?ref=SECOND").await;
    assert_eq!(cookies(&browser).await["refairn_code"]["value"], "SECOND");
    // The cookie of a Refdesk link on the same domain, or of Refairn, is a first touch as well.
    browser.forget_cookies().await;
    browser.run("document.cookie = 'refairn_code=THEIRS; Max-Age=1000'", vec![]).await;
    open("plain?ref=SECOND").await;
    assert_eq!(code(&browser).await, "THEIRS");
    assert_eq!(cookies(&browser).await.len(), 1);

    // Only what a code may be is kept.
    browser.forget_cookies().await;
    let long = "A".repeat(41);
    for hostile in [
        "",
        "ab",
        &long,
        "---",
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "AB%3B%20Domain=evil",
        "A%0D%0ASet-Cookie:x=1",
        "%E0%A4%A",
        "A%00BC",
        "a=b=c",
        "%22%3E%3Cimg",
        "A%2FB%2FC",
        "javascript:1",
        "AB%20CD",
    ] {
        open(&format!("plain?ref={hostile}")).await;
        assert_eq!(code(&browser).await, Json::Null, "{hostile}");
        assert_eq!(cookies(&browser).await, HashMap::new(), "{hostile}");
        assert_eq!(at(&browser, "empty", "value").await, "");
    }
    browser
        .run(
            "document.cookie = 'refdesk_code=%3Cb%3E; Path=/'; document.cookie = 'refairn_code=%E0%A4%A; Path=/'",
            vec![],
        )
        .await;
    open("plain?ref=GOOD").await;
    assert_eq!(
        (code(&browser).await, &cookies(&browser).await["refdesk_code"]["value"]),
        (json!("GOOD"), &json!("GOOD"))
    );
    // Letters of every script are letters of a code; Stripe would drop them silently.
    browser.forget_cookies().await;
    open("plain?ref=%C3%89te-2026").await;
    assert_eq!(code(&browser).await, "\u{c9}te-2026");
    assert_eq!(cookies(&browser).await["refdesk_code"]["value"], "%C3%89te-2026");
    assert_eq!(at(&browser, "button", "client-reference-id").await, "");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_script_asks_first_breaks_nothing_and_is_seen() {
    let app = new_app().await;
    let desk = app.url("");
    let browser = Browser::at(&app).await;
    browser.forget_cookies().await;
    // The mark in the lines ends by the browser's clock.
    let now = browser.run("return Date.now()", vec![]).await.as_i64().unwrap();
    app.clock.set(Instant::from_micros(now * 1_000));
    app.sign_in().await;
    let page = app.get(&here(&app)).await;
    let line = page.attrs(".block .copy", "data-copy").into_iter().next().unwrap();
    let blocked =
        "Object.defineProperty(document, 'cookie', { get() { throw Error('no') }, set() { throw Error('no') } })";
    let old = "delete window.MutationObserver; delete window.fetch; delete window.CustomEvent; delete window.URL";
    let named = "window.refdesk = document.createElement('p')";
    let shop = ShopSite::open(HashMap::from([
        ("asking", shop_page(&desk, "", &["data-consent=ask"])),
        ("domain", shop_page(&desk, "", &["data-domain=shop.example"])),
        ("foreign", shop_page(&desk, "", &["data-domain=evil.example"])),
        ("blocked", shop_page(&desk, blocked, &[""])),
        ("old", shop_page(&desk, old, &["data-watch=99999999999-x data-campaign=1"])),
        ("named", shop_page(&desk, named, &["data-days=x"])),
        ("watched", format!("<!doctype html><title>Shop</title><link rel=icon href=data:,>{line}")),
        ("over", shop_page(&desk, "", &["data-campaign=1 data-watch=1000-abc"])),
    ]))
    .await;
    let open = async |page: &str| browser.visit(&shop.url("www", page)).await;
    let kept = async || cookies(&browser).await.len();

    // Nothing is stored before the customer agrees; the page itself has the code.
    open("asking?ref=JANE").await;
    assert_eq!((code(&browser).await, kept().await), (json!("JANE"), 0));
    assert_eq!(at(&browser, "empty", "value").await, "JANE");
    browser.run("refdesk.consent('yes'); refdesk.consent()", vec![]).await;
    assert_eq!(kept().await, 0, "only true is a consent");
    open("asking").await;
    assert_eq!(code(&browser).await, Json::Null);
    open("asking?ref=JANE").await;
    browser.run("refdesk.consent(true)", vec![]).await;
    assert_eq!(kept().await, 2);
    open("asking?ref=SECOND").await;
    browser.run("refdesk.consent(true)", vec![]).await;
    assert_eq!(code(&browser).await, "JANE");
    browser.run("refdesk.consent(false)", vec![]).await;
    assert_eq!(kept().await, 0);
    open("asking").await;
    assert_eq!(code(&browser).await, Json::Null);

    // A parent domain is used where it is asked for, and a refusal removes its cookies too.
    open("domain?ref=JANE").await;
    assert_eq!(cookies(&browser).await["refdesk_code"]["domain"], ".shop.example");
    browser.visit(&shop.url("checkout", "domain?ref=SECOND")).await;
    assert_eq!((code(&browser).await, kept().await), (json!("JANE"), 2));
    browser.run("refdesk.consent(false)", vec![]).await;
    assert_eq!(kept().await, 0);
    open("foreign?ref=JANE").await;
    assert_eq!(cookies(&browser).await["refdesk_code"]["domain"], "www.shop.example", "the host is what is left");
    browser.forget_cookies().await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());

    // Nothing is thrown, whatever is missing.
    open("blocked?ref=JANE").await;
    assert_eq!(at(&browser, "empty", "value").await, "JANE");
    browser.run("refdesk.consent(true); refdesk.consent(false); refdesk.ready(); refdesk.ready('x')", vec![]).await;
    open("old?ref=JANE").await;
    assert_eq!((code(&browser).await, at(&browser, "empty", "value").await), (json!("JANE"), "JANE".to_owned()));
    open("named?ref=SECOND").await;
    assert_eq!(code(&browser).await, "JANE");
    let sent = "return performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)";
    open("over?ref=JANE").await;
    assert_eq!(browser.run(sent, vec![]).await, json!(["/refdesk.js"]), "a mark that ended sends nothing");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    assert_eq!(app.number("SELECT count(*) FROM shop_visits").await, 0);

    // The page that shows the lines sees the visit, while it is open and later.
    open("watched").await;
    let waits = std::time::Instant::now();
    while app.number("SELECT count(*) FROM shop_visits").await == 0 {
        assert!(waits.elapsed().as_secs() < 15, "no visit is noted");
        tokio::task::yield_now().await;
    }
    let origin = format!("http://www.shop.example:{}", shop.port);
    let rows: Vec<(String,)> = app.rows("SELECT origin FROM shop_visits").await;
    assert_eq!(rows, [(origin.clone(),)]);
    app.get(&here(&app)).await.says(&format!("First visit seen from {origin} at "));
    app.arrange("DELETE FROM shop_visits").await;
    drop(browser);

    let browser = Browser::signed_in(&app).await;
    browser.go(&here(&app)).await;
    assert!(browser.text("#seen").await.starts_with("No visit was seen yet."));
    browser.screenshot("shop-none").await;
    let mark = mark(&app).await;
    assert_eq!(tell(&app, &app.business.campaign_id.to_string(), &mark, "https://shop.example").await, NOTED);
    browser.wait_for("#seen .is-good").await;
    assert!(browser.text("#seen").await.starts_with("First visit seen from shop.example at "));
    browser.accessible().await;
    browser.screenshot("shop").await;
    browser.dark(true).await;
    browser.readable().await;
    browser.phone().await;
    browser.fits().await;
    browser.screenshot("shop-phone").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
