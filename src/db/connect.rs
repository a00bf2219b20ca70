//! Opening a database by its address.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, PgPool, SqlitePool};
use tokio::sync::{Mutex, mpsc};

use super::file::{Opened, prepare};
use super::ids::Drawn;
use super::job::Work;
use super::write::{self, Brackets, Lanes, Writers};
use super::{Conn, DbError, DbResult, sql};
use crate::clock::Clock;

/// An open database; cheap to clone.
#[derive(Clone)]
pub struct Db {
    backend: Arc<Backend>,
    drawn: Arc<Drawn>,
    clock: Clock,
    /// Held by the rehearsal that runs on this node.
    pub(super) rehearsals: Arc<Mutex<()>>,
}

pub(super) enum Backend {
    /// Without a file it is a rehearsal.
    Sqlite {
        readers: SqlitePool,
        writer: mpsc::Sender<Work>,
        file: Option<Opened>,
    },
    Postgres {
        readers: PgPool,
        writers: Arc<Writers>,
    },
}

/// The most writes that wait; further callers are asked to come back.
pub(super) const QUEUE: usize = 4_096;
/// PostgreSQL transactions in flight per node.
const LANES: i64 = 6;
/// A connection that was idle for longer is tested before it is used.
const RESTED: Duration = Duration::from_secs(1);
/// The time that the test may take.
const PONG: Duration = Duration::from_secs(1);
/// The log of SQLite is cut back to this when a reader that held it up is done.
const LOG_KEPT: &str = "67108864";

/// The file of a SQLite address.
pub fn file_of(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?.trim_start_matches("//");
    Some(PathBuf::from(rest.split('?').next().unwrap_or_default()))
}

impl Db {
    /// Opens `sqlite://FILE` (created when missing) or `postgres://…`. Migrations run elsewhere. With
    /// `?max_page_count=N` a SQLite file grows to that many pages at most.
    pub async fn open(url: &str) -> DbResult<Self> {
        Self::open_with(url, |options| options).await
    }

    /// For loads of millions of rows whose parents the same load makes: SQLite skips its foreign key checks
    /// and lets the log grow to some 200 MB, so that each page reaches the file once.
    pub async fn open_to_load(url: &str) -> DbResult<Self> {
        Self::open_with(url, |options| options.foreign_keys(false).pragma("wal_autocheckpoint", "50000")).await
    }

