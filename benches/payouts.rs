//! A payout of 50,000 referrers while payments keep coming at half the rate that the server can take: the sweep before
//! it, its draft, its lock and its file, the slowest payment meanwhile, and the rows of the lock as plain SQL.
//!
//! `cargo bench --bench payouts`, and `-- sqlite` or `-- postgres` for one of them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot measure stops")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use support::{Client, Cluster, Server, as_postgres, fresh_dir, percentile, refdesk, rss_mib, until_idle};

/// A sixth of them paid, two payments a referrer.
const LEADS: u64 = 600_000;
/// Two fifths of them have somebody who pays.
const REFERRERS: u64 = 125_000;
const CALLERS: u64 = 32;

/// Runs a statement, or answers the number of a query.
type Ask<'a> = &'a dyn Fn(&str) -> i64;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let only = std::env::args().find(|a| a == "sqlite" || a == "postgres").unwrap_or_default();
    if only != "postgres" {
        let file = fresh_dir("payouts").join("desk.db");
        let ask = |text: &str| {
            let db = rusqlite::Connection::open(&file).unwrap();
            db.busy_timeout(Duration::from_secs(60)).unwrap();
            if text.starts_with("SELECT") {
                db.query_row(text, [], |row| row.get(0)).unwrap()
            } else {
                db.execute_batch(text).unwrap();
                0
            }
        };
        payouts(&runtime, "SQLite", &format!("sqlite://{}", file.display()), &ask);
    }
    if only != "sqlite" {
        let Some(cluster) = Cluster::start("payouts") else { return };
        let (url, host) = (cluster.url("payouts"), cluster.host());
        payouts(&runtime, "PostgreSQL", &url, &|text| {
            as_postgres(&format!("psql -h {host} -AtqX payouts -c \"{text}\"")).trim().parse().unwrap_or_default()
        });
    }
}

fn payouts(runtime: &tokio::runtime::Runtime, engine: &str, url: &str, ask: Ask<'_>) {
    let server = Arc::new(Server::start(url, LEADS, REFERRERS));
    until_idle(ask);
    let due = ask("SELECT count(*) FROM commissions WHERE state = 'pending'");
    ask("UPDATE commissions SET hold_until = '2020-01-01' WHERE state = 'pending'");
    let started = Instant::now();
    assert!(refdesk(url).arg("sweep").stdout(std::process::Stdio::null()).status().unwrap().success());
    println!("{engine}: a sweep of {due} due commissions {:.1} s", started.elapsed().as_secs_f64());

    let next = Arc::new(AtomicU64::new(0));
    let full = runtime.block_on(drive(&server, &next, None, &Arc::new(AtomicBool::new(false))));
    let rate = full.len() as f64 / 3.0;
    println!("payments at their full rate {rate:>22.0}/s");
    let stop = Arc::new(AtomicBool::new(false));
    let load = {
        let (server, next, stop) = (server.clone(), next.clone(), stop.clone());
        let pace = Duration::from_secs_f64(CALLERS as f64 / (rate / 2.0));
        runtime.spawn(async move { drive(&server, &next, Some(pace), &stop).await })
    };
    let before = rss_mib(server.pid());
    runtime.block_on(pay(&server));
    println!("memory before and after {before:>22.0} MiB {:>8.0} MiB", rss_mib(server.pid()));
    stop.store(true, Ordering::Relaxed);
    let mut times = runtime.block_on(load).unwrap();
    println!(
        "{} payments meanwhile       p50 {:.1} ms  p99 {:.1} ms  slowest {:.1} ms",
        times.len(),
        percentile(&mut times, 0.5),
        percentile(&mut times, 0.99),
        percentile(&mut times, 1.0)
    );
    drop(server);
    let started = Instant::now();
    ask("CREATE TABLE raw_entries AS SELECT * FROM ledger_entries WHERE kind = 'locked'");
    ask("CREATE INDEX raw_by_referrer ON raw_entries (referrer_id, currency, day, account, amount)");
    ask("UPDATE commissions SET updated_at = updated_at + 1 WHERE line_id IS NOT NULL");
    println!("raw: the same rows as plain SQL {:>14.1} s", started.elapsed().as_secs_f64());
}

