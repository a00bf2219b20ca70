//! Messages of a payment provider: taken in durably, and what they earn, beside their raw limit in the same run.
//!
//! A live account of a small Stripe that stands in this file. 1: 64 callers post signed checkouts for five seconds, while
//! the server applies them too; beside it the rows of as many messages, written by SQLite itself with one flush per 64.
//! 2: 50 messages a second for ten seconds, each a checkout with a code; the time from the sending to the row of the
//! commission. 3: a server starts after 10,000 events that no message brought, and asks for them. `cargo bench --bench
//! messages`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot measure stops")]

mod support;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use refdesk::clock::Clock;
use ring::hmac;
use rusqlite::{Connection, OpenFlags, params};
use serde_json::{Value as Json, json};
use support::{Client, STRIPE, Server, cpu_seconds, fresh_dir, percentile, refdesk, rss_mib, until_idle};

const LEADS: u64 = 50_000;
const REFERRERS: u64 = 2_000;
const CALLERS: u64 = 64;
const SECONDS: u64 = 5;
const A_SECOND: u64 = 50;
const MISSED: u64 = 10_000;
const SECRET: &str = "whsec_of_the_benchmark";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let missed = Arc::new(AtomicU64::new(0));
    let stripe = runtime.block_on(small_stripe(missed.clone()));
    STRIPE.set(stripe).unwrap();
    let dir = fresh_dir("messages");
    let file = dir.join("desk.db");
    let url = format!("sqlite://{}", file.display());
    let server = Server::start(&url, LEADS, REFERRERS);
    let ids = server.ids.clone();
    drop(server);
    connect(&url, &server_id(&ids, "campaignId"));
    let server = Arc::new(Server::serve(&url, ids.clone()));
    until_idle(|text| number(&file, text));
    println!("SQLite, synchronous=FULL, {LEADS} leads, {REFERRERS} codes");

    taken_in(&runtime, &server, &file);
    earned(&runtime, &server, &file);
    drop(server);
    caught_up(&url, &file, ids, &missed);
}

fn server_id(ids: &Json, name: &str) -> String {
    ids[name].as_str().map_or_else(|| ids[name].to_string(), str::to_owned)
}

fn now() -> i64 {
    Clock::system().now().seconds()
}

fn number(file: &Path, text: &str) -> i64 {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    db.query_row(text, [], |row| row.get(0)).unwrap()
}

/// Connects the live account to the campaign.
fn connect(url: &str, campaign: &str) {
    let mut command = refdesk(url);
    command.args(["stripe", "connect", "--campaign", campaign, "--webhook-secret", SECRET]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"rk_live_0123456789abcdef\n").unwrap();
    assert!(child.wait().unwrap().success(), "the account was not connected");
}

/// An event of a paid checkout of 119.00 with 19.00 of tax, by a buyer of its own.
fn paid(id: &str, n: u64, code: &str) -> Json {
    json!({
        "id": id, "object": "event", "api_version": "2026-10-28.endive", "created": now(), "livemode": true,
        "type": "checkout.session.completed", "pending_webhooks": 1,
        "data": { "object": {
            "id": format!("cs_{id}"), "object": "checkout.session", "mode": "payment", "payment_status": "paid",
            "status": "complete", "amount_subtotal": 10000, "amount_total": 11900, "currency": "usd",
            "customer": format!("cus_{id}"), "payment_intent": format!("pi_{id}"), "invoice": null,
            "customer_details": { "email": format!("buyer-{id}@example{}.com", n % 97), "name": "Amy Pond" },
            "subscription": null, "client_reference_id": code, "metadata": {},
            "total_details": { "amount_discount": 0, "amount_tax": 1900, "amount_shipping": 0 },
        } },
    })
}

fn signature(body: &str) -> String {
    let at = now();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let mac = hmac::sign(&key, format!("{at}.{body}").as_bytes());
    let hex: String = mac.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at},v1={hex}")
}

async fn post(client: &mut Client, path: &str, body: &str) {
    let (status, answer) = client.post_with(path, &format!("stripe-signature: {}", signature(body)), body).await;
    assert_eq!(status, 200, "{answer:.300}");
}