    async fn open_with(url: &str, tuned: fn(SqliteConnectOptions) -> SqliteConnectOptions) -> DbResult<Self> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::open_postgres(url, false).await
        } else if let Some(rest) = url.strip_prefix("sqlite:") {
            Self::open_sqlite(rest.trim_start_matches("//"), tuned).await
        } else {
            Err(DbError::Unavailable(format!(
                "a database address starts with sqlite:// or postgres://, not {:?}",
                url.split(':').next().unwrap_or_default()
            )))
        }
    }

    /// PostgreSQL without the advisory locks: shows that the race tests can fail.
    #[doc(hidden)]
    pub async fn open_unlocked(url: &str) -> DbResult<Self> {
        Self::open_postgres(url, true).await
    }

    async fn open_sqlite(file: &str, tuned: fn(SqliteConnectOptions) -> SqliteConnectOptions) -> DbResult<Self> {
        let (file, parameters) = file.split_once('?').unwrap_or((file, ""));
        prepare(Path::new(file))?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL lost acknowledged rows in most simulated power cuts.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(3))
            .statement_cache_capacity(1_000)
            .pragma("cache_size", "-16384")
            // Pages that many transactions write reach the file once: a tenth more events a second than at
            // the default of 1,000 pages. It bounds the log at some 32 MB.
            .pragma("wal_autocheckpoint", "8000")
            .pragma("temp_store", "MEMORY")
            .pragma("journal_size_limit", LOG_KEPT)
            .disable_statement_logging();
        // Pages of a batch that exceed the cache are written to the log twice. A larger cache costs more than
        // it saves, since a commit after a page split walks all of them.
        let writer_options = tuned(options.clone().pragma("cache_size", "-32768"));
        // The writer connects first: it makes the file and switches it to WAL.
        let write_pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(bounded(writer_options, parameters)?)
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(10))
            .connect_lazy_with(options.create_if_missing(false).read_only(true));
        let file = Some(Opened::of(Path::new(file))?);
        let writer = write::sqlite_writer(write_pool, file.clone(), 0, Brackets::SQLITE);
        Ok(Self::of_backend(Backend::Sqlite { readers, writer, file }, Clock::system()))
    }

    async fn open_postgres(url: &str, unlocked: bool) -> DbResult<Self> {
        let options = postgres_options(url)?
            .statement_cache_capacity(1_000)
            .application_name("refdesk")
            .options([
                ("synchronous_commit", "on"),
                ("default_transaction_isolation", "read committed"),
                ("statement_timeout", "4500"),
                ("lock_timeout", "3000"),
                ("idle_in_transaction_session_timeout", "30000"),
                ("tcp_user_timeout", "10000"),
                ("TimeZone", "UTC"),
                ("jit", "off"),
            ])
            .disable_statement_logging();
        let pool = |most: u32, rested: Duration| {
            PgPoolOptions::new()
                .max_connections(most)
                .acquire_timeout(Duration::from_secs(5))
                .test_before_acquire(false)
                .before_acquire(move |conn, state| {
                    Box::pin(async move {
                        if state.idle_for < rested {
                            return Ok(true);
                        }
                        tokio::time::timeout(PONG, conn.ping()).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
                        Ok(true)
                    })
                })
        };
        // A write that meets a dead connection runs again; a read has no second try, so it asks every time.
        let readers = pool(16, Duration::ZERO).connect_with(options.clone()).await?;
        // Writes look rows up by their keys, a slice at a time: a generic plan is the right one, and planning
        // anew costs more than running it.
        let generic = options.options([("plan_cache_mode", "force_generic_plan")]);
        let pool = pool(u32::try_from(LANES).unwrap_or(1), RESTED).connect_lazy_with(generic);
        // Nodes that share a base still count right; they only wait for each other.
        let slot_base = rand::random_range(0..8) * LANES;
        let lanes = Lanes::new(slot_base, LANES, QUEUE);
        let writers = Arc::new(Writers { pool, lanes, unlocked, brackets: Brackets::POSTGRES });
        Ok(Self::of_backend(Backend::Postgres { readers, writers }, Clock::system()))
    }

    /// A connection for reading. On SQLite it cannot write.
    pub async fn read(&self) -> DbResult<Conn> {
        Ok(match &*self.backend {
            Backend::Sqlite { readers, .. } => Conn::Sqlite(readers.acquire().await?),
            Backend::Postgres { readers, .. } => Conn::Postgres(readers.acquire().await?),
        })
    }

    pub(super) fn of_backend(backend: Backend, clock: Clock) -> Self {
        Self { backend: Arc::new(backend), drawn: Arc::default(), clock, rehearsals: Arc::default() }
    }

    /// The same database, whose writes go by this clock.
    pub fn at(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn drawn(&self) -> &Drawn {
        &self.drawn
    }

    /// A connection whose every statement sees the database as of one moment. Dropping it ends that.
    pub async fn snapshot(&self) -> DbResult<Conn> {
        let mut conn = self.read().await?;
        let begin = match &conn {
            Conn::Sqlite(_) => "BEGIN",
            Conn::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        sql(begin).execute(&mut conn).await?;
        if matches!(conn, Conn::Postgres(_)) {
            sql("SET LOCAL statement_timeout = 0").execute(&mut conn).await?;
        }
        // The pool must never hand out a connection that still sees the past.
        conn.close_on_drop();
        Ok(conn)
    }

    /// True when the database answers and has been migrated.
    pub async fn ping(&self) -> DbResult<()> {
        if let Backend::Sqlite { file: Some(file), .. } = &*self.backend {
            file.is_there()?;
        }
        sql("SELECT next
               FROM id_blocks
              WHERE name = 'all'")
        .scalar::<i64>(&mut self.read().await?)
        .await
        .map(|_| ())
    }

    /// True when PostgreSQL is spoken to over a network without TLS.
    pub async fn speaks_clear_text(&self) -> DbResult<bool> {
        if !self.is_postgres() {
            return Ok(false);
        }
        sql("SELECT NOT ssl AND inet_server_addr() IS NOT NULL
               FROM pg_stat_ssl
              WHERE pid = pg_backend_pid()")
        .scalar(&mut self.read().await?)
        .await
    }

    pub fn is_postgres(&self) -> bool {
        matches!(&*self.backend, Backend::Postgres { .. })
    }

    pub(super) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Waits for what is in flight, then closes every connection.
    pub async fn close(&self) {
        match &*self.backend {
            Backend::Sqlite { readers, file, .. } => {
                readers.close().await;
                if file.is_some()
                    && let Err(error) = checkpoint(readers).await
                {
                    tracing::warn!(%error, "the log of the database was not written into its file");
                }
            }
            Backend::Postgres { readers, writers } => {
                writers.pool.close().await;
                readers.close().await;
            }
        }
    }
}

/// Writes the log into the database file, so that a copy of the file alone is whole.
async fn checkpoint(closed: &SqlitePool) -> DbResult<()> {
    let mut conn = (*closed.connect_options()).clone().read_only(false).connect().await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut conn).await?;
    Ok(conn.close().await?)
}

/// The options of a PostgreSQL address, or why it cannot be read. The sentence has nothing of the address in it, for
/// there may be a password.
pub(super) fn postgres_options(url: &str) -> DbResult<PgConnectOptions> {
    PgConnectOptions::from_str(url).map_err(|error| {
        DbError::Unavailable(format!(
            "the database address cannot be read: {error}. It is written like postgres://USER:PASSWORD@HOST:PORT/NAME; \
             the characters @ : / # ? % in the password are written as %40 %3A %2F %23 %3F %25"
        ))
    })
}

/// The options of the writer, with what the address asks for.
fn bounded(options: SqliteConnectOptions, parameters: &str) -> DbResult<SqliteConnectOptions> {
    parameters.split('&').filter(|part| !part.is_empty()).try_fold(options, |options, part| {
        match part.split_once('=') {
            Some(("max_page_count", count)) if count.parse::<u32>().is_ok() => {
                Ok(options.pragma("max_page_count", count.to_owned()))
            }
            _ => Err(DbError::Unavailable(format!("the database address has an unknown parameter: {part:?}"))),
        }
    })
}
