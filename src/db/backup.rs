//! A SQLite database as a file: copied as it stands at one moment while others write, inspected, and made
//! into a single file again when no other process has it open. PostgreSQL has its own tools for this.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::{DbError, DbResult, migrate};

async fn connect(file: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(Duration::from_secs(30))
        .pragma("cache_size", "-16384")
        .disable_statement_logging()
        .connect()
        .await
}

/// Copies a database into an empty file. The copy holds everything committed before it began and nothing
/// committed later; writers do not wait for it. The caller flushes the file.
pub async fn copy_into(database: &Path, to: &Path) -> DbResult<()> {
    let to = to.to_str().ok_or_else(|| DbError::Unavailable("the file's name is not UTF-8".into()))?;
    let mut conn = connect(database).await?;
    sqlx::query("VACUUM INTO ?1").bind(to).execute(&mut conn).await?;
    Ok(conn.close().await?)
}

/// Why a file cannot be taken for a database of this program; the version it was migrated to, where it can.
pub async fn look(file: &Path) -> DbResult<Result<i64, String>> {
    match examine(file).await {
        Err(error) if is_broken(&error) => Ok(Err(error.to_string())),
        other => Ok(other?),
    }
}

async fn examine(file: &Path) -> Result<Result<i64, String>, sqlx::Error> {
    let mut conn = connect(file).await?;
    let found: Vec<(String,)> = sqlx::query_as("PRAGMA integrity_check(5)").fetch_all(&mut conn).await?;
    let wrong: Vec<String> = found.into_iter().map(|(line,)| line).filter(|line| line != "ok").collect();
    if !wrong.is_empty() {
        return Ok(Err(format!("it is damaged: {}", wrong.join("; "))));
    }
    let ours = "SELECT count(*)
                  FROM sqlite_master
                 WHERE name IN ('_sqlx_migrations', 'id_blocks', 'businesses')";
    let (ours,): (i64,) = sqlx::query_as(ours).fetch_one(&mut conn).await?;
    if ours < 3 {
        return Ok(Err("it is a database of another program".into()));
    }
    let broken: Vec<(String,)> = sqlx::query_as(
        "SELECT \"table\"
           FROM pragma_foreign_key_check
          LIMIT 1",
    )
    .fetch_all(&mut conn)
    .await?;
    if let Some((table,)) = broken.first() {
        return Ok(Err(format!("a row of {table} refers to a row that is not there")));
    }
    let first = sqlx::query_as(migrate::FIRST).fetch_optional(&mut conn).await?;
    if let Err(former) = migrate::refuse_former(first) {
        return Ok(Err(former.to_string()));
    }
    let newest = "SELECT COALESCE(max(version), 0)
                    FROM _sqlx_migrations";
    let (newest,): (i64,) = sqlx::query_as(newest).fetch_one(&mut conn).await?;
    conn.close().await?;
    if newest > migrate::newest(true) { Ok(Err(migrate::newer(newest).to_string())) } else { Ok(Ok(newest)) }
}

/// The result of asking for a database alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The database is one file, the log is written into it, and no other process has it open.
    Alone,
    /// Another process has it open.
    Held,
    /// It is no database, or a damaged one.
    Broken(String),
}

/// Leaves WAL. SQLite allows this only to the last open connection: it writes the log into the file, and its
/// refusal shows that another process has the database open.
pub async fn settle(file: &Path, patience: Duration) -> DbResult<Settled> {
    let since = Instant::now();
    loop {
        match leave_wal(file).await {
            Ok(true) => return Ok(Settled::Alone),
            Err(error) if is_broken(&error) => return Ok(Settled::Broken(error.to_string())),
            Err(error) if !is_busy(&error) => return Err(error.into()),
            Ok(false) | Err(_) if since.elapsed() > patience => return Ok(Settled::Held),
            Ok(false) | Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn leave_wal(file: &Path) -> Result<bool, sqlx::Error> {
    let mut conn = connect(file).await?;
    sqlx::query("PRAGMA busy_timeout = 500").execute(&mut conn).await?;
    let (mode,): (String,) = sqlx::query_as("PRAGMA journal_mode = DELETE").fetch_one(&mut conn).await?;
    // The mode of a file that is no database is reported without a look at it.
    sqlx::query(
        "SELECT count(*)
           FROM sqlite_master",
    )
    .execute(&mut conn)
    .await?;
    conn.close().await?;
    Ok(mode == "delete")
}

/// The primary code of SQLite's answer.
fn code(error: &sqlx::Error) -> Option<i64> {
    error.as_database_error()?.code()?.parse::<i64>().ok().map(|code| code & 0xff)
}

fn is_busy(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(5 | 6))
}

/// CORRUPT and NOTADB.
fn is_broken(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(11 | 26))
}
