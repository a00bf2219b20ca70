//! Clicks, gathered: one more click is one more in memory, and what a second brought is written in one
//! transaction. A click is no money and nobody waits for its answer, so a crash may cost the last second
//! of them, and a connection that is lost while committing may count a second twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::counters;
use crate::db::{Db, DbResult};

/// The counter that clicks are kept in, under their code and under its campaign.
const NAME: &str = "clicks";

/// One person who followed a link. Nothing is known of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    pub code_id: i64,
    pub campaign_id: i64,
    /// The business's day.
    pub day: String,
}

type Counts = BTreeMap<(i64, String, String), i64>;

/// What this node has counted and not written yet; as many entries as codes were clicked, at most.
#[derive(Clone, Default)]
pub struct Clicks(Arc<Mutex<Counts>>);

impl Clicks {
    pub fn count(&self, click: &Click) {
        self.count_many(click, 1);
    }

    pub fn count_many(&self, click: &Click, by: i64) {
        let Ok(mut counts) = self.0.lock() else { return };
        for scope in [click.code_id, click.campaign_id] {
            for day in [click.day.as_str(), ""] {
                *counts.entry((scope, NAME.to_owned(), day.to_owned())).or_default() += by;
            }
        }
    }

    /// Writes what was counted since. What could not be written is kept for the next time.
    pub async fn flush(&self, db: &Db) -> DbResult<()> {
        let taken = match self.0.lock() {
            Ok(mut counts) => Arc::new(std::mem::take(&mut *counts)),
            Err(_) => return Ok(()),
        };
        if taken.is_empty() {
            return Ok(());
        }
        let counts = taken.clone();
        let written = db
            .write(vec![], move |tx| {
                let counts = counts.clone();
                Box::pin(async move { counters::add(tx, &counts.iter().collect::<Vec<_>>()).await })
            })
            .await;
        if written.is_err()
            && let Ok(mut counts) = self.0.lock()
        {
            for (key, by) in taken.iter() {
                *counts.entry(key.clone()).or_default() += by;
            }
        }
        written
    }
}
