//! SQLite without room, or held by somebody else: nothing half stored, every caller answered, and on it goes by
//! itself. The bound of the file's pages stands for the disk's end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{PAY, SIGN_UP, comes_back_later, footprint, payment, sign_up};
use crate::on_both_databases;
use crate::support::{Database, Engine, PASSWORD, Start, TestApp, run};

on_both_databases! { a_database_that_is_held_refuses_all_who_wait_at_once }

/// Somebody else's connection to the SQLite file.
fn beside(database: &Database) -> rusqlite::Connection {
    let file = database.url.trim_start_matches("sqlite://");
    let connection = rusqlite::Connection::open(file).expect("the file opens");
    connection.busy_timeout(Duration::from_secs(10)).expect("a timeout");
    connection
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stores_nothing_and_takes_up_work_again() {
    run(Engine::Sqlite, async |app: TestApp| {
        let jane = app.shop().referrer("Jane Miller").await;
        let file = beside(&app.database);
        file.execute_batch("CREATE TABLE filler (x BLOB); INSERT INTO filler VALUES (randomblob(4000000))").unwrap();
        // The bound is where the file ends already.
        let full = app.another_node_by(&format!("{}?max_page_count=1", app.database.url)).await;
        let owner = full.stranger();
        owner.sign_in_as(&app.business.owner_email, PASSWORD).await.goes_to("/");

        // Each surface takes what still fits into half-filled pages, and then says so in its own words.
        for surface in [SIGN_UP, PAY, "/api/v2/users", "/referrers", "/sign-in"] {
            let mut served = 0;
            let refused = loop {
                let address = format!("{}{served}@example.com", "amy".repeat(15));
                let before = footprint(&app).await;
                let answer = match surface {
                    SIGN_UP => full.api_post(surface, sign_up(&app, &address, &jane.code)).await,
                    PAY => full.api_post(surface, payment(&app, &address, &address)).await,
                    "/api/v2/users" => {
                        let user = serde_json::json!({ "first_name": "Zoe", "email": format!("zoe.{address}") });
                        full.api_post(surface, user).await
                    }
                    "/referrers" => {
                        let address = format!("ben.{address}");
                        owner.post_form(surface, &[("name", "Ben"), ("email", &address), ("generate", "on")]).await
                    }
                    _ => full.stranger().sign_in_as(&app.business.owner_email, PASSWORD).await,
                };
                if answer.status >= 400 {
                    assert_eq!(footprint(&app).await, before, "{surface}: nothing is half stored");
                    break answer;
                }
                served += 1;
                assert!(served < 500, "{surface}: the disk does not get full");
            };
            match surface {
                SIGN_UP | PAY => _ = comes_back_later(refused),
                _ => {
                    let refused = refused.is(503);
                    assert!(!refused.header("retry-after").is_empty(), "{refused:?}");
                    if surface.starts_with("/api") {
                        assert_eq!(refused.json()["code"], 503);
                    } else {
                        assert!(refused.has("h1"), "{refused:?}");
                    }
                }
            }
        }
        owner.get("/referrers").await.is(200);
        full.get("/sign-in").await.is(200);
        full.get("/readyz").await.is(200);

        // Room again, and nobody has to do anything.
        file.execute_batch("DROP TABLE filler").unwrap();
        full.api_post(SIGN_UP, sign_up(&app, "late@example.com", &jane.code)).await.is(200);
        full.api_post(PAY, payment(&app, "late@example.com", "evt_late")).await.is(200);
        full.sign_in().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_at_any_page_keeps_whole_or_nothing() {
    run(Engine::Sqlite, async |database: Arc<Database>| {
        // Many small pages: nearly every statement needs a new one.
        let file = beside(&database);
        file.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM; PRAGMA journal_mode = WAL")
            .unwrap();
        let app = TestApp::start(database).await;
        let jane = app.shop().referrer("Jane Miller").await;
        // One event after the other, each with room for no page at first, then one more and one more.
        let mut refused = 0;
        for event in 0..12 {
            let (address, id) = (format!("amy{}@example.com", event / 2), format!("{event}{}", "x".repeat(190)));
            let (path, mut body) = match event % 2 {
                0 => (SIGN_UP, sign_up(&app, &address, &jane.code)),
                _ => (PAY, payment(&app, &address, &id)),
            };
            body["customerName"] = id.into();
            for room in 0.. {
                let pages: i64 = file.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
                let node = app.another_node_by(&format!("{}?max_page_count={}", app.database.url, pages + room)).await;
                let before = footprint(&app).await;
                let answer = node.api_post(path, body.clone()).await;
                node.app.db.close().await;
                if answer.status == 200 {
                    break;
                }
                comes_back_later(answer);
                assert_eq!(footprint(&app).await, before, "{path} with room for {room} pages");
                refused += 1;
            }
        }
        assert!(refused > 40, "only {refused} places to fail at were met");
        assert_eq!(app.number("SELECT CAST(sum(amount) AS BIGINT) FROM ledger_entries").await, 12_000);
    })
    .await;
}

async fn a_database_that_is_held_refuses_all_who_wait_at_once(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().lead("warm@example.com", Some(&jane.code)).await;
    // One node has ids left, another has to draw some first.
    let other = app.another_node().await;
    let held = Held::take(&app).await;
    let started = Instant::now();
    let mut waiting = Vec::new();
    for n in 0..340 {
        let (visitor, key) = (if n % 2 == 0 { app.stranger() } else { other.stranger() }, app.business.api_key.clone());
        let (path, body) = match n {
            // Events are gathered; referrers are not.
            0..300 => (SIGN_UP, sign_up(&app, &format!("amy{n}@example.com"), &jane.code)),
            _ => {
                let email = format!("zoe{n}@example.com");
                ("/api/v2/users", serde_json::json!({ "first_name": "Zoe", "email": email }))
            }
        };
        waiting.push(tokio::spawn(async move { visitor.call("POST", path, &key, Some(body)).await }));
    }
    for one in waiting {
        let answer = one.await.unwrap().is(503);
        assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    }
    assert!(started.elapsed() < Duration::from_secs(8), "the last one waited {:?}", started.elapsed());
    held.release().await;
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 1);
    for n in 0..3 {
        let body = sign_up(&app, &format!("amy{n}@example.com"), &jane.code);
        app.api_post(SIGN_UP, body).await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_file_that_is_removed_is_noticed() {
    run(Engine::Sqlite, async |app: TestApp| {
        let file = app.database.url.trim_start_matches("sqlite://").to_owned();
        let aside = format!("{file}.aside");
        app.get("/readyz").await.is(200);
        std::fs::rename(&file, &aside).unwrap();
        comes_back_later(app.api_post(SIGN_UP, sign_up(&app, "amy@example.com", "")).await);
        app.get("/readyz").await.is(503);
        // The log that is left holds what was committed: nothing is made beside it.
        let why = refdesk::db::migrate(&app.database.url).await.unwrap_err().to_string();
        assert!(why.contains("-wal is there without its database"), "{why}");
        assert!(!std::path::Path::new(&file).exists());
        std::fs::rename(&aside, &file).unwrap();
        app.api_post(SIGN_UP, sign_up(&app, "amy@example.com", "")).await.is(200);
        app.get("/readyz").await.is(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_clean_stop_the_file_alone_is_whole() {
    run(Engine::Sqlite, async |app: TestApp| {
        app.shop().lead("amy@example.com", None).await;
        let file = app.database.url.trim_start_matches("sqlite://").to_owned();
        let log = || std::fs::metadata(format!("{file}-wal")).map_or(0, |log| log.len());
        assert!(log() > 0);
        app.app.db.close().await;
        assert_eq!(log(), 0);
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.db");
        std::fs::copy(&file, &copy).unwrap();
        let leads = rusqlite::Connection::open(&copy).unwrap();
        let leads: i64 = leads.query_row("SELECT count(*) FROM leads", [], |row| row.get(0)).unwrap();
        assert_eq!(leads, 1);
    })
    .await;
}

/// A database in which nobody else can write.
pub enum Held {
    Sqlite(rusqlite::Connection),
    Postgres(sqlx::PgConnection),
}

impl Held {
    pub async fn take(app: &TestApp) -> Self {
        if app.is_postgres() {
            use sqlx::{Connection, Executor};
            let mut connection = sqlx::PgConnection::connect(&app.database.url).await.unwrap();
            connection.execute("BEGIN; LOCK TABLE leads, referrers, id_blocks IN EXCLUSIVE MODE").await.unwrap();
            Self::Postgres(connection)
        } else {
            let connection = beside(&app.database);
            connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            Self::Sqlite(connection)
        }
    }

    pub async fn release(self) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch("ROLLBACK").unwrap(),
            Self::Postgres(connection) => sqlx::Connection::close(connection).await.unwrap(),
        }
    }
}

/// Two processes on one file are as safe as two connections: who decides holds the file's one lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_file_count_once() {
    run(Engine::Sqlite, async |database: Arc<Database>| {
        let app = TestApp::start(database.clone()).await;
        let jane = app.shop().referrer("Jane Miller").await;
        let (other, _) = crate::kill::Server::start(&database, crate::kill::free_port()).await;
        let bases = [app.url("").trim_start_matches("http://").to_owned(), other.base[7..].to_owned()];
        for round in 0..10 {
            let address = format!("amy{round}@example.com");
            app.shop().lead(&address, Some(&jane.code)).await;
            let calls = (0..20).map(|n| crate::support::race::Call {
                method: "POST",
                to: bases[n % 2].clone(),
                path: PAY.to_owned(),
                key: app.business.api_key.clone(),
                body: payment(&app, &address, &format!("evt_{round}")),
                header: String::new(),
            });
            let replies = crate::support::race::at_once(calls.collect()).await;
            let won = replies.iter().filter(|r| r.status == 200).count();
            let lost = replies.iter().filter(|r| r.status == 409).count();
            assert_eq!((won, lost), (1, 19), "{:?}", replies.iter().find(|r| r.status >= 500));
        }
        assert_eq!(app.number("SELECT count(*) FROM payments").await, 10);
    })
    .await;
}
