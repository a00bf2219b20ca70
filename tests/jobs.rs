//! Background work: jobs, the sweep, the seals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use refdesk::core::Core;
use refdesk::db::{DbError, DbResult, Tx};
use refdesk::jobs::{self, Claimed, Kinds, NewJob, Progress};
use refdesk::seal::{self, Chain};
use refdesk::{check, counters, outbox, sweep};
use serde_json::json;
use tokio::sync::Notify;

use crate::on_both_databases;
use crate::support::{TestApp, actor};

on_both_databases! {
    two_nodes_never_do_a_job_twice,
    a_run_that_a_wrong_clock_put_far_ahead_is_due,
    asking_again_joins_the_job_that_runs,
    a_worker_that_was_taken_over_changes_nothing,
    a_job_that_keeps_failing_is_given_up,
    the_sweep_approves_what_is_due_and_nothing_else,
    the_sweep_goes_by_the_local_date,
    a_changed_entry_breaks_its_seal,
    messages_and_old_sessions_are_let_go,
}

fn job(app: &TestApp, join_key: &str, input: serde_json::Value) -> NewJob {
    NewJob {
        business_id: app.business.id,
        campaign_id: None,
        kind: "count",
        join_key: join_key.to_owned(),
        input,
        total: 5,
        actor: actor(),
    }
}

const CHUNKS: i64 = 5;

/// Counts up by one in five chunks.
fn count(app: Core, job: Arc<Claimed>) -> BoxFuture<'static, DbResult<Progress>> {
    Box::pin(async move {
        if job.input()["waits"] == true {
            let gate = &GATES[usize::from(app.db.is_postgres())];
            if !gate.0.swap(true, Ordering::SeqCst) {
                gate.1.notified().await;
            }
        }
        app.db.write(vec![], job, count_one).await
    })
}

async fn count_one(tx: &mut Tx, job: &Arc<Claimed>) -> DbResult<Progress> {
    let mut progress = job.progress();
    progress.done += 1;
    progress.cursor = progress.done.to_string();
    progress.finished = progress.done == CHUNKS;
    counters::add(tx, &[(&(job.id, "counted".to_owned(), String::new()), &1)]).await?;
    job.advance(tx, &progress).await?;
    Ok(progress)
}

/// Holds the first worker of each engine's test back.
static GATES: [(AtomicBool, Notify); 2] =
    [(AtomicBool::new(false), Notify::const_new()), (AtomicBool::new(false), Notify::const_new())];

fn fails(_: Core, _: Arc<Claimed>) -> BoxFuture<'static, DbResult<Progress>> {
    Box::pin(async { Err(DbError::Fault("the cable is unplugged".into())) })
}

async fn counted(app: &TestApp) -> i64 {
    app.number("SELECT CAST(COALESCE(sum(value), 0) AS BIGINT) FROM counters WHERE name = 'counted'").await
}

