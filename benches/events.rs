//! Payment events over HTTP, durable, beside their raw limits in the same run.
//!
//! SQLite: 64 callers against the same rows and indexes written by SQLite itself with one flush per 64,
//! and against one transaction per call through the same path. PostgreSQL: 32 callers against pgbench
//! with the same rows as one statement, and against 32 events' rows as one statement. Then batches of a
//! thousand events. What stands in search's queue after the data was made is indexed before anything is
//! measured. `cargo bench --bench events`, and `-- sqlite` or `-- postgres` for one of them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot measure stops")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::params;
use support::{Client, Cluster, Server, as_postgres, cpu_of_cluster, cpu_seconds, fresh_dir, percentile, until_idle};

const LEADS: u64 = 400_000;
const REFERRERS: u64 = 2_000;
const SECONDS: u64 = 5;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let only = std::env::args().find(|a| a == "sqlite" || a == "postgres").unwrap_or_default();
    if only != "postgres" {
        sqlite(&runtime);
    }
    if only != "sqlite" {
        postgres(&runtime);
    }
}

/// The n-th lead that is referred by somebody who may earn and has not paid yet.
fn lead(n: u64) -> Option<u64> {
    let i = n / 5 * 10 + n % 5 + 1;
    let referrer = (i * 7919) % REFERRERS;
    (i < LEADS && i % 10 < 7 && !i.is_multiple_of(6) && referrer % 500 != 9).then_some(i)
}

struct Figures {
    per_second: f64,
    p50: f64,
    p99: f64,
    server_us: f64,
    database_us: f64,
}

impl Figures {
    fn print(&self, what: &str) {
        println!(
            "{what:<46} {:>8.0}/s  p50 {:>7.2} ms  p99 {:>7.2} ms  server {:>6.0} us  database {:>6.0} us",
            self.per_second, self.p50, self.p99, self.server_us, self.database_us
        );
    }
}

/// The body of a payment of the n-th lead.
fn payment(server: &Server, i: u64) -> String {
    let (business, product) = (server.id("businessId"), server.id("productId"));
    let domain = i % 97;
    format!(
        "{{\"type\":\"payment-succeeded\",\"businessId\":\"{business}\",\"productId\":\"{product}\",\"customerEmail\":\"lead{i}@example{domain}.com\",\"amount\":29.99,\"currency\":\"USD\",\"subscriptionStatus\":\"active\",\"paymentDate\":\"2026-06-14\"}}"
    )
}

/// The next leads that are there to pay.
fn draw(next: &AtomicU64, count: usize) -> Vec<u64> {
    let mut drawn = Vec::with_capacity(count);
    while drawn.len() < count {
        let n = next.fetch_add(1, Ordering::Relaxed);
        assert!(n < LEADS / 2, "the leads are used up");
        drawn.extend(lead(n));
    }
    drawn
}

