//! The cost of pages on a database with many rows. PostgreSQL says what every statement really read;
//! SQLite is asked for its plan of the same statements.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use refdesk::db::{EXAMINED, sql_built};
use refdesk::generate::{self, Load};
use refdesk::router;
use refdesk::search;
use reqwest::Method;
use scraper::{Html, Selector};
use serde_json::Value as Json;

use crate::support::{Answer, Database, Engine, Start, TestApp};

const LEADS: i64 = 30_000;
const REFERRERS: i64 = 12_000;
/// Rows that one step of a statement may read: what a search looks at, and says so. With more rows than
/// that in the tables, whatever reads them all is found out.
const MOST: f64 = EXAMINED as f64 * 1.15;
/// Statements that read more, and why they may.
const EXCEPTIONS: [(&str, &str); 10] = [
    ("d.duplicate_of IS NOT NULL", "an address is a lead and those that repeat it: they are sorted"),
    ("y.email_key = ", "an address has few payments: they are sorted"),
    ("c.lookup >= ", "a part of a code is found by its index, and few codes begin alike"),
    ("AS codeless,", "the confirmation of Generate for all names the exact number"),
    ("AS named(id)", "a search looks at the rows its index names, up to 10,000: of so few rows reading all is quicker"),
    (
        "JOIN referrers r ON r.id = e.referrer_id)",
        "a search looks at 4,000 enrollments: of so few referrers reading all is quicker",
    ),
    (
        "JOIN leads l ON l.id = k.lead_id)",
        "a search looks at 4,000 commissions: of so few leads reading all is quicker, of many each is looked up by its key",
    ),
    ("JOIN counters c ON c.scope_id", "a business has a few thousand counters, and the planner reads so few whole"),
    (
        "JOIN counters k ON k.scope_id = own.id",
        "the revenue of 4,000 codes is added up: of so few counters reading all is quicker",
    ),
    ("LIMIT 1000", "an export or a print sheet, a thousand at a time"),
];
/// Addresses tried of each page: its filters, tabs, orders and next pages.
const VARIANTS: usize = 15;

/// Tables that grow with the business.
const BIG: [&str; 12] = [
    "leads",
    "referrers",
    "enrollments",
    "codes",
    "touches",
    "payments",
    "commissions",
    "ledger_entries",
    "audit_entries",
    "counters",
    "search_queue",
    "search_blocks",
];

async fn filled(engine: Engine) -> TestApp {
    let app = TestApp::start(Arc::new(Database::new(engine).await)).await;
    let b = &app.business;
    let load = Load {
        business_id: b.id,
        campaign_id: b.campaign_id,
        product_id: b.product_row,
        leads: LEADS,
        referrers: REFERRERS,
    };
    generate::generate(&app.app, load, |_| {}).await.expect("load data");
    while search::run(&app.app).await.expect("the index") {}
    app.arrange("ANALYZE").await;
    app
}

/// The addresses that a list's own links and filters lead to.
fn variants(page: &Answer, path: &str) -> Vec<String> {
    let html = Html::parse_document(&page.body);
    let all = |css: &str| html.select(&Selector::parse(css).unwrap()).collect::<Vec<_>>();
    let mut found: Vec<String> = all("main a").iter().filter_map(|a| a.attr("href")).map(str::to_owned).collect();
    for select in all("main select[name]") {
        let options =
            select.select(&Selector::parse("option").unwrap()).filter_map(|o| o.attr("value")).collect::<Vec<_>>();
        let name = select.attr("name").unwrap_or_default();
        found.extend(options.iter().map(|value| format!("{path}?{name}={value}")));
    }
    if !all("main input[name=q]").is_empty() {
        // Too short for an index, in none, in many, in one.
        let words = ["an", "nobody-has-this-name", "lead1", "er9876"].map(|word| format!("{path}?q={word}"));
        found.splice(0..0, words);
    }
    found.retain(|to| to.starts_with(&format!("{path}?")));
    found
}

