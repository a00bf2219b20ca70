//! The first steps: on Home, at the end of set-up and under /help

use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::{Answer, TestApp};

on_both_databases! {
    each_step_is_ticked_by_what_happened,
    the_list_goes_when_a_referral_counts,
    a_file_of_texts_is_noted_by_the_click,
    the_list_is_hidden_and_found_again,
    a_test_checkout_is_a_first_referral,
}

fn done(page: &Answer) -> Vec<String> {
    page.texts(".first-steps .is-done b").into_iter().map(|b| b.replace("Done: ", "")).collect()
}

async fn each_step_is_ticked_by_what_happened(app: TestApp) {
    app.sign_in().await;
    let home = app.get("/").await.is(200);
    assert_eq!(done(&home), ["Go live"], "set-up makes a live campaign");
    assert_eq!(home.texts(".first-steps .primary"), ["Add referrer"]);
    let jane = app.shop().referrer_without_code("Jane Njeri").await;
    let home = app.get("/").await;
    assert_eq!(done(&home), ["Add referrers", "Go live"]);
    assert_eq!(home.texts(".first-steps .primary"), ["Generate codes"]);
    app.post_form(&format!("/enrollments/{}/generate", jane.enrollment_id), &[]).await.is(303);
    let home = app.get("/").await;
    assert_eq!(done(&home), ["Add referrers", "Give them codes", "Go live"]);
    assert_eq!(home.texts(".first-steps .primary"), ["Open the texts"]);
    // As the script of the ready text does.
    assert!(app.get(&format!("/enrollments/{}/text", jane.enrollment_id)).await.has("#told [name=quiet]"));
    app.post_form("/first-steps/told", &[("quiet", "yes")]).await.is(204);
    let home = app.get("/").await;
    assert_eq!((done(&home).len(), home.flash()), (4, String::new()));
    app.post_form("/first-steps/told", &[("back", "/")]).await.goes_to("/");
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'referrers.told'").await, 1);
    let campaign = app.business.campaign_id;
    app.post_form(&format!("/campaigns/{campaign}/state"), &[("state", "paused")]).await.is(303);
    let home = app.get("/").await;
    assert_eq!(home.texts(".first-steps button:not(.quiet)"), ["Resume"], "one thing to do beside the first referral");
    app.member(Role::Sales).await.get("/").await.is(200).does_not_say("First steps");
}

async fn the_list_goes_when_a_referral_counts(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Njeri").await;
    shop.lead("nobody@example.com", None).await;
    shop.pay("nobody@example.com", "10.00", "2026-06-20").await;
    assert!(!done(&app.get("/").await).contains(&"Record a first referral".to_owned()), "nobody referred that one");
    let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
    assert!(done(&app.get("/").await).contains(&"Record a first referral".to_owned()));
    app.post_form(&format!("/leads/{lead}/qualification"), &[("on", "yes")]).await.is(303);
    assert_eq!(
        app.number("SELECT count(*) FROM leads WHERE referrer_id IS NOT NULL AND qualified_at IS NOT NULL").await,
        1
    );
    while refdesk::figures::run(&app.app).await.unwrap() {}
    assert!(!app.get("/").await.is(200).has(".first-steps"));
    assert!(!app.get("/help").await.is(200).has(".first-steps"));
}

async fn a_file_of_texts_is_noted_by_the_click(app: TestApp) {
    app.sign_in().await;
    app.shop().referrer_without_code("Jane Njeri").await;
    let answer = app.with_jobs(app.post_form("/referrers/generate", &[])).await.is(303);
    let result = app.get(answer.header("location")).await.is(200);
    app.get(&result.attr("a[data-told]", "href")).await.is(200);
    assert!(!done(&app.get("/").await).contains(&"Tell them".to_owned()), "a file that is read changes nothing");
    // As the script does, when the link is followed.
    let names = result.attrs("#told input", "name");
    let values = result.attrs("#told input", "value");
    let fields: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(values.iter().map(String::as_str)).collect();
    app.post_form(&result.attr("#told", "action"), &fields).await.is(204);
    assert!(done(&app.get("/").await).contains(&"Tell them".to_owned()));
}

async fn the_list_is_hidden_and_found_again(app: TestApp) {
    app.sign_in().await;
    let back = app.get("/").await.attr(".first-steps [name=back]", "value");
    let home = app.post_form("/first-steps/hidden", &[("hidden", "yes"), ("back", &back)]).await.follow().await.is(200);
    assert!(!home.has(".first-steps"));
    let help = app.get("/help").await.is(200);
    assert!(help.has(".first-steps"));
    let home = app.post_form("/first-steps/hidden", &[("hidden", "no"), ("back", "/")]).await.follow().await.is(200);
    assert!(home.has(".first-steps"));
    let other = app.another_business("Globex").await;
    app.post_form("/first-steps/hidden", &[("hidden", "yes")]).await.is(303);
    assert!(app.member_of(&other, Role::Owner).await.get("/").await.has(".first-steps"), "theirs is their own");
    app.member(Role::Sales).await.post_form("/first-steps/hidden", &[("hidden", "no")]).await.is(403);
}

async fn a_test_checkout_is_a_first_referral(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Njeri").await;
    let lead = app.shop().lead("amy@example.com", Some(&jane.code)).await;
    app.tamper("UPDATE leads SET test = true, qualified_at = created_at").await;
    assert!(lead > 0 && done(&app.get("/").await).contains(&"Record a first referral".to_owned()));
}
