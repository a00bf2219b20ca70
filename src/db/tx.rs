//! A transaction that has its locks, and what a write may ask of it.

use std::collections::HashSet;
use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

use super::error::{DbError, DbResult, Stop};
use super::locks::Key;
use super::sql::Conn;
use crate::actor::Actor;
use crate::clock::{Clock, Instant};

/// A transaction that has its locks. Statements go through the [`Conn`] it derefs to.
pub struct Tx {
    pub(super) conn: Conn,
    pub(super) held: HashSet<i64>,
    /// The counter slot of this writer lane.
    pub slot: i64,
    pub(super) witness: Option<i64>,
    now: Instant,
    actor: Option<Arc<Actor>>,
    ids: Range<i64>,
}

/// The loan of a transaction to a write, each time it runs: the same ids whenever it runs again.
pub struct Lent {
    pub held: HashSet<i64>,
    pub actor: Option<Arc<Actor>>,
    pub ids: Range<i64>,
    pub clock: Clock,
}

/// Ids that a write may draw without saying how many.
pub const FEW: usize = 4;

impl Tx {
    pub(super) fn new(conn: Conn, slot: i64) -> Self {
        let (now, ids) = (Instant::from_micros(0), 0..0);
        Self { conn, held: HashSet::new(), slot, witness: None, now, actor: None, ids }
    }

    /// Begins a write, or the same write again, once its locks are held.
    pub(super) fn begin(&mut self, lent: &Lent) {
        self.held.clone_from(&lent.held);
        self.actor.clone_from(&lent.actor);
        self.ids = lent.ids.clone();
        self.now = lent.clock.now();
        self.witness = None;
    }

    /// When this write began, with its locks held.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The actor, for the audit.
    pub fn actor(&self) -> DbResult<&Arc<Actor>> {
        self.actor.as_ref().ok_or_else(|| DbError::Fault("a write that is audited names its actor".into()))
    }

    /// An id for a new row. When the run that was drawn is used up, the write runs again with a longer one.
    pub fn id(&mut self) -> DbResult<i64> {
        Ok(self.ids(1)?.start)
    }

    /// Ids that follow each other, for so many rows.
    pub fn ids(&mut self, count: usize) -> DbResult<Range<i64>> {
        let end = self.ids.start.saturating_add(i64::try_from(count).unwrap_or(i64::MAX));
        if end > self.ids.end {
            return Err(DbError::Stopped(Stop::MoreIds));
        }
        let run = self.ids.start..end;
        self.ids.start = end;
        Ok(run)
    }

    /// Every id of the run but the few that what follows may draw.
    pub fn many_ids(&mut self) -> Range<i64> {
        let end = self.ids.end.saturating_sub(i64::try_from(FEW).unwrap_or_default()).max(self.ids.start);
        let run = self.ids.start..end;
        self.ids.start = end;
        run
    }

    /// Names an audit entry that this transaction writes: when the answer of its COMMIT is lost, the entry
    /// tells whether it took. Called by whoever writes entries.
    pub fn witness(&mut self, entry: i64) {
        self.witness = Some(entry);
    }

    /// True when the transaction was opened with this key; verbs assert the keys of their decisions.
    pub fn holds(&self, key: &Key) -> bool {
        self.held.contains(&key.number())
    }
}

impl Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.conn
    }
}
impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
