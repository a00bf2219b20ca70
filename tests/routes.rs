//! Every route of the table against everybody who may knock: the roles, nobody, another business's owner,
//! other sites. A route that is added is tested by being in the table.

use std::collections::{HashMap, HashSet};

use refdesk::router;
use refdesk::shell::Access;
use refdesk::shell::routes::Route;
use refdesk::users::Role;
use reqwest::Method;

use crate::on_both_databases;
use crate::support::{Answer, Shop, TestApp, Visitor};

on_both_databases! {
    every_role_gets_what_it_may_and_nothing_else,
    another_business_finds_nothing_and_changes_nothing,
    every_link_leads_somewhere,
    other_sites_cannot_post,
    every_answer_has_the_security_headers,
    an_unknown_address_and_a_wrong_method_say_so,
}

fn table() -> Vec<Route> {
    router::pages().table().to_vec()
}

/// Something of everything, so that an address with an id in it leads somewhere.
struct World {
    /// By the first word of an address: an id that is there.
    ids: HashMap<&'static str, i64>,
}

impl World {
    async fn make(app: &TestApp, shop: Shop<'_>) -> Self {
        let jane = shop.referrer("Jane Miller").await;
        let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
        shop.pay("amy@example.com", "100.00", "2026-06-20").await;
        // The same day and another amount: a possible second payment, for the inbox.
        shop.pay("amy@example.com", "120.00", "2026-06-20").await;
        let business = shop.business.id;
        let one = async |text: String| app.number(&text).await;
        let ids = HashMap::from([
            ("referrers", jane.id),
            ("enrollments", jane.enrollment_id),
            ("codes", one(format!("SELECT id FROM codes WHERE business_id = {business}")).await),
            ("leads", lead),
            ("commissions", one(format!("SELECT id FROM commissions WHERE business_id = {business}")).await),
            ("payments", one(format!("SELECT min(id) FROM payments WHERE business_id = {business}")).await),
            ("inbox", one(format!("SELECT min(id) FROM inbox_items WHERE business_id = {business}")).await),
            ("campaigns", shop.business.campaign_id),
            ("products", shop.business.product_row),
            ("integrations", one(format!("SELECT min(id) FROM api_keys WHERE business_id = {business}")).await),
            ("keys", one(format!("SELECT min(id) FROM api_keys WHERE business_id = {business}")).await),
            ("team", shop.business.owner_id),
        ]);
        Self { ids }
    }

    /// The address with ids in it, and whether they are there.
    fn address(&self, route: &Route) -> (String, bool) {
        let (mut address, mut known, mut word) = (String::new(), true, "");
        for part in route.path.split('/').skip(1) {
            address.push('/');
            if part.starts_with('{') {
                let id = self.ids.get(word);
                known &= id.is_some();
                address.push_str(&id.map_or("987654321".to_owned(), i64::to_string));
            } else {
                address.push_str(part);
                word = part;
            }
        }
        if route.path == "/switch-campaign" {
            address.push_str(&format!("?campaign={}", self.ids["campaigns"]));
        }
        (address, known)
    }
}

async fn knock(visitor: &Visitor, route: &Route, address: &str) -> Answer {
    if route.method == Method::GET { visitor.get(address).await } else { visitor.post_form(address, &[]).await }
}

fn is_sent_to_sign_in(answer: &Answer) -> bool {
    answer.status == 303 && answer.header("location").starts_with("/sign-in")
}

