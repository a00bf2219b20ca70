//! Search: by whatever way it is looked for, the answer is what reading every row would give.

use std::sync::Arc;

use refdesk::check::check;
use refdesk::generate::{self, Load};
use refdesk::search;

use crate::on_both_databases;
use crate::support::{Database, Start, TestApp};

on_both_databases! {
    every_way_of_looking_finds_what_reading_all_finds,
    what_changes_is_found_at_once_and_what_it_was_is_not,
    what_changes_while_it_is_indexed_is_not_forgotten,
    what_has_just_come_is_found_before_it_is_indexed,
    codes_and_referrers_are_found_by_any_piece,
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
    while search::turn(app.app.clone()).await.expect("a turn") {}
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
    app.arrange("UPDATE leads SET search = search || ' 100%_ökonom' WHERE id < (SELECT max(id) - 2000 FROM leads)")
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
            let folded = refdesk::text::fold(word);
            folded.split(' ').all(|part| row.text.contains(part))
        };
        let q = word.replace('%', "%25").replace(' ', "+");
        for (filter, kept) in &filters {
            for (sort, rows) in [("", &newest), ("&sort=created", &oldest), ("&sort=name", &named)] {
                // Too short for an index, or a common word by name: a bounded number of rows, and the page says so.
                let many = newest.iter().filter(|row| row.text.contains("ökonom")).count();
                assert!(many > 10_000, "{many} are no common word");
                let common = ["lead", "ökonom", "100%_ök", "%_ö", "examplead"].contains(&word);
                if word.len() < 3
                    || (common && !filter.is_empty())
                    || (word == "examplead")
                    || (common && sort == "&sort=name")
                {
                    continue;
                }
                let wanted: Vec<i64> = rows.iter().filter(|row| has(row) && kept(row)).map(|row| row.id).collect();
                let address = format!("/leads?q={q}{filter}{sort}");
                let (ids, said) = pages(&app, &address, 3).await;
                assert_eq!(ids, wanted[..wanted.len().min(150)], "{address}");
                if common {
                    assert_eq!(said, "10,000+ leads", "{address}");
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
