//! Gathers calls in memory and writes what a second brought.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::store;
use crate::clock::Instant;
use crate::db::{Db, DbResult, Ids};

/// One call of a key that is known.
#[derive(Debug, Clone)]
pub struct Call {
    pub business_id: i64,
    pub key_id: i64,
    pub at: Instant,
    /// rn, cf, rf or own.
    pub contract: &'static str,
    pub method: String,
    /// The address as the table of calls has it.
    pub route: String,
    /// The address as it was called, without secrets.
    pub path: String,
    pub status: u16,
    pub micros: i64,
    pub request_id: String,
    /// Why it was refused: a word and a sentence.
    pub code: Option<String>,
    pub message: Option<String>,
    pub address: String,
}

/// The most successful calls of one key in one flush; of the others at most [`MOST`].
const FINE: usize = 100;

/// Calls in one flush, of all keys.
const MOST: usize = 1_000;

/// The most calls stored for each key.
pub const KEPT: i64 = 1_000;

/// A key's log is cut back after this node has written this many lines into it.
const CUT_AFTER: i64 = 500;

#[derive(Default)]
struct OfKey {
    fine: usize,
    calls: Vec<Call>,
    dropped: i64,
}

#[derive(Default)]
struct Gathered {
    keys: HashMap<i64, OfKey>,
    count: usize,
}

/// The calls that this node has recorded and not written yet.
#[derive(Clone, Default)]
pub struct Calls {
    gathered: Arc<Mutex<Gathered>>,
    /// Lines written per key since its log was last cut back.
    written: Arc<Mutex<HashMap<i64, i64>>>,
}

impl Calls {
    /// Notes a call; it is only put into words when there is room for it.
    pub fn note(&self, key_id: i64, failed: bool, call: impl FnOnce() -> Call) {
        let Ok(mut gathered) = self.gathered.lock() else { return };
        let full = gathered.count >= MOST;
        let of_key = gathered.keys.entry(key_id).or_default();
        if full || (!failed && of_key.fine >= FINE) {
            of_key.dropped += 1;
            return;
        }
        of_key.fine += usize::from(!failed);
        of_key.calls.push(call());
        gathered.count += 1;
    }

    /// Writes the calls recorded since. After a failure they are dropped: this is only a log.
    pub async fn flush(&self, db: &Db, ids: &Ids) -> DbResult<()> {
        let taken = match self.gathered.lock() {
            Ok(mut gathered) => std::mem::take(&mut *gathered),
            Err(_) => return Ok(()),
        };
        if taken.count == 0 {
            return Ok(());
        }
        let run = ids.run(taken.count).await?;
        let mut lines = Vec::with_capacity(taken.count);
        let mut full = Vec::new();
        for (key_id, of_key) in taken.keys {
            if self.is_full(key_id, of_key.calls.len()) {
                full.push(key_id);
            }
            let last = of_key.calls.len().saturating_sub(1);
            let dropped = |n: usize| if n == last { of_key.dropped } else { 0 };
            lines.extend(of_key.calls.into_iter().enumerate().map(|(n, call)| (call, dropped(n))));
        }
        lines.sort_by_key(|(call, _)| call.at);
        let lines: Vec<_> = run.zip(lines).collect();
        db.write(vec![], lines, store::insert).await?;
        for key_id in full {
            db.write(vec![], (key_id, KEPT, 2 * CUT_AFTER), store::cut_back).await?;
        }
        Ok(())
    }

    fn is_full(&self, key_id: i64, more: usize) -> bool {
        let Ok(mut written) = self.written.lock() else { return false };
        let lines = written.entry(key_id).or_default();
        *lines += i64::try_from(more).unwrap_or(i64::MAX);
        let full = *lines >= CUT_AFTER;
        if full {
            written.remove(&key_id);
        }
        full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(status: u16) -> Call {
        Call {
            business_id: 1,
            key_id: 7,
            at: Instant::from_micros(0),
            contract: "own",
            method: "GET".into(),
            route: "/v1/me".into(),
            path: "/v1/me".into(),
            status,
            micros: 1,
            request_id: String::new(),
            code: None,
            message: None,
            address: String::new(),
        }
    }

    #[test]
    fn what_is_beyond_the_bounds_is_counted_and_failures_come_first() {
        let calls = Calls::default();
        for _ in 0..FINE + 5 {
            calls.note(7, false, || call(200));
        }
        for _ in 0..MOST {
            calls.note(7, true, || call(404));
        }
        calls.note(8, true, || call(404));
        let gathered = calls.gathered.lock().unwrap();
        assert_eq!((gathered.count, gathered.keys[&7].fine), (MOST, FINE));
        assert_eq!(gathered.keys[&7].dropped, 5 + i64::try_from(FINE).unwrap());
        assert_eq!((gathered.keys[&8].calls.len(), gathered.keys[&8].dropped), (0, 1));
    }
}
