//! Set-up, signing in and out.

use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::{EmptyApp, PASSWORD, TestApp};

on_both_databases! {
    a_new_server_is_set_up_with_its_token,
    a_wrong_password_is_refused_in_words,
    pages_ask_for_a_sign_in_and_go_on_from_there,
    many_guesses_at_once_are_no_more_than_one_after_another,
    whoever_finds_too_many_in_line_is_asked_to_come_back,
    a_stranger_s_guesses_keep_nobody_out,
    guesses_from_a_network_are_counted_together,
    after_a_hundred_failures_in_a_row_the_password_alone_does_not_do,
    a_clock_that_was_wrong_keeps_nobody_out,
    who_signs_in_and_out_is_in_the_audit,
}

async fn a_new_server_is_set_up_with_its_token(app: EmptyApp) {
    app.get("/sign-in").await.goes_to("/setup");
    let mut fields = vec![
        ("token", "wrong"),
        ("name", "Ada Okoro"),
        ("email", "ada@example.com"),
        ("password", "a good long one"),
        ("business", "Acme"),
        ("currency", "KES"),
        ("country", "KE"),
        ("timezone", "Africa/Nairobi"),
        ("campaign", "Friends"),
        ("product", "Pro plan"),
        ("referral_rate", "20"),
        ("recurring_rate", "12.5"),
        ("hold_days", "14"),
    ];
    let refused = app.post_form("/setup", &fields).await.is(422);
    assert_eq!(refused.error_at("token"), "That is not the token the server printed when it started.");
    assert_eq!(refused.field("business"), "Acme", "what was typed stays");
    assert_eq!(app.number("SELECT count(*) FROM businesses").await, 0);

    let token = app.app.setup_token.to_string();
    fields[0].1 = &token;
    app.post_form("/setup", &fields).await.is(200).says("rk_live_");
    app.get("/").await.is(200);
    app.get("/setup").await.goes_to("/sign-in");
    app.post_form("/setup", &fields).await.goes_to("/sign-in");
    assert_eq!(app.number("SELECT count(*) FROM businesses").await, 1);
}

async fn a_wrong_password_is_refused_in_words(app: TestApp) {
    let refused = app.sign_in_as(&app.business.owner_email, "not the one").await.is(422);
    assert_eq!(refused.error_at("email"), "Wrong e-mail or password.");
    assert_eq!(refused.field("password"), "");
    let unknown = app.sign_in_as("nobody@example.com", "not the one").await.is(422);
    assert_eq!(unknown.error_at("email"), refused.error_at("email"));
    app.get("/").await.goes_to("/sign-in");
}

async fn pages_ask_for_a_sign_in_and_go_on_from_there(app: TestApp) {
    let asked = app.get("/referrers?state=active").await.goes_to("/sign-in?back=%2Freferrers%3Fstate%3Dactive");
    let form = asked.follow().await.is(200);
    let back = form.field("back");
    let fields = [("email", app.business.owner_email.as_str()), ("password", PASSWORD), ("back", &back)];
    app.post_form("/sign-in", &fields).await.goes_to("/referrers?state=active");
    app.post_form("/sign-out", &[]).await.goes_to("/sign-in");
    app.get("/referrers").await.goes_to("/sign-in?back=%2Freferrers");
}

async fn many_guesses_at_once_are_no_more_than_one_after_another(app: TestApp) {
    let guess = async || app.stranger().sign_in_as(&app.business.owner_email, "not the one").await;
    let answers = futures::future::join_all((0..24).map(|_| guess())).await;
    let checked = answers.iter().filter(|a| a.status == 422).count();
    assert!(answers.iter().all(|a| [422, 429, 503].contains(&a.status)), "{answers:?}");
    // Five are free, and two are checked at one time.
    assert!((5..=6).contains(&checked), "{checked} passwords were tried");
    let late = guess().await.is(429);
    assert!(late.header("retry-after").parse::<i64>().is_ok_and(|wait| wait < 60), "{late:?}");
    app.clock.set(app.clock.now().plus_seconds(61));
    app.sign_in().await;
    // Changing the password asks in the same way.
    let fields = [("current", "not the one"), ("password", "another good one")];
    let answers = futures::future::join_all((0..24).map(|_| app.post_form("/account/password", &fields))).await;
    let checked = answers.iter().filter(|a| a.status == 422).count();
    assert!((5..=6).contains(&checked), "{checked} passwords were tried");
}

