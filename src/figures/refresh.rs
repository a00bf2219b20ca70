//! Copies the counters of queued scopes to the columns that lists sort by.
//!
//! One copy at a time, on all nodes: of two, the one that added up first could write last, and what the other
//! had copied would be lost, and out of the queue.

use std::collections::BTreeSet;

use super::store::{self, Waiting};
use crate::core::Core;
use crate::db::{Conn, DbResult, Key, Tx};

/// Scopes copied in one transaction.
const STEP: i64 = 200;
/// Transactions of one run, so that it ends within its lease.
const STEPS: usize = 100;

/// True when any scope waits.
pub async fn is_due(conn: &mut Conn) -> DbResult<bool> {
    Ok(!store::waiting(conn, 1).await?.is_empty())
}

/// One run of the scheduled task; true when more scopes wait.
pub async fn run(core: &Core) -> DbResult<bool> {
    for _ in 0..STEPS {
        if core.stop.is_cancelled() {
            return Ok(true);
        }
        let mut conn = core.db.read().await?;
        let waiting = store::waiting(&mut conn, STEP).await?;
        let businesses = store::businesses(&mut conn, &scopes(&waiting)).await?;
        drop(conn);
        if waiting.is_empty() {
            return Ok(false);
        }
        for business_id in businesses {
            copy_all(core, business_id).await?;
        }
        core.db.write(vec![Key::Figures], (waiting,), copy_waiting).await?;
    }
    Ok(true)
}

/// Each scope once, however many writers queued it.
fn scopes(waiting: &[Waiting]) -> BTreeSet<i64> {
    waiting.iter().map(|w| w.scope_id).collect()
}

/// The stamps were read before the counters: a change in between has another stamp, and stays queued.
async fn copy_waiting(tx: &mut Tx, (waiting,): &(Vec<Waiting>,)) -> DbResult<()> {
    store::copy(tx, &scopes(waiting)).await?;
    store::dequeue(tx, waiting).await
}

/// Everything of a business, a step at a time: its currency may have changed.
async fn copy_all(core: &Core, business_id: i64) -> DbResult<()> {
    let mut behind = None;
    loop {
        let mut conn = core.db.read().await?;
        let some = store::enrollments(&mut conn, business_id, behind, STEP).await?;
        let Some(last) = some.last().copied() else { return Ok(()) };
        let ids: Vec<i64> = some.iter().map(|e| e.id).collect();
        let codes = store::codes(&mut conn, &ids).await?;
        drop(conn);
        let scopes: BTreeSet<i64> = ids.into_iter().chain(codes.into_iter().map(|(_, code)| code)).collect();
        core.db.write(vec![Key::Figures], (scopes,), copy_some).await?;
        behind = Some(last);
    }
}

async fn copy_some(tx: &mut Tx, (scopes,): &(BTreeSet<i64>,)) -> DbResult<()> {
    store::copy(tx, scopes).await
}
