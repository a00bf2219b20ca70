//! Forms in a real browser: a second click, a session that ends while a page is open, what a switch leaves behind.

use serde_json::Value as Json;

use crate::on_both_databases;
use crate::support::{Browser, TestApp};

on_both_databases! {
    a_second_click_sends_nothing_and_the_button_waits,
    a_session_that_ends_is_said_where_it_is_noticed,
    a_status_is_saved_by_its_button_alone,
    a_switch_leaves_counts_that_are_right,
    a_phone_says_where_one_is_and_the_way_back_keeps_the_filters,
}

async fn a_second_click_sends_nothing_and_the_button_waits(app: TestApp) {
    let browser = Browser::signed_in(&app).await;
    browser.go("/leads/new").await;
    browser.fill("name", "Amy Pond").await;
    browser.fill("email", "amy@example.com").await;
    // The line is slow: the page is still there after the first click.
    let waits = "
        const form = document.querySelector('form.form'), button = form.querySelector('.submit button');
        const stop = (event) => event.preventDefault();
        window.addEventListener('submit', stop);
        button.click();
        const done = arguments[arguments.length - 1];
        setTimeout(() => {
            const waiting = [button.disabled, button.getAttribute('aria-busy')];
            window.dispatchEvent(new Event('pageshow'));
            window.removeEventListener('submit', stop);
            document.title = JSON.stringify([waiting, button.disabled]);
        }, 50);";
    browser.run(waits, vec![]).await;
    browser.wait_for(".submit button:not([disabled])").await;
    let title = browser.run("return new Promise((done) => setTimeout(() => done(document.title), 200))", vec![]).await;
    assert_eq!(title, "[[true,\"true\"],false]", "it waits, and is back when the page comes back");
    let twice = "const button = document.querySelector('form.form .submit button'); button.click(); button.click();";
    browser.run(twice, vec![]).await;
    browser.wait_for(".flash").await;
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 1);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

async fn a_session_that_ends_is_said_where_it_is_noticed(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let lead = app.shop().lead("amy@example.com", Some(&jane.code)).await;
    let browser = Browser::signed_in(&app).await;
    browser.go("/leads").await;
    app.arrange("DELETE FROM sessions").await;
    browser.click(".toggle button").await;
    browser.wait_for(".flash a").await;
    assert_eq!(browser.text(".flash").await, "You were signed out, so nothing was done. Sign in again");
    assert!(browser.has(&format!("#lead_{lead}")).await, "the row stays");
    browser.accessible().await;

    let browser_path = browser.run("return document.querySelector('.flash a').getAttribute('href')", vec![]).await;
    assert_eq!(browser_path, Json::from("/sign-in?back=%2Fleads"));
    drop(browser);
    let browser = Browser::signed_in(&app).await;
    browser.go("/record").await;
    app.arrange("DELETE FROM sessions").await;
    browser.fill("q", "Jan").await;
    browser.wait_for(".flash a").await;
    assert!(!browser.has("#people form, #people input").await, "no form to sign in among the people");
    let known = "401 (Unauthorized)";
    assert!(browser.complaints().await.iter().all(|line| line.contains(known)));
}

async fn a_status_is_saved_by_its_button_alone(app: TestApp) {
    let lead = app.shop().lead("amy@example.com", None).await;
    let browser = Browser::signed_in(&app).await;
    browser.go(&format!("/leads/{lead}")).await;
    let choose = "
        const select = document.querySelector('select[name=status]');
        select.value = 'contacted';
        select.dispatchEvent(new Event('change', { bubbles: true }));";
    browser.run(choose, vec![]).await;
    browser.run("return new Promise((done) => setTimeout(done, 300))", vec![]).await;
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE status = 'contacted'").await, 0);
    browser.press("Set").await;
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE status = 'contacted'").await, 1);
    browser.press("Undo").await;
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE status = 'contacted'").await, 0);
}

async fn a_switch_leaves_counts_that_are_right(app: TestApp) {
    for name in ["amy", "ben"] {
        app.shop().lead(&format!("{name}@example.com"), None).await;
    }
    let browser = Browser::signed_in(&app).await;
    browser.go("/leads?qualified=no").await;
    assert_eq!(browser.text(".tabs a[aria-current]").await, "Pending 2");
    browser.click("tbody tr:first-child .toggle button").await;
    browser.wait_for(".flash").await;
    assert_eq!(browser.text(".tabs a[aria-current]").await, "Pending 1");
    // The row is still under the pointer, and can no longer be pressed.
    assert!(browser.has("tbody tr:first-child[inert]").await);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

async fn a_phone_says_where_one_is_and_the_way_back_keeps_the_filters(app: TestApp) {
    let lead = app.shop().lead("amy@example.com", None).await;
    let browser = Browser::signed_in(&app).await;
    browser.phone().await;
    browser.go("/leads?qualified=no&status=new").await;
    assert_eq!(browser.text(".where").await, "You are in Acme · , campaign Refer a friend");
    browser.fits().await;
    browser.accessible().await;
    browser.follow(&format!("#lead_{lead} a")).await;
    browser.follow(".crumbs a").await;
    assert_eq!(browser.path().await, "/leads?qualified=no&status=new");
}
