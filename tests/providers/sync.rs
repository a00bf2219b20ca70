//! Customers at Stripe as referrers: the preview, the run, daily runs, and runs that are cut.

use std::process::{Command, Output};

use refdesk::jobs::{self, Kinds};
use refdesk::providers::store::runs::{NewRun, RunKind};
use refdesk::providers::stripe::connect::{ByKey, by_key};
use refdesk::providers::stripe::runs;
use serde_json::{Value as Json, json};

use super::THEN;
use super::fake::{Fake, LIVE_KEY};
use crate::on_both_databases;
use crate::support::{Engine, SECRET_KEY, TestApp, actor};

on_both_databases! {
    customers_become_referrers_after_a_preview,
    an_address_may_be_as_long_as_addresses_are,
    a_run_that_was_cut_goes_on_where_it_was,
    two_nodes_make_nobody_twice,
    a_daily_sync_reads_the_new_ones,
    whom_staff_put_away_stays_away,
    a_test_account_is_previewed_only,
    a_key_without_the_right_stops_with_words,
    a_command_syncs_and_says_what_it_did,
}

/// A server with a Stripe of our own, connected by this key.
pub async fn connected(app: &TestApp, key: &str) -> (TestApp, Fake, i64) {
    let (fake, base) = Fake::start().await;
    let app = app.with_stripe(&base).await;
    let new = ByKey {
        business_id: app.business.id,
        business: app.business.public_id.clone(),
        campaign_id: app.business.campaign_id,
        key: key.into(),
        webhook_secret: None,
        terms: None,
    };
    let account = by_key(&app.app, &actor(), new).await.unwrap().unwrap().account_id;
    (app, fake, account)
}

pub fn customer(n: i64, email: Option<&str>) -> Json {
    json!({
        "id": format!("cus_{n}"), "object": "customer", "name": format!("Customer {n}"), "email": email,
        "phone": null, "created": THEN + n, "livemode": true,
    })
}

/// So many customers with addresses, the newest first.
pub fn many(n: i64) -> Vec<Json> {
    (1..=n).rev().map(|n| customer(n, Some(&format!("customer{n}@example.com")))).collect()
}

pub fn sync(app: &TestApp, account_id: i64, asks: bool) -> NewRun {
    NewRun {
        business_id: app.business.id,
        account_id,
        campaign_id: app.business.campaign_id,
        kind: RunKind::Customers,
        asks,
        daily: false,
        since: None,
    }
}

/// Referrers, active codes, and enrollments.
pub async fn made(app: &TestApp) -> (i64, i64, i64) {
    (
        app.number("SELECT count(*) FROM referrers").await,
        app.number("SELECT count(*) FROM codes WHERE state = 'active'").await,
        app.number("SELECT count(*) FROM enrollments").await,
    )
}

fn pages_read(fake: &Fake) -> usize {
    fake.with(|world| world.calls.iter().filter(|(_, path, _)| path == "/v1/customers").count())
}

