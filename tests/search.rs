//! Search: by whatever way it is looked for, the answer is what reading every row would give.

use std::sync::Arc;

use refdesk::check::check;
use refdesk::fold::fold;
use refdesk::generate::{self, Load};
use refdesk::search;
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::{Database, Start, TestApp, is_long};

on_both_databases! {
    every_way_of_looking_finds_what_reading_all_finds,
    what_changes_is_found_at_once_and_what_it_was_is_not,
    what_changes_while_it_is_indexed_is_not_forgotten,
    what_has_just_come_is_found_before_it_is_indexed,
    codes_and_referrers_are_found_by_any_piece,
    every_contract_finds_what_reading_all_finds,
    a_page_says_when_the_index_is_behind,
}

const LEADS: i64 = 14_000;

async fn filled(database: Arc<Database>, leads: i64, referrers: i64) -> TestApp {
    let app = TestApp::start(database).await;
    let b = &app.business;
    let load = Load { business_id: b.id, campaign_id: b.campaign_id, product_id: b.product_row, leads, referrers };
    generate::generate(&app.app, load, |_| {}).await.expect("load data");
    app.sign_in().await;
    app
}

async fn index(app: &TestApp) {
    while search::run(&app.app).await.expect("a run") {}
}

struct Row {
    id: i64,
    text: String,
    status: String,
    by: Option<i64>,
}

/// Every lead, newest first or by name.
async fn everything(app: &TestApp, order: &str) -> Vec<Row> {
    let text = format!("SELECT id, search, status, referrer_id FROM leads WHERE archived_at IS NULL ORDER BY {order}");
    let rows: Vec<(i64, String, String, Option<i64>)> = app.rows(&text).await;
    rows.into_iter().map(|(id, text, status, by)| Row { id, text, status, by }).collect()
}

/// The first pages of a list, and what it says of how many there are.
async fn pages(app: &TestApp, address: &str, most: usize) -> (Vec<i64>, String) {
    let (mut next, mut ids, mut said) = (Some(address.to_owned()), Vec::new(), None);
    for _ in 0..most {
        let Some(address) = next.take() else { break };
        let page = app.get(&address).await.is(200).does_not_say("were looked at");
        let shown = page.attrs("tbody tr", "id");
        ids.extend(shown.iter().filter_map(|id| id.strip_prefix("lead_")?.parse::<i64>().ok()));
        said.get_or_insert(page.texts("#pager-summary").join(""));
        next = page.attrs(".pager a[href*='after=']", "href").pop();
    }
    (ids, said.unwrap_or_default())
}

fn summary(found: usize) -> String {
    match found {
        1 => "1 lead".to_owned(),
        n if n > 999 => format!("{},{:03} leads", n / 1_000, n % 1_000),
        n => format!("{n} leads"),
    }
}