async fn every_role_gets_what_it_may_and_nothing_else(app: TestApp) {
    let world = World::make(&app, app.shop()).await;
    for route in table() {
        let (address, known) = world.address(&route);
        let nobody = knock(&app.stranger(), &route, &address).await;
        match route.access {
            Access::Public => assert!(nobody.status < 500, "{nobody:?}"),
            _ => assert!(is_sent_to_sign_in(&nobody), "nobody is signed in: {nobody:?}"),
        }
        let _ = known;
    }
    for role in Role::ALL {
        let member = app.member(role).await;
        for route in table() {
            let (address, known) = world.address(&route);
            let may = match route.access {
                Access::May(right) => role.may(right),
                Access::Public | Access::SignedIn => true,
            };
            if !may {
                let answer = knock(&member, &route, &address).await;
                assert!(answer.status == 403, "{role:?} may not: {answer:?}");
            } else if route.method == Method::GET {
                let answer = knock(&member, &route, &address).await;
                assert!(matches!(answer.status, 200 | 204 | 303 | 404), "{role:?} may: {answer:?}");
                if role == Role::Owner && known && route.access != Access::Public {
                    assert!(answer.status != 404 && !is_sent_to_sign_in(&answer), "it is there: {answer:?}");
                }
            }
        }
    }
    // An empty form never breaks anything; whoever signs out does it last.
    for role in Role::ALL {
        let member = app.member(role).await;
        let mut posts: Vec<Route> = table().into_iter().filter(|r| r.method == Method::POST).collect();
        posts.sort_by_key(|r| r.path == "/sign-out");
        for route in posts {
            let (address, _) = world.address(&route);
            if !matches!(route.access, Access::May(right) if !role.may(right)) {
                let answer = knock(&member, &route, &address).await;
                assert!(answer.status < 500 && answer.status != 403, "{role:?} sent an empty form: {answer:?}");
            }
        }
    }
}

async fn another_business_finds_nothing_and_changes_nothing(app: TestApp) {
    let world = World::make(&app, app.shop()).await;
    let globex = app.another_business("Globex").await;
    let theirs = app.member_of(&globex, Role::Owner).await;
    let audited = format!("SELECT count(*) FROM audit_entries WHERE business_id = {}", app.business.id);
    let before = app.number(&audited).await;
    for route in table().iter().filter(|r| r.path.contains('{') && r.access != Access::Public) {
        let (address, _) = world.address(route);
        let answer = knock(&theirs, route, &address).await;
        let refused = if route.method == Method::GET { [404, 404, 404] } else { [404, 422, 400] };
        assert!(refused.contains(&answer.status), "an id of another business is as if it did not exist: {answer:?}");
    }
    assert_eq!(app.number(&audited).await, before, "nothing was done to the other business");
    for route in table().iter().filter(|r| r.method == Method::GET && !r.path.contains('{')) {
        let page = theirs.get(route.path).await;
        for word in ["Jane Miller", "jane.miller", "amy@example.com", app.business.public_id.as_str()] {
            assert!(!page.body.contains(word), "{word:?} is of another business: {page:?}");
        }
    }
}

/// Every link that a page offers a person leads to a page they may open.
async fn every_link_leads_somewhere(app: TestApp) {
    World::make(&app, app.shop()).await;
    app.shop().lead("eve@example.com", Some("NO-SUCH-CODE")).await;
    for role in Role::ALL {
        let member = app.member(role).await;
        let (mut seen, mut next) = (HashSet::new(), vec!["/".to_owned()]);
        while let Some(address) = next.pop() {
            let page = member.get(&address).await;
            assert!(matches!(page.status, 200 | 303), "{role:?} is offered {address}: {page:?}");
            let links = page.attrs("a[href^='/']", "href").into_iter();
            next.extend(links.filter(|link| seen.insert(link.split(['?', '#']).next().unwrap().to_owned())));
        }
        assert!(seen.len() >= 8, "{role:?}: {seen:?}");
    }
}

async fn other_sites_cannot_post(app: TestApp) {
    let world = World::make(&app, app.shop()).await;
    app.sign_in().await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let own = app.url("");
    for route in table().iter().filter(|r| r.method == Method::POST) {
        let (address, _) = world.address(route);
        let foreign: [&[(&str, &str)]; 5] = [
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("x-http-method-override", "GET")],
        ];
        for headers in foreign {
            let headers: Vec<_> = headers.iter().copied().chain([form]).collect();
            let answer = app.request("POST", &address, &headers, Vec::new()).await;
            assert!(answer.status == 403, "{headers:?}: {answer:?}");
            assert_eq!(answer.text("h1"), "Not from there");
        }
    }
    app.get("/").await.is(200);
    // Forms of a browser on the site itself pass: an empty one is refused in words, not as foreign.
    let ours = [("sec-fetch-site", "same-origin"), ("origin", own.as_str()), form];
    let body = format!("stamp={}", app.stamp().await).into_bytes();
    app.request("POST", "/referrers", &ours, body).await.follow().await.is(422);
}

