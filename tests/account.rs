//! /account, sessions, and what keeps others out of them

use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::{Answer, PASSWORD, TestApp, Visitor};

on_both_databases! {
    a_new_password_ends_the_other_sessions,
    a_password_is_changed_only_by_who_knows_it,
    sessions_are_listed_and_ended,
    a_planted_session_is_worth_nothing,
    signing_out_ends_the_session_on_the_server,
    guessing_is_slowed_down,
    only_own_paths_are_followed,
    a_name_and_a_theme_are_kept,
}

const NEW_PASSWORD: &str = "seven green boats";

/// The session's cookie, as an answer sets it.
fn cookie(answer: &Answer) -> String {
    let all = answer.headers.get_all("set-cookie").iter().filter_map(|set| set.to_str().ok());
    let mut pairs = all.filter_map(|set| set.split(';').next());
    pairs.find(|pair| pair.starts_with("refdesk=")).unwrap_or_default().to_owned()
}

async fn a_new_password_ends_the_other_sessions(app: TestApp) {
    let email = app.add_member(&app.business, Role::Viewer).await;
    let (here, there) = (app.stranger(), app.stranger());
    let before = cookie(&here.sign_in_as(&email, PASSWORD).await);
    there.sign_in_as(&email, PASSWORD).await.goes_to("/");
    let changed = here
        .post_form("/account/password", &[("current", PASSWORD), ("password", NEW_PASSWORD)])
        .await
        .goes_to("/account");
    let after = cookie(&changed);
    assert!(before.starts_with("refdesk=") && after.starts_with("refdesk=") && before != after, "{before} {after}");
    let page = changed.follow().await.is(200);
    assert_eq!(page.flash(), "Your password was changed. One other session was ended.");
    there.get("/account").await.goes_to("/sign-in?back=%2Faccount");
    let copied = app.stranger().request("GET", "/account", &[("cookie", &before)], vec![]).await;
    copied.goes_to("/sign-in?back=%2Faccount");
    app.stranger().sign_in_as(&email, PASSWORD).await.is(422);
    app.stranger().sign_in_as(&email, NEW_PASSWORD).await.goes_to("/");
}

async fn a_password_is_changed_only_by_who_knows_it(app: TestApp) {
    let sam = app.member(Role::Viewer).await;
    let change = |current: &'static str, new: &'static str| {
        let sam = sam.clone();
        async move { sam.post_form("/account/password", &[("current", current), ("password", new)]).await.is(422) }
    };
    let wrong = change("not the one I have", NEW_PASSWORD).await;
    assert_eq!(wrong.error_at("current"), "That is not your current password.");
    assert_eq!((wrong.field("current"), wrong.field("password")), (String::new(), String::new()));
    let short = change(PASSWORD, "short").await;
    assert_eq!(short.error_at("password"), "The new password must have at least 10 characters.");
    let same = change(PASSWORD, PASSWORD).await;
    assert_eq!(same.error_at("password"), "The new password is the same as the current one.");
    for _ in 0..4 {
        change("not the one I have", NEW_PASSWORD).await;
    }
    let fields = [("current", PASSWORD), ("password", NEW_PASSWORD)];
    sam.post_form("/account/password", &fields).await.is(429).says("Too many attempts.");
}

async fn sessions_are_listed_and_ended(app: TestApp) {
    let email = app.add_member(&app.business, Role::Viewer).await;
    let visitors: Vec<Visitor> = (0..4).map(|_| app.stranger()).collect();
    for visitor in &visitors {
        visitor.sign_in_as(&email, PASSWORD).await.goes_to("/");
    }
    let [here, second, third, fourth] = &visitors[..] else { panic!("four") };
    let page = here.get("/account").await.is(200);
    assert_eq!(page.count("main tbody tr"), 4);
    assert_eq!(page.texts("main tbody .under"), ["This one"]);
    let one = page.attr("main tbody input[name=session]", "value");
    here.post_form("/account/sessions/end", &[("session", &one)]).await.is(200).says("Your password");
    here.post_form("/account/sessions/end", &[("session", &one), ("current", PASSWORD)]).await.goes_to("/account");
    let mut over = 0;
    for visitor in [second, third, fourth] {
        over += i32::from(visitor.get("/account").await.status == 303);
    }
    assert_eq!(over, 1);

    let other = app.member(Role::Owner).await;
    let theirs = app.number("SELECT count(*) FROM sessions").await;
    let mine = other.get("/account").await.is(200);
    assert!(!mine.has("main tbody input[name=session]"), "only one's own sessions are listed");
    let foreign: Vec<(String,)> = app.rows("SELECT id_hash FROM sessions ORDER BY created_at LIMIT 1").await;
    other
        .post_form("/account/sessions/end", &[("session", &foreign[0].0), ("current", PASSWORD)])
        .await
        .goes_to("/account");
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, theirs, "nobody ends another's session");

    let ended = here.post_form("/account/sessions/end-others", &[("current", PASSWORD)]).await.follow().await;
    assert!(ended.flash().ends_with("2 other sessions were ended."), "{}", ended.flash());
    for visitor in [second, third, fourth] {
        visitor.get("/account").await.goes_to("/sign-in?back=%2Faccount");
    }
    here.get("/account").await.is(200);
}

