//! Search over a million leads: words of every frequency, with each filter, first page and far behind, on the
//! pages, in our own API and in Cashfin's; one caller, time to the whole answer. In the same run, what the
//! database alone takes: for all rows without an index, and for ten thousand rows by their keys; and what
//! the index adds to a new lead. `cargo bench --bench search`, and `-- sqlite` or `-- postgres` for one of
//! them, `people` for the search of people alone; `REFDESK_BENCH_LEADS` for another number of leads.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot measure stops")]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use scraper::{Html, Selector};
use support::{Client, Cluster, Server, as_postgres, cpu_of_cluster, cpu_seconds, fresh_dir, percentile, rss_mib};

const TIMES: usize = 60;
const WORDS: [&str; 11] = [
    "lead",
    "example5.",
    "lead1",
    "jane",
    "lead43",
    "lead432",
    "lead4321",
    "lead432100",
    "njeri jane",
    "zqxzqx",
    "examplead",
];
const FILTERS: [&str; 8] = [
    "",
    "&status=lost",
    "&status=qualified",
    "&arrival=code",
    "&qualified=no",
    "&referrer=none",
    "&status=new&arrival=link",
    "&sort=name",
];

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let leads: u64 = std::env::var("REFDESK_BENCH_LEADS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let only = std::env::args().find(|a| a == "sqlite" || a == "postgres").unwrap_or_default();
    let only_people = std::env::args().any(|a| a == "people");
    if only != "postgres" {
        let file = fresh_dir("search").join("desk.db");
        let server = Server::start(&format!("sqlite://{}", file.display()), leads, leads / 10);
        println!("SQLite, {leads} leads; milliseconds");
        indexed(&server, |text| {
            let db = rusqlite::Connection::open_with_flags(&file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
            db.query_row(text, [], |row| row.get(0)).unwrap()
        });
        raw_sqlite(&file);
        runtime.block_on(people(&server));
        if only_people {
            return;
        }
        runtime.block_on(pages(&server));
        runtime.block_on(contracts(&server));
        println!("memory after all that: {:.0} MiB", rss_mib(server.pid()));
        let (url, ids) = (server.database_url.clone(), server.ids.clone());
        drop(server);
        runtime.block_on(cost(&url, &ids, || cpu_seconds(std::process::id())));
    }
    if only != "sqlite" {
        let Some(cluster) = Cluster::start("search") else { return };
        let server = Server::start(&cluster.url("search"), leads, leads / 10);
        println!("PostgreSQL, {leads} leads; milliseconds");
        let ask = |text: &str| as_postgres(&format!("psql -h {} -AtX search -c \"{text}\"", cluster.host()));
        indexed(&server, |text| ask(text).trim().parse().unwrap());
        let started = Instant::now();
        ask("SELECT count(*) FROM leads WHERE search LIKE '%zqxzqx%'");
        println!("raw: every row without an index {:.0}", started.elapsed().as_secs_f64() * 1e3);
        runtime.block_on(people(&server));
        if only_people {
            return;
        }
        runtime.block_on(pages(&server));
        runtime.block_on(contracts(&server));
        let (url, ids) = (server.database_url.clone(), server.ids.clone());
        drop(server);
        runtime.block_on(cost(&url, &ids, || cpu_seconds(std::process::id()) + cpu_of_cluster(&cluster.data)));
    }
}

/// Waits until the server has indexed what was generated.
fn indexed(server: &Server, ask: impl Fn(&str) -> i64) {
    let (started, waiting) = (Instant::now(), "SELECT count(*) FROM search_queue");
    let at_first = ask(waiting);
    while ask(waiting) > 10_000 {
        assert!(started.elapsed() < Duration::from_secs(600), "the index does not come along");
        std::thread::sleep(Duration::from_millis(200));
    }
    let took = started.elapsed().as_secs_f64();
    println!(
        "indexed in {took:.1} s: {:.0} rows/s; memory then {:.0} MiB",
        at_first as f64 / took,
        rss_mib(server.pid())
    );
    println!(
        "{} segments, {} blocks",
        ask("SELECT count(*) FROM search_segments"),
        ask("SELECT count(*) FROM search_blocks")
    );
}

fn raw_sqlite(file: &std::path::Path) {
    let db = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    db.execute_batch("PRAGMA cache_size=-16384").unwrap();
    let timed = |text: &str| {
        let mut all: Vec<Duration> = (0..9)
            .map(|_| {
                let started = Instant::now();
                let _: i64 = db.query_row(text, [], |row| row.get(0)).unwrap();
                started.elapsed()
            })
            .collect();
        percentile(&mut all, 0.5)
    };
    println!(
        "raw: every row without an index {:.0}, 10,000 rows by their keys {:.1}",
        timed("SELECT count(*) FROM leads WHERE search LIKE '%zqxzqx%'"),
        timed(
            "WITH RECURSIVE n(i) AS (SELECT (SELECT min(id) FROM leads) UNION ALL SELECT i + 97 FROM n LIMIT 10000)
             SELECT count(*) FROM n CROSS JOIN leads l WHERE l.id = n.i AND l.search LIKE '%lead%'"
        ),
    );
}

/// Looking for people: pieces of codes and names, misheard, misspelt, spelled, pasted; each on Record a referral, in
/// the search over everything, and in the lists.
const PEOPLE: [&str; 14] = [
    "K7M",
    "D2CW",
    "4XPD2",
    "KTB",
    "KBTM",
    "T7M-4XB-D2CW",
    "kilo seven mike four",
    "kay seven em four x-ray",
    "http://localhost/r/K7M-4XP-D2CW",
    "jane",
    "nyeri",
    "smyth jane",
    "otineo 4321",
    "zqxzqx",
];

async fn people(server: &Server) {
    let mut client = Client::connect(server.port).await;
    let header = signed_in(&mut client).await;
    let mut slow = Slow::up_to(50.0);
    for list in ["/record/people", "/find/hits", "/referrers", "/codes", "/leads"] {
        for word in PEOPLE {
            let address = format!("{list}?{}", form_urlencoded(word));
            let (p50, p99) = times(&mut client, &address, &header).await;
            let (_, page) = client.get(&address, &header).await;
            let found = Html::parse_document(&page).select(&Selector::parse("li a, tbody tr").unwrap()).count();
            println!("{address:<60} p50 {p50:>6.2}  p99 {p99:>6.2}  {found} lines");
            slow.add(p99, &address);
        }
    }
    slow.print("looks for people");
}

fn form_urlencoded(word: &str) -> String {
    format!("q={}", refdesk::query::encode(word))
}

async fn signed_in(client: &mut Client) -> String {
    let (status, answer) = client.form("/sign-in", "email=bench%40example.com&password=a+password+for+benches").await;
    assert!(status == 303, "{answer}");
    // The session, and the cookie by which the browser is known.
    let cookies: Vec<&str> =
        answer.lines().filter_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next()).collect();
    format!("cookie: {}", cookies.join("; "))
}

