//! Brings a database to this program's schema.
//!
//! One folder serves both engines: `NNNN_name.sql` runs on both, `NNNN_name_sqlite.sql` and
//! `…_postgres.sql` on one. SQLite makes ids itself unless the column is exactly
//! `INTEGER PRIMARY KEY`, so `BIGINT PRIMARY KEY` is turned into that.

use std::borrow::Cow;
use std::str::FromStr;

use rust_embed::RustEmbed;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqlSafeStr, SqliteConnection};

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
    if let Some(rest) = url.strip_prefix("sqlite:") {
        let file = rest.trim_start_matches("//").split('?').next().unwrap_or_default();
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
        let mut conn = PgConnectOptions::from_str(url)?.disable_statement_logging().connect().await?;
        migrator(false, last).run_direct(None, &mut conn, false).await.map_err(refused)?;
        conn.close().await?;
    }
    Ok(())
}

/// How many migrations a database has had; none when it is new.
async fn applied(conn: &mut SqliteConnection) -> i64 {
    let count = sqlx::query_as(
        "SELECT count(*)
           FROM _sqlx_migrations",
    )
    .fetch_one(conn)
    .await;
    count.map_or(0, |(n,): (i64,)| n)
}

/// Refuses a database that a newer program has migrated, for those who only read it.
pub async fn known(db: &Db) -> DbResult<()> {
    let newest = sql("SELECT COALESCE(max(version), 0)
                        FROM _sqlx_migrations")
    .scalar(&mut db.read().await?)
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
    let other = if sqlite { "_postgres" } else { "_sqlite" };
    let migrations = Files::iter()
        .filter_map(|file| {
            let stem = file.strip_suffix(".sql")?;
            let (version, name) = stem.split_once('_')?;
            let version: i64 = version.parse().ok()?;
            if name.ends_with(other) || version > last {
                return None;
            }
            let text = String::from_utf8(Files::get(&file)?.data.into_owned()).ok()?;
            let text = if sqlite { text.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY") } else { text };
            let name = Cow::Owned(name.replace('_', " "));
            let sql = AssertSqlSafe(text).into_sql_str();
            Some(Migration::new(version, name, MigrationType::Simple, sql, false))
        })
        .collect();
    Migrator::with_migrations(migrations)
}

fn refused(error: MigrateError) -> DbError {
    match error {
        MigrateError::VersionMissing(version) => newer(version),
        MigrateError::Execute(error) => error.into(),
        other => DbError::Fault(other.to_string()),
    }
}