/// The draft, the lock and the file.
async fn pay(server: &Server) {
    let (mut client, key) = (Client::connect(server.port).await, server.id("apiKey"));
    let started = Instant::now();
    let (status, answer) = client.post("/v1/payouts", &key, r#"{"currency":"USD","method":"hand"}"#).await;
    assert_eq!(status, 201, "{answer:.500}");
    let draft = reached(&mut client, &key, "draft").await;
    let of = |name: &str| draft["data"][0][name].as_str().unwrap_or_default().to_owned();
    let lines = &draft["data"][0]["line_count"];
    println!("the draft of {lines} referrers {:>18.1} s", started.elapsed().as_secs_f64());
    let id = of("id");
    let started = Instant::now();
    let body = format!("{{\"fingerprint\":\"{}\"}}", of("fingerprint"));
    let (status, answer) = client.post(&format!("/v1/payouts/{id}/lock"), &key, &body).await;
    assert_eq!(status, 200, "{answer:.500}");
    reached(&mut client, &key, "locked").await;
    println!("its lock {:>37.1} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let header = format!("authorization: Bearer {key}");
    let (status, answer) = client.get(&format!("/v1/payouts/{id}/file?format=csv"), &header).await;
    assert_eq!(status, 200, "{answer:.500}");
    println!("its file {:>37.1} s", started.elapsed().as_secs_f64());
}

/// The newest payout once it is in a state.
async fn reached(client: &mut Client, key: &str, state: &str) -> serde_json::Value {
    let started = Instant::now();
    loop {
        let (_, answer) = client.get("/v1/payouts?limit=1", &format!("authorization: Bearer {key}")).await;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let list: serde_json::Value = serde_json::from_str(body).unwrap();
        if list["data"][0]["state"] == state {
            return list;
        }
        assert!(started.elapsed() < Duration::from_secs(600), "never {state}: {list}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The n-th lead that is referred by somebody who may earn and has not paid yet.
fn lead(n: u64) -> Option<u64> {
    let i = n / 5 * 10 + n % 5 + 1;
    let referrer = (i * 7919) % REFERRERS;
    (i < LEADS && i % 10 < 7 && !i.is_multiple_of(6) && referrer % 500 != 9).then_some(i)
}

/// Payments by all callers, each at a pace or as quickly as it can, for three seconds or until it is stopped.
async fn drive(
    server: &Arc<Server>,
    next: &Arc<AtomicU64>,
    pace: Option<Duration>,
    stop: &Arc<AtomicBool>,
) -> Vec<Duration> {
    let until = pace.is_none().then(|| Instant::now() + Duration::from_secs(3));
    let mut tasks = Vec::new();
    for _ in 0..CALLERS {
        let (next, server, stop) = (next.clone(), server.clone(), stop.clone());
        tasks.push(tokio::spawn(async move {
            let mut client = Client::connect(server.port).await;
            let (key, mut times) = (server.id("apiKey"), Vec::new());
            // Held for some days: what is approved while a payout is locked would be another payout's.
            let today = refdesk::clock::Clock::system().now().date_utc().plus_days(-1);
            while !stop.load(Ordering::Relaxed) && until.is_none_or(|until| Instant::now() < until) {
                let i = loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    assert!(n < LEADS / 2, "the leads are used up");
                    if let Some(i) = lead(n) {
                        break i;
                    }
                };
                let body = format!(
                    "{{\"type\":\"payment-succeeded\",\"businessId\":\"{}\",\"productId\":\"{}\",\"customerEmail\":\"lead{i}@example{}.com\",\"amount\":29.99,\"currency\":\"USD\",\"subscriptionStatus\":\"active\",\"paymentDate\":\"{today}\"}}",
                    server.id("businessId"),
                    server.id("productId"),
                    i % 97
                );
                let sent = Instant::now();
                let (status, answer) = client.post("/api/events/payment-succeeded", &key, &body).await;
                times.push(sent.elapsed());
                assert_eq!(status, 200, "{answer:.300}");
                if let Some(pace) = pace {
                    tokio::time::sleep(pace.saturating_sub(sent.elapsed())).await;
                }
            }
            times
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    times
}