async fn two_nodes_never_do_a_job_twice(app: TestApp) {
    let other = app.another_node().await;
    let kinds = Kinds::new().with("count", count);
    let mut running = jobs::start(&app.app, kinds.clone(), refdesk::router::schedule(&app.app));
    let mut there = jobs::start(&other.app, kinds, refdesk::router::schedule(&other.app));
    for n in 0..20 {
        jobs::enqueue(&app.app, job(&app, &format!("job {n}"), json!({}))).await.unwrap();
    }
    for _ in 0..300 {
        if app.number("SELECT count(*) FROM jobs WHERE state = 'done'").await == 20 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    app.app.stop.cancel();
    other.app.stop.cancel();
    while running.join_next().await.is_some() {}
    while there.join_next().await.is_some() {}
    assert_eq!(app.number("SELECT count(*) FROM jobs WHERE state = 'done' AND done = 5").await, 20);
    assert_eq!(counted(&app).await, 20 * CHUNKS);
}

async fn a_run_that_a_wrong_clock_put_far_ahead_is_due(app: TestApp) {
    let ahead = app.clock.now().plus_seconds(2 * 86_400).micros();
    for task in ["sweep", "seal", "outbox", "tidy"] {
        app.arrange(&format!("INSERT INTO schedule (task, next_at) VALUES ('{task}', {ahead})")).await;
    }
    jobs::enqueue(&app.app, job(&app, "ahead", json!({}))).await.unwrap();
    app.arrange(&format!("UPDATE jobs SET claimed_until = {ahead}")).await;
    let kinds = Kinds::new().with("count", count);
    let mut running = jobs::start(&app.app, kinds, refdesk::router::schedule(&app.app));
    let late = format!("SELECT count(*) FROM schedule WHERE next_at >= {ahead}");
    for _ in 0..300 {
        if app.number(&late).await == 0 && app.number("SELECT count(*) FROM jobs WHERE state = 'done'").await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    app.app.stop.cancel();
    while running.join_next().await.is_some() {}
    assert_eq!(app.number(&late).await, 0, "each task has run");
    assert_eq!(counted(&app).await, CHUNKS);
}

async fn asking_again_joins_the_job_that_runs(app: TestApp) {
    let first = jobs::enqueue(&app.app, job(&app, "one", json!({}))).await.unwrap();
    assert_eq!(jobs::enqueue(&app.app, job(&app, "one", json!({}))).await.unwrap(), first);
    assert_ne!(jobs::enqueue(&app.app, job(&app, "two", json!({}))).await.unwrap(), first);
    jobs::run_all(&app.app, &Kinds::new().with("count", count)).await.unwrap();
    assert_ne!(jobs::enqueue(&app.app, job(&app, "one", json!({}))).await.unwrap(), first);
    let done = jobs::find(&mut app.app.db.read().await.unwrap(), app.business.id, first).await.unwrap().unwrap();
    assert!(done.is_over());
    assert_eq!(done.percent(), 100);
    assert!(jobs::find(&mut app.app.db.read().await.unwrap(), app.business.id + 1, first).await.unwrap().is_none());
}

async fn a_worker_that_was_taken_over_changes_nothing(app: TestApp) {
    let kinds = Kinds::new().with("count", count);
    let id = jobs::enqueue(&app.app, job(&app, "slow", json!({ "waits": true }))).await.unwrap();
    let (slow_app, slow_kinds) = (app.app.clone(), kinds.clone());
    let slow = tokio::spawn(async move { jobs::run_all(&slow_app, &slow_kinds).await });
    while app.number("SELECT count(*) FROM jobs WHERE state = 'running'").await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let gate = &GATES[usize::from(app.is_postgres())];
    while !gate.0.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    jobs::run_all(&app.app, &kinds).await.unwrap();
    assert_eq!(counted(&app).await, 0, "its holder still has the lease");
    app.clock.set(app.clock.now().plus_seconds(jobs::LEASE_SECONDS + 1));
    jobs::run_all(&app.app, &kinds).await.unwrap();
    assert_eq!(counted(&app).await, CHUNKS, "another one went on");
    gate.1.notify_one();
    slow.await.unwrap().unwrap();
    assert_eq!(counted(&app).await, CHUNKS, "the slow one was rolled back");
    let done = jobs::find(&mut app.app.db.read().await.unwrap(), app.business.id, id).await.unwrap().unwrap();
    assert_eq!((done.state.as_str(), done.done), ("done", CHUNKS));
}

async fn a_job_that_keeps_failing_is_given_up(app: TestApp) {
    let id = jobs::enqueue(&app.app, job(&app, "bad", json!({}))).await.unwrap();
    for attempt in 1..=jobs::ATTEMPTS {
        jobs::run_all(&app.app, &Kinds::new().with("count", fails)).await.unwrap();
        let row = jobs::find(&mut app.app.db.read().await.unwrap(), app.business.id, id).await.unwrap().unwrap();
        assert_eq!(row.attempts, attempt);
        assert!(row.error.unwrap().contains("the cable is unplugged"));
        assert_eq!(row.state == "failed", attempt == jobs::ATTEMPTS);
        app.clock.set(app.clock.now().plus_seconds(120));
    }
    jobs::run_all(&app.app, &Kinds::new().with("count", count)).await.unwrap();
    assert_eq!(counted(&app).await, 0, "nobody takes it up again");
}

async fn state_of(app: &TestApp, address: &str) -> String {
    let text =
        format!("SELECT c.state FROM commissions c JOIN leads l ON l.id = c.lead_id WHERE l.email_key = '{address}'");
    app.rows::<(String,)>(&text).await.remove(0).0
}

async fn the_sweep_approves_what_is_due_and_nothing_else(app: TestApp) {
    let shop = app.shop();
    let (jane, ban) = (shop.referrer("Jane Miller").await, shop.referrer("Ban Ned").await);
    for (address, code, day) in [
        ("due@x.test", &jane.code, "2026-06-05"),
        ("today@x.test", &jane.code, "2026-06-06"),
        ("fresh@x.test", &jane.code, "2026-06-15"),
        ("disputed@x.test", &jane.code, "2026-06-01"),
        ("banned@x.test", &ban.code, "2026-06-01"),
    ] {
        shop.lead(address, Some(code)).await;
        shop.pay(address, "100.00", day).await;
    }
    app.arrange("UPDATE payments SET disputed_at = 1 WHERE email_key = 'disputed@x.test'").await;
    app.arrange(&format!("UPDATE enrollments SET state = 'banned' WHERE id = {}", ban.enrollment_id)).await;
    let swept = sweep::all(&app.app).await.unwrap();
    assert_eq!((swept.due, swept.approved, swept.held_back), (3, 1, 2));
    assert_eq!(state_of(&app, "due@x.test").await, "approved");
    for address in ["today@x.test", "fresh@x.test", "disputed@x.test", "banned@x.test"] {
        assert_eq!(state_of(&app, address).await, "pending", "{address}");
    }
    assert_eq!(sweep::all(&app.app).await.unwrap().approved, 0, "once is enough");
    app.clock.advance_days(1);
    assert_eq!(sweep::all(&app.app).await.unwrap().approved, 1);
    assert_eq!(state_of(&app, "today@x.test").await, "approved");
    let entries = "SELECT count(*) FROM audit_entries WHERE action = 'commission.approved' AND actor_kind = 'job' AND actor_name = 'sweep'";
    assert_eq!(app.number(entries).await, 2);
}

async fn the_sweep_goes_by_the_local_date(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("due@x.test", Some(&jane.code)).await;
    shop.pay("due@x.test", "100.00", "2026-06-06").await;
    assert_eq!(sweep::all(&app.app).await.unwrap().approved, 0, "its last day, in UTC");
    app.arrange("UPDATE businesses SET timezone = 'Pacific/Auckland'").await;
    assert_eq!(sweep::all(&app.app).await.unwrap().approved, 1, "the day after, in Auckland");
}

async fn verified(app: &TestApp, chain: Chain) -> seal::Verified {
    seal::verify(&mut app.app.db.read().await.unwrap(), chain, app.business.id).await.unwrap()
}

async fn a_changed_entry_breaks_its_seal(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    for n in 0..4 {
        shop.lead(&format!("c{n}@x.test"), Some(&jane.code)).await;
        shop.pay(&format!("c{n}@x.test"), "100.00", "2026-06-05").await;
    }
    let before = verified(&app, Chain::Ledger).await;
    assert_eq!((before.sealed, before.unsealed), (0, 4));
    // As what was here before entries had notes: they are read when they are sealed.
    app.tamper("UPDATE seals SET digests = NULL WHERE chain = 'audit'").await;
    assert!(!seal::run(&app.app).await.unwrap());
    sweep::all(&app.app).await.unwrap();
    seal::run(&app.app).await.unwrap();
    for chain in [Chain::Ledger, Chain::Audit] {
        let whole = verified(&app, chain).await;
        assert!(whole.sealed >= 12 && whole.unsealed == 0 && whole.broken.is_none(), "{chain:?} {whole:?}");
    }
    assert!(check::check(&app.app.db).await.unwrap().ok);
    let broken = async |tamper: &str, chain: Chain, mend: &str| {
        app.tamper(tamper).await;
        let said = verified(&app, chain).await.broken.unwrap();
        app.tamper(mend).await;
        said
    };
    let last = app.number("SELECT max(id) FROM audit_entries").await;
    assert_eq!(
        broken(
            &format!("UPDATE audit_entries SET at = at + 1 WHERE id = {last}"),
            Chain::Audit,
            &format!("UPDATE audit_entries SET at = at - 1 WHERE id = {last}"),
        )
        .await,
        format!("audit entry {last} was changed after it was sealed")
    );
    let written = app.number("SELECT count(*) FROM ledger_entries").await;
    assert_eq!(
        broken(
            "INSERT INTO ledger_entries (id, business_id, referrer_id, currency, account, amount, kind, commission_id, day, at)
             SELECT -id, business_id, referrer_id, currency, account, amount, kind, commission_id, day, at FROM ledger_entries
              WHERE id = (SELECT min(id) FROM ledger_entries)",
            Chain::Ledger,
            "DELETE FROM ledger_entries WHERE id < 0",
        )
        .await,
        format!("there are {} ledger entries, and {written} were recorded as they were written", written + 1)
    );
    assert_eq!(
        broken(
            "UPDATE seals SET position = position + 100 WHERE position = 3",
            Chain::Ledger,
            "UPDATE seals SET position = 3 WHERE position = 103"
        )
        .await,
        "the ledger seal at position 3 is missing"
    );
    assert_eq!(
        broken(
            "UPDATE seals SET seal = 'x' || seal WHERE chain = 'ledger' AND position = 3",
            Chain::Ledger,
            "UPDATE seals SET seal = substr(seal, 2) WHERE chain = 'ledger' AND position = 3",
        )
        .await,
        "the ledger seal at position 3 does not fit the one before"
    );
    app.tamper("DELETE FROM ledger_entries WHERE id = (SELECT max(id) FROM ledger_entries)").await;
    let report = check::check(&app.app.db).await.unwrap();
    let said = report.findings.iter().flat_map(|f| &f.broken).cloned().collect::<Vec<_>>().join("; ");
    assert!(said.contains("ledger entry") && said.contains("is missing"), "{said}");
    let last = app.number("SELECT max(position) FROM seals WHERE chain = 'ledger'").await;
    app.tamper("DELETE FROM seals WHERE chain = 'ledger' AND position = (SELECT max(position) FROM seals WHERE chain = 'ledger')").await;
    assert_eq!(
        verified(&app, Chain::Ledger).await.broken.unwrap(),
        format!("the ledger chain lacks its end, from position {last} on")
    );
}

async fn messages_and_old_sessions_are_let_go(app: TestApp) {
    app.sign_in().await;
    app.arrange("UPDATE businesses SET listens = false").await;
    app.shop().lead("b@x.test", None).await;
    assert_eq!(app.number("SELECT count(*) FROM outbox").await, 0, "nobody listens");
    app.arrange("UPDATE businesses SET listens = true").await;
    app.shop().lead("c@x.test", None).await;
    assert!(app.number("SELECT count(*) FROM outbox").await > 0);
    outbox::run(&app.app).await.unwrap();
    assert!(app.number("SELECT count(*) FROM outbox").await > 0, "they are not a minute old");
    refdesk::users::tidy(&app.app).await.unwrap();
    assert_eq!(app.number("SELECT count(*) FROM sessions WHERE user_id IS NOT NULL").await, 1);
    app.clock.advance_days(2);
    outbox::run(&app.app).await.unwrap();
    refdesk::users::tidy(&app.app).await.unwrap();
    assert_eq!(app.number("SELECT count(*) FROM outbox").await, 0);
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, 0, "idle for two days");
}
