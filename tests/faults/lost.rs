//! PostgreSQL lost at any moment: before a statement, between a COMMIT and its answer, for a while.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::Outcome;
use refdesk::codes::{self, Generated};
use refdesk::engine::{Approve, Changed, ClaimBy, Qualify, Void, What};
use refdesk::referrers::{self, AddReferrer, Added};
use sqlx::{Connection, Executor, PgConnection};

use super::{PAY, SIGN_UP, comes_back_later, footprint, payment, sign_up};
use crate::support::proxy::Proxy;
use crate::support::{Engine, TestApp, actor, run};

/// A server that reaches its database through the proxy.
async fn through_a_proxy(app: &TestApp) -> (TestApp, Proxy) {
    let proxy = Proxy::before(&app.database);
    let node = app.another_node_by(&proxy.url).await;
    // Its block of ids is drawn now: the next COMMIT is the one a test speaks of.
    node.app.ids.next().await.unwrap();
    (node, proxy)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_counts_once_and_is_told() {
    run(Engine::Postgres, async |app: TestApp| {
        let jane = app.shop().referrer("Jane Miller").await;
        let zoe = app.shop().referrer_without_code("Zoe King").await;
        let (node, proxy) = through_a_proxy(&app).await;
        let shop = node.shop();
        let mute = || proxy.mute_a_commit();
        let muted = || assert!(proxy.has_muted(), "no COMMIT lost its answer");

        mute();
        node.api_post(SIGN_UP, sign_up(&app, "amy@example.com", &jane.code)).await.is(200);
        muted();
        mute();
        node.api_post(PAY, payment(&app, "amy@example.com", "evt_1")).await.is(200);
        muted();
        let claim = || Some(ClaimBy::Enrollment(jane.enrollment_id.into()));
        mute();
        let walked_in = shop.send(shop.lead_event("Ben Hill", None, claim())).await;
        muted();
        let Outcome::LeadAdded { lead_id, .. } = walked_in else { panic!("the lead is new: {walked_in:?}") };
        let What::AddLead(mut again) = shop.lead_event("Ben Hill", None, None) else { unreachable!() };
        again.repeats_allowed = true;
        mute();
        let repeated = shop.send(What::AddLead(again)).await;
        muted();
        assert!(matches!(repeated, Outcome::LeadAdded { duplicate_of: Some(_), .. }), "{repeated:?}");
        mute();
        let qualified = shop.send(Qualify { lead_id: lead_id.into(), qualified: true, reason: None }).await;
        muted();
        assert_eq!(qualified, Outcome::Qualification { lead_id, changed: Changed::Yes });
        let commission_id = app.number("SELECT id FROM commissions").await;
        mute();
        let approved = shop
            .send(What::Approve(Approve { commission_id: commission_id.into(), reason: Some("early".into()) }))
            .await;
        muted();
        assert_eq!(approved, Outcome::Done { id: commission_id, changed: true });
        mute();
        let voided = shop.send(Void { commission_id: commission_id.into(), reason: "not theirs".into() }).await;
        muted();
        assert_eq!(voided, Outcome::Done { id: commission_id, changed: true });

        let new = AddReferrer {
            business_id: app.business.id,
            campaign_id: app.business.campaign_id,
            name: "Nobody With An Address".into(),
            email: None,
            phone: None,
            company: None,
            marks: refdesk::meta::Marks::default(),
            generate: true,
        };
        mute();
        let added = referrers::add(&node.app, &actor(), new).await.unwrap();
        muted();
        assert!(matches!(added, Added::New { code: Some(_), .. }), "{added:?}");
        mute();
        let made = codes::generate_one(&node.app, &actor(), app.business.id, zoe.enrollment_id).await.unwrap();
        muted();
        assert!(matches!(made, Generated::Made { .. }), "{made:?}");
        mute();
        let user = serde_json::json!({ "first_name": "Pat", "email": "pat@example.com" });
        node.api_post("/api/v2/users", user).await.is(201);
        muted();

        let counts = "SELECT (SELECT count(*) FROM leads) * 100 + (SELECT count(*) FROM payments) * 10
            + (SELECT count(*) FROM referrers WHERE name LIKE 'Nobody%' OR name = 'Pat')";
        assert_eq!(app.number(counts).await, 312, "three leads, one payment, two referrers: each once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_that_nothing_was_stored_when_nobody_knows() {
    run(Engine::Postgres, async |app: TestApp| {
        let jane = app.shop().referrer("Jane Miller").await;
        let (node, proxy) = through_a_proxy(&app).await;
        proxy.mute_a_commit_and_go_down();
        let body = sign_up(&app, "amy@example.com", &jane.code);
        let answer = comes_back_later(node.api_post(SIGN_UP, body.clone()).await);
        assert!(!answer.body.contains("nothing was stored"), "{answer:?}");
        assert_eq!(app.number("SELECT count(*) FROM leads").await, 1, "it was");
        proxy.come_back();
        node.api_post(SIGN_UP, body).await.is(409);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_lost_before_any_statement_leaves_whole_or_nothing() {
    run(Engine::Postgres, async |app: TestApp| {
        let jane = app.shop().referrer("Jane Miller").await;
        let (node, proxy) = through_a_proxy(&app).await;
        let mut refused = 0;
        for path in [SIGN_UP, PAY] {
            for n in 1.. {
                let address = format!("amy{n}@example.com");
                let body = if path == PAY {
                    payment(&app, &address, &format!("evt_{n}"))
                } else {
                    sign_up(&app, &address, &jane.code)
                };
                let before = footprint(&app).await;
                proxy.cut_in(n);
                let answer = node.api_post(path, body.clone()).await;
                let cut = proxy.has_cut();
                if answer.status == 503 {
                    comes_back_later(answer);
                    assert_eq!(footprint(&app).await, before, "{path}, cut before round trip {n}");
                    node.api_post(path, body).await.is(200);
                    refused += 1;
                } else {
                    answer.is(200);
                }
                if !cut {
                    assert!(n > 15, "{path} took only {n} round trips");
                    break;
                }
            }
        }
        assert!(refused > 20, "only {refused} calls met a broken connection");
        let doubled = "SELECT count(*) FROM (SELECT email_key FROM leads GROUP BY email_key HAVING count(*) > 1) d";
        assert_eq!(app.number(doubled).await, 0);
    })
    .await;
}

/// A batch is more than one transaction on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_lost_its_database_midway_does_not_say_that_nothing_was_stored() {
    run(Engine::Postgres, async |app: TestApp| {
        let jane = app.shop().referrer("Jane Miller").await;
        let (node, proxy) = through_a_proxy(&app).await;
        let (mut whole, mut part) = (0, 0);
        for n in (2..).step_by(4) {
            let item = |i| {
                let mut event = sign_up(&app, &format!("amy{n}.{i}@example.com"), &jane.code);
                event["type"] = "customer-created".into();
                event
            };
            let batch = serde_json::json!({ "items": (0..130).map(item).collect::<Vec<_>>() });
            let before = footprint(&app).await;
            proxy.cut_in(n);
            let answer = node.api_post("/v1/events/batch", batch.clone()).await;
            let cut = proxy.has_cut();
            if answer.status == 503 {
                let stored = footprint(&app).await != before;
                let said = !answer.body.contains("nothing was stored");
                assert!(said || !stored, "cut before round trip {n}: {answer:?}");
                *(if stored { &mut part } else { &mut whole }) += 1;
                node.api_post("/v1/events/batch", batch).await.is(200);
            } else {
                answer.is(200);
            }
            if !cut {
                break;
            }
        }
        assert!(whole > 0 && part > 0, "{whole} before anything was stored, {part} after");
        assert_eq!(app.number("SELECT count(*) % 130 FROM leads").await, 0, "each person once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_gone_makes_not_ready_and_comes_back_by_itself() {
    run(Engine::Postgres, async |app: TestApp| {
        let jane = app.shop().referrer("Jane Miller").await;
        let (node, proxy) = through_a_proxy(&app).await;
        node.get("/readyz").await.is(200);
        node.sign_in().await;
        proxy.go_down();
        let started = Instant::now();
        node.get("/readyz").await.is(503);
        assert!(started.elapsed() < Duration::from_secs(4), "readiness took {:?}", started.elapsed());
        let body = sign_up(&app, "amy@example.com", &jane.code);
        // The key cannot be looked up, or the event not stored: both are a matter of coming back.
        comes_back_later(node.api_post(SIGN_UP, body.clone()).await);
        let page = node.get("/leads").await.is(503);
        assert!(page.has("h1") && !page.header("retry-after").is_empty(), "{page:?}");
        node.get("/healthz").await.is(200);
        proxy.come_back();
        node.get("/readyz").await.is(200);
        node.api_post(SIGN_UP, body).await.is(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_while_nothing_happens_is_noticed_by_nobody() {
    run(Engine::Postgres, async |app: TestApp| {
        let all: Vec<_> = (0..12)
            .map(|_| {
                let visitor = app.stranger();
                tokio::spawn(async move { visitor.get("/readyz").await })
            })
            .collect();
        for one in all {
            one.await.unwrap().is(200);
        }
        let idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle'";
        assert!(app.number(idle).await > 2, "there are connections to lose");
        let mut killer = PgConnection::connect(&app.database.url).await.unwrap();
        killer.execute(TERMINATE_ALL).await.unwrap();
        // A connection that was in use a moment ago is not tested; after a quiet second it is.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        for _ in 0..20 {
            app.get("/readyz").await.is(200);
        }
    })
    .await;
}

const TERMINATE_ALL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// Sends payments until a signal stops it; answers the ids of those that were acknowledged.
async fn pay_until(
    stop: Arc<AtomicBool>,
    app: Arc<TestApp>,
    next: Arc<AtomicU64>,
    served: Arc<AtomicU64>,
) -> Vec<String> {
    let mut acknowledged = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let body = payment(&app, &format!("person{}@example.com", n % 20), &format!("evt_{n}"));
        let answer = app.api_post(PAY, body).await;
        assert!(matches!(answer.status, 200 | 409 | 503), "{answer:?}");
        if answer.status == 200 {
            served.fetch_add(1, Ordering::Relaxed);
            acknowledged.push(format!("event:evt_{n}"));
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_terminated_under_load_lose_nothing() {
    run(Engine::Postgres, async |app: TestApp| {
        let app = Arc::new(app);
        let jane = app.shop().referrer("Jane Miller").await;
        for n in 0..20 {
            app.shop().lead(&format!("person{n}@example.com"), Some(&jane.code)).await;
        }
        let mut killer = PgConnection::connect(&app.database.url).await.unwrap();
        let (stop, next, served) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default(), Arc::default());
        let writers: Vec<_> = (0..8)
            .map(|_| tokio::spawn(pay_until(stop.clone(), app.clone(), next.clone(), Arc::clone(&served))))
            .collect();
        for _ in 0..if crate::support::is_long() { 100 } else { 10 } {
            // By itself the service is back after each time.
            let (before, started) = (served.load(Ordering::Relaxed), Instant::now());
            while served.load(Ordering::Relaxed) < before + 20 {
                assert!(started.elapsed() < Duration::from_secs(10), "the service does not come back");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            killer.execute(TERMINATE_ALL).await.unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        let mut acknowledged = Vec::new();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        let rows: Vec<(String, i64)> = app.rows("SELECT name, count(*) FROM payment_names GROUP BY name").await;
        assert!(rows.iter().all(|(_, count)| *count == 1), "a payment is there twice");
        let stored: HashSet<String> = rows.into_iter().map(|(name, _)| name).collect();
        let lost: Vec<_> = acknowledged.iter().filter(|id| !stored.contains(*id)).collect();
        assert!(lost.is_empty(), "{} of {} acknowledged payments are gone", lost.len(), acknowledged.len());
    })
    .await;
}