async fn every_way_of_looking_finds_what_reading_all_finds(database: Arc<Database>) {
    let app = filled(database, LEADS, 40).await;
    // A word that most have, but none of the newest: the first rows of the list tell nothing of it.
    app.arrange("UPDATE leads SET search = search || ' 100%_okonom' WHERE id < (SELECT max(id) - 2000 FROM leads)")
        .await;
    app.arrange("UPDATE leads SET search = search || ' rare' WHERE id IN (SELECT id FROM leads ORDER BY id LIMIT 3)")
        .await;
    index(&app).await;
    assert!(app.number("SELECT count(*) FROM search_segments WHERE gone_at IS NULL").await >= 1);
    let newest = everything(&app, "created_at DESC, id DESC").await;
    let oldest = everything(&app, "created_at, id").await;
    let named = everything(&app, "name_fold, id").await;
    let referrer = newest.iter().find_map(|row| row.by).unwrap();
    let by = format!("&referrer={referrer}");
    type Kept = Box<dyn Fn(&Row) -> bool>;
    let filters: [(&str, Kept); 4] = [
        ("", Box::new(|_| true)),
        ("&status=lost", Box::new(|row| row.status == "lost")),
        ("&status=qualified", Box::new(|row| row.status == "qualified")),
        (&by, Box::new(move |row| row.by == Some(referrer))),
    ];
    let words = [
        "lead",
        "ökonom",
        "100%_ök",
        "%_ö",
        "rare",
        "jane",
        "njeri jane",
        "mple1.com",
        "lead1234",
        "zzz",
        "an",
        "7",
        "MÜLLER",
        "examplead",
    ];
    for word in words {
        let has = |row: &Row| {
            let folded = fold(word);
            folded.split(' ').all(|part| row.text.contains(part))
        };
        let q = word.replace('%', "%25").replace(' ', "+");
        for (filter, passes) in &filters {
            for (sort, rows) in [("", &newest), ("&sort=created", &oldest), ("&sort=name", &named)] {
                // Too short for an index, or a common word by name: a bounded number of rows, and the page says so.
                let many = newest.iter().filter(|row| row.text.contains("okonom")).count();
                assert!(many > 10_000, "{many} are no common word");
                let common = ["lead", "ökonom", "100%_ök", "%_ö", "examplead"].contains(&word);
                let letters = |part: &str| part.chars().filter(|c| c.is_alphanumeric()).count();
                let short = fold(word).split(' ').all(|part| letters(part) < 3);
                if short || (common && !filter.is_empty()) || (word == "examplead") || (common && sort == "&sort=name")
                {
                    continue;
                }
                let wanted: Vec<i64> = rows.iter().filter(|row| has(row) && passes(row)).map(|row| row.id).collect();
                let address = format!("/leads?q={q}{filter}{sort}");
                let (ids, said) = pages(&app, &address, 3).await;
                assert_eq!(ids, wanted[..wanted.len().min(150)], "{address}");
                if common {
                    assert_eq!(said, "1,000+ leads", "{address}");
                } else if !wanted.is_empty() {
                    // An empty list says in its own words that nothing matches.
                    assert_eq!(said, summary(wanted.len()), "{address}");
                }
            }
        }
    }
    let short = app.get("/leads?q=zq").await.is(200);
    assert!(short.body.contains("No leads match") && short.words().contains("were looked at"), "{short:?}");
    app.get("/leads?q=examplead").await.is(200).says("were looked at");
    let report = check(&app.app.db).await.unwrap();
    assert!(report.ok, "{:?}", report.findings);
}

async fn what_changes_is_found_at_once_and_what_it_was_is_not(database: Arc<Database>) {
    let app = filled(database, 3_000, 20).await;
    index(&app).await;
    assert_eq!(app.number("SELECT count(*) FROM search_queue WHERE scope % 4 = 0").await, 0, "all are indexed");
    let count = async |q: &str| app.get(&format!("/leads?q={q}")).await.is(200).count("tbody tr");
    assert_eq!((count("lead1234@").await, count("quetzal").await), (1, 0));
    let id = app.number("SELECT id FROM leads WHERE email LIKE 'lead1234@%'").await;
    let fields = [("name", "Ana Quetzal"), ("email", "ana@example.org"), ("status", "new"), ("active", "yes")];
    app.post_form(&format!("/leads/{id}"), &fields).await.is(303);
    assert_eq!((count("lead1234@").await, count("quetzal").await), (0, 1));
    app.shop().send(app.shop().lead_event("Tom Quetzalli", None, None)).await;
    assert_eq!((count("quetzal").await, count("quetzalli").await), (2, 1));
    let tom = app.number("SELECT id FROM leads WHERE name = 'Tom Quetzalli'").await;
    let asked = app.get(&format!("/leads/{tom}/merge?into={id}")).await.is(200);
    let names = asked.attrs("form.confirm input[type=hidden]", "name");
    let values = asked.attrs("form.confirm input[type=hidden]", "value");
    let fields: Vec<(&str, &str)> = names.iter().zip(&values).map(|(n, v)| (n.as_str(), v.as_str())).collect();
    app.post_form(&asked.attr("form.confirm", "action"), &fields).await.is(303);
    assert_eq!(count("quetzalli").await, 0, "a merged lead is not in the list");
    app.post_form("/leads/bulk", &[("do", "archive"), ("scope", "all"), ("back", "/leads?q=quetzal")]).await.is(303);
    assert_eq!((count("quetzal").await, count("quetzal&archived=yes").await), (0, 2));
    // Nothing that is indexed again and again is found twice.
    app.arrange(&format!(
        "INSERT INTO search_queue (scope, id, stamp) SELECT {} * 4, id, 1 FROM leads WHERE true ON CONFLICT DO NOTHING",
        app.business.campaign_id
    ))
    .await;
    index(&app).await;
    assert_eq!(count("lead1235@").await, 1);
    assert_eq!(app.get("/leads?q=lead1235@").await.texts("#pager-summary").join(""), "1 lead");
    let report = check(&app.app.db).await.unwrap();
    assert!(report.ok, "{:?}", report.findings);
}