/// Opens every list in every way it offers; answers the addresses.
async fn visit(app: &TestApp) -> Vec<String> {
    app.sign_in().await;
    let mut opened = Vec::new();
    let pages = router::pages();
    let lists = pages.table().iter().filter(|r| r.method == Method::GET && !r.path.contains('{'));
    for path in lists.map(|r| r.path) {
        let (mut waiting, mut seen) = (VecDeque::from([path.to_owned()]), BTreeSet::new());
        while let Some(address) = waiting.pop_front() {
            if seen.len() >= VARIANTS || !seen.insert(address.clone()) {
                continue;
            }
            let page = app.get(&address).await;
            assert!(page.status < 500, "{page:?}");
            if page.header("content-type").starts_with("text/html") {
                waiting.extend(variants(&page, path));
            }
        }
        opened.extend(seen);
    }
    // The referrer who brought the most.
    let busy = app
        .number("SELECT referrer_id FROM commissions GROUP BY referrer_id ORDER BY count(*) DESC, referrer_id LIMIT 1")
        .await;
    for list in ["leads", "commissions", "commissions?sort=-hold", "commissions?state=paid"] {
        let joint = if list.contains('?') { '&' } else { '?' };
        let address = format!("/{list}{joint}referrer={busy}");
        app.get(&address).await.is(200);
        opened.push(address);
    }
    let month = format!("{}", app.clock.now().date_utc()).chars().take(7).collect::<String>();
    for address in
        [format!("/referrers/{busy}/statements"), format!("/referrers/{busy}/statements/{month}?currency=USD")]
    {
        app.get(&address).await.is(200);
        opened.push(address);
    }
    let code = app.number(&format!("SELECT max(id) FROM codes WHERE referrer_id = {busy}")).await;
    for page in ["performance", "performance?sort=-revenue", "performance?sort=code", &format!("codes/{code}")] {
        let address = format!("/campaigns/{}/payments/{page}", app.business.campaign_id);
        app.get(&address).await.is(200);
        opened.push(address);
    }
    for text in ["SELECT max(id) FROM referrers", "SELECT max(id) FROM leads"] {
        let id = app.number(text).await;
        let address = format!("/{}/{id}", text.rsplit(' ').next().unwrap());
        app.get(&address).await.is(200);
        opened.push(address);
    }
    // Lists that have no page.
    let referrer = app.number("SELECT max(referrer_id) FROM touches").await;
    for list in [
        "touches",
        &format!("touches?referrer={referrer}"),
        "refunds",
        "imports",
        "leads",
        "leads?email=lead4321@example53.com",
        "leads?email=lead4321@example53.com&status=new",
        "leads?status=lost",
        "leads?arrival=link&sort=created",
        "leads?source=website",
        "leads?source=website&status=lost&sort=created",
        "leads?qualified=true",
        "leads?qualified=false",
        "leads?referrer=none",
        "leads?archived=true",
        "referrers",
        "referrers?email=referrer77@example.com",
        "codes",
        "payments",
        "payments?disputed=true",
        "payments?disputed=false",
        &format!("payments?campaign={}", app.business.campaign_id),
        "payments?email=lead4321@example53.com",
        "commissions",
        "commissions?sort=hold",
        "commissions?sort=-hold&state=pending",
        &format!("commissions?sort=hold&referrer={referrer}"),
        "audit",
    ] {
        let address = format!("/v1/{list}");
        app.api_get(&address).await.is(200);
        opened.push(address);
    }
    opened
}

/// Statement and plan of everything the database did, from its log.
fn plans(database: &Database) -> Vec<(String, Json)> {
    let (name, file) = database.name_and_log();
    let log = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut found: Vec<String> = Vec::new();
    let mut ours = false;
    for line in log.lines() {
        if let Some(more) = line.strip_prefix('\t') {
            if let (true, Some(text)) = (ours, found.last_mut()) {
                text.push_str(more);
                text.push('\n');
            }
        } else {
            ours = line.starts_with(&format!("{name} ")) && line.contains("plan:");
            if ours {
                found.push(String::new());
            }
        }
    }
    let read = |text: String| serde_json::from_str::<Json>(&text).ok();
    found
        .into_iter()
        .filter_map(read)
        .map(|j| (j["Query Text"].as_str().unwrap_or_default().to_owned(), j["Plan"].clone()))
        .collect()
}