async fn a_planted_session_is_worth_nothing(app: TestApp) {
    let victim = app.add_member(&app.business, Role::Viewer).await;
    // One that nobody has, and one that somebody signed in with.
    let attacker = app.add_member(&app.business, Role::Viewer).await;
    let owned = cookie(&app.stranger().sign_in_as(&attacker, PASSWORD).await);
    for planted in ["refdesk=AAAAAAAAAAAAAAAAAAAAAQ".to_owned(), owned] {
        let body = format!("email={}&password={}", victim.replace('@', "%40"), PASSWORD.replace(' ', "+"));
        let headers = [("cookie", planted.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        let answer = app.stranger().request("POST", "/sign-in", &headers, body.into_bytes()).await.goes_to("/");
        let fresh = cookie(&answer);
        assert!(fresh.starts_with("refdesk=") && fresh != planted, "the id changes at sign-in: {planted} {fresh}");
        let seen = app.stranger().request("GET", "/account", &[("cookie", &planted)], vec![]).await;
        seen.goes_to("/sign-in?back=%2Faccount");
        app.stranger().request("GET", "/account", &[("cookie", &fresh)], vec![]).await.is(200).says(&victim);
    }
}

async fn signing_out_ends_the_session_on_the_server(app: TestApp) {
    let email = app.add_member(&app.business, Role::Viewer).await;
    let sam = app.stranger();
    let held = cookie(&sam.sign_in_as(&email, PASSWORD).await);
    let out = sam.post_form("/sign-out", &[]).await.goes_to("/sign-in");
    assert!(out.header("clear-site-data").contains("storage"));
    let copied = app.stranger().request("GET", "/account", &[("cookie", &held)], vec![]).await;
    copied.goes_to("/sign-in?back=%2Faccount");
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, 0);
}

async fn guessing_is_slowed_down(app: TestApp) {
    let email = app.business.owner_email.clone();
    for _ in 0..5 {
        app.sign_in_as(&email, "not the one I have").await.is(422);
    }
    let stopped = app.sign_in_as(&email, PASSWORD).await.is(429);
    assert!(stopped.header("retry-after").parse::<u64>().unwrap() >= 1);
    app.sign_in_as("nobody@example.org", "not the one I have").await.is(422);
    for _ in 0..5 {
        app.sign_in_as("nobody@example.org", "not the one I have").await;
    }
    app.sign_in_as("nobody@example.org", "x").await.is(429);
    app.clock.set(app.clock.now().plus_seconds(120));
    app.sign_in_as(&email, PASSWORD).await.goes_to("/");
}

async fn only_own_paths_are_followed(app: TestApp) {
    let evil = [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        "@evil.example",
        "/\r\nLocation: https://evil.example",
        "/\u{2028}",
        "",
        " //evil.example",
    ];
    for back in evil {
        let email = app.business.owner_email.as_str();
        let visitor = app.stranger();
        visitor.post_form("/sign-in", &[("email", email), ("password", PASSWORD), ("back", back)]).await.goes_to("/");
        visitor.post_form("/test-data", &[("on", "no"), ("back", back)]).await.goes_to("/");
        visitor.post_form("/account/theme", &[("theme", "dark"), ("back", back)]).await.goes_to("/account");
    }
}

async fn a_name_and_a_theme_are_kept(app: TestApp) {
    app.sign_in().await;
    let page = app.post_form("/account", &[("name", "Ada Okoro")]).await.follow().await.is(200);
    assert_eq!((page.flash().as_str(), page.text(".me-words b").as_str()), ("Your name was changed.", "Ada Okoro"));
    assert_eq!(app.post_form("/account", &[("name", " ")]).await.is(422).error_at("name"), "The name is missing.");
    app.post_form("/account/theme", &[("theme", "dark"), ("back", "/account")]).await.goes_to("/account");
    assert_eq!(app.get("/account").await.attr("html", "data-theme"), "dark");
}
