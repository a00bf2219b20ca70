//! /r/CODE and its QR code.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use refdesk::clock::Zone;
use refdesk::config::Settings;
use refdesk::db::Db;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::on_both_databases;
use crate::support::{
    Answer, Browser, Business, Database, Engine, Outcome, Referrer, Shop, Start, TestApp, ThreeNodes, Visitor,
};

on_both_databases! {
    a_link_leads_to_the_destination_and_leaves_the_code,
    the_destination_keeps_its_own_query_and_fragment,
    a_code_is_found_however_it_is_written,
    an_alias_carries_the_code_that_is_active_now,
    a_code_that_attributes_nobody_does_not_go_along,
    an_unknown_code_goes_home_where_there_is_one,
    without_a_destination_the_page_says_the_code,
    the_first_link_a_visitor_followed_stays,
    the_cookie_reaches_the_site_and_is_secure_on_https,
    hostile_codes_are_answered_cleanly,
    the_same_code_in_two_businesses_leads_to_each,
    fifty_at_once_on_every_node_are_fifty,
    programs_and_looks_ahead_are_not_counted,
    clicks_are_shown_where_leads_are,
    clicks_survive_a_shutdown,
    a_qr_code_holds_the_link,
    the_apis_user_has_links_that_work,
    a_destination_is_checked_in_the_form,
    what_mail_programs_stick_to_a_link_does_not_lose_the_referral,
}

const SITE: &str = "https://shop.example/welcome";

/// The destination of the campaign's links, as staff set it.
async fn lead_to(app: &TestApp, destination: &str) {
    app.sign_in().await;
    let here = format!("/campaigns/{}", app.business.campaign_id);
    let fields = [
        ("name", "Refer a friend"),
        ("qualify_on", "payment"),
        ("reward_hold_days", "14"),
        ("destination", destination),
    ];
    app.post_form(&here, &fields).await.goes_to(&here);
}

async fn arrange_destination(app: &TestApp, campaign_id: i64, destination: &str) {
    app.arrange(&format!("UPDATE campaigns SET destination = '{destination}' WHERE id = {campaign_id}")).await;
}

/// Gives somebody a code of their own.
async fn choose(app: &TestApp, business: &Business, referrer: &Referrer, code: &str) {
    let actor = crate::support::actor();
    let chosen = refdesk::codes::choose(&app.app, &actor, business.id, referrer.enrollment_id, code).await.unwrap();
    assert!(matches!(chosen, refdesk::codes::Chosen::Set { .. }), "{chosen:?}");
}

async fn referrer_called(app: &TestApp, shop: Shop<'_>, name: &str, code: &str) -> Referrer {
    let referrer = shop.referrer(name).await;
    choose(app, shop.business, &referrer, code).await;
    referrer
}

/// Somebody nobody knows follows a link.
async fn visit(app: &TestApp, path: &str) -> Answer {
    app.stranger().get(path).await
}