async fn every_answer_has_the_security_headers(app: TestApp) {
    let world = World::make(&app, app.shop()).await;
    app.sign_in().await;
    let mut answers = Vec::new();
    for route in table().iter().filter(|r| r.path != "/sign-out") {
        let (address, _) = world.address(route);
        answers.push(knock(&app, route, &address).await);
        answers.push(knock(&app.stranger(), route, &address).await);
    }
    let pages = answers.len();
    for path in [
        "/nothing-here",
        "/healthz",
        "/readyz",
        "/static/nothing.css",
        "/static/app.css",
        "/api/events/nothing",
        "/api/v2/users",
    ] {
        answers.push(app.get(path).await);
    }
    answers.push(app.request("DELETE", "/referrers", &[], Vec::new()).await);
    answers.push(app.request("POST", "/referrers", &[("sec-fetch-site", "cross-site")], Vec::new()).await);
    answers.push(app.request("POST", "/sign-in", &[("content-type", "text/plain")], vec![b'x'; 2_000_000]).await);
    for (i, answer) in answers.iter().enumerate() {
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{part}: {answer:?}");
        }
        assert!(!policy.contains("unsafe"), "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{answer:?}");
        // The address of a link to an answer is all that its page asks for, so no other site hears it.
        let heard = if answer.asked.contains(" /t/") { "no-referrer" } else { "same-origin" };
        assert_eq!(answer.header("referrer-policy"), heard, "{answer:?}");
        assert_eq!(answer.header("x-request-id").len(), 16, "{answer:?}");
        let kept = answer.header("cache-control");
        let fixed = answer.asked.contains("/static/") && answer.status == 200;
        // The documents and the script of shops are the same for every stranger, and have a tag.
        let is_public = ["GET /docs", "GET /refdesk.js"].iter().any(|asked| answer.asked.starts_with(asked));
        let is_for_all = is_public && !answer.header("etag").is_empty();
        assert!(i >= pages || is_for_all || kept.contains("no-store"), "a page is for one person: {answer:?}");
        assert_eq!(kept.contains("immutable"), fixed, "{answer:?}");
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        }
    }
}

async fn an_unknown_address_and_a_wrong_method_say_so(app: TestApp) {
    app.sign_in().await;
    let nothing = app.get("/nothing-here").await.is(404);
    assert_eq!(nothing.text("h1"), "Nothing here");
    // A signed-in person keeps the way on; anybody else is shown no navigation.
    for path in ["/nothing-here", "/leads/999999", "/leads/not-a-number"] {
        assert!(app.get(path).await.is(404).has("nav[aria-label=Main] a[href^='/leads?campaign=']"), "{path}");
    }
    assert!(!app.stranger().get("/nothing-here").await.is(404).has("nav"));
    let sales = app.member(Role::Sales).await;
    let refused = sales.get("/team").await.is(403);
    assert_eq!(refused.text("h1"), "Not for your role");
    assert!(refused.has("nav a[href^='/record?campaign=']") && !refused.has("nav a[href='/team']"), "{refused:?}");
    for (method, path) in [("DELETE", "/referrers"), ("PUT", "/"), ("GET", "/sign-out"), ("PATCH", "/sign-in")] {
        let wrong = app.request(method, path, &[], Vec::new()).await.is(405);
        assert_eq!(wrong.text("h1"), "Not that way", "{method} {path}");
        assert!(wrong.has("nav[aria-label=Main]"), "{method} {path}");
    }
    app.get("/leads/not-a-number").await.is(404);
    app.get("/leads/99999999999999999999").await.is(404);
}
