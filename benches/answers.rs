//! Statements, answers to "why" and the forecast over a million payments, one user, each time of another person.
//!
//! Time to the whole page on the loopback beside `/healthz`, which is what HTTP alone takes, and on SQLite beside the
//! sums of a statement read without the program. `cargo bench --bench answers`, and `-- sqlite` or `-- postgres` for
//! one of them; `REFDESK_BENCH_PAYMENTS` for another number of payments.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot measure stops")]

mod support;

use std::time::Instant;

use support::{Client, Cluster, Server, as_postgres, fresh_dir, percentile, until_idle};

const TIMES: usize = 400;
/// A sixth of the leads of `generate-data` pays.
const LEADS_A_PAYMENT: u64 = 6;

type Ask<'a> = &'a dyn Fn(&str) -> i64;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let payments = std::env::var("REFDESK_BENCH_PAYMENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let leads = LEADS_A_PAYMENT * payments;
    let only = std::env::args().find(|a| a == "sqlite" || a == "postgres").unwrap_or_default();
    if only != "postgres" {
        let file = fresh_dir("answers").join("desk.db");
        let url = format!("sqlite://{}", file.display());
        let open = || rusqlite::Connection::open_with_flags(&file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let ask = |text: &str| open().query_row(text, [], |row| row.get(0)).unwrap();
        let referrers = answers(&runtime, "SQLite", &url, (payments, leads), &ask);
        raw(&open(), &referrers);
    }
    if only != "sqlite" {
        let Some(cluster) = Cluster::start("answers") else { return };
        let (url, host) = (cluster.url("answers"), cluster.host());
        answers(&runtime, "PostgreSQL", &url, (payments, leads), &|text| {
            as_postgres(&format!("psql -h {host} -AtX answers -c \"{text}\"")).trim().parse().unwrap()
        });
    }
}

/// Measures each page; answers the referrers whose statements were read.
fn answers(
    runtime: &tokio::runtime::Runtime,
    engine: &str,
    url: &str,
    (payments, leads): (u64, u64),
    ask: Ask<'_>,
) -> Vec<i64> {
    let server = Server::start(url, leads, payments / 10);
    until_idle(ask);
    println!("{engine}, {payments} payments, {} referrers; milliseconds a page", payments / 10);
    let spread = |table: &str, column: &str| -> Vec<i64> {
        let (first, last) =
            (ask(&format!("SELECT min(id) FROM {table}")), ask(&format!("SELECT max(id) FROM {table}")));
        let ids = (0..20).map(|n| first + (last - first) * n / 19);
        ids.map(|id| ask(&format!("SELECT {column} FROM {table} WHERE id >= {id} ORDER BY id LIMIT 1"))).collect()
    };
    let commissions = spread("commissions", "id");
    let mut referrers = spread("commissions", "referrer_id");
    referrers.push(ask("SELECT referrer_id FROM commissions GROUP BY referrer_id ORDER BY count(*) DESC LIMIT 1"));
    let leads = spread("leads", "id");
    // The day of the load's payments, as YYYYMM.
    let month = ask("SELECT CAST(substr(max(day), 1, 4) || substr(max(day), 6, 2) AS BIGINT) FROM ledger_entries");
    let month = format!("{}-{:02}", month / 100, month % 100);
    let each = |ids: &[i64], path: &dyn Fn(i64) -> String| ids.iter().map(|id| path(*id)).collect::<Vec<_>>();
    let pages: Vec<(&str, Vec<String>)> = vec![
        ("/healthz (HTTP alone)", vec!["/healthz".to_owned()]),
        ("a referrer's statements", each(&referrers, &|id| format!("/referrers/{id}/statements"))),
        ("a statement", each(&referrers, &|id| format!("/referrers/{id}/statements/{month}"))),
        ("a statement as CSV", each(&referrers, &|id| format!("/referrers/{id}/statements/{month}.csv"))),
        ("why a commission", each(&commissions, &|id| format!("/why/commissions/{id}"))),
        ("why a lead", each(&leads, &|id| format!("/why/leads/{id}"))),
        ("the forecast", vec!["/payouts/forecast".to_owned()]),
        ("Home", vec!["/".to_owned()]),
    ];
    runtime.block_on(measure(&server, &pages));
    referrers
}

async fn measure(server: &Server, pages: &[(&str, Vec<String>)]) {
    let mut client = Client::connect(server.port).await;
    let (status, answer) = client.form("/sign-in", "email=bench%40example.com&password=a+password+for+benches").await;
    assert!(status == 303, "{answer}");
    let cookies: Vec<&str> =
        answer.lines().filter_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next()).collect();
    let header = format!("cookie: {}", cookies.join("; "));
    for (what, addresses) in pages {
        let mut all = Vec::with_capacity(TIMES);
        for address in addresses.iter().cycle().take(TIMES) {
            let sent = Instant::now();
            let (status, answer) = client.get(address, &header).await;
            assert!(status == 200, "{address}: {answer}");
            all.push(sent.elapsed());
        }
        println!("{what:<30} p50 {:>6.2}  p99 {:>6.2}", percentile(&mut all, 0.5), percentile(&mut all, 0.99));
    }
}

/// The sums of a statement by SQLite alone.
fn raw(db: &rusqlite::Connection, referrers: &[i64]) {
    let sums = "SELECT account, sum(CASE WHEN day < ?2 THEN amount ELSE 0 END), sum(amount) FROM ledger_entries
                 WHERE referrer_id = ?1 AND currency = 'USD' AND day <= ?3 GROUP BY account";
    let mut statement = db.prepare(sums).unwrap();
    let mut all = Vec::with_capacity(TIMES);
    for id in referrers.iter().cycle().take(TIMES) {
        let sent = Instant::now();
        let rows = statement.query_map((id, "2000-01-01", "2999-12-31"), |row| row.get::<_, i64>(2)).unwrap();
        assert!(rows.count() > 0);
        all.push(sent.elapsed());
    }
    println!(
        "{:<30} p50 {:>6.2}  p99 {:>6.2}",
        "the sums by SQLite alone",
        percentile(&mut all, 0.5),
        percentile(&mut all, 0.99)
    );
}
