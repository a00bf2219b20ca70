//! Removes the rows that files leave behind.

use super::store;
use crate::core::Core;
use crate::db::DbResult;

/// Removes the rows of files that were discarded or never read to their end: one run of a scheduled task.
/// True when there is more.
pub async fn tidy(core: &Core) -> DbResult<bool> {
    const BATCH: i64 = 500;
    let before = core.clock.now().plus_days(-1);
    for _ in 0..100 {
        if core.db.write(vec![], (before, BATCH), store::tidy).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
