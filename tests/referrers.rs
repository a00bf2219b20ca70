//! /referrers

use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    a_referrer_is_added_with_a_code,
    a_form_with_faults_comes_back_as_typed,
    another_business_sees_none_of_it,
    a_referrer_is_edited,
    a_referrer_is_paused_banned_and_let_back,
    an_archived_referrer_keeps_their_history,
    money_is_shown_to_those_who_may_see_it,
}

async fn a_referrer_is_added_with_a_code(app: TestApp) {
    app.sign_in().await;
    app.get("/referrers").await.is(200).says("No referrers yet");
    let fields = [("name", "Jane Miller"), ("email", "jane@example.org"), ("generate", "yes")];
    let list = app.post_form("/referrers", &fields).await.goes_to("/referrers").follow().await.is(200);
    assert!(list.flash().starts_with("Jane Miller was added with the code "), "{}", list.flash());
    assert_eq!(list.texts("tbody th a"), ["Jane Miller"]);
    let again = app.post_form("/referrers", &fields).await.is(422);
    assert_eq!(again.error_at("email"), "A referrer with this address is already in this campaign.");
    assert_eq!(app.number("SELECT count(*) FROM codes WHERE state = 'active'").await, 1);
}

async fn a_form_with_faults_comes_back_as_typed(app: TestApp) {
    let sam = app.member(Role::Marketing).await;
    let page =
        sam.post_form("/referrers", &[("name", ""), ("email", "no address"), ("company", "Acme <b>")]).await.is(422);
    assert_eq!(page.error_at("name"), "The name is missing.");
    assert_eq!(page.field("email"), "no address");
    assert_eq!(page.field("company"), "Acme <b>");
    assert_eq!(page.count(".errors li"), 2);
    assert_eq!(app.number("SELECT count(*) FROM referrers").await, 0);
}

async fn another_business_sees_none_of_it(app: TestApp) {
    let other = app.another_business("Globex").await;
    app.shop().referrer("Jane Miller").await;
    app.shop_of(&other).referrer("Jane Miller").await;
    let theirs = app.member_of(&other, Role::Owner).await;
    assert_eq!(theirs.get("/referrers").await.is(200).count("tbody tr"), 1);
    assert_eq!(app.number("SELECT count(*) FROM referrers").await, 2, "one person, two businesses");
}

async fn a_referrer_is_edited(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().referrer("Peter Long").await;
    let (page, edit) = (format!("/referrers/{}", jane.id), format!("/referrers/{}/edit", jane.id));
    assert_eq!(app.get(&edit).await.is(200).field("name"), "Jane Miller");
    let taken = app.post_form(&edit, &[("name", "Jane Miller"), ("email", "Peter.Long@example.org")]).await.is(422);
    assert_eq!(taken.error_at("email"), "Peter Long has this e-mail address.");
    let fields =
        [("name", "Zoë Smith"), ("email", "zoe@example.org"), ("phone", "(202) 555-0147"), ("company", "Acme")];
    let shown = app.post_form(&edit, &fields).await.goes_to(&page).follow().await.is(200);
    assert_eq!((shown.flash().as_str(), shown.text("h1").as_str()), ("Saved.", "Zoë Smith"));
    shown.says("Name: Jane Miller → Zoë Smith");
    assert_eq!(app.post_form(&edit, &fields).await.follow().await.flash(), "Nothing was changed.");
    assert_eq!(app.get("/referrers?sort=name").await.texts("tbody th a"), ["Peter Long", "Zoë Smith"]);
    assert_eq!(app.get("/referrers?q=zo%C3%AB").await.count("tbody tr"), 1);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'referrer.edited'").await, 1);
    let other = app.another_business("Globex").await;
    let theirs = app.member_of(&other, Role::Owner).await;
    theirs.get(&page).await.is(404);
    theirs.post_form(&edit, &fields).await.is(404);
}

async fn a_referrer_is_paused_banned_and_let_back(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("a@example.com", Some(&jane.code)).await;
    shop.pay("a@example.com", "100.00", "2026-06-20").await;
    let state = format!("/enrollments/{}/state", jane.enrollment_id);
    let ban = format!("/enrollments/{}/ban", jane.enrollment_id);
    app.post_form(&state, &[("to", "paused")]).await.is(303);
    assert_eq!(app.get("/referrers?state=paused").await.count("tbody tr"), 1);
    assert_eq!(app.get("/referrers?state=banned").await.is(200).count("tbody tr"), 0);
    app.get(&ban)
        .await
        .is(200)
        .says("1 pending, 20.00 USD")
        .says("stay out of payouts until staff approve or void them");
    assert_eq!(app.number("SELECT count(*) FROM enrollments WHERE state = 'banned'").await, 0, "asking bans nobody");
    app.post_form(&state, &[("to", "banned"), ("reason", "Bought their own trips")]).await.is(303);
    let page = app.get(&format!("/referrers/{}", jane.id)).await.is(200);
    page.says("Reason: Bought their own trips");
    app.get(&ban).await.is(200).says("Lift the ban of Jane Miller");
    app.post_form(&state, &[("to", "active")]).await.is(303);
    app.post_form(&state, &[("to", "nonsense")]).await.is(400);
    let actions =
        app.rows::<(String,)>("SELECT action FROM audit_entries WHERE subject_kind = 'enrollment' ORDER BY id").await;
    let actions: Vec<&str> = actions.iter().map(|(a,)| a.as_str()).collect();
    assert_eq!(actions, ["enrollment.paused", "enrollment.banned", "enrollment.ban_lifted"]);
    let sales = app.member(Role::Sales).await;
    sales.post_form(&state, &[("to", "banned")]).await.is(403);
}

async fn an_archived_referrer_keeps_their_history(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("a@example.com", Some(&jane.code)).await;
    let page = format!("/referrers/{}", jane.id);
    app.get(&format!("{page}/archive")).await.is(200).says("History, existing leads and money stay");
    app.post_form(&format!("{page}/archive"), &[]).await.goes_to(&page);
    app.get("/referrers").await.is(200).says("No referrers yet");
    assert_eq!(app.get("/referrers?state=archived").await.is(200).count("tbody tr"), 1);
    app.get(&page).await.is(200).says("Archived").says("a@example.com").says(&jane.code);
    app.post_form(&format!("{page}/restore"), &[]).await.goes_to(&page);
    assert_eq!(app.get("/referrers").await.count("tbody tr"), 1);
    app.post_form(&format!("{page}/archive"), &[]).await.is(303);
    // Adding the same person again takes them out of the archive.
    shop.referrer("Jane Miller").await;
    assert_eq!(app.get("/referrers").await.count("tbody tr"), 1);
    assert_eq!(app.number("SELECT count(*) FROM referrers").await, 1);
}

async fn money_is_shown_to_those_who_may_see_it(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("a@example.com", Some(&jane.code)).await;
    shop.pay("a@example.com", "100.00", "2026-06-20").await;
    let page = format!("/referrers/{}", jane.id);
    let viewer = app.member(Role::Viewer).await;
    let shown = viewer.get(&page).await.is(200).says("20.00 USD");
    assert!(!shown.has("main form"), "a viewer changes nothing");
    let sales = app.member(Role::Sales).await;
    sales
        .get(&page)
        .await
        .is(200)
        .says(&jane.code)
        .does_not_say("USD")
        .does_not_say("a@example.com")
        .does_not_say("Payment");
}
