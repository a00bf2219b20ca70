//! Brings a database to this program's schema.
//!
//! One folder serves both engines. A version is `NNNN_name.sql`, which runs on both, and after it
//! `NNNN_name_sqlite.sql` or `NNNN_name_postgres.sql`, which run on one. SQLite makes ids itself unless the
//! column is exactly `INTEGER PRIMARY KEY`, so `BIGINT PRIMARY KEY` is turned into that.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use rust_embed::RustEmbed;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqlSafeStr, SqliteConnection};

use super::connect::postgres_options;
use super::file::prepare;
use super::{Db, DbError, DbResult, sql};

#[derive(RustEmbed)]
#[folder = "migrations/"]
struct Files;

/// Runs every outstanding migration, one transaction each, one node at a time. A database that a newer
/// program has migrated is refused.
pub async fn migrate(url: &str) -> DbResult<()> {
    migrate_to(url, i64::MAX).await
}

/// As [`migrate`], but stops at a version: the migration tests put data in between.
pub async fn migrate_to(url: &str, last: i64) -> DbResult<()> {
    // SQLite waits for no lock while a new file changes to its write-ahead log: of several programs that start at
    // once, some hear that it is locked, and look again.
    for _ in 0..TRIES {
        match migrate_once(url, last).await {
            Err(DbError::Unavailable(_)) if url.starts_with("sqlite:") => tokio::time::sleep(PAUSE).await,
            other => return other,
        }
    }
    migrate_once(url, last).await
}

/// Looks at a SQLite file that another program is migrating, and the time between two of them.
const TRIES: usize = 20;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(25);

async fn migrate_once(url: &str, last: i64) -> DbResult<()> {
    if let Some(rest) = url.strip_prefix("sqlite:") {
        let file = rest.trim_start_matches("//").split('?').next().unwrap_or_default();
        prepare(Path::new(file))?;
        refuse_foreign(file).await?;
        let mut conn = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // A table that is rebuilt would otherwise take its children with it.
            .foreign_keys(false)
            .busy_timeout(std::time::Duration::from_secs(30))
            .disable_statement_logging()
            .connect()
            .await?;
        let before = applied(&mut conn).await;
        let first = sqlx::query_as(FIRST).fetch_optional(&mut conn).await;
        refuse_former(first.ok().flatten())?;
        // There is no lock to take: of several who migrate at once, all but one find a migration done when they
        // look again, and may lose the next one too.
        let (mut done, mut tries) = (before, 3);
        while let Err(error) = migrator(true, last).run_direct(None, &mut conn, false).await {
            let now = applied(&mut conn).await;
            tries = if now > done { 3 } else { tries - 1 };
            done = now;
            if tries == 0 || !matches!(error, MigrateError::Execute(_) | MigrateError::ExecuteMigration(..)) {
                return Err(refused(error));
            }
        }
        // It reads every row, so a start that migrated nothing does without.
        if applied(&mut conn).await != before {
            let broken: Vec<(String,)> = sqlx::query_as(
                "SELECT \"table\"
                   FROM pragma_foreign_key_check",
            )
            .fetch_all(&mut conn)
            .await?;
            if let Some((table,)) = broken.first() {
                return Err(DbError::Fault(format!("a row of {table} refers to a row that is not there")));
            }
        }
        conn.close().await?;
    } else {
        let mut conn = postgres_options(url)?.disable_statement_logging().connect().await?;
        let first = sqlx::query_as(FIRST).fetch_optional(&mut conn).await;
        refuse_former(first.ok().flatten())?;
        let migrator = migrator(false, last);
        if !is_current(&mut conn, &migrator).await {
            migrator.run_direct(None, &mut conn, false).await.map_err(refused)?;
        }
        conn.close().await?;
    }
    Ok(())
}

/// Refuses a file in which another program has its tables, before anything of it is changed.
async fn refuse_foreign(file: &str) -> DbResult<()> {
    let mut conn =
        SqliteConnectOptions::new().filename(file).read_only(true).disable_statement_logging().connect().await?;
    let (tables,): (i64,) = sqlx::query_as(
        "SELECT CASE WHEN EXISTS (SELECT 1
                                    FROM sqlite_master
                                   WHERE name = '_sqlx_migrations') THEN 0
                     ELSE (SELECT count(*)
                             FROM sqlite_master
                            WHERE type = 'table'
                              AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\') END",
    )
    .fetch_one(&mut conn)
    .await?;
    conn.close().await?;
    if tables == 0 {
        return Ok(());
    }
    Err(DbError::Unavailable(format!("{file} is the database of another program")))
}