#[track_caller]
fn leads_to(answer: &Answer, to: &str) {
    assert_eq!((answer.status, answer.header("location")), (302, to), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

fn cookies(answer: &Answer) -> Vec<String> {
    answer.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap().to_owned()).collect()
}

/// Clicks as they are stored, of a code or a campaign.
async fn clicks(app: &TestApp, scope: i64, day: &str) -> i64 {
    app.app.clicks.flush(&app.app.db).await.unwrap();
    app.number(&format!(
        "SELECT CAST(COALESCE(sum(value), 0) AS BIGINT) FROM counters WHERE scope_id = {scope} AND name = 'clicks' AND day = '{day}'"
    ))
    .await
}

async fn code_id(app: &TestApp, text: &str) -> i64 {
    app.number(&format!("SELECT id FROM codes WHERE text = '{text}'")).await
}

async fn a_link_leads_to_the_destination_and_leaves_the_code(app: TestApp) {
    lead_to(&app, SITE).await;
    let jane = app.shop().referrer("Jane Miller").await;
    let answer = visit(&app, &format!("/r/{}", jane.code)).await;
    leads_to(&answer, &format!("{SITE}?ref={}", jane.code));
    assert_eq!(
        cookies(&answer),
        [
            format!("refairn_code={}; Path=/; Max-Age=7776000; SameSite=Lax", jane.code),
            format!("refdesk_code={}; Path=/; Max-Age=7776000; SameSite=Lax; HttpOnly", jane.code),
        ]
    );
    let head = app.stranger().request("HEAD", &format!("/r/{}", jane.code), &[], Vec::new()).await;
    leads_to(&head, &format!("{SITE}?ref={}", jane.code));
    app.arrange("UPDATE campaigns SET link_days = 30").await;
    let answer = visit(&app, &format!("/r/{}", jane.code)).await;
    assert!(cookies(&answer).iter().all(|cookie| cookie.contains("; Max-Age=2592000; ")), "{answer:?}");
    app.request("POST", &format!("/r/{}", jane.code), &[], Vec::new()).await.is(405);
    assert_eq!(app.number("SELECT count(*) FROM sessions WHERE user_id IS NULL").await, 0, "a visitor has no session");
}

async fn the_destination_keeps_its_own_query_and_fragment(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    for (destination, to) in [
        ("https://shop.example/?a=b%26c&d#top", "https://shop.example/?a=b%26c&d&ref=CODE#top"),
        ("https://shop.example/?ref=old&x=1", "https://shop.example/?x=1&ref=CODE"),
        ("http://localhost:3000", "http://localhost:3000?ref=CODE"),
    ] {
        lead_to(&app, destination).await;
        leads_to(&visit(&app, &format!("/r/{}", jane.code)).await, &to.replace("CODE", &jane.code));
        // Text behind the link leaves its destination as it is.
        let asked = format!("/r/{}?ref=EVIL&url=https://evil.example", jane.code);
        leads_to(&visit(&app, &asked).await, &to.replace("CODE", &jane.code));
        leads_to(&visit(&app, "/r/NO-SUCH-CODE").await, destination);
    }
}

async fn what_mail_programs_stick_to_a_link_does_not_lose_the_referral(app: TestApp) {
    let shop = app.shop();
    let jane = referrer_called(&app, shop, "Jane Miller", "JANE2024").await;
    arrange_destination(&app, app.business.campaign_id, &format!("{SITE}?lang=en")).await;
    for (path, query) in [
        ("/r/JANE2024/", "lang=en&ref=JANE2024"),
        ("/r/JANE2024&utm_source=mail", "lang=en&utm_source=mail&ref=JANE2024"),
        ("/r/JANE2024%3Futm_source=mail", "lang=en&utm_source=mail&ref=JANE2024"),
        ("/r/JANE2024?utm_source=mail&lang=de&ref=OTHER", "lang=en&utm_source=mail&ref=JANE2024"),
        ("/r/%22JANE2024%22", "lang=en&ref=JANE2024"),
        ("/r/JANE2024%3E", "lang=en&ref=JANE2024"),
        ("/r/NOBODY?utm_source=mail", "lang=en&utm_source=mail"),
    ] {
        leads_to(&visit(&app, path).await, &format!("{SITE}?{query}"));
    }
    let within = format!("/r/{}/JANE2024/", app.business.campaign_id);
    leads_to(&visit(&app, &within).await, &format!("{SITE}?lang=en&ref=JANE2024"));
    for (n, typed) in ["\"JANE2024\"", "#JANE2024", "“jane2024”.", "(JANE-2024)"].into_iter().enumerate() {
        let signed = shop.sign_up(&format!("amy{n}@example.com"), Some(typed)).await;
        assert!(
            matches!(signed, Outcome::SignedUp { referrer_id: Some(id), .. } if id == jane.id),
            "{typed}: {signed:?}"
        );
    }
}

async fn a_code_is_found_however_it_is_written(app: TestApp) {
    lead_to(&app, SITE).await;
    let jane = app.shop().referrer("Jane Miller").await;
    let bob = referrer_called(&app, app.shop(), "Bob Stone", "ueONFmUp").await;
    assert!(!bob.code.is_empty());
    let plain = jane.code.replace('-', "");
    let misread = plain.replace('D', "O").replace('7', "I").replace('8', "B").replace('5', "S");
    for written in [
        plain.to_lowercase(),
        jane.code.replace('-', "%20"),
        jane.code.replace('-', "+"),
        jane.code.replace('-', "%E2%80%93"),
        format!("{},", jane.code),
        format!("%3C{}%3E", jane.code),
        misread,
    ] {
        leads_to(&visit(&app, &format!("/r/{written}")).await, &format!("{SITE}?ref={}", jane.code));
    }
    leads_to(&visit(&app, "/r/UEONFMUP").await, &format!("{SITE}?ref=ueONFmUp"));
    choose(&app, &app.business, &bob, "\u{c9}t\u{e9}").await;
    let answer = visit(&app, "/r/%C3%A9t%C3%A9").await;
    leads_to(&answer, &format!("{SITE}?ref=%C3%89t%C3%A9"));
    assert!(cookies(&answer)[0].starts_with("refairn_code=%C3%89t%C3%A9;"), "{answer:?}");
}

async fn an_alias_carries_the_code_that_is_active_now(app: TestApp) {
    lead_to(&app, SITE).await;
    let jane = app.shop().referrer("Jane Miller").await;
    choose(&app, &app.business, &jane, "JANE-20").await;
    let answer = visit(&app, &format!("/r/{}", jane.code)).await;
    leads_to(&answer, &format!("{SITE}?ref=JANE-20"));
    assert!(cookies(&answer)[0].starts_with("refairn_code=JANE-20;"), "{answer:?}");
    let old = code_id(&app, &jane.code).await;
    assert_eq!(clicks(&app, old, "2026-06-20").await, 1, "it is the old link that was followed");
    // Without an active code the alias still attributes, so it goes along itself.
    let new = code_id(&app, "JANE-20").await;
    app.post_form(&format!("/codes/{new}/state"), &[("to", "retired")]).await.is(303);
    leads_to(&visit(&app, &format!("/r/{}", jane.code)).await, &format!("{SITE}?ref={}", jane.code));
}

async fn a_code_that_attributes_nobody_does_not_go_along(app: TestApp) {
    lead_to(&app, SITE).await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let code = code_id(&app, &jane.code).await;
    let link = format!("/r/{}", jane.code);
    let enrollment = format!("/enrollments/{}/state", jane.enrollment_id);
    let campaign = format!("/campaigns/{}/state", app.business.campaign_id);
    let goes_bare = async |why: &str| {
        let answer = visit(&app, &link).await;
        leads_to(&answer, SITE);
        assert_eq!(cookies(&answer), Vec::<String>::new(), "{why}");
    };
    let goes_along = async || leads_to(&visit(&app, &link).await, &format!("{SITE}?ref={}", jane.code));
    app.post_form(&enrollment, &[("to", "paused")]).await.is(303);
    goes_bare("paused").await;
    app.post_form(&enrollment, &[("to", "active")]).await.is(303);
    goes_along().await;
    app.arrange(&format!("UPDATE enrollments SET state = 'banned' WHERE id = {}", jane.enrollment_id)).await;
    goes_bare("banned").await;
    app.arrange(&format!("UPDATE enrollments SET state = 'active' WHERE id = {}", jane.enrollment_id)).await;
    for (state, why) in
        [("paused", "the campaign is paused"), ("live", ""), ("ended", "the campaign is over"), ("live", "")]
    {
        app.post_form(&campaign, &[("state", state)]).await.is(303);
        if why.is_empty() { goes_along().await } else { goes_bare(why).await }
    }
    app.post_form(&format!("/codes/{code}/state"), &[("to", "retired")]).await.is(303);
    goes_bare("retired").await;
    app.post_form(&format!("/codes/{code}/state"), &[("to", "active")]).await.is(303);
    app.post_form(&format!("/referrers/{}/archive", jane.id), &[]).await.is(303);
    goes_bare("archived").await;
    assert_eq!(clicks(&app, code, "").await, 9, "people came all the same");
}

async fn an_unknown_code_goes_home_where_there_is_one(app: TestApp) {
    let unknown = visit(&app, "/r/NO-SUCH-CODE").await.is(404);
    assert_eq!(unknown.text("h1"), "No code goes by this link");
    lead_to(&app, SITE).await;
    let answer = visit(&app, "/r/NO-SUCH-CODE").await;
    leads_to(&answer, SITE);
    assert_eq!(cookies(&answer), Vec::<String>::new());
    let summer = app.shop().campaign("Summer").await;
    arrange_destination(&app, summer, "https://summer.example/").await;
    leads_to(&visit(&app, "/r/NO-SUCH-CODE").await, SITE);
    leads_to(&visit(&app, &format!("/r/{summer}/NO-SUCH-CODE")).await, "https://summer.example/");
    app.post_form(&format!("/campaigns/{summer}/default"), &[]).await.is(303);
    leads_to(&visit(&app, "/r/NO-SUCH-CODE").await, "https://summer.example/");
    // With another business on the desk nobody can say whose customer that was.
    app.another_business("Globex").await;
    let unknown = visit(&app, "/r/NO-SUCH-CODE").await.is(404);
    assert_eq!(
        (unknown.text("h1").as_str(), unknown.header("cache-control")),
        ("No code goes by this link", "no-store")
    );
    unknown.does_not_say("NO-SUCH-CODE");
    assert_eq!(app.number("SELECT count(*) FROM counters WHERE name = 'clicks'").await, 0);
}

async fn without_a_destination_the_page_says_the_code(app: TestApp) {
    let jane = referrer_called(&app, app.shop(), "Jane Miller", "JANE20").await;
    let page = visit(&app, "/r/jane20").await.is(200);
    assert_eq!((page.text("h1").as_str(), page.text("code").as_str()), ("Jane M. invited you to Acme", "JANE20"));
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(cookies(&page)[0].starts_with("refairn_code=JANE20;"), "{page:?}");
    page.says("Give the code to Acme when you sign up or buy").does_not_say("Miller").does_not_say("and what you get");
    app.arrange("UPDATE campaigns SET offer = '10 % off your first order'").await;
    let page = visit(&app, "/r/jane20").await.is(200);
    assert_eq!(page.text(".invitation-offer"), "10 % off your first order");
    let code = code_id(&app, "JANE20").await;
    assert_eq!(clicks(&app, code, "").await, 2);
    app.sign_in().await;
    app.post_form(&format!("/enrollments/{}/state", jane.enrollment_id), &[("to", "paused")]).await.is(303);
    let resting = visit(&app, "/r/jane20").await.is(404);
    assert_eq!(resting.body, visit(&app, "/r/NO-SUCH-CODE").await.body, "nobody learns which codes there are");
}

async fn the_first_link_a_visitor_followed_stays(app: TestApp) {
    lead_to(&app, SITE).await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let bob = shop.referrer("Bob Stone").await;
    let visitor = app.stranger();
    visitor.get(&format!("/r/{}", jane.code)).await.is(302);
    let later = visitor.get(&format!("/r/{}", bob.code)).await;
    leads_to(&later, &format!("{SITE}?ref={}", bob.code));
    assert_eq!(cookies(&later), Vec::<String>::new(), "first touch wins and stays");
    let again = visitor.get(&format!("/r/{}", jane.code)).await;
    assert_eq!(cookies(&again).len(), 2, "the same code stays");
    // One that attributes nobody any more makes room.
    app.post_form(&format!("/enrollments/{}/state", jane.enrollment_id), &[("to", "paused")]).await.is(303);
    let later = visitor.get(&format!("/r/{}", bob.code)).await;
    assert!(cookies(&later)[0].starts_with(&format!("refairn_code={};", bob.code)), "{later:?}");
    // So does nonsense.
    let nonsense = [("cookie", "refdesk_code=%00%ff; refdesk_code; =; ;;")];
    let answer = app.stranger().request("GET", &format!("/r/{}", bob.code), &nonsense, Vec::new()).await;
    assert_eq!(cookies(&answer).len(), 2);
}

async fn the_cookie_reaches_the_site_and_is_secure_on_https(database: Arc<Database>) {
    let app = TestApp::start(database.clone()).await;
    let jane = app.shop().referrer("Jane Miller").await;
    arrange_destination(&app, app.business.campaign_id, "https://www.acme.example/").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let settings = Settings {
        database_url: Some(database.url.clone()),
        public_url: Some("https://refer.acme.example/".into()),
        ..Settings::default()
    };
    let db = Db::open(&database.url).await.unwrap();
    let public = refdesk::app::App::new(db, app.clock.clone(), settings.checked().unwrap());
    let service = refdesk::router::router(&public).into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let answer = Visitor::new(&base).get(&format!("/r/{}", jane.code)).await;
    leads_to(&answer, &format!("https://www.acme.example/?ref={}", jane.code));
    let attributes = "Path=/; Max-Age=7776000; SameSite=Lax; Secure";
    assert_eq!(
        cookies(&answer),
        [
            format!("refairn_code={}; {attributes}; Domain=acme.example", jane.code),
            format!("refdesk_code={}; {attributes}; HttpOnly", jane.code),
        ]
    );
}

async fn hostile_codes_are_answered_cleanly(app: TestApp) {
    lead_to(&app, SITE).await;
    visit(&app, &format!("/r/{}", "A".repeat(10_000))).await.is(414);
    let long = "A".repeat(1_000);
    let codes = [
        "%00",
        "K7M%00",
        "%ff%fe",
        "%0d%0aset-cookie:%20evil=1",
        "..%2f..%2fetc",
        "'%20OR%201=1--",
        "%25",
        "%",
        "%3Cscript%3E",
        "-",
        "%20",
        "%E2%80%8B",
        "%F0%9F%92%A9",
        "qr.svg",
        "\u{fdfa}",
    ];
    for code in codes.into_iter().chain([long.as_str()]) {
        for path in [format!("/r/{code}"), format!("/r/{}/{code}", app.business.campaign_id)] {
            let answer = visit(&app, &path).await;
            if answer.status == 404 {
                assert!(path.ends_with("qr.svg"), "{answer:?}");
            } else {
                leads_to(&answer, SITE);
            }
            assert_eq!(cookies(&answer), Vec::<String>::new());
        }
        visit(&app, &format!("/r/{code}/qr.svg")).await.is(404);
    }
    for campaign in ["0", "-1", "99999999999999999999", "%00", "x", "campaign_zzz"] {
        leads_to(&visit(&app, &format!("/r/{campaign}/JANE")).await, SITE);
        visit(&app, &format!("/r/{campaign}/JANE/qr.svg")).await.is(404);
    }
    // A program that does not tidy its addresses gets no further with them.
    for (path, status) in [
        ("/r/..", 302),
        ("/r/../../etc/passwd", 404),
        ("/r/%2e%2e", 302),
        ("/r/%2e%2e/%2e%2e", 302),
        ("/r/../admin", 302),
        ("/r/K7M\u{e9}", 302),
    ] {
        assert_eq!(raw(&app, path).await, status, "{path}");
    }
    for path in ["/r", "/r/", "/r/a/b/c/d"] {
        visit(&app, path).await.is(404);
    }
}

/// The status of a request whose address is sent as it is.
async fn raw(app: &TestApp, path: &str) -> u16 {
    let host = app.url("").replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(&host).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{path}: {answer:?}"))
}

async fn the_same_code_in_two_businesses_leads_to_each(app: TestApp) {
    let other = app.another_business("Globex").await;
    arrange_destination(&app, app.business.campaign_id, SITE).await;
    arrange_destination(&app, other.campaign_id, "https://globex.example/").await;
    referrer_called(&app, app.shop(), "Jane Miller", "FRIEND").await;
    app.clock.advance_days(1);
    let peter = referrer_called(&app, app.shop_of(&other), "Peter Long", "friend").await;
    // The first business keeps the short link, also when it stops using the code.
    leads_to(&visit(&app, "/r/friend").await, &format!("{SITE}?ref=FRIEND"));
    let theirs = format!("/r/{}/friend", other.campaign_id);
    leads_to(&visit(&app, &theirs).await, "https://globex.example/?ref=friend");
    let rendered = refdesk::id::render(refdesk::id::Kind::Campaign, other.campaign_id);
    leads_to(&visit(&app, &format!("/r/{rendered}/friend")).await, "https://globex.example/?ref=friend");
    leads_to(&visit(&app, &format!("/r/{}/friend", app.business.campaign_id)).await, &format!("{SITE}?ref=FRIEND"));
    app.sign_in().await;
    let code =
        app.number(&format!("SELECT id FROM codes WHERE business_id = {} AND text = 'FRIEND'", app.business.id)).await;
    app.post_form(&format!("/codes/{code}/state"), &[("to", "retired")]).await.is(303);
    leads_to(&visit(&app, "/r/friend").await, SITE);
    // Every place that shows Peter's link shows the one that is his.
    let owner = app.member_of(&other, refdesk::users::Role::Owner).await;
    let person = owner.get(&format!("/referrers/{}", peter.id)).await.is(200);
    assert!(person.attrs(".facts a", "href").contains(&app.url(&theirs)), "{person:?}");
    assert_eq!(owner.get("/codes/print?q=friend").await.is(200).text(".card-link"), app.url(&theirs));
    assert!(owner.get("/codes/export?q=friend").await.body.contains(&app.url(&theirs)));
    visit(&app, &format!("{theirs}/qr.svg")).await.is(200);
    // His other code is nobody else's.
    assert!(person.attrs(".facts a", "href").iter().all(|to| !to.contains("FRIEND")));
}

async fn fifty_at_once_on_every_node_are_fifty(three: ThreeNodes) {
    let jane = three.shop().referrer("Jane Miller").await;
    arrange_destination(&three, three.business.campaign_id, SITE).await;
    let link = format!("/r/{}", jane.code);
    let visits = (0..50).map(|n| visit(three.node(n), &link));
    for answer in join_all(visits).await {
        leads_to(&answer, &format!("{SITE}?ref={}", jane.code));
    }
    let stored = "SELECT count(*) FROM counters WHERE name = 'clicks'";
    assert_eq!(three.number(stored).await, 0, "a click waits for nobody's disk");
    join_all(three.nodes.iter().map(|n| n.app.clicks.flush(&n.app.db))).await.into_iter().for_each(|f| f.unwrap());
    let code = code_id(&three, &jane.code).await;
    for scope in [code, three.business.campaign_id] {
        for day in ["", "2026-06-20"] {
            assert_eq!(clicks(&three, scope, day).await, 50, "{scope} {day}");
        }
    }
    // Two that write at once share no row, and nothing is written twice.
    visit(&three, &link).await;
    let node = &three.nodes[0].app;
    let (one, two) = tokio::join!(node.clicks.flush(&node.db), node.clicks.flush(&node.db));
    one.unwrap();
    two.unwrap();
    assert_eq!(clicks(&three, code, "").await, 51);
}

async fn programs_and_looks_ahead_are_not_counted(app: TestApp) {
    lead_to(&app, SITE).await;
    let jane = app.shop().referrer("Jane Miller").await;
    let link = format!("/r/{}", jane.code);
    for headers in [
        ("user-agent", "facebookexternalhit/1.1"),
        ("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1)"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
    ] {
        let answer = app.stranger().request("GET", &link, &[headers], Vec::new()).await;
        leads_to(&answer, &format!("{SITE}?ref={}", jane.code));
    }
    app.stranger().request("HEAD", &link, &[], Vec::new()).await.is(302);
    let code = code_id(&app, &jane.code).await;
    assert_eq!(clicks(&app, code, "").await, 0);
    app.stranger()
        .request("GET", &link, &[("user-agent", "Mozilla/5.0 (X11; rv:128.0) Firefox/128.0")], Vec::new())
        .await;
    assert_eq!(clicks(&app, code, "").await, 1);
    app.arrange("UPDATE campaigns SET state = 'draft'").await;
    leads_to(&visit(&app, &link).await, &format!("{SITE}?ref={}", jane.code));
    assert_eq!(clicks(&app, code, "").await, 1, "a draft can be tried");
}

async fn clicks_are_shown_where_leads_are(app: TestApp) {
    lead_to(&app, SITE).await;
    let jane = app.shop().referrer("Jane Miller").await;
    choose(&app, &app.business, &jane, "JANE20").await;
    for _ in 0..3 {
        visit(&app, "/r/JANE20").await;
    }
    visit(&app, &format!("/r/{}", jane.code)).await;
    // Late in the evening in Los Angeles it is the next day in UTC, and still the business's day.
    app.arrange("UPDATE businesses SET timezone = 'America/Los_Angeles'").await;
    app.clock.set(refdesk::clock::Instant::parse_rfc3339("2026-06-21T05:00:00Z").unwrap());
    visit(&app, "/r/JANE20").await;
    app.app.clicks.flush(&app.app.db).await.unwrap();
    assert_eq!(Zone::parse("America/Los_Angeles").unwrap().day_of(app.clock.now()).to_string(), "2026-06-20");
    assert_eq!(clicks(&app, app.business.campaign_id, "2026-06-20").await, 5);
    app.sign_in().await;
    let list = app.get("/codes?sort=code").await.is(200);
    let mut counted = list.texts("td[data-label=Clicks]");
    counted.sort();
    assert_eq!(counted, ["1", "4"], "{list:?}");
    let person = app.get(&format!("/referrers/{}", jane.id)).await.is(200);
    assert!(person.texts(".facts div").contains(&"Clicks 5".to_owned()), "{person:?}");
    app.get("/").await.is(200).says("Link, 5 clicks");
    assert!(app.get("/codes/export?q=JANE20&cols=clicks&cols=leads").await.body.contains("/r/JANE20,4,0"));
}

/// The program itself, asked to stop a moment after a click.
async fn clicks_survive_a_shutdown(database: Arc<Database>) {
    let app = TestApp::start(database.clone()).await;
    let jane = app.shop().referrer("Jane Miller").await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new(env!("CARGO_BIN_EXE_refdesk"))
        .arg("serve")
        .env("REFDESK_DATABASE_URL", &database.url)
        .env("REFDESK_LISTEN", format!("127.0.0.1:{port}"))
        .env("REFDESK_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let base = format!("http://127.0.0.1:{port}");
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build().unwrap();
    let started = Instant::now();
    while !client.get(format!("{base}/readyz")).send().await.is_ok_and(|r| r.status().is_success()) {
        assert!(started.elapsed() < Duration::from_secs(30), "the program does not get ready");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let links = (0..20).map(|_| Visitor::new(&base));
    let links = links.map(|visitor| {
        let path = format!("/r/{}", jane.code);
        async move { visitor.get(&path).await }
    });
    join_all(links).await.into_iter().for_each(|answer| {
        answer.is(200);
    });
    let asked = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let ended = tokio::task::spawn_blocking(move || server.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended:?}");
    assert_eq!(clicks(&app, code_id(&app, &jane.code).await, "").await, 20);
}

async fn a_qr_code_holds_the_link(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let link = format!("/r/{}", jane.code);
    let qr = visit(&app, &format!("{link}/qr.svg")).await.is(200);
    assert_eq!(qr.header("content-type"), "image/svg+xml");
    assert_eq!(qr.header("cache-control"), "public, max-age=86400");
    assert_eq!(qr.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(qr.header("content-disposition"), "");
    assert_eq!(modules(&qr.body), expected(&app.url(&link)), "the dots of the link's own code");
    let file = visit(&app, &format!("{link}/qr.svg?download")).await.is(200);
    assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"qr-{}.svg\"", jane.code));
    assert_eq!(file.body, qr.body);
    let png = visit(&app, &format!("{link}/qr.png")).await.is(200);
    assert_eq!((png.header("content-type"), png.header("content-disposition")), ("image/png", ""));
    let file = visit(&app, &format!("{link}/qr.png?download")).await.is(200);
    assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"qr-{}.png\"", jane.code));
    // A renamed code's picture shows the new link; a retired one has none.
    choose(&app, &app.business, &jane, "J\u{e4}ne_20").await;
    let renamed = visit(&app, &format!("{link}/qr.svg?download=1")).await.is(200);
    assert_eq!(modules(&renamed.body), expected(&app.url("/r/J%C3%A4ne_20")));
    assert_eq!(renamed.header("content-disposition"), "attachment; filename=\"qr-J_ne_20.svg\"");
    app.sign_in().await;
    let old = code_id(&app, &jane.code).await;
    app.post_form(&format!("/codes/{old}/state"), &[("to", "retired")]).await.is(303);
    let gone = visit(&app, &format!("{link}/qr.svg")).await.is(404);
    assert_eq!(gone.header("cache-control"), "no-store");
    visit(&app, "/r/NO-SUCH-CODE/qr.svg").await.is(404);
    visit(&app, "/r/NO-SUCH-CODE/qr.png").await.is(404);
    assert_eq!(clicks(&app, app.business.campaign_id, "").await, 0, "a picture is no click");
}

/// The dark modules of a drawn code, as (column, row) without the margin; every shape is one square.
fn modules(svg: &str) -> Vec<(i64, i64)> {
    let page = scraper::Html::parse_document(svg);
    let at = |css: &str| scraper::Selector::parse(css).unwrap();
    let path: String = page.select(&at("path")).filter_map(|p| p.attr("d")).collect();
    let mut found: Vec<(i64, i64)> = path
        .split('M')
        .skip(1)
        .map(|square| {
            let (x, rest) = square.split_once(',').unwrap();
            let y: String = rest.chars().take_while(char::is_ascii_digit).collect();
            (x.trim().parse::<i64>().unwrap() - 4, y.parse::<i64>().unwrap() - 4)
        })
        .collect();
    found.sort_unstable();
    found
}

/// The dots that the library computes for a text: the picture is of this text and no other.
fn expected(text: &str) -> Vec<(i64, i64)> {
    let code = fast_qr::QRBuilder::new(text).ecl(fast_qr::ECL::M).build().unwrap();
    let size = code.size;
    let mut dark = Vec::new();
    for y in 0..size {
        for x in 0..size {
            if code[y][x].value() {
                dark.push((x as i64, y as i64));
            }
        }
    }
    // The three corners by which a camera finds it.
    for (x, y) in [(0, 0), (size - 7, 0), (0, size - 7)] {
        assert!((0..7).all(|i| code[y][x + i].value() && code[y + i][x].value()));
    }
    dark.sort_unstable();
    dark
}

async fn the_apis_user_has_links_that_work(app: TestApp) {
    lead_to(&app, SITE).await;
    let body = json!({ "campaign_id": app.business.campaign_id, "first_name": "Jane", "email": "jane@example.org" });
    let user = app.api_post("/api/v2/users", body).await.is(201).json()["data"].clone();
    let path = |address: &serde_json::Value| address.as_str().unwrap().strip_prefix(&app.url("")).unwrap().to_owned();
    let code = user["code"].as_str().unwrap();
    leads_to(&visit(&app, &path(&user["url"])).await, &format!("{SITE}?ref={code}"));
    let shown = visit(&app, &path(&user["qr"]["src"])).await.is(200);
    assert_eq!((shown.header("content-type"), shown.header("content-disposition")), ("image/svg+xml", ""));
    let saved = visit(&app, &path(&user["qr"]["download"])).await;
    // A client that drops what is behind the question mark still gets a picture.
    assert!(saved.is(200).header("content-disposition").starts_with("attachment;"));
}

async fn a_destination_is_checked_in_the_form(app: TestApp) {
    app.sign_in().await;
    let here = format!("/campaigns/{}", app.business.campaign_id);
    app.get(&here).await.is(200).says("a plain page that shows the code");
    let form = app.get(&format!("{here}/edit")).await.is(200);
    assert!(form.text("#h-destination").contains("?ref=CODE"), "{form:?}");
    for bad in [
        "javascript:alert(1)",
        "ftp://shop.example",
        "//shop.example",
        "shop.example",
        "https://",
        "https://user:secret@shop.example",
        "https://shop.example/\r\nset-cookie: a=b",
        "https://shop.example\\@evil.example",
        &app.url("/r/K7M-4XP-D2CW"),
        &app.url("/r/K7M").to_uppercase().replace("/R/", "/r/"),
    ] {
        let fields =
            [("name", "Refer a friend"), ("qualify_on", "payment"), ("reward_hold_days", "14"), ("destination", bad)];
        let refused = app.post_form(&here, &fields).await.is(422);
        assert!(refused.error_at("destination").starts_with("The address "), "{bad}: {refused:?}");
    }
    assert_eq!(app.number("SELECT count(*) FROM campaigns WHERE destination <> ''").await, 0);
    lead_to(&app, SITE).await;
    lead_to(&app, "").await;
    assert_eq!(app.number("SELECT count(*) FROM campaigns WHERE destination = ''").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_visitor_sees_is_accessible_and_fits_a_phone() {
    let app = TestApp::start(Database::new(Engine::Sqlite).await.into()).await;
    referrer_called(&app, app.shop(), "Jane Miller", "JANE20").await;
    let long = "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW";
    referrer_called(&app, app.shop(), "Bob Stone", long).await;
    let browser = Browser::at(&app).await;
    for path in ["/r/JANE20", &format!("/r/{long}"), "/r/NO-SUCH-CODE"] {
        for dark in [false, true] {
            browser.dark(dark).await;
            browser.go(path).await;
            browser.accessible().await;
        }
        browser.phone().await;
        browser.go(path).await;
        browser.fits().await;
        browser.desktop().await;
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
