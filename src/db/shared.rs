//! The connection that everything in a rehearsal shares.

use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

use super::{Conn, DbError, DbResult};

/// One connection, handed out statement by statement.
#[derive(Clone)]
pub struct Shared {
    conn: Arc<Mutex<Option<Conn>>>,
    /// Writes come one after the other, each whole.
    turn: Arc<Mutex<()>>,
}

impl Shared {
    pub(super) fn new(conn: Conn) -> Self {
        Self { conn: Arc::new(Mutex::new(Some(conn))), turn: Arc::default() }
    }

    /// The connection, for one statement; `None` once the rehearsal is over.
    pub(super) async fn lock(&self) -> MutexGuard<'_, Option<Conn>> {
        self.conn.lock().await
    }

    /// The turn of one write.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    pub(super) fn over<T>() -> DbResult<T> {
        Err(DbError::Unavailable("the rehearsal is over".into()))
    }
}