async fn what_changes_while_it_is_indexed_is_not_forgotten(database: Arc<Database>) {
    let app = filled(database, 2_000, 20).await;
    let id = app.number("SELECT id FROM leads WHERE email LIKE 'lead77@%'").await;
    let fields = [("name", "Ana Quetzal"), ("email", "ana@example.org"), ("status", "new"), ("active", "yes")];
    let address = format!("/leads/{id}");
    let (_, saved) = tokio::join!(index(&app), app.post_form(&address, &fields));
    saved.is(303);
    index(&app).await;
    assert_eq!(app.get("/leads?q=quetzal").await.count("tbody tr"), 1);
    // A row that was queued again after it was read keeps its place.
    let stamps: Vec<(i64,)> = app.rows(&format!("SELECT stamp FROM search_queue WHERE id = {id}")).await;
    app.post_form(&format!("/leads/{id}"), &[("name", "Ana Quoll"), fields[1], fields[2], fields[3]]).await.is(303);
    let later: Vec<(i64,)> = app.rows(&format!("SELECT stamp FROM search_queue WHERE id = {id}")).await;
    assert!(!later.is_empty() && later != stamps);
    let report = check(&app.app.db).await.unwrap();
    assert!(report.ok, "{:?}", report.findings);
}

async fn what_has_just_come_is_found_before_it_is_indexed(database: Arc<Database>) {
    let app = filled(database, 3_000, 20).await;
    let waiting = app.number("SELECT count(*) FROM search_queue WHERE scope % 4 = 0").await;
    assert_eq!(waiting, 3_000);
    let (ids, said) = pages(&app, "/leads?q=lead12", 9).await;
    assert_eq!((ids.len(), said.as_str()), (111, "111 leads"));
    let mut conn = app.app.db.read().await.unwrap();
    assert!(search::is_due(&mut conn).await.unwrap());
    drop(conn);
    index(&app).await;
    let mut conn = app.app.db.read().await.unwrap();
    assert!(!search::is_due(&mut conn).await.unwrap());
    drop(conn);
    assert_eq!(pages(&app, "/leads?q=lead12", 9).await, (ids, said));
    app.tamper("DELETE FROM search_blocks").await;
    let report = check(&app.app.db).await.unwrap();
    assert!(report.findings.iter().any(|f| f.rule.contains("in the index")), "{:?}", report.findings);
}