async fn customers_become_referrers_after_a_preview(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    let elsewhere = app.shop().campaign("Elsewhere").await;
    let rose = app.shop().referrer_in(elsewhere, "Rose", true).await;
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    let mut all = many(230);
    all.push(customer(0, None));
    all.push(customer(-1, Some("not an address")));
    all.push(customer(-2, Some("CUSTOMER7@example.com")));
    all.push(customer(-3, Some("jane@example.org")));
    all.push(customer(-4, Some("rose@example.org")));
    let mut gone = customer(-5, Some("gone@example.com"));
    gone["deleted"] = json!(true);
    all.push(gone);
    fake.with(|world| world.lists.insert("customers", all));
    let before = made(&app).await;
    app.sign_in().await;
    let place = format!("/campaigns/{}/payments/accounts/{account}/customers", app.business.campaign_id);
    app.get(&format!("/campaigns/{}/payments", app.business.campaign_id)).await.is(200).says("Sync customers");
    app.get(&place).await.is(200).says("Nobody is e-mailed.").says("One of them without a code gets none by this");
    let preview = app.with_jobs(app.post_form(&place, &[])).await;
    let run = preview.header("location").split('?').next().unwrap().to_owned();
    let seen = app.get(&run).await.is(200).says("231 customers would become referrers");
    let seen = seen.says("235 customers of Acme Shop were read").says("Add 231 referrers");
    for (label, count) in [("New", 230), ("Joins this campaign", 1), ("Known already", 1), ("Same e-mail twice", 1)] {
        assert!(seen.texts("nav.tabs a").contains(&format!("{label} {count}")), "{:?}", seen.texts("nav.tabs a"));
    }
    assert_eq!(seen.count("table.list tbody tr"), 50, "the first of them");
    app.get(&format!("{run}?fate=no_email")).await.is(200).says("Stripe has no e-mail address of them");
    app.get(&format!("{run}?fate=same")).await.is(200).says("The same e-mail address as cus_7.");
    assert_eq!(made(&app).await, before, "a preview makes nobody");
    let (waiting, mails) = ("SELECT count(*) FROM outbox", app.number("SELECT count(*) FROM outbox").await);
    app.with_jobs(app.post_form(&format!("{run}/go"), &[])).await.is(303);
    let done = app.get(&run).await.is(200).says("231 customers became referrers");
    assert!(done.attr("table.list tbody a.name", "href").starts_with("/referrers/"), "one click to each");
    assert_eq!(made(&app).await, (before.0 + 230, before.1 + 231, before.2 + 231));
    assert_eq!(app.number(waiting).await, mails, "nobody is told");
    let marks: Vec<(String, String)> =
        app.rows("SELECT name, meta FROM referrers WHERE email_key = 'customer9@example.com'").await;
    assert!(marks[0].0 == "Customer 9" && marks[0].1.contains("cus_9"), "{marks:?}");
    assert_eq!(app.number(&format!("SELECT count(*) FROM enrollments WHERE referrer_id = {}", rose.id)).await, 2);
    assert_eq!(app.number(&format!("SELECT count(*) FROM enrollments WHERE referrer_id = {}", jane.id)).await, 1);
    // Once more makes nothing twice.
    let asked = runs::start(&app.app, &actor(), sync(&app, account, false)).await.unwrap().unwrap();
    app.run_jobs().await;
    assert_eq!(made(&app).await, (before.0 + 230, before.1 + 231, before.2 + 231));
    let path = format!("/campaigns/{}/payments/runs/{}", app.business.campaign_id, asked.run_id);
    app.get(&path).await.is(200).says("0 customers became referrers");
    app.is_sound().await;
}

async fn an_address_may_be_as_long_as_addresses_are(app: TestApp) {
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    let host = format!("{}.{}.{}.com", "b".repeat(63), "c".repeat(63), "d".repeat(57));
    let long = format!("{}@{host}", "a".repeat(64));
    assert_eq!(long.len(), 254);
    let too_long = format!("{}@e{host}", "a".repeat(64));
    let all = vec![customer(2, Some(&long)), customer(1, Some(&too_long))];
    fake.with(|world| world.lists.insert("customers", all));
    let asked = runs::start(&app.app, &actor(), sync(&app, account, false)).await.unwrap().unwrap();
    app.run_jobs().await;
    let added: Vec<(String,)> = app.rows("SELECT email FROM referrers").await;
    assert_eq!(added, [(long,)]);
    app.sign_in().await;
    let path = format!("/campaigns/{}/payments/runs/{}?fate=invalid", app.business.campaign_id, asked.run_id);
    app.get(&path).await.is(200).says("at most 254 characters").says("cus_1");
}

async fn a_run_that_was_cut_goes_on_where_it_was(app: TestApp) {
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    fake.with(|world| {
        world.lists.insert("customers", many(320));
        world.pages = Some(2);
    });
    let asked = runs::start(&app.app, &actor(), sync(&app, account, false)).await.unwrap().unwrap();
    app.run_jobs().await;
    let read = "SELECT count(*) FROM provider_customers";
    assert_eq!(app.number(read).await, 200, "two pages, then Stripe was too busy");
    app.sign_in().await;
    let path = format!("/campaigns/{}/payments/runs/{}", app.business.campaign_id, asked.run_id);
    app.get(&path).await.is(200).says("Too many requests").says("It goes on by itself").says("200 customers read");
    assert!(!runs::is_due(&app.app).await.unwrap(), "in a while");
    // The customer behind whom it goes on is deleted meanwhile.
    fake.with(|world| {
        world.pages = None;
        world.lists.get_mut("customers").unwrap().retain(|one| one["id"] != "cus_121");
        world.calls.clear();
    });
    app.arrange("UPDATE provider_runs SET again_at = 0 WHERE again_at IS NOT NULL").await;
    assert!(runs::is_due(&app.app).await.unwrap());
    runs::run_due(&app.app).await.unwrap();
    // A node that dies has claimed the job; another takes it over.
    app.arrange("UPDATE jobs SET state = 'running', claim = 1 WHERE state = 'queued'").await;
    app.run_jobs().await;
    assert!(pages_read(&fake) <= 4, "what was read is not read again");
    assert_eq!(app.number(read).await, 320);
    assert_eq!(app.number("SELECT count(*) FROM referrers WHERE meta LIKE '%cus_%'").await, 320);
    app.get(&path).await.is(200).says("320 customers became referrers");
    app.is_sound().await;
}

