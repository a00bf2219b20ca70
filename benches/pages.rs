//! The lists over a million leads and a hundred thousand referrers, and what a server costs at rest.
//!
//! Every filter in the default order and every order without a filter, first page and far behind, one
//! user, in the pages, in `/v1` and in Cashfin's list by page number: time to the whole page on the loopback
//! beside `/healthz` in the same run, which is what HTTP alone takes. Then start to ready, memory and the
//! size of the binary. `cargo bench --bench pages`, and `-- sqlite` or `-- postgres` for one of them;
//! `REFDESK_BENCH_LEADS` for another number of leads.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot measure stops")]

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use refdesk::db::Cursor;
use scraper::{Html, Selector};
use support::{Client, Cluster, Server, as_postgres, fresh_dir, percentile, rss_mib, until_idle};

const TIMES: usize = 200;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let leads = std::env::var("REFDESK_BENCH_LEADS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let only = std::env::args().find(|a| a == "sqlite" || a == "postgres").unwrap_or_default();
    if only != "postgres" {
        let file = fresh_dir("pages").join("desk.db");
        let url = format!("sqlite://{}", file.display());
        let ids = lists(&runtime, "SQLite", &url, leads, &|text| {
            let db = rusqlite::Connection::open_with_flags(&file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
            db.query_row(text, [], |row| row.get(0)).unwrap()
        });
        rest(&url, &ids);
    }
    if only != "sqlite" {
        let Some(cluster) = Cluster::start("pages") else { return };
        let url = cluster.url("pages");
        let host = cluster.host();
        lists(&runtime, "PostgreSQL", &url, leads, &|text| {
            as_postgres(&format!("psql -h {host} -AtX pages -c \"{text}\"")).trim().parse().unwrap()
        });
    }
}

type Ask<'a> = &'a dyn Fn(&str) -> i64;

fn lists(runtime: &tokio::runtime::Runtime, engine: &str, url: &str, leads: u64, ask: Ask<'_>) -> serde_json::Value {
    let server = Server::start(url, leads, leads / 10);
    until_idle(ask);
    println!("{engine}, {leads} leads, {} referrers; milliseconds a page", leads / 10);
    let deep = [("/leads", deep_row(ask, "leads", leads)), ("/referrers", deep_row(ask, "enrollments", leads / 10))];
    runtime.block_on(pages(&server, &deep));
    runtime.block_on(own(&server, &deep[0].1));
    runtime.block_on(numbered(&server));
    println!("memory after all that: {:.0} MiB", rss_mib(server.pid()));
    server.ids.clone()
}

/// The row at nine tenths of the list, newest first.
fn deep_row(ask: Ask<'_>, table: &str, rows: u64) -> Cursor {
    let at = |column: &str| ask(&format!("SELECT {column} FROM {table} ORDER BY id LIMIT 1 OFFSET {}", rows / 10));
    Cursor { value: at("created_at").to_string(), id: at("id") }
}

async fn pages(server: &Server, deep: &[(&str, Cursor)]) {
    let mut client = Client::connect(server.port).await;
    let (status, answer) = client.form("/sign-in", "email=bench%40example.com&password=a+password+for+benches").await;
    assert!(status == 303, "{answer}");
    // The session, and the cookie by which the browser is known.
    let cookies: Vec<&str> =
        answer.lines().filter_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next()).collect();
    let header = format!("cookie: {}", cookies.join("; "));
    let bare = times(&mut client, "/healthz", "").await;
    println!("{:<60} p50 {:>6.2}  p99 {:>6.2}", "/healthz (HTTP alone)", bare.0, bare.1);
    let mut worst: (f64, String) = (0.0, String::new());
    for (path, cursor) in deep {
        for address in addresses(&mut client, path, &header).await {
            let (p50, p99) = times(&mut client, &address, &header).await;
            println!("{address:<60} p50 {p50:>6.2}  p99 {p99:>6.2}");
            if p99 > worst.0 {
                worst = (p99, address);
            }
        }
        let far = format!("{path}?after={}", cursor.text());
        let (mut first, mut behind) = (Vec::new(), Vec::new());
        // In turn, so that whatever else the machine does falls on both.
        for _ in 0..5 {
            first.push(times(&mut client, path, &header).await.0);
            behind.push(times(&mut client, &far, &header).await.0);
        }
        let median = |all: &mut Vec<f64>| {
            all.sort_unstable_by(f64::total_cmp);
            all[all.len() / 2]
        };
        let (first, behind) = (median(&mut first), median(&mut behind));
        println!("{path}: first page {first:.2}, behind nine tenths {behind:.2}: {:.2} times", behind / first);
    }
    println!("the slowest p99 is {:.2} ms: {}", worst.0, worst.1);
}