async fn codes_and_referrers_are_found_by_any_piece(database: Arc<Database>) {
    let app = filled(database, 10, 3_000).await;
    index(&app).await;
    let found = async |address: &str| app.get(address).await.is(200).does_not_say("were looked at").count("tbody tr");
    assert_eq!(found("/referrers?q=rer2345@exam").await, 1);
    assert_eq!(found("/referrers?q=any+2345").await, 1, "words in any order, anywhere");
    assert_eq!(found("/referrers?q=rer2345@exam&state=banned").await, 0);
    let all = app.get("/referrers?q=jane&sort=name").await.is(200);
    assert_eq!((all.count("tbody tr"), all.texts("#pager-summary").join("")), (50, "188 referrers".into()));
    let (id, text): (i64, String) = app.rows("SELECT id, lookup FROM codes ORDER BY id LIMIT 1").await.remove(0);
    let piece = text[2..8].to_lowercase();
    let page = app.get(&format!("/codes?q={}-{}", &piece[..3], &piece[3..])).await.is(200);
    assert!(page.attrs("tbody tr", "id").contains(&format!("code_{id}")), "{page:?}");
    assert_eq!(app.get("/codes/export?q=zzzzzz").await.body.lines().count(), 1);
    let exported = app.get(&format!("/codes/export?q={piece}")).await.body;
    assert!(exported.lines().count() > 1, "{exported}");
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    /// A piece of one of the texts.
    fn piece(&mut self, rows: &[(i64, String)], most: usize) -> String {
        loop {
            let text: Vec<char> = rows[self.below(rows.len())].1.chars().collect();
            let from = self.below(text.len());
            let piece: String = text.iter().skip(from).take(3 + self.below(most - 2)).collect();
            // Spaces at the ends are taken off on the way in.
            // A leading zero may be that of a number dialled at home.
            if piece.trim().chars().count() >= 3 && !piece.trim().starts_with('0') && !piece.contains('|') {
                return piece.trim().to_owned();
            }
        }
    }
}

/// The rows whose texts have all words, or all digits of a number; the text of a person, a bar, and their code.
fn having(rows: &[(i64, String)], typed: &str) -> Vec<i64> {
    let folded = fold(typed);
    let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
    let is_number = digits.len() >= 3 && !typed.contains(|c: char| c.is_alphabetic() || c == '@' || c == '_');
    let whole = folded.replace([' ', '.'], "");
    let is_code = whole.len() >= 3 && whole != folded && whole.chars().all(|c| c.is_alphanumeric() || c == '_');
    let has = |text: &str| {
        let code = text.split('|').nth(1).unwrap_or_default();
        let person = text.split('|').next().unwrap_or_default();
        let has = |word: &str| person.contains(word) || (word.len() > 1 && code.contains(word));
        let words = || folded.split(' ').all(has);
        let is_whole = is_code && !digits.is_empty() && code.contains(&whole);
        if is_number { text.contains(&folded) || text.contains(&digits) } else { words() || is_whole }
    };
    rows.iter().filter(|(_, text)| has(text)).map(|(id, _)| *id).collect()
}

fn asked(name: &str, value: &str) -> String {
    serde_urlencoded::to_string([(name, value)]).unwrap()
}

/// Pages that are read of a long list, unless all of it is: of 250 rows, and of fewer where few match.
const PAGES: usize = 8;

/// Asserts that a list of our own API begins as it should, and that a short one ends so as well.
async fn begins(app: &TestApp, address: &str, kind: refdesk::id::Kind, wanted: &[i64]) {
    let (found, is_all) = first_of(app, address, kind, if is_long() { usize::MAX } else { PAGES }).await;
    let begin = if is_all { wanted } else { &wanted[..found.len().min(wanted.len())] };
    assert!(found == begin && (is_all || found.len() > 500), "{address}: {} of {}", found.len(), wanted.len());
}

/// Every id a list of our own API has, page by page.
async fn all_of(app: &TestApp, address: &str, kind: refdesk::id::Kind) -> Vec<i64> {
    first_of(app, address, kind, usize::MAX).await.0
}

/// The ids of the first pages of a list; true where it has no more.
async fn first_of(app: &TestApp, address: &str, kind: refdesk::id::Kind, most: usize) -> (Vec<i64>, bool) {
    let (mut ids, mut next, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = app.api_get(&format!("{address}&limit=250{next}")).await.is(200).json();
        let shown = page["data"].as_array().unwrap();
        ids.extend(shown.iter().map(|row| refdesk::id::parse(kind, row["id"].as_str().unwrap()).unwrap()));
        let Some(after) = page["next"].as_str() else { return (ids, true) };
        next = format!("&after={after}");
        pages += 1;
        if pages >= most {
            return (ids, false);
        }
        assert!(pages < 100, "{address} does not end");
    }
}