fn codes(file: &Path) -> Vec<String> {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    // A code of a referrer who is paused or banned earns nothing.
    let mut all = db
        .prepare(
            "SELECT c.text FROM codes c JOIN enrollments e ON e.id = c.enrollment_id
              WHERE c.state = 'active' AND e.state = 'active' ORDER BY c.id LIMIT 500",
        )
        .unwrap();
    all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// 1. How many a second are on disk when they are answered.
fn taken_in(runtime: &tokio::runtime::Runtime, server: &Arc<Server>, file: &Path) {
    let codes = Arc::new(codes(file));
    let path = format!("/webhooks/stripe/{}", server.id("businessId"));
    let (cpu, started) = (cpu_seconds(server.pid()), Instant::now());
    let until = started + Duration::from_secs(SECONDS);
    let next = Arc::new(AtomicU64::new(0));
    let mut times = runtime.block_on(async {
        let callers = (0..CALLERS).map(|_| {
            let (server, codes, next, path) = (server.clone(), codes.clone(), next.clone(), path.clone());
            tokio::spawn(async move {
                let mut client = Client::connect(server.port).await;
                let mut times = Vec::new();
                while Instant::now() < until {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let code = &codes[usize::try_from(n).unwrap() % codes.len()];
                    let body = paid(&format!("evt_a{n}"), n, code).to_string();
                    let sent = Instant::now();
                    post(&mut client, &path, &body).await;
                    times.push(sent.elapsed());
                }
                times
            })
        });
        let callers: Vec<_> = callers.collect();
        let mut times = Vec::new();
        for caller in callers {
            times.extend(caller.await.unwrap());
        }
        times
    });
    let (count, took) = (times.len() as f64, started.elapsed().as_secs_f64());
    let per_second = count / took;
    println!(
        "{:<46} {per_second:>8.0}/s  p50 {:>7.2} ms  p99 {:>7.2} ms  server {:>6.0} us",
        format!("taken in, {CALLERS} callers"),
        percentile(&mut times, 0.5),
        percentile(&mut times, 0.99),
        (cpu_seconds(server.pid()) - cpu) / count * 1e6,
    );
    let applied = number(file, "SELECT count(*) FROM provider_messages WHERE state <> 'new'");
    let waiting = Instant::now();
    until_applied(file);
    let rest = count as i64 - applied;
    println!("{:<46} {:>8.0}/s", "applied, nothing else going on", rest as f64 / waiting.elapsed().as_secs_f64());
    let raw = raw(file);
    println!("{:<46} {raw:>8.0}/s", "raw: the same rows, one flush per 64");
    println!("{:<46} {:>8.0} %", "taken in, of raw", per_second / raw * 100.0);
}

fn until_applied(file: &Path) {
    while number(file, "SELECT EXISTS (SELECT 1 FROM provider_messages WHERE state = 'new')") == 1 {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Messages a second that SQLite itself writes with their mentions.
fn raw(file: &Path) -> f64 {
    let mut db = Connection::open(file).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    db.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;").unwrap();
    let base: i64 =
        db.query_row("UPDATE id_blocks SET next = next + 10000000 RETURNING next", [], |row| row.get(0)).unwrap();
    let body = paid("evt_raw", 1, "SOME-CODE").to_string();
    let (mut done, started) = (0_u64, Instant::now());
    while started.elapsed() < Duration::from_secs(3) {
        let tx = db.transaction().unwrap();
        {
            let mut message = tx
                .prepare_cached(
                    "INSERT INTO provider_messages (id, business_id, account_id, identity, kind, happened_at, received_at, body,
                            state, outcome, updated_at)
                     SELECT ?1, business_id, id, ?2, 'checkout.session.completed', ?3, ?3, ?4, 'ignored', 'raw', ?3
                       FROM provider_accounts ORDER BY id LIMIT 1",
                )
                .unwrap();
            let mut mention = tx
                .prepare_cached(
                    "INSERT INTO provider_mentions (account_id, role, text, message_id)
                     SELECT id, 'names', ?1, ?2 FROM provider_accounts ORDER BY id LIMIT 1",
                )
                .unwrap();
            for _ in 0..CALLERS {
                done += 1;
                let id = base - 10_000_000 + i64::try_from(done).unwrap();
                message.execute(params![id, format!("raw{done}"), 1_790_000_000_000_000_i64 + id, body]).unwrap();
                for name in [format!("session:raw{done}"), format!("intent:raw{done}")] {
                    mention.execute(params![name, id]).unwrap();
                }
            }
        }
        tx.commit().unwrap();
    }
    done as f64 / started.elapsed().as_secs_f64()
}

/// 2. From the sending of a message to the row of its commission.
fn earned(runtime: &tokio::runtime::Runtime, server: &Arc<Server>, file: &Path) {
    let codes = codes(file);
    let path = format!("/webhooks/stripe/{}", server.id("businessId"));
    let count = A_SECOND * 10;
    let before = number(file, "SELECT count(*) FROM commissions");
    let sent = runtime.block_on(async {
        let mut client = Client::connect(server.port).await;
        let mut sent = BTreeMap::new();
        let mut tick = tokio::time::interval(Duration::from_micros(1_000_000 / A_SECOND));
        for n in 0..count {
            tick.tick().await;
            let code = &codes[usize::try_from(n).unwrap() % codes.len()];
            let body = paid(&format!("evt_b{n}"), n, code).to_string();
            let at = Clock::system().now().micros();
            post(&mut client, &path, &body).await;
            sent.insert(format!("buyer-evt_b{n}@example{}.com", n % 97), at);
        }
        sent
    });
    let done = Instant::now();
    while number(file, "SELECT count(*) FROM commissions") < before + i64::try_from(count).unwrap() {
        assert!(done.elapsed() < Duration::from_secs(60), "not all became commissions");
        std::thread::sleep(Duration::from_millis(5));
    }
    let last = done.elapsed();
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut rows = db
        .prepare(
            "SELECT p.email, k.created_at FROM payments p JOIN commissions k ON k.payment_id = p.id
              WHERE p.email LIKE 'buyer-evt\\_b%' ESCAPE '\\'",
        )
        .unwrap();
    let rows = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).unwrap();
    let rows = rows.map(Result::unwrap);
    let mut times: Vec<Duration> =
        rows.map(|(email, at)| Duration::from_micros((at - sent[&email]).max(0).unsigned_abs())).collect();
    assert_eq!(times.len() as u64, count);
    println!(
        "{:<46} p50 {:>7.0} ms  p99 {:>7.0} ms  most {:>7.0} ms  the last {:>5.0} ms after its answer",
        format!("sent to earned, {A_SECOND} a second"),
        percentile(&mut times, 0.5),
        percentile(&mut times, 0.99),
        percentile(&mut times, 1.0),
        last.as_secs_f64() * 1e3,
    );
}

/// 3. Events that no message brought.
fn caught_up(url: &str, file: &Path, ids: Json, missed: &AtomicU64) {
    let stored = "SELECT count(*) FROM provider_messages WHERE identity LIKE 'evt\\_c%' ESCAPE '\\'";
    missed.store(MISSED, Ordering::SeqCst);
    // Its last look is as old as a desk that was down for an hour.
    let db = Connection::open(file).unwrap();
    db.execute("UPDATE schedule SET next_at = 0 WHERE task = 'missed_messages'", []).unwrap();
    drop(db);
    let started = Instant::now();
    let server = Server::serve(url, ids);
    while number(file, stored) < i64::try_from(MISSED).unwrap() {
        assert!(started.elapsed() < Duration::from_secs(600), "only {} came", number(file, stored));
        std::thread::sleep(Duration::from_millis(50));
    }
    let here = started.elapsed();
    until_applied(file);
    println!(
        "{:<46} {:>8.1} s here, {:.1} s applied, {:.0} MiB",
        format!("{MISSED} events caught up with"),
        here.as_secs_f64(),
        started.elapsed().as_secs_f64(),
        rss_mib(server.pid()),
    );
}

/// As much of Stripe as a connected account asks: who it is, and its events.
async fn small_stripe(missed: Arc<AtomicU64>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(missed);
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

async fn answer(State(missed): State<Arc<AtomicU64>>, uri: Uri, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let of_kind = query.contains("checkout.session.completed");
    let json = match uri.path() {
        "/v1/account" => json!({ "id": "acct_bench", "object": "account" }),
        "/v1/events" if of_kind => {
            let asked = query.split('&').find_map(|pair| pair.strip_prefix("starting_after=evt_c"));
            let from = asked.map_or(0, |n| n.parse::<u64>().unwrap() + 1);
            let to = (from + 100).min(missed.load(Ordering::SeqCst));
            let page: Vec<Json> = (from..to).map(|n| paid(&format!("evt_c{n}"), n, "")).collect();
            json!({ "object": "list", "has_more": to < missed.load(Ordering::SeqCst), "data": page })
        }
        _ => json!({ "object": "list", "has_more": false, "data": [] }),
    };
    axum::Json(json).into_response()
}
