//! The source of ids: blocks of numbers taken from one row, so that an id is known before anything is decided
//! and rows of a slice can refer to each other.

use std::sync::{Arc, Mutex};

use super::{Db, DbError, DbResult, TURN, sql};

/// Hands out ids, unique over all tables and all nodes. Gaps are normal.
#[derive(Clone)]
pub struct Ids {
    db: Db,
    block: Arc<Mutex<(i64, i64)>>,
    refill: Arc<tokio::sync::Mutex<()>>,
}

const BLOCK: i64 = 1_000;

impl Ids {
    pub fn new(db: Db) -> Self {
        Self { db, block: Arc::default(), refill: Arc::default() }
    }

    /// Ids for a rehearsal: a run that was drawn for it, and then what the rehearsal draws itself.
    pub fn beginning_with(db: Db, run: std::ops::Range<i64>) -> Self {
        Self { block: Arc::new(Mutex::new((run.start, run.end))), ..Self::new(db) }
    }

    /// One id.
    pub async fn next(&self) -> DbResult<i64> {
        Ok(self.run(1).await?.start)
    }

    /// A run of `count` ids that follow each other.
    pub async fn run(&self, count: usize) -> DbResult<std::ops::Range<i64>> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        loop {
            if let Some(run) = self.take_from_block(count) {
                return Ok(run);
            }
            // While the first caller waits for a block, those behind it share that one wait.
            let one_refill = tokio::time::timeout(TURN, self.refill.lock()).await;
            let _one_refill = one_refill.map_err(|_| DbError::Unavailable("no ids could be drawn in time".into()))?;
            if let Some(run) = self.take_from_block(count) {
                return Ok(run);
            }
            let size = if count > BLOCK / 4 { count.max(10_000) } else { BLOCK };
            let start = take_block(&self.db, size).await?;
            if let Ok(mut block) = self.block.lock() {
                *block = (start, start + size);
            }
        }
    }

    fn take_from_block(&self, count: i64) -> Option<std::ops::Range<i64>> {
        let mut block = self.block.lock().ok()?;
        (block.0 + count <= block.1).then(|| {
            let start = block.0;
            block.0 += count;
            start..start + count
        })
    }
}

async fn take_block(db: &Db, size: i64) -> DbResult<i64> {
    db.write(vec![], move |tx| {
        Box::pin(async move {
            let next: i64 = sql("UPDATE id_blocks
                    SET next = next + $1
                  WHERE name = 'all'
                 RETURNING next")
            .bind(size)
            .scalar(tx)
            .await?;
            Ok(next - size)
        })
    })
    .await
}