async fn pages(server: &Server) {
    let mut client = Client::connect(server.port).await;
    let header = signed_in(&mut client).await;
    let mut slow = Slow::up_to(20.0);
    for list in ["/leads?", "/referrers?", "/codes?"] {
        let words: Vec<String> = match list {
            "/leads?" => WORDS.map(str::to_owned).into(),
            "/referrers?" => ["jane", "referrer4321", "referrer43210", "example", "zqxzqx"].map(str::to_owned).into(),
            _ => ["K7M", "ABC", "D2CW", "ZZZZZZ"].map(str::to_owned).into(),
        };
        for word in words {
            for filter in FILTERS.iter().filter(|f| list == "/leads?" || f.is_empty() || f.starts_with("&sort")) {
                let filter =
                    if list == "/codes?" { filter.replace("sort=name", "sort=code") } else { (*filter).to_owned() };
                let first = format!("{list}q={}{filter}", word.replace(' ', "+"));
                let mut addresses = vec![first.clone()];
                // The third page stands for all that come behind.
                let (_, page) = client.get(&first, &header).await;
                let found = summary(&page);
                if let Some(next) = next(&page) {
                    let (_, page) = client.get(&next, &header).await;
                    addresses.extend(self::next(&page));
                }
                for (n, address) in addresses.iter().enumerate() {
                    let (p50, p99) = times(&mut client, address, &header).await;
                    let which = if n == 0 { "first" } else { "third" };
                    println!("{first:<44} {which} p50 {p50:>6.2}  p99 {p99:>6.2}  {found}");
                    slow.add(p99, address);
                }
            }
        }
    }
    slow.print("pages");
}

/// The steps that took longer than they may.
struct Slow {
    limit: f64,
    all: usize,
    over: usize,
    worst: (f64, String),
}

impl Slow {
    fn up_to(limit: f64) -> Self {
        Self { limit, all: 0, over: 0, worst: (0.0, String::new()) }
    }

    fn add(&mut self, p99: f64, address: &str) {
        self.all += 1;
        self.over += usize::from(p99 > self.limit);
        if p99 > self.worst.0 {
            self.worst = (p99, address.to_owned());
        }
    }

    fn print(&self, what: &str) {
        let (p99, address) = &self.worst;
        let Self { over, all, limit, .. } = self;
        println!("{over} of {all} {what} have a p99 over {limit} ms; the slowest is {p99:.1}: {address}");
    }
}