/// Total, and the first pages and the last, by number: page and ids.
async fn by_number(app: &TestApp, search: &str) -> (usize, Vec<(usize, Vec<i64>)>) {
    let (mut pages, mut waiting, mut total) = (Vec::new(), vec![1], None);
    while let Some(number) = waiting.pop() {
        let address = format!("/business/lead/list?{search}&limit=100&page={number}");
        let list = app.api_get(&address).await.is(200).json();
        let said = usize::try_from(list["meta"]["total"].as_u64().unwrap()).unwrap();
        if total.is_none() {
            waiting = [said.div_ceil(100), 3, 2].into_iter().filter(|page| *page > 1).collect();
        }
        assert_eq!(*total.get_or_insert(said), said, "{address}");
        let id = |lead: &Json| refdesk::id::parse_object_id(lead["_id"].as_str().unwrap()).unwrap();
        pages.push((number, list["data"].as_array().unwrap().iter().map(id).collect()));
    }
    (total.unwrap_or_default(), pages)
}

async fn every_contract_finds_what_reading_all_finds(database: Arc<Database>) {
    let app = filled(database, LEADS, 2_500).await;
    // Many that came at one time, and a word that most have.
    app.tamper("UPDATE leads SET created_at = (SELECT min(created_at) FROM leads) + id % 3 WHERE id % 5 < 2").await;
    app.arrange("UPDATE leads SET search = search || ' okonom' || (id % 7) WHERE id % 9 > 0").await;
    index(&app).await;
    // Some change and some come after that.
    let mut random = Random(20_261_121);
    let ids: Vec<(i64,)> = app.rows("SELECT id FROM leads ORDER BY id").await;
    for n in 0..40 {
        let id = ids[random.below(ids.len())].0;
        let body = json!({"name": format!("Renamed Quetzal {n}"), "company": "ökonomia"});
        app.call("PATCH", &format!("/v1/leads/{id}"), &app.business.api_key, Some(body)).await.is(200);
    }
    for n in 0..3 {
        let new = |i: usize| json!({"name": format!("Jane Fresh {i}"), "email": format!("fresh{i}@example{n}.com")});
        let items: Vec<Json> = (n * 150..(n + 1) * 150).map(new).collect();
        app.api_post("/v1/leads/batch", json!({ "items": items })).await.is(200);
    }
    assert!(app.number("SELECT count(*) FROM search_queue WHERE scope % 4 = 0").await > 400, "some wait");
    let leads: Vec<(i64, String)> =
        app.rows("SELECT id, search FROM leads WHERE archived_at IS NULL ORDER BY created_at DESC, id DESC").await;
    let lost: Vec<(i64,)> = app.rows("SELECT id FROM leads WHERE status = 'lost'").await;
    let mut words: Vec<String> =
        ["ökonom", "example", "lead", "jane", "fresh1", "quetzal", "ökonomia", "zqxzqx", "examplead", "company 12"]
            .map(str::to_owned)
            .into();
    words.extend((0..if is_long() { 25 } else { 8 }).map(|_| random.piece(&leads, 9)));
    // Too short for the index: so many rows are looked at, and the cursor goes on behind them.
    for (piece, sort) in [("an", "-created"), ("qx", "-created"), ("k", "created"), ("üß", "created")] {
        let mut wanted = having(&leads, piece);
        if sort == "created" {
            wanted.reverse();
        }
        let address = format!("/v1/leads?sort={sort}&{}", asked("q", piece));
        let found = all_of(&app, &address, refdesk::id::Kind::Lead).await;
        assert!(found == wanted, "{piece}, {sort}: {} of {}", found.len(), wanted.len());
    }
    // A common word is read to its end once in each order; of the others that are as common, the pages at both ends.
    let common = having(&leads, "ökonom");
    assert!(common.len() > 10_000, "{} are no common word", common.len());
    let found = all_of(&app, &format!("/v1/leads?{}", asked("q", "ökonom")), refdesk::id::Kind::Lead).await;
    assert!(found == common, "{} of {}", found.len(), common.len());
    let oldest_first: Vec<i64> = common.iter().rev().copied().collect();
    let address = format!("/v1/leads?sort=created&{}", asked("q", "ökonom"));
    let found = all_of(&app, &address, refdesk::id::Kind::Lead).await;
    assert!(found == oldest_first, "oldest first: {} of {}", found.len(), common.len());
    for word in &words {
        let wanted = having(&leads, word);
        let q = asked("q", word);
        begins(&app, &format!("/v1/leads?{q}"), refdesk::id::Kind::Lead, &wanted).await;
        let some: Vec<i64> = wanted.iter().filter(|id| lost.contains(&(**id,))).copied().collect();
        begins(&app, &format!("/v1/leads?status=lost&{q}"), refdesk::id::Kind::Lead, &some).await;
        let oldest_first: Vec<i64> = wanted.iter().rev().copied().collect();
        begins(&app, &format!("/v1/leads?sort=created&{q}"), refdesk::id::Kind::Lead, &oldest_first).await;
        // Cashfin's is one piece.
        let folded = fold(word);
        let wanted: Vec<i64> = leads.iter().filter(|(_, text)| text.contains(&folded)).map(|(id, _)| *id).collect();
        let (total, pages) = by_number(&app, &asked("search", word)).await;
        if word == "examplead" {
            continue;
        }
        assert_eq!(total, wanted.len().min(10_000), "{word}");
        for (page, ids) in pages {
            let (from, to) = (((page - 1) * 100).min(total), (page * 100).min(total));
            assert_eq!(ids, wanted[from..to], "{word}: page {page}");
        }
    }
    let referrers: Vec<(i64, String)> = app
        .rows(
            "SELECT p.id, p.search || ' |' || COALESCE(c.search, '') FROM referrers p
               LEFT JOIN codes c ON c.referrer_id = p.id ORDER BY p.created_at DESC, p.id DESC",
        )
        .await;
    let codes: Vec<(i64, String)> = app
        .rows(
            "SELECT c.id, p.search || ' |' || c.search FROM codes c
               JOIN referrers p ON p.id = c.referrer_id ORDER BY c.created_at DESC, c.id DESC",
        )
        .await;
    let spellings: Vec<(i64, String)> = app.rows("SELECT id, search FROM codes ORDER BY id").await;
    for _ in 0..20 {
        let word = random.piece(&referrers, 9);
        let found = all_of(&app, &format!("/v1/referrers?{}", asked("q", &word)), refdesk::id::Kind::Referrer).await;
        assert_eq!(found, having(&referrers, &word), "{word}");
        let piece = random.piece(&spellings, 5);
        let found =
            all_of(&app, &format!("/v1/codes?{}", asked("q", &piece.to_lowercase())), refdesk::id::Kind::Code).await;
        assert_eq!(found, having(&codes, &piece), "{piece}");
    }
    // The days that people came were moved, and nothing else is wrong.
    let report = check(&app.app.db).await.unwrap();
    assert!(report.findings.iter().all(|f| !f.rule.contains("in the index")), "{:?}", report.findings);
}

async fn a_page_says_when_the_index_is_behind(database: Arc<Database>) {
    let app = filled(database, LEADS, 20).await;
    assert!(app.number("SELECT count(*) FROM search_queue").await > LEADS);
    let page = app.get("/leads?q=nobody-has-this-name").await.is(200);
    let page = page.says("No leads match").says("4,000 leads, in the order of this list, were looked at");
    assert_eq!(page.count("tbody tr"), 0);
    index(&app).await;
    app.get("/leads?q=nobody-has-this-name").await.is(200).does_not_say("were looked at");
}