async fn two_nodes_make_nobody_twice(app: TestApp) {
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    fake.with(|world| world.lists.insert("customers", many(400)));
    let base = app.app.config.stripe_api.clone();
    let other = app.with_stripe(&base).await;
    let kinds = || Kinds::new().with(runs::KIND, runs::step);
    let mut here = jobs::start(&app.app, kinds(), Default::default());
    let mut there = jobs::start(&other.app, kinds(), Default::default());
    let (one, two) = (actor(), actor());
    let (first, second) = tokio::join!(
        runs::start(&app.app, &one, sync(&app, account, false)),
        runs::start(&other.app, &two, sync(&app, account, false)),
    );
    assert_eq!(first.unwrap().unwrap().run_id, second.unwrap().unwrap().run_id, "the second joins the first");
    // One of the nodes stops in the middle.
    for _ in 0..600 {
        if app.number("SELECT count(*) FROM referrers WHERE meta LIKE '%cus_%'").await > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    app.app.stop.cancel();
    while here.join_next().await.is_some() {}
    for _ in 0..600 {
        if app.number("SELECT count(*) FROM provider_runs WHERE state = 'done'").await == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    other.app.stop.cancel();
    while there.join_next().await.is_some() {}
    assert_eq!(app.number("SELECT count(*) FROM referrers WHERE meta LIKE '%cus_%'").await, 400);
    assert_eq!(app.number("SELECT count(*) FROM codes WHERE state = 'active'").await, 400);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'provider.synced'").await, 1);
    app.is_sound().await;
}

async fn a_daily_sync_reads_the_new_ones(app: TestApp) {
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    fake.with(|world| world.lists.insert("customers", many(3)));
    app.sign_in().await;
    let place = format!("/campaigns/{}/payments/accounts/{account}/customers", app.business.campaign_id);
    app.post_form(&format!("{place}/daily"), &[("daily", "yes")]).await.follow().await.is(200).says("every day");
    runs::run_due(&app.app).await.unwrap();
    app.run_jobs().await;
    assert_eq!(made(&app).await.0, 3);
    assert!(!runs::is_due(&app.app).await.unwrap(), "until tomorrow");
    app.clock.advance_days(1);
    assert!(runs::is_due(&app.app).await.unwrap());
    let now = app.app.clock.now().seconds();
    let mut new = customer(4, Some("new@example.com"));
    new["created"] = json!(now - 600);
    fake.with(|world| {
        world.lists.get_mut("customers").unwrap().insert(0, new);
        world.calls.clear();
    });
    runs::run_due(&app.app).await.unwrap();
    runs::run_due(&app.app).await.unwrap();
    app.run_jobs().await;
    assert_eq!(made(&app).await.0, 4);
    let asked = fake.with(|world| world.calls.clone());
    assert!(asked.len() == 1 && asked[0].2.contains("created%5Bgte%5D="), "{asked:?}");
    let read: Vec<(String, bool)> = app.rows("SELECT counts, daily FROM provider_runs ORDER BY id").await;
    assert!(read.len() == 2 && read[1].0.contains("\"read\":1") && read[1].1, "{read:?}");
    let page = app.get(&place).await.is(200).says("by itself").says("1 customer read, 1 referrer added");
    assert!(page.has("table.list"));
    app.post_form(&format!("{place}/daily"), &[("daily", "no")]).await.is(303);
    app.clock.advance_days(1);
    assert!(!runs::is_due(&app.app).await.unwrap(), "it is off");
}

async fn whom_staff_put_away_stays_away(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    let rose = app.shop().referrer_without_code("Rose").await;
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    let all = vec![customer(1, Some("jane@example.org")), customer(2, Some("rose@example.org"))];
    fake.with(|world| world.lists.insert("customers", all));
    app.sign_in().await;
    app.post_form(&format!("/referrers/{}/archive", jane.id), &[]).await.is(303);
    runs::start(&app.app, &actor(), sync(&app, account, false)).await.unwrap().unwrap();
    app.run_jobs().await;
    assert_eq!(app.number("SELECT count(*) FROM referrers WHERE archived_at IS NOT NULL").await, 1);
    let codes = format!("SELECT count(*) FROM codes WHERE referrer_id = {}", rose.id);
    assert_eq!(app.number(&codes).await, 0, "whether she gets a code is for staff to say");
}

async fn a_test_account_is_previewed_only(app: TestApp) {
    let (app, fake, account) = connected(&app, "rk_test_0123456789abcdef").await;
    fake.with(|world| world.lists.insert("customers", many(2)));
    let refused = runs::start(&app.app, &actor(), sync(&app, account, false)).await.unwrap().unwrap_err();
    assert!(refused.contains("referrers have no test mode"), "{refused}");
    app.sign_in().await;
    let place = format!("/campaigns/{}/payments/accounts/{account}/customers", app.business.campaign_id);
    app.get(&place).await.is(200).says("referrers have no test mode").does_not_say("Sync every day");
    let preview = app.with_jobs(app.post_form(&place, &[])).await;
    let run = preview.header("location").split('?').next().unwrap().to_owned();
    app.get(&run).await.is(200).says("2 customers would become referrers").does_not_say("Add 2 referrers");
    app.post_form(&format!("{run}/go"), &[]).await.follow().await.says("referrers have no test mode");
    app.post_form(&format!("{place}/daily"), &[("daily", "yes")]).await.is(303);
    app.run_jobs().await;
    assert_eq!(made(&app).await.0, 0);
    assert!(!runs::is_due(&app.app).await.unwrap());
    app.post_form(&format!("{run}/discard"), &[]).await.follow().await.is(200).says("was thrown away");
    app.get(&run).await.is(404);
    runs::tidy(&app.app).await.unwrap();
    assert_eq!(app.number("SELECT count(*) FROM provider_customers").await, 0);
}

async fn a_key_without_the_right_stops_with_words(app: TestApp) {
    let (app, fake, account) = connected(&app, LIVE_KEY).await;
    fake.with(|world| world.lacking = vec!["rak_customer_read"]);
    let asked = runs::start(&app.app, &actor(), sync(&app, account, true)).await.unwrap().unwrap();
    app.run_jobs().await;
    app.sign_in().await;
    let path = format!("/campaigns/{}/payments/runs/{}", app.business.campaign_id, asked.run_id);
    app.get(&path).await.is(200).says("lacks the right rak_customer_read").says("Go on");
    fake.with(|world| world.lacking.clear());
    app.with_jobs(app.post_form(&format!("{path}/go"), &[])).await.is(303);
    app.get(&path).await.is(200).says("0 customers would become referrers");
}

pub fn refdesk(app: &TestApp, arguments: &[String]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refdesk"));
    command.args(arguments).args(["--database-url", &app.database.url]).env_remove("RUST_LOG");
    command.env("REFDESK_STRIPE_API", &app.app.config.stripe_api);
    if app.engine() == Engine::Postgres {
        command.env("REFDESK_SECRET_KEY", SECRET_KEY);
    }
    command.output().unwrap()
}

async fn a_command_syncs_and_says_what_it_did(app: TestApp) {
    let (app, fake, _) = connected(&app, LIVE_KEY).await;
    fake.with(|world| {
        let mut all = many(3);
        all.push(customer(9, None));
        world.lists.insert("customers", all);
    });
    let campaign = app.business.campaign_id.to_string();
    let app = std::sync::Arc::new(app);
    for (dry, referrers) in [(true, 0), (false, 3)] {
        let mut line = vec!["stripe".to_owned(), "sync".into(), "--campaign".into(), campaign.clone()];
        line.extend(dry.then(|| "--dry-run".to_owned()));
        let by = app.clone();
        let output = tokio::task::spawn_blocking(move || refdesk(&by, &line)).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said: Json = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&said["read"], &said["new"], &said["withoutEmail"]), (&json!(4), &json!(3), &json!(1)), "{said}");
        assert_eq!(said["dryRun"], dry);
        assert_eq!(made(&app).await.0, referrers);
    }
}