/// The same words in the contracts.
async fn contracts(server: &Server) {
    let mut client = Client::connect(server.port).await;
    let header = format!("authorization: Bearer {}", server.id("apiKey"));
    let mut slow = Slow::up_to(20.0);
    let own = [
        "/v1/leads?q=",
        "/v1/leads?status=lost&q=",
        "/business/lead/list?search=",
        "/business/lead/list?limit=100&page=50&search=",
        "/business/lead/list?status=lost&search=",
    ];
    let mut addresses: Vec<String> =
        own.iter().flat_map(|list| WORDS.map(|word| format!("{list}{}", word.replace(' ', "+")))).collect();
    addresses.extend(["jane", "referrer4321", "example", "zqxzqx"].map(|word| format!("/v1/referrers?q={word}")));
    addresses.extend(["K7M", "D2CW", "ZZZZZZ"].map(|piece| format!("/v1/codes?q={piece}")));
    for address in addresses {
        let (p50, p99) = times(&mut client, &address, &header).await;
        println!("{address:<50} p50 {p50:>6.2}  p99 {p99:>6.2}");
        slow.add(p99, &address);
    }
    slow.print("calls");
}

/// The cost of the index for a new lead: sign-ups by the engine itself, 64 a transaction, and the schedule's run
/// whenever as many wait as it waits for. Without HTTP, so that the index has its whole share.
async fn cost(url: &str, ids: &serde_json::Value, cpu: impl Fn() -> f64) {
    use refdesk::actor::{Actor, ActorKind};
    use refdesk::engine::{By, Event, ProductScope, SignUp};
    const LEADS: usize = 32 * 1_024;
    let db = refdesk::db::Db::open(url).await.unwrap();
    let config = refdesk::config::Settings::default().checked().unwrap();
    let app = refdesk::app::App::new(db, refdesk::clock::Clock::system(), config);
    let public = ids["businessId"].as_str().unwrap();
    let business = refdesk::business::by_public_id(&mut app.db.read().await.unwrap(), public).await.unwrap().unwrap();
    let product = app.catalogue.product(business.id, ids["productId"].as_str().unwrap()).await.unwrap().unwrap();
    let actor = Arc::new(Actor {
        kind: ActorKind::Command,
        id: None,
        name: "bench".into(),
        origin: "bench".into(),
        call: None,
    });
    let (by, of) = (By::new(business.id, &actor), ProductScope::new(product.id, product.campaign_id, false));
    let sign_up = |n: usize| {
        let sign_up = SignUp {
            of,
            email: refdesk::email::Email::parse(&format!("fresh.{n}@shop{}.example.org", n % 61)).unwrap(),
            name: format!("Fresh Customer {n}"),
            phone: None,
            code: None,
        };
        Event::new(by.clone(), sign_up)
    };
    let (mut signing_up, mut indexing) = (0.0, 0.0);
    for round in 0..LEADS / 1_024 {
        let before = cpu();
        for slice in 0..16 {
            let from = round * 1_024 + slice * 64;
            app.engine.slice((from..from + 64).map(sign_up).collect()).await.unwrap();
        }
        let between = cpu();
        while refdesk::search::run(&app).await.unwrap() {}
        signing_up += between - before;
        indexing += cpu() - between;
    }
    let (signing_up, indexing) = (signing_up / LEADS as f64 * 1e6, indexing / LEADS as f64 * 1e6);
    let share = indexing / (signing_up + indexing) * 100.0;
    println!(
        "a new lead costs {signing_up:.0} us of processor, its row in the queue included; to index it later {indexing:.0} us more ({share:.0} %)"
    );
    app.db.close().await;
}

fn summary(page: &str) -> String {
    let html = Html::parse_document(page);
    let rows = html.select(&Selector::parse("tbody tr").unwrap()).count();
    let pager = html.select(&Selector::parse(".pager").unwrap()).next();
    let said = pager.map(|p| p.text().collect::<String>()).unwrap_or_default();
    let bounded = if page.contains("were looked at") { " (bounded)" } else { "" };
    format!("{rows} rows, {}{bounded}", said.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

fn next(page: &str) -> Option<String> {
    let html = Html::parse_document(page);
    let links = Selector::parse("a[href*='after=']").unwrap();
    html.select(&links).next().and_then(|a| a.attr("href")).map(str::to_owned)
}

/// Median and 99th percentile, in milliseconds.
async fn times(client: &mut Client, address: &str, header: &str) -> (f64, f64) {
    let mut all = Vec::with_capacity(TIMES);
    for n in 0..TIMES + 3 {
        let sent = Instant::now();
        let (status, answer) = client.get(address, header).await;
        assert!(status == 200, "{address}: {answer}");
        // The first few fill caches.
        if n >= 3 {
            all.push(sent.elapsed());
        }
    }
    (percentile(&mut all, 0.5), percentile(&mut all, 0.99))
}
