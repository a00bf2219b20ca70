//! Every migration, with data in the database: what was there is there afterwards, and an older program
//! leaves a newer database alone.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use refdesk::db::{self, Db, DbError, DbResult, Tx, sql_built};

use crate::on_both_databases;
use crate::support::{Database, Engine, Start, TestApp};

on_both_databases! {
    what_was_there_stays_whichever_version_it_was_written_by,
    a_second_run_and_a_race_of_runs_change_nothing,
    a_database_of_a_newer_program_is_left_alone,
    a_database_from_before_the_first_release_is_left_alone,
    a_migration_that_was_changed_is_found_out,
}

/// A small business as version 1 stores it; a version with tables of its own adds rows of them.
const WRITTEN: [(i64, &str); 1] = [(1, include_str!("data/version_1.sql"))];

fn versions() -> Vec<i64> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut versions: Vec<i64> = names.map(|name| name.split('_').next().unwrap().parse().unwrap()).collect();
    versions.sort_unstable();
    versions.dedup();
    versions
}

async fn run(database: &Database, text: &str) {
    let db = Db::open(&database.url).await.unwrap();
    let text = text.to_owned();
    db.write(vec![], text, run_statements).await.unwrap();
    db.close().await;
}

#[expect(clippy::ptr_arg, reason = "a write lends its job the input as it owns it")]
async fn run_statements(tx: &mut Tx, text: &String) -> DbResult<()> {
    let without_comments: String = text.lines().filter(|line| !line.starts_with("--")).collect();
    for statement in without_comments.split(';').filter(|statement| !statement.trim().is_empty()) {
        sql_built(statement.to_owned()).execute(tx).await?;
    }
    Ok(())
}

/// Every row of these columns, as text, by table.
async fn rows(database: &Database, columns: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let db = Db::open(&database.url).await.unwrap();
    let mut all = BTreeMap::new();
    for (table, columns) in columns {
        let texts: Vec<String> =
            columns.iter().map(|column| format!("COALESCE(CAST({column} AS TEXT), 'NULL')")).collect();
        let text = format!("SELECT {} FROM {table} ORDER BY 1", texts.join(" || '|' || "));
        let found: Vec<(String,)> = sql_built(text).all(&mut db.read().await.unwrap()).await.unwrap();
        all.insert(table.clone(), found.into_iter().map(|(row,)| row).collect());
    }
    db.close().await;
    all
}

async fn columns(database: &Database) -> BTreeMap<String, Vec<String>> {
    let text = match database.engine {
        Engine::Sqlite => {
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
              WHERE m.type = 'table' AND m.name NOT LIKE '%sqlx%' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid"
        }
        Engine::Postgres => {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
              WHERE table_schema = 'public' AND table_name NOT LIKE '%sqlx%' ORDER BY table_name, ordinal_position"
        }
    };
    let db = Db::open(&database.url).await.unwrap();
    let found: Vec<(String, String)> = sql_built(text.into()).all(&mut db.read().await.unwrap()).await.unwrap();
    db.close().await;
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in found {
        columns.entry(table).or_default().push(column);
    }
    columns
}

async fn what_was_there_stays_whichever_version_it_was_written_by(database: Arc<Database>) {
    let old = Database::bare(database.engine).await;
    let (mut known, mut before) = (BTreeMap::new(), BTreeMap::<String, Vec<String>>::new());
    for version in versions() {
        db::migrate_to(&old.url, version).await.unwrap();
        let made: BTreeMap<String, Vec<String>> = columns(&old).await;
        // Columns that a migration takes away on purpose are not looked for.
        known.retain(|table, columns: &mut Vec<String>| {
            made.get(table).is_some_and(|now| columns.iter().all(|column| now.contains(column)))
        });
        for (table, rows) in rows(&old, &known).await {
            // A migration may add rows: what was never counted is counted then.
            let gone: Vec<&String> = before[&table].iter().filter(|row| !rows.contains(row)).collect();
            assert!(gone.is_empty(), "{table} after version {version} lacks {gone:?}");
        }
        // The next one meets what this version wrote.
        let written = WRITTEN.iter().filter(|(by, _)| *by == version);
        for (_, text) in written {
            run(&old, text).await;
        }
        known = made;
        before = rows(&old, &known).await;
    }
    let filled = before.values().filter(|rows| !rows.is_empty()).count();
    assert!(filled > 30, "only {filled} tables have rows to lose");
    old.prove().await;
}

async fn a_second_run_and_a_race_of_runs_change_nothing(database: Arc<Database>) {
    let app = TestApp::start(database.clone()).await;
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().lead("amy@example.com", Some(&jane.code)).await;
    app.shop().pay("amy@example.com", "100.00", "2026-06-20").await;
    let known = columns(&database).await;
    let before = rows(&database, &known).await;
    db::migrate(&database.url).await.unwrap();
    assert_eq!(rows(&database, &known).await, before);
    // Several nodes start at once on a new database: each finds it migrated.
    let new = Arc::new(Database::bare(database.engine).await);
    let nodes: Vec<_> = (0..4)
        .map(|_| {
            let new = new.clone();
            tokio::spawn(async move { db::migrate(&new.url).await })
        })
        .collect();
    for node in nodes {
        node.await.unwrap().unwrap();
    }
    assert_eq!(columns(&new).await, known);
}

async fn a_database_of_a_newer_program_is_left_alone(database: Arc<Database>) {
    run(
        &database,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'of tomorrow', TRUE, '', 0)",
    )
    .await;
    let refused = db::migrate(&database.url).await.unwrap_err();
    assert!(
        matches!(&refused, DbError::Unavailable(why) if why.contains("9999") && why.contains("newer")),
        "{refused}"
    );
    for command in ["serve", "migrate", "check"] {
        let done = Command::new(env!("CARGO_BIN_EXE_refdesk"))
            .args([command, "--database-url", &database.url, "--listen", "127.0.0.1:0"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{command}: {said}");
        assert!(said.contains("newer"), "{command}: {said}");
    }
}

async fn a_database_from_before_the_first_release_is_left_alone(database: Arc<Database>) {
    run(&database, "UPDATE _sqlx_migrations SET description = 'foundation' WHERE version = 1").await;
    for command in ["serve", "migrate", "check"] {
        let done = Command::new(env!("CARGO_BIN_EXE_refdesk"))
            .args([command, "--database-url", &database.url, "--listen", "127.0.0.1:0"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{command}: {said}");
        assert!(said.contains("0.1.0-dev") && said.contains("export"), "{command}: {said}");
    }
}

async fn a_migration_that_was_changed_is_found_out(database: Arc<Database>) {
    run(&database, "UPDATE _sqlx_migrations SET checksum = '' WHERE version = 1").await;
    let refused = db::migrate(&database.url).await.unwrap_err();
    assert!(refused.to_string().contains("migration 1"), "{refused}");
}
