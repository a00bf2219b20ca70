//! The sync of customers where things are odd: previews beside other runs, and answers of Stripe's that lead nowhere.

use refdesk::providers::stripe::runs;
use serde_json::json;

use super::fake::LIVE_KEY;
use super::sync::{connected, customer, made, many, refdesk, sync};
use crate::on_both_databases;
use crate::support::{TestApp, actor};

on_both_databases! {
    a_preview_that_stopped_is_applied_by_nobody_else,
    a_preview_is_applied_once_somebody_says_so,
    a_dry_run_leaves_a_colleague_s_preview,
    a_preview_that_stopped_can_be_thrown_away,
    a_list_that_leads_nowhere_is_no_answer,
    a_revoked_key_of_a_daily_sync_is_on_home,
    a_run_that_was_thrown_away_never_comes_back,
}

async fn turn_daily_on(app: &TestApp, account: i64) {
    let place = format!("/campaigns/{}/payments/accounts/{account}/customers", app.business.campaign_id);
    app.post_form(&format!("{place}/daily"), &[("daily", "yes")]).await.is(303);
}

async fn a_preview_that_stopped_is_applied_by_nobody_else(app: TestApp) {
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    app.sign_in().await;
    fake.with(|world| {
        world.lists.insert("customers", many(3));
        world.lacking = vec!["rak_customer_read"];
    });
    let preview = runs::start(&app.app, &actor(), sync(&app, account, true)).await.unwrap().unwrap();
    app.run_jobs().await;
    // The key gets its right, and the daily sync begins.
    fake.with(|world| world.lacking.clear());
    turn_daily_on(&app, account).await;
    runs::run_due(&app.app).await.unwrap();
    app.run_jobs().await;
    let states = format!("SELECT state, asks, daily FROM provider_runs WHERE id = {}", preview.run_id);
    let left: Vec<(String, bool, bool)> = app.rows(&states).await;
    assert_eq!(left, [("checking".to_owned(), true, false)], "it still asks");
    assert_eq!(app.number("SELECT count(*) FROM provider_runs WHERE state = 'done' AND asks = false").await, 1);
    assert_eq!(made(&app).await.0, 3, "by the daily sync, which somebody switched on");
}

async fn a_preview_is_applied_once_somebody_says_so(app: TestApp) {
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    fake.with(|world| world.lists.insert("customers", many(3)));
    let preview = runs::start(&app.app, &actor(), sync(&app, account, true)).await.unwrap().unwrap();
    // A sync that asks nobody begins beside it.
    let other = runs::start(&app.app, &actor(), sync(&app, account, false)).await.unwrap().unwrap();
    assert!(other.run_id != preview.run_id && !other.joined);
    let same = runs::start(&app.app, &actor(), sync(&app, account, true)).await.unwrap().unwrap();
    assert!(same.run_id == preview.run_id && same.joined, "two that look join");
    app.run_jobs().await;
    let asks = format!("SELECT count(*) FROM provider_runs WHERE id = {} AND asks = true", preview.run_id);
    assert_eq!(app.number(&asks).await, 1);
    runs::go_on(&app.app, &actor(), app.business.id, preview.run_id).await.unwrap().unwrap();
    assert_eq!(app.number(&asks).await, 0);
    app.run_jobs().await;
    assert_eq!(made(&app).await.0, 3);
}

async fn a_dry_run_leaves_a_colleague_s_preview(app: TestApp) {
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    fake.with(|world| world.lists.insert("customers", many(3)));
    let preview = runs::start(&app.app, &actor(), sync(&app, account, true)).await.unwrap().unwrap();
    let app = std::sync::Arc::new(app);
    let by = app.clone();
    let line = ["stripe", "sync", "--dry-run", "--campaign", &app.business.campaign_id.to_string()].map(str::to_owned);
    let output = tokio::task::spawn_blocking(move || refdesk(&by, &line)).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let state: Vec<(i64, String)> = app.rows("SELECT id, state FROM provider_runs").await;
    assert_eq!(state, [(preview.run_id, "checked".to_owned())], "it waits for the colleague");
}