/// The most rows that a step of the plan read of a big table, and which step.
fn most_read(plan: &Json) -> (f64, String) {
    let number = |name: &str| plan[name].as_f64().unwrap_or(0.0);
    let loops = number("Actual Loops").max(1.0);
    let big = plan["Relation Name"].as_str().is_some_and(|name| BIG.contains(&name));
    let read = if big { (number("Actual Rows") + number("Rows Removed by Filter")) * loops } else { 0.0 };
    let here = (
        read,
        format!("{} on {}", plan["Node Type"].as_str().unwrap_or(""), plan["Relation Name"].as_str().unwrap_or("")),
    );
    let below = plan["Plans"].as_array().into_iter().flatten().map(most_read);
    below.fold(here, |most, next| if next.0 > most.0 { next } else { most })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_reads_more_than_it_shows() {
    let app = filled(Engine::Postgres).await;
    let (name, _) = app.database.name_and_log();
    for setting in [
        "session_preload_libraries = auto_explain",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_analyze = on",
        "auto_explain.log_timing = off",
        "auto_explain.log_format = json",
    ] {
        app.arrange(&format!("ALTER DATABASE {name} SET {setting}")).await;
    }
    // Connections made from now on tell.
    let telling = app.another_node().await;
    let opened = visit(&telling).await;
    let seen = plans(&app.database);
    assert!(seen.len() > opened.len() * 2, "{} statements in the log for {} pages", seen.len(), opened.len());
    let mut wrong = BTreeMap::new();
    for (text, plan) in &seen {
        let (read, step) = most_read(plan);
        if read > MOST && !EXCEPTIONS.iter().any(|(part, _)| text.contains(part)) {
            wrong.entry(text.clone()).or_insert_with(|| format!("{read} rows by {step}"));
        }
    }
    assert!(wrong.is_empty(), "statements of {} pages that read too much: {wrong:#?}", opened.len());
    sqlite_agrees(seen.into_iter().map(|(text, _)| text).collect()).await;
}

/// The statements that need no rewriting, on SQLite: no scan of a big table, and no sort behind a page of
/// a list.
async fn sqlite_agrees(texts: BTreeSet<String>) {
    let app = filled(Engine::Sqlite).await;
    let mut conn = app.app.db.read().await.unwrap();
    let (mut asked, mut wrong) = (0, Vec::new());
    let plain = |t: &&String| {
        t.trim_start().starts_with("SELECT") && !["UNNEST(", "ANY(", "pg_"].iter().any(|ours| t.contains(ours))
    };
    for text in texts.iter().filter(plain) {
        let plan = sql_built(format!("EXPLAIN QUERY PLAN {text}")).all::<(i64, i64, i64, String)>(&mut conn).await;
        let steps: Vec<String> = plan.unwrap_or_else(|e| panic!("{e}: {text}")).into_iter().map(|row| row.3).collect();
        asked += 1;
        // Rows that were cut at a number before may be read and sorted.
        let cut = |alias: &str| {
            steps.iter().any(|s| *s == format!("CO-ROUTINE {alias}") || *s == format!("MATERIALIZE {alias}"))
        };
        let big = |alias: &str| BIG.iter().any(|t| alias == *t || text.contains(&format!("{t} {alias} ")));
        // A search sorts what it found among the rows that it looked at.
        let list = text.contains("LIMIT 51") && !text.contains("LIMIT 10000") && !text.contains("FROM looked");
        for step in &steps {
            let alias = step.split(' ').nth(1).unwrap_or_default();
            let scans = step.starts_with("SCAN ") && !step.contains("INDEX") && big(alias) && !cut(alias);
            let sorts = step.contains("USE TEMP B-TREE FOR ORDER BY") && list;
            if (scans || sorts) && !EXCEPTIONS.iter().any(|(part, _)| text.contains(part)) {
                wrong.push(format!("{step}: {text}"));
            }
        }
    }
    assert!(asked > 10, "only {asked} statements were asked");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