async fn whoever_finds_too_many_in_line_is_asked_to_come_back(app: TestApp) {
    let held = futures::future::join_all((0..2).map(|_| app.app.passwords.permit())).await;
    assert!(held.iter().all(Option::is_some));
    let refused = app.sign_in_as(&app.business.owner_email, PASSWORD).await.is(503);
    assert!(!refused.header("retry-after").is_empty());
    drop(held);
    app.sign_in().await;
}

async fn a_stranger_s_guesses_keep_nobody_out(app: TestApp) {
    let server = app.behind_a_proxy().await;
    let owner = app.business.owner_email.as_str();
    let browser = server.stranger();
    browser.sign_in_from("203.0.113.7", owner, PASSWORD).await.goes_to("/");
    browser.post_form("/sign-out", &[]).await.goes_to("/sign-in");
    let stranger = server.stranger();
    let guesses = async |ip: &str| {
        for _ in 0..8 {
            let answer = stranger.sign_in_from(ip, owner, "not the one").await;
            assert!([422, 429].contains(&answer.status), "{answer:?}");
        }
        stranger.sign_in_from(ip, owner, PASSWORD).await.is(429);
    };
    guesses("198.51.100.9").await;
    // From elsewhere, and from a browser that the account knows even at the stranger's address.
    server.stranger().sign_in_from("203.0.113.8", owner, PASSWORD).await.goes_to("/");
    guesses("198.51.100.9").await;
    browser.sign_in_from("198.51.100.9", owner, PASSWORD).await.goes_to("/");
}

async fn guesses_from_a_network_are_counted_together(app: TestApp) {
    let server = app.behind_a_proxy().await;
    let mut checked = 0;
    for n in 0..70 {
        let ip = format!("2001:db8:7:7::{n:x}");
        let answer = server.stranger().sign_in_from(&ip, &format!("jane{n}@example.com"), "not the one").await;
        checked += i32::from(answer.status == 422);
    }
    assert!((50..60).contains(&checked), "{checked} of 70 were checked");
    server.stranger().sign_in_from("2001:db8:7:8::1", &app.business.owner_email, PASSWORD).await.goes_to("/");
}

async fn after_a_hundred_failures_in_a_row_the_password_alone_does_not_do(app: TestApp) {
    let server = app.behind_a_proxy().await;
    let owner = app.business.owner_email.as_str();
    let browser = server.stranger();
    browser.sign_in_from("203.0.113.7", owner, PASSWORD).await.goes_to("/");
    server.stranger().sign_in_from("203.0.113.9", owner, "not the one").await.is(422);
    app.arrange("UPDATE login_failures SET failures = 99 WHERE lasting").await;
    server.stranger().sign_in_from("203.0.113.10", owner, "not the one").await.is(422);
    let closed = server.stranger().sign_in_from("203.0.113.11", owner, PASSWORD).await.is(429);
    closed.says("refdesk user reset-password");
    // The other ways: a browser that the account knows, or a new password.
    browser.sign_in_from("203.0.113.7", owner, PASSWORD).await.goes_to("/");
    server.stranger().sign_in_from("203.0.113.12", owner, PASSWORD).await.goes_to("/");
}

async fn a_clock_that_was_wrong_keeps_nobody_out(app: TestApp) {
    let now = app.clock.now();
    app.clock.set(now.plus_seconds(172_800));
    for _ in 0..8 {
        app.sign_in_as(&app.business.owner_email, "not the one").await;
    }
    app.clock.set(now);
    app.sign_in().await;
}

async fn who_signs_in_and_out_is_in_the_audit(app: TestApp) {
    app.sign_in_as(&app.business.owner_email, "not the one").await.is(422);
    app.sign_in().await;
    let viewer = app.member(Role::Viewer).await;
    viewer.get("/team").await.is(403);
    app.post_form("/sign-out", &[]).await.goes_to("/sign-in");
    let actions: Vec<(String,)> =
        app.rows("SELECT action FROM audit_entries WHERE subject_kind = 'user' ORDER BY id").await;
    let actions: Vec<&str> = actions.iter().map(|(action,)| action.as_str()).collect();
    let expected = ["user.sign_in_failed", "user.signed_in", "user.signed_in", "user.refused", "user.left"];
    assert_eq!(actions, expected);
    let origins = "SELECT count(*) FROM audit_entries WHERE action LIKE 'user.%' AND origin = '127.0.0.1'";
    assert_eq!(app.number(origins).await, 5);
}