async fn a_preview_that_stopped_can_be_thrown_away(app: TestApp) {
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    app.sign_in().await;
    fake.with(|world| world.lacking = vec!["rak_customer_read"]);
    let asked = runs::start(&app.app, &actor(), sync(&app, account, true)).await.unwrap().unwrap();
    app.run_jobs().await;
    let path = format!("/campaigns/{}/payments/runs/{}", app.business.campaign_id, asked.run_id);
    app.get(&path).await.is(200).says("Throw this preview away");
    app.post_form(&format!("{path}/discard"), &[]).await.follow().await.is(200).says("was thrown away");
    // Nobody threw this one away, and nobody will confirm it.
    runs::start(&app.app, &actor(), sync(&app, account, true)).await.unwrap().unwrap();
    app.run_jobs().await;
    app.clock.advance_days(8);
    runs::tidy(&app.app).await.unwrap();
    assert_eq!(app.number("SELECT count(*) FROM provider_runs WHERE state = 'discarded'").await, 2);
}

async fn a_list_that_leads_nowhere_is_no_answer(app: TestApp) {
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    let page: Vec<_> = (1..=2).map(|n| customer(n, Some(&format!("customer{n}@example.com")))).collect();
    for (odd, why) in [
        (json!({ "object": "list", "has_more": true, "data": page }), "a page of the list came again"),
        (json!({ "object": "list", "has_more": true, "data": [] }), "a page of the list is empty"),
        (json!({ "object": "charge" }), "the answer is no list"),
    ] {
        fake.with(|world| {
            world.odd = Some(odd);
            world.calls.clear();
        });
        let asked = runs::start(&app.app, &actor(), sync(&app, account, true)).await.unwrap().unwrap();
        app.run_jobs().await;
        let run: Vec<(String, Option<String>, bool)> = app
            .rows(&format!(
                "SELECT state, stopped, again_at IS NOT NULL FROM provider_runs WHERE id = {}",
                asked.run_id
            ))
            .await;
        assert!(run[0].0 == "checking" && run[0].2, "{why}: {run:?}");
        assert!(run[0].1.as_deref().unwrap_or_default().contains(why), "{why}: {run:?}");
        assert!(fake.with(|world| world.calls.len()) <= 3, "it does not ask on and on");
        assert!(runs::discard(&app.app, app.business.id, asked.run_id).await.unwrap());
    }
    assert_eq!(made(&app).await.0, 0);
}

async fn a_revoked_key_of_a_daily_sync_is_on_home(app: TestApp) {
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    app.sign_in().await;
    app.get("/").await.is(200).does_not_say("is not connected as it should be");
    turn_daily_on(&app, account).await;
    fake.with(|world| world.lacking = vec!["rak_customer_read"]);
    runs::run_due(&app.app).await.unwrap();
    app.run_jobs().await;
    app.get("/").await.is(200).says("an account is not connected as it should be");
    let place = format!("/campaigns/{}/payments", app.business.campaign_id);
    app.get(&place).await.is(200).says("The daily sync of customers stopped.").says("rak_customer_read");
    // The next day goes on with it.
    fake.with(|world| world.lacking.clear());
    app.clock.advance_days(1);
    runs::run_due(&app.app).await.unwrap();
    app.run_jobs().await;
    assert_eq!(app.number("SELECT count(*) FROM provider_runs").await, 1, "the same run");
    app.get("/").await.is(200).does_not_say("is not connected as it should be");
}

async fn a_run_that_was_thrown_away_never_comes_back(app: TestApp) {
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    fake.with(|world| world.lists.insert("customers", many(3)));
    let preview = runs::start(&app.app, &actor(), sync(&app, account, true)).await.unwrap().unwrap();
    app.run_jobs().await;
    assert!(runs::discard(&app.app, app.business.id, preview.run_id).await.unwrap());
    let said = runs::go_on(&app.app, &actor(), app.business.id, preview.run_id).await.unwrap();
    assert_eq!(said.unwrap_err(), "It is over.");
    app.run_jobs().await;
    assert_eq!(made(&app).await.0, 0);
}
