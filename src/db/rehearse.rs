//! Runs a call without storing anything. A rehearsal is a [`Db`] whose pool has one connection, in a transaction
//! that is never committed: its writes are savepoints, and closing the connection undoes them. One runs at a time
//! on each node; on SQLite all writers wait for it, so it must be short.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::{Database, Executor, Postgres, Sqlite};
use tokio::sync::OwnedMutexGuard;

use super::connect::{Backend, Db, QUEUE};
use super::write::{self, Brackets, Lanes, TURN, Writers};
use super::{DbError, DbResult};

/// Counters have a slot per writer. Rehearsals have a slot of their own, so no writer waits for their counts.
const SLOT: i64 = 1_000_000;
/// The time that the end waits for a statement in flight.
const END: Duration = Duration::from_secs(1);
/// SQLite's writer looks again after a tenth of a second at most: this lets it write between two rehearsals.
const BETWEEN: Duration = Duration::from_millis(120);

/// A rehearsal in progress. Dropping it undoes it as well.
pub struct Rehearsal {
    db: Db,
    _only: OwnedMutexGuard<()>,
}

impl Rehearsal {
    /// The database as the rehearsal sees it.
    pub fn db(&self) -> Db {
        self.db.clone()
    }

    /// Rolls everything back. Other holders of the rehearsal's database cannot use it afterwards.
    pub async fn end(self) {
        let _ = tokio::time::timeout(END, self.db.close()).await;
    }
}

impl Db {
    /// Begins a rehearsal, once the one before it is over.
    pub async fn rehearse(&self) -> DbResult<Rehearsal> {
        let only = tokio::time::timeout(TURN, self.rehearsals.clone().lock_owned()).await;
        let only = only.map_err(|_| DbError::Unavailable("too many calls are being tried".into()))?;
        let backend = match self.backend() {
            Backend::Sqlite { readers, .. } => {
                tokio::time::sleep(BETWEEN).await;
                let options = (*readers.connect_options()).clone().read_only(false);
                let readers = one_connection::<Sqlite>("BEGIN IMMEDIATE").connect_with(options).await?;
                let writer = write::sqlite_writer(readers.clone(), None, SLOT, Brackets::REHEARSAL);
                Backend::Sqlite { readers, writer, file: None }
            }
            Backend::Postgres { readers, .. } => {
                // Shorter than PostgreSQL's deadlock timeout, so that the rehearsal always gives up first.
                let options = (*readers.connect_options()).clone().options([("lock_timeout", "500")]);
                let readers = one_connection::<Postgres>("BEGIN").connect_with(options).await?;
                let (pool, lanes) = (readers.clone(), Lanes::new(SLOT, 1, QUEUE));
                // No advisory locks: what is decided here is seen by nobody else.
                let writers = Writers { pool, lanes, unlocked: true, brackets: Brackets::REHEARSAL };
                Backend::Postgres { readers, writers: Arc::new(writers) }
            }
        };
        Ok(Rehearsal { db: Self::of_backend(backend, self.clock().clone()), _only: only })
    }
}

/// A pool of one connection, which begins its transaction before anybody gets it.
fn one_connection<D: Database>(begin: &'static str) -> PoolOptions<D>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
{
    PoolOptions::new()
        .max_connections(1)
        .acquire_timeout(TURN)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(move |conn: &mut D::Connection, _| {
            Box::pin(async move {
                conn.execute(begin).await?;
                Ok(())
            })
        })
}