/// The lists of our own API, with each filter.
async fn own(server: &Server, deep: &Cursor) {
    let mut client = Client::connect(server.port).await;
    let header = format!("authorization: Bearer {}", server.id("apiKey"));
    // A cursor says which list it is of: as one of this list does, and as far behind as the other.
    let (_, first) = client.get("/v1/leads?limit=1", &header).await;
    let next = first.split("\"next\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a second page");
    let of = Cursor::parse(next).expect("a cursor").value;
    let (list, _) = of.split_once('.').expect("a list");
    let far = Cursor { value: format!("{list}.{}", deep.value), id: deep.id };
    let far = format!("/v1/leads?after={}", far.text());
    let (mut worst, mut slowest) = (0.0, "");
    for address in [
        "/v1/leads",
        &far,
        "/v1/leads?limit=100",
        "/v1/leads?status=new",
        "/v1/leads?status=lost",
        "/v1/leads?arrival=link",
        "/v1/leads?qualified=true",
        "/v1/leads?qualified=false",
        "/v1/leads?referrer=none",
        "/v1/leads?archived=true",
        "/v1/leads?email=lead4321@example53.com",
        "/v1/leads?q=lead4321",
        "/v1/leads?q=nobody-has-this-name",
        "/v1/referrers",
        "/v1/referrers?email=referrer77@example.com",
        "/v1/referrers?q=nobody-has-this-name",
        "/v1/codes",
        "/v1/payments",
        "/v1/commissions",
        "/v1/audit",
    ] {
        let (p50, p99) = times(&mut client, address, &header).await;
        println!("{address:<60} p50 {p50:>6.2}  p99 {p99:>6.2}");
        if p99 > worst {
            (worst, slowest) = (p99, address);
        }
    }
    println!("the slowest p99 is {worst:.2} ms: {slowest}");
}

/// A list by page number, which has to count its way to a page: the first, the worst and the last one, with
/// every filter.
async fn numbered(server: &Server) {
    let mut client = Client::connect(server.port).await;
    let header = format!("authorization: Bearer {}", server.id("apiKey"));
    for filter in
        ["", "status=new", "status=lost", "source=ad", "source=ad&status=new", "source=nowhere", "search=nobody"]
    {
        let first = format!("/business/lead/list?limit=5&{filter}");
        let (status, answer) = client.get(&first, &header).await;
        assert!(status == 200, "{answer}");
        let body = answer.split_once("\r\n\r\n").map_or(answer.as_str(), |(_, body)| body);
        let pages = serde_json::from_str::<serde_json::Value>(body).unwrap()["meta"]["pages"].as_i64().unwrap();
        for page in [1, pages / 2, pages].into_iter().filter(|page| *page > 0).collect::<BTreeSet<_>>() {
            let address = format!("{first}&page={page}");
            let (p50, p99) = times(&mut client, &address, &header).await;
            println!("{address:<60} p50 {p50:>6.2}  p99 {p99:>6.2}");
        }
    }
}

/// The list itself, and what its own links and filters lead to, one at a time.
async fn addresses(client: &mut Client, path: &str, header: &str) -> BTreeSet<String> {
    let (status, page) = client.get(path, header).await;
    assert!(status == 200, "{page}");
    let html = Html::parse_document(&page);
    let all = |css: &str| html.select(&Selector::parse(css).unwrap()).collect::<Vec<_>>();
    let mut found: BTreeSet<String> = all("main a").iter().filter_map(|a| a.attr("href")).map(str::to_owned).collect();
    for select in all("main select[name]") {
        let options =
            select.select(&Selector::parse("option").unwrap()).filter_map(|o| o.attr("value")).collect::<Vec<_>>();
        let name = select.attr("name").unwrap_or_default();
        found.extend(options.iter().filter(|value| !value.is_empty()).map(|value| format!("{path}?{name}={value}")));
    }
    found.retain(|to| to.starts_with(&format!("{path}?")));
    found.insert(path.to_owned());
    found.insert(format!("{path}?q=nobody-has-this-name"));
    found
}

/// Median and 99th percentile, in milliseconds.
async fn times(client: &mut Client, address: &str, header: &str) -> (f64, f64) {
    let mut all = Vec::with_capacity(TIMES);
    for n in 0..TIMES + 5 {
        let sent = Instant::now();
        let (status, answer) = client.get(address, header).await;
        assert!(status == 200, "{address}: {answer}");
        // The first few fill caches.
        if n >= 5 {
            all.push(sent.elapsed());
        }
    }
    (percentile(&mut all, 0.5), percentile(&mut all, 0.99))
}

/// Start to ready on this database, memory at rest, size of the binary.
fn rest(url: &str, ids: &serde_json::Value) {
    let mut starts: Vec<Duration> = Vec::new();
    let mut memory = 0.0;
    for _ in 0..9 {
        let started = Instant::now();
        let server = Server::serve(url, ids.clone());
        starts.push(started.elapsed());
        std::thread::sleep(Duration::from_secs(1));
        memory = rss_mib(server.pid());
    }
    println!(
        "start to ready: median {:.0} ms, longest {:.0} ms",
        percentile(&mut starts, 0.5),
        percentile(&mut starts, 1.0)
    );
    println!("memory a second later: {memory:.0} MiB");
    let bytes = std::fs::metadata(env!("CARGO_BIN_EXE_refdesk")).map_or(0, |m| m.len());
    println!("this binary: {:.1} MB", bytes as f64 / 1e6);
}