/// True when every migration was applied: a role that may only read need not try.
async fn is_current(conn: &mut PgConnection, migrator: &Migrator) -> bool {
    let found = sqlx::query_as(
        "SELECT version, checksum
           FROM _sqlx_migrations
          WHERE success
          ORDER BY version",
    )
    .fetch_all(conn)
    .await;
    let known: Vec<(i64, Vec<u8>)> = migrator.iter().map(|m| (m.version, m.checksum.to_vec())).collect();
    found.is_ok_and(|found: Vec<(i64, Vec<u8>)>| found == known)
}

/// The number of migrations a database has had; none when it is new.
async fn applied(conn: &mut SqliteConnection) -> i64 {
    let count = sqlx::query_as(
        "SELECT count(*)
           FROM _sqlx_migrations",
    )
    .fetch_one(conn)
    .await;
    count.map_or(0, |(n,): (i64,)| n)
}

/// The name of the first migration that a database has had.
pub(super) const FIRST: &str = "SELECT description
       FROM _sqlx_migrations
      WHERE version = 1";

/// Refuses the database of a program before the first release, whose migrations had the same numbers.
pub(super) fn refuse_former(first: Option<(String,)>) -> DbResult<()> {
    match first {
        Some((name,)) if name == "foundation" => Err(DbError::Unavailable(
            "the database was made by version 0.1.0-dev, and this program cannot migrate it: export its lists with \
             that version (refdesk export), and import them into a new database"
                .into(),
        )),
        _ => Ok(()),
    }
}

/// Refuses a database that another program has migrated, for those who only read it.
pub async fn known(db: &Db) -> DbResult<()> {
    let mut conn = db.read().await?;
    refuse_former(sql(FIRST).optional(&mut conn).await?)?;
    let newest = sql("SELECT COALESCE(max(version), 0)
                        FROM _sqlx_migrations")
    .scalar(&mut conn)
    .await?;
    if newest > self::newest(!db.is_postgres()) { Err(newer(newest)) } else { Ok(()) }
}

/// The version that this program's migrations end with.
pub(super) fn newest(sqlite: bool) -> i64 {
    migrator(sqlite, i64::MAX).iter().map(|m| m.version).max().unwrap_or_default()
}

pub(super) fn newer(version: i64) -> DbError {
    DbError::Unavailable(format!(
        "the database is at version {version}, which this program does not know: it was migrated by a newer one"
    ))
}

fn migrator(sqlite: bool, last: i64) -> Migrator {
    let (own, other) = if sqlite { ("_sqlite", "_postgres") } else { ("_postgres", "_sqlite") };
    let mut versions: BTreeMap<i64, (String, String)> = BTreeMap::new();
    let mut files: Vec<Cow<'static, str>> = Files::iter().filter(|file| file.ends_with(".sql")).collect();
    // The files for both engines come before those for one.
    files.sort_by_key(|file| (file.contains(own), file.clone()));
    for file in files {
        let stem = file.trim_end_matches(".sql");
        let Some((version, name)) = stem.split_once('_') else { continue };
        let (Ok(version), Some(content)) = (version.parse(), Files::get(&file)) else { continue };
        if name.ends_with(other) || version > last {
            continue;
        }
        let (_, text) = versions.entry(version).or_insert_with(|| (name.replace('_', " "), String::new()));
        text.push_str(&String::from_utf8_lossy(&content.data));
    }
    let migrations = versions.into_iter().map(|(version, (name, text))| {
        let text = if sqlite { text.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY") } else { text };
        let sql = AssertSqlSafe(text).into_sql_str();
        Migration::new(version, Cow::Owned(name), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}

fn refused(error: MigrateError) -> DbError {
    match error {
        MigrateError::VersionMissing(version) => newer(version),
        MigrateError::Execute(error) => error.into(),
        other => DbError::Fault(other.to_string()),
    }
}
