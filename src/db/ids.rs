//! The source of ids: blocks of numbers taken from one row, so that an id is known before
//! anything is decided and rows of a slice can refer to each other.

use std::ops::Range;
use std::sync::Mutex;

use futures::future::BoxFuture;

use super::connect::Db;
use super::error::{DbError, DbResult};
use super::sql::sql;
use super::tx::Tx;
use super::write::TURN;

/// Hands out ids, unique over all tables and all nodes. Gaps are normal.
#[derive(Clone)]
pub struct Ids {
    db: Db,
}

/// The block that a node hands ids out of.
#[derive(Default)]
pub struct Drawn {
    block: Mutex<Range<i64>>,
    refill: tokio::sync::Mutex<()>,
}

const BLOCK: i64 = 1_000;

impl Ids {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Ids for a rehearsal: a run that was drawn for it, and then what the rehearsal draws itself.
    pub fn beginning_with(db: Db, run: Range<i64>) -> Self {
        db.drawn().put(run);
        Self { db }
    }

    /// One id.
    pub async fn next(&self) -> DbResult<i64> {
        Ok(self.run(1).await?.start)
    }

    /// A run of `count` ids that follow each other.
    pub async fn run(&self, count: usize) -> DbResult<Range<i64>> {
        self.db.draw(count).await
    }
}

impl Drawn {
    fn put(&self, run: Range<i64>) {
        if let Ok(mut block) = self.block.lock() {
            *block = run;
        }
    }

    fn take(&self, count: i64) -> Option<Range<i64>> {
        let mut block = self.block.lock().ok()?;
        (block.start.saturating_add(count) <= block.end).then(|| {
            let start = block.start;
            block.start += count;
            start..start + count
        })
    }
}

impl Db {
    pub(super) async fn draw(&self, count: usize) -> DbResult<Range<i64>> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let drawn = self.drawn();
        loop {
            if let Some(run) = drawn.take(count) {
                return Ok(run);
            }
            // While the first waits, those behind it must not wait for each other as well.
            let one_refill = tokio::time::timeout(TURN, drawn.refill.lock()).await;
            let _one_refill = one_refill.map_err(|_| DbError::Unavailable("no ids could be drawn in time".into()))?;
            if let Some(run) = drawn.take(count) {
                return Ok(run);
            }
            let size = if count > BLOCK / 4 { count.max(10_000) } else { BLOCK };
            let start = refill(self, size).await?;
            drawn.put(start..start + size);
        }
    }
}

/// Boxed, since a write that asks for ids comes here.
fn refill(db: &Db, size: i64) -> BoxFuture<'_, DbResult<i64>> {
    Box::pin(db.write(vec![], size, take_block))
}

async fn take_block(tx: &mut Tx, size: &i64) -> DbResult<i64> {
    let next: i64 =
        sql("UPDATE id_blocks SET next = next + $1 WHERE name = 'all' RETURNING next").bind(*size).scalar(tx).await?;
    Ok(next - size)
}
