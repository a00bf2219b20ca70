//! Runs a call without storing anything. A rehearsal is a [`Db`] of its own whose reads and writes share one
//! connection and one transaction, which is rolled back at the end. One runs at a time on each node; on
//! SQLite it takes the writer's turn, so it must be short.

use std::time::Duration;

use super::connect::{Backend, Db};
use super::job::Work;
use super::shared::Shared;
use super::tx::Tx;
use super::write::run_saved;
use super::{Conn, DbError, DbResult, sql};
use crate::clock::Clock;

/// Counters have a slot per writer. Rehearsals have a slot of their own, so no writer waits for their counts.
const SLOT: i64 = 1_000_000;
/// How long the rollback may take before the connection is cut.
const END: Duration = Duration::from_secs(1);
/// SQLite's writer looks again after a tenth of a second at most: this gives it a turn between two
/// rehearsals.
const BETWEEN: Duration = Duration::from_millis(120);

impl Shared {
    /// As the writer of SQLite does it: under a savepoint, again when a race was lost. No advisory locks are
    /// taken, because nothing is decided here that anybody else could see.
    pub(super) async fn write(&self, mut work: Work) {
        let _turn = self.turn().await;
        let mut tx = Tx::new(Conn::Shared(self.clone()), SLOT);
        let outcome = run_saved(&mut tx, &mut work).await.and_then(|outcome| outcome);
        work.answer(outcome);
    }
}

/// A rehearsal in progress. Dropping it undoes it as well.
pub struct Rehearsal {
    shared: Shared,
    clock: Clock,
}

impl Rehearsal {
    /// The database as the rehearsal sees it.
    pub fn db(&self) -> Db {
        Db::of_backend(Backend::Rehearsal(self.shared.clone()), self.clock.clone())
    }

    /// Rolls everything back. Other holders of the rehearsal's database cannot use it afterwards.
    pub async fn end(self) {
        let Ok(mut held) = tokio::time::timeout(END, self.shared.lock()).await else { return };
        let Some(mut conn) = held.take() else { return };
        let _ = tokio::time::timeout(END, sql("ROLLBACK").execute(&mut conn)).await;
        let _ = tokio::time::timeout(END, conn.close()).await;
    }
}

impl Db {
    /// Begins a rehearsal, once the one before it is over.
    pub async fn rehearse(&self) -> DbResult<Rehearsal> {
        let mut conn = match self.backend() {
            Backend::Sqlite { rehearsals, .. } => Conn::Sqlite(rehearsals.acquire().await?),
            Backend::Postgres { rehearsals, .. } => Conn::Postgres(rehearsals.acquire().await?),
            Backend::Rehearsal(_) => return Err(DbError::Fault("a rehearsal within a rehearsal".into())),
        };
        // A connection with an open transaction must never return to a pool.
        conn.close_on_drop();
        match &conn {
            Conn::Sqlite(_) => {
                tokio::time::sleep(BETWEEN).await;
                sql("BEGIN IMMEDIATE").execute(&mut conn).await?
            }
            _ => {
                sql("BEGIN").execute(&mut conn).await?;
                // Shorter than PostgreSQL's deadlock timeout, so that the rehearsal always gives up first.
                sql("SET LOCAL lock_timeout = 500").execute(&mut conn).await?
            }
        };
        let shared = Shared::new(conn);
        Ok(Rehearsal { shared, clock: self.clock().clone() })
    }
}