/// Calls of `batch` payments each, or of single ones where that is 1, from so many callers at once.
async fn drive(
    server: &Arc<Server>,
    callers: u64,
    batch: usize,
    next: &Arc<AtomicU64>,
    cluster: Option<&Cluster>,
) -> Figures {
    let database = || cluster.map_or(0.0, |c| cpu_of_cluster(&c.data));
    let (cpu, database_cpu, started) = (cpu_seconds(server.pid()), database(), Instant::now());
    let until = started + Duration::from_secs(SECONDS);
    let mut tasks = Vec::new();
    for _ in 0..callers {
        let (next, server) = (next.clone(), server.clone());
        tasks.push(tokio::spawn(async move {
            let mut client = Client::connect(server.port).await;
            let key = server.id("apiKey");
            let mut times = Vec::new();
            while Instant::now() < until {
                let bodies: Vec<String> = draw(&next, batch).into_iter().map(|i| payment(&server, i)).collect();
                let (path, body) = if batch == 1 {
                    ("/api/events/payment-succeeded", bodies.concat())
                } else {
                    ("/v1/events/batch", format!("{{\"items\":[{}]}}", bodies.join(",")))
                };
                let sent = Instant::now();
                let (status, answer) = client.post(path, &key, &body).await;
                times.push(sent.elapsed());
                let earned = answer.matches("\"commissionAmount\":6.00").count();
                assert!(status == 200 && earned == batch, "{status}: {earned} earned, {answer:.300}");
            }
            times
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let (count, took) = ((times.len() * batch) as f64, started.elapsed().as_secs_f64());
    Figures {
        per_second: count / took,
        p50: percentile(&mut times, 0.5),
        p99: percentile(&mut times, 0.99),
        server_us: (cpu_seconds(server.pid()) - cpu) / count * 1e6,
        database_us: (database() - database_cpu) / count * 1e6,
    }
}

fn sqlite(runtime: &tokio::runtime::Runtime) {
    let dir = fresh_dir("events");
    let file = dir.join("desk.db");
    let server = Arc::new(Server::start(&format!("sqlite://{}", file.display()), LEADS, REFERRERS));
    until_idle(|text| {
        let db = rusqlite::Connection::open_with_flags(&file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        db.query_row(text, [], |row| row.get(0)).unwrap()
    });
    let next = Arc::new(AtomicU64::new(0));
    println!("SQLite, synchronous=FULL, {LEADS} leads");
    let one = runtime.block_on(drive(&server, 1, 1, &next, None));
    one.print("1 caller (one transaction each)");
    runtime.block_on(drive(&server, 8, 1, &next, None)).print("8 callers");
    let many = runtime.block_on(drive(&server, 64, 1, &next, None));
    many.print("64 callers");
    let batches = runtime.block_on(drive(&server, 1, 1_000, &next, None));
    batches.print("batches of 1,000, 1 caller");
    runtime.block_on(drive(&server, 2, 1_000, &next, None)).print("batches of 1,000, 2 callers");
    let used = next.load(Ordering::Relaxed);
    let ids = server.ids.clone();
    drop(server);
    let (raw, flush) = raw_sqlite(&file, used, 64);
    println!("{:<46} {raw:>8.0}/s", "raw: same rows, one flush per 64");
    let (thousands, _) = raw_sqlite(&file, used + 40_000, 1_000);
    println!("{:<46} {thousands:>8.0}/s", "raw: same rows, one flush per 1,000");
    let (alone, _) = raw_sqlite(&file, used + 60_000, 1);
    println!("{:<46} {alone:>8.0}/s", "raw: same rows, one flush each");
    let single = runtime.block_on(one_transaction_each(&file, &ids, used + 80_000));
    println!("{:<46} {single:>8.0}/s", "one transaction per call, same path, no HTTP");
    println!(
        "64 callers are {:.0} % of raw, {:.1} times one transaction per call; one caller waits {:.2} ms, a flush {flush:.2} ms",
        many.per_second / raw * 100.0,
        many.per_second / single,
        one.p50
    );
    println!("batches are {:.0} % of raw by the thousand", batches.per_second / thousands * 100.0);
}

/// The rows a payment writes, by prepared statements on one connection. Answers payments per second and
/// the milliseconds of one flush.
fn raw_sqlite(file: &std::path::Path, from: u64, group: u64) -> (f64, f64) {
    let mut db = rusqlite::Connection::open(file).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-16384;",
    )
    .unwrap();
    let base: i64 =
        db.query_row("UPDATE id_blocks SET next = next + 10000000 RETURNING next", [], |r| r.get(0)).unwrap();
    let first = base - 10_000_000;
    let (business, campaign, product): (i64, i64, i64) = db
        .query_row("SELECT p.business_id, p.campaign_id, p.id FROM products p", [], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?))
        })
        .unwrap();
    let (mut done, mut n, mut id, mut flushes) = (0_u64, from, first, Duration::ZERO);
    let started = Instant::now();
    let mut groups = 0;
    while started.elapsed() < Duration::from_secs(3) {
        let tx = db.transaction().unwrap();
        let mut in_group = 0;
        {
            let mut lead_of = tx.prepare_cached("SELECT id, referrer_id, enrollment_id FROM leads WHERE campaign_id = ?1 AND test = 0 AND email_key = ?2 AND duplicate_of IS NULL AND email_key IS NOT NULL").unwrap();
            let mut payment = tx.prepare_cached("INSERT INTO payments (id, business_id, campaign_id, product_id, test, lead_id, email, email_key, amount, currency, subscription_status, payment_date, body_hash, decision, decision_why, repeats, received_at, updated_at) VALUES (?1,?2,?3,?4,0,?5,?6,?6,2999,'USD','active','2026-06-14','e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855','earned','referral rate',0,?7,?7)").unwrap();
            let mut name = tx
                .prepare_cached("INSERT INTO payment_names (business_id, test, name, payment_id) VALUES (?1,0,?2,?3)")
                .unwrap();
            let mut commission = tx.prepare_cached("INSERT INTO commissions (id, business_id, campaign_id, test, kind, product_id, payment_id, lead_id, referrer_id, enrollment_id, rate, base_amount, amount, currency, hold_days, hold_until, state, released, created_at, updated_at) VALUES (?1,?2,?3,0,'referral',?4,?5,?6,?7,?8,200000,2999,600,'USD',14,'2026-06-28','pending',0,?9,?9)").unwrap();
            let mut entry = tx.prepare_cached("INSERT INTO ledger_entries (id, business_id, referrer_id, currency, account, amount, kind, commission_id, day, at) VALUES (?1,?2,?3,'USD','held',600,'created',?4,'2026-11-20',?5)").unwrap();
            let mut audit = tx.prepare_cached("INSERT INTO audit_entries (id, business_id, at, actor_kind, actor_id, actor_name, actor_fold, origin, action, subject_kind, subject_id, lead_id, referrer_id, after) VALUES (?1,?2,?3,'key',1,'First key','first key','127.0.0.1','payment.recorded','payment',?4,?5,?6,'{\"amount\":\"29.99 USD\",\"commission\":\"6.00 USD\",\"date\":\"2026-06-14\",\"why\":\"referral rate\"}')").unwrap();
            let mut outbox = tx.prepare_cached("INSERT INTO outbox (id, business_id, test, kind, subject_id, payload, at) VALUES (?1,?2,0,?3,?4,'{\"amount\":\"6.00 USD\",\"hold_until\":\"2026-06-28\",\"lead\":12345,\"referrer\":1234}',?5)").unwrap();
            let mut purchase = tx.prepare_cached("INSERT INTO purchases (lead_id, product_id, first_payment_id, first_payment_date, decided, subscription_status) VALUES (?1,?2,?3,'2026-06-14',1,'active') ON CONFLICT (lead_id, product_id) DO UPDATE SET decided = decided + 1").unwrap();
            let mut convert = tx.prepare_cached("UPDATE leads SET status = 'converted', converted_at = ?2, qualified_at = ?2, rule_fired = 1, updated_at = ?2 WHERE id = ?1").unwrap();
            let mut count = tx.prepare_cached("INSERT INTO counters (scope_id, name, day, slot, value) VALUES (?1,?2,?3,0,?4) ON CONFLICT (scope_id, name, day, slot) DO UPDATE SET value = value + excluded.value").unwrap();
            let mut note = tx
                .prepare_cached(
                    "INSERT INTO seals (first_id, business_id, chain, entries, digests) VALUES (?1,?2,?3,?4,?5)",
                )
                .unwrap();
            while in_group < group {
                n += 1;
                let Some(i) = lead(n % (LEADS - 10)) else { continue };
                in_group += 1;
                let email = format!("lead{i}@example{}.com", i % 97);
                let (lead_id, referrer, enrollment): (i64, i64, i64) =
                    lead_of.query_row(params![campaign, email], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap();
                let [payment_id, commission_id, entry_id, audit_id, message_id, second_message_id] =
                    [1, 2, 3, 4, 5, 6].map(|n| id + n);
                id += 6;
                let at = 1_790_000_000_000_000_i64 + id;
                payment.execute(params![payment_id, business, campaign, product, lead_id, email, at]).unwrap();
                let by_day = format!("date:{product}|{email}|2026-06-14|{id}");
                name.execute(params![business, by_day, payment_id]).unwrap();
                purchase.execute(params![lead_id, product, payment_id]).unwrap();
                commission
                    .execute(params![
                        commission_id,
                        business,
                        campaign,
                        product,
                        payment_id,
                        lead_id,
                        referrer,
                        enrollment,
                        at
                    ])
                    .unwrap();
                entry.execute(params![entry_id, business, referrer, commission_id, at]).unwrap();
                audit.execute(params![audit_id, business, at, payment_id, lead_id, referrer]).unwrap();
                outbox.execute(params![message_id, business, "commission.created", commission_id, at]).unwrap();
                outbox.execute(params![second_message_id, business, "lead.qualified", lead_id, at]).unwrap();
                convert.execute(params![lead_id, at]).unwrap();
                count.execute(params![enrollment, "qualified", "", 1]).unwrap();
                count.execute(params![enrollment, "revenue.USD", "", 2999]).unwrap();
            }
            for name in ["revenue.USD", "money.held.USD", "leads.status.new", "leads.status.converted", "qualified"] {
                count.execute(params![campaign, name, "", 1]).unwrap();
            }
            for (chain, offset) in [("ledger", 3), ("audit", 4)] {
                let entries: Vec<String> = (0..group).map(|n| (id - 6 * n as i64 + offset).to_string()).collect();
                let digests = "0".repeat(32 * entries.len());
                note.execute(params![id + offset, business, chain, entries.join(","), digests]).unwrap();
            }
        }
        let flushing = Instant::now();
        tx.commit().unwrap();
        flushes += flushing.elapsed();
        groups += 1;
        done += in_group;
    }
    (done as f64 / started.elapsed().as_secs_f64(), flushes.as_secs_f64() * 1000.0 / f64::from(groups))
}

/// The engine itself, one event and one flush at a time: what gathering saves.
async fn one_transaction_each(file: &std::path::Path, ids: &serde_json::Value, from: u64) -> f64 {
    use refdesk::actor::{Actor, ActorKind};
    use refdesk::engine::{By, Event, NameKind, Names, Payment, PaymentName};
    let db = refdesk::db::Db::open(&format!("sqlite://{}", file.display())).await.unwrap();
    let config = refdesk::config::Settings::default().checked().unwrap();
    let app = refdesk::app::App::new(db, refdesk::clock::Clock::system(), config);
    let business =
        refdesk::business::by_public_id(&mut app.db.read().await.unwrap(), ids["businessId"].as_str().unwrap())
            .await
            .unwrap()
            .unwrap();
    let product = app.catalogue.product(business.id, ids["productId"].as_str().unwrap()).await.unwrap().unwrap();
    let actor = Arc::new(Actor {
        kind: ActorKind::Command,
        id: None,
        name: "bench".into(),
        origin: "bench".into(),
        call: None,
    });
    let currency = refdesk::money::Currency::parse("USD").unwrap();
    let (mut done, mut n) = (0_u64, from);
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(3) {
        n += 1;
        let Some(i) = lead(n % (LEADS - 10)) else { continue };
        let payment = Payment {
            of: refdesk::engine::ProductScope::new(product.id, product.campaign_id, false),
            email: refdesk::email::Email::parse(&format!("lead{i}@example{}.com", i % 97)).unwrap(),
            phone: None,
            amount: refdesk::money::Money { minor: 2999, currency },
            subscription_status: refdesk::engine::Subscription::Active,
            date: refdesk::clock::Day::parse("2026-06-14").unwrap(),
            names: Names::all_decide([PaymentName::new(NameKind::Event, format!("single-{n}"))]),
            body_hash: "x".into(),
        };
        app.engine.slice(vec![Event::new(By::new(business.id, &actor), payment)]).await.unwrap();
        done += 1;
    }
    done as f64 / started.elapsed().as_secs_f64()
}

fn postgres(runtime: &tokio::runtime::Runtime) {
    let Some(cluster) = Cluster::start("events") else { return };
    let server = Arc::new(Server::start(&cluster.url("desk"), LEADS, REFERRERS));
    until_idle(|text| {
        as_postgres(&format!("psql -h {} -AtX desk -c \"{text}\"", cluster.host())).trim().parse().unwrap()
    });
    let next = Arc::new(AtomicU64::new(0));
    println!("PostgreSQL 15, synchronous_commit=on, {LEADS} leads");
    runtime.block_on(drive(&server, 1, 1, &next, Some(&cluster))).print("1 caller");
    let many = runtime.block_on(drive(&server, 32, 1, &next, Some(&cluster)));
    many.print("32 callers");
    runtime.block_on(drive(&server, 128, 1, &next, Some(&cluster))).print("128 callers");
    let batches = runtime.block_on(drive(&server, 1, 1_000, &next, Some(&cluster)));
    batches.print("batches of 1,000, 1 caller");
    runtime.block_on(drive(&server, 2, 1_000, &next, Some(&cluster))).print("batches of 1,000, 2 callers");
    drop(server);
    let raw = pgbench(&cluster, 1, 32);
    raw.print("pgbench, an event's rows a statement, 32");
    let set = pgbench(&cluster, 32, 1);
    set.print("pgbench, 32 events' rows a statement, 1");
    let sets = pgbench(&cluster, 128, 1);
    sets.print("pgbench, 128 events' rows a statement, 1");
    println!(
        "32 callers are {:.0} % of pgbench; {:.0} us of database CPU an event, of which its rows alone are {:.0}; in batches {:.0}, alone {:.0}",
        many.per_second / raw.per_second * 100.0,
        many.database_us,
        set.database_us,
        batches.database_us,
        sets.database_us
    );
}

/// pgbench with the rows of so many payments as one statement of data-modifying CTEs.
fn pgbench(cluster: &Cluster, events: u64, clients: u64) -> Figures {
    let script = r"\set base random(0, LAST)
WITH k AS (SELECT :base * EVENTS + g AS i FROM generate_series(1, EVENTS) g),
 l AS (SELECT l.* FROM k JOIN leads l ON l.campaign_id = (SELECT min(id) FROM campaigns) AND NOT l.test AND l.email_key = 'lead' || k.i || '@example' || (k.i % 97) || '.com' AND l.duplicate_of IS NULL AND l.email_key IS NOT NULL),
 x AS MATERIALIZED (SELECT l.*, nextval('bench_ids') * 10 AS bench FROM l),
 p AS (INSERT INTO payments (id, business_id, campaign_id, product_id, test, lead_id, email, email_key, amount, currency, subscription_status, payment_date, body_hash, decision, decision_why, repeats, received_at, updated_at)
   SELECT x.bench, x.business_id, x.campaign_id, (SELECT min(id) FROM products), false, x.id, x.email, x.email_key, 2999, 'USD', 'active', '2026-06-14', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'earned', 'referral rate', 0, 1790000000000000, 1790000000000000 FROM x),
 q AS (INSERT INTO payment_names (business_id, test, name, payment_id) SELECT x.business_id, false, 'event:bench-' || x.bench, x.bench FROM x),
 u AS (INSERT INTO purchases SELECT x.id, (SELECT min(id) FROM products), x.bench, '2026-06-14', 1, 'active' FROM x ON CONFLICT (lead_id, product_id) DO UPDATE SET decided = purchases.decided + 1),
 c AS (INSERT INTO commissions (id, business_id, campaign_id, test, kind, product_id, payment_id, lead_id, referrer_id, enrollment_id, rate, base_amount, amount, currency, hold_days, hold_until, state, released, created_at, updated_at)
   SELECT x.bench + 1, x.business_id, x.campaign_id, false, 'referral', (SELECT min(id) FROM products), x.bench, x.id, COALESCE(x.referrer_id, (SELECT min(id) FROM referrers)), COALESCE(x.enrollment_id, (SELECT min(id) FROM enrollments)), 200000, 2999, 600, 'USD', 14, '2026-06-28', 'pending', false, 1790000000000000, 1790000000000000 FROM x),
 e AS (INSERT INTO ledger_entries (id, business_id, referrer_id, currency, account, amount, kind, commission_id, day, at)
   SELECT x.bench + 2, x.business_id, COALESCE(x.referrer_id, (SELECT min(id) FROM referrers)), 'USD', 'held', 600, 'created', x.bench + 1, '2026-11-20', 1790000000000000 FROM x),
 a AS (INSERT INTO audit_entries (id, business_id, at, actor_kind, actor_id, actor_name, actor_fold, origin, action, subject_kind, subject_id, lead_id, referrer_id, after)
   SELECT x.bench + 3, x.business_id, 1790000000000000, 'key', 1, 'First key', 'first key', '127.0.0.1', 'payment.recorded', 'payment', x.bench, x.id, x.referrer_id, '{}' FROM x),
 o AS (INSERT INTO outbox (id, business_id, test, kind, subject_id, payload, at)
   SELECT x.bench + 4 + k, x.business_id, false, 'commission.created', x.bench, '{}', 1790000000000000 FROM x, generate_series(0, 1) k),
 t AS (INSERT INTO counters SELECT COALESCE(x.enrollment_id, 1), k, '', 0, count(*) FROM x, unnest(ARRAY['qualified', 'revenue.USD']) k GROUP BY 1, 2 ON CONFLICT (scope_id, name, day, slot) DO UPDATE SET value = counters.value + excluded.value)
UPDATE leads SET status = 'converted', converted_at = 1, qualified_at = 1, updated_at = 1 FROM x WHERE leads.id = x.id;
"
    .replace("EVENTS", &events.to_string())
    .replace("LAST", &(LEADS / events - 2).to_string());
    let file = std::env::temp_dir().join(format!("refdesk-bench-{events}.sql"));
    std::fs::write(&file, script).unwrap();
    let host = cluster.host();
    let ask = |text: &str| as_postgres(&format!("psql -q -AtX -h {host} desk -c \"{text}\""));
    ask("CREATE SEQUENCE IF NOT EXISTS bench_ids START 100000000");
    let written = || ask("SELECT last_value FROM bench_ids").trim().parse::<f64>().unwrap();
    let (cpu, before, started) = (cpu_of_cluster(&cluster.data), written(), Instant::now());
    as_postgres(&format!("pgbench -n -M prepared -c {clients} -j 2 -T {SECONDS} -h {host} -f {} desk", file.display()));
    let count = written() - before;
    Figures {
        per_second: count / started.elapsed().as_secs_f64(),
        p50: 0.0,
        p99: 0.0,
        server_us: 0.0,
        database_us: (cpu_of_cluster(&cluster.data) - cpu) / count * 1e6,
    }
}
