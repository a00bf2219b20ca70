//! Clicks, gathered: a click is counted in memory, and the clicks of a second are written in one transaction.
//! A click is no money and waits for no answer, so a crash may cost the last second of them, and a connection
//! lost while committing may count a second twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::counters;
use crate::db::{Db, DbResult, Tx};
use crate::figures;

/// The counter of clicks, under their code and under its campaign.
const NAME: &str = "clicks";

/// One anonymous person who followed a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    pub code_id: i64,
    pub campaign_id: i64,
    /// The business's day.
    pub day: String,
}

type Counts = BTreeMap<(i64, String, String), i64>;

/// The clicks that this node has counted and not written yet; one entry for each clicked code.
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

    /// Writes the clicks counted since. After a failure they stay for the next time.
    pub async fn flush(&self, db: &Db) -> DbResult<()> {
        let taken = match self.0.lock() {
            Ok(mut counts) => Arc::new(std::mem::take(&mut *counts)),
            Err(_) => return Ok(()),
        };
        if taken.is_empty() {
            return Ok(());
        }
        let written = db.write(vec![], taken.clone(), write).await;
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

async fn write(tx: &mut Tx, counts: &Arc<Counts>) -> DbResult<()> {
    // Campaigns are among them, and are none of those whose figures are copied.
    figures::enqueue(tx, &counts.keys().map(|(scope, ..)| *scope).collect()).await?;
    counters::add(tx, &counts.iter().collect::<Vec<_>>()).await
}
