//! Messages for the outside, written in the transaction of the change they report. Subscriptions do not exist
//! yet, so messages are deleted once they are a minute old; delivery will replace this module.

mod store;

use crate::core::Core;
use crate::db::DbResult;

/// Messages removed in one transaction.
const BATCH: i64 = 500;
const KEPT_SECONDS: i64 = 60;
/// Batches of one run, so that a run ends.
const BATCHES: usize = 200;

/// One run of the scheduled task; true when messages are left.
pub async fn run(core: &Core) -> DbResult<bool> {
    for _ in 0..BATCHES {
        let before = core.clock.now().plus_seconds(-KEPT_SECONDS);
        // Checked by reading, so that an idle program writes nothing.
        if !store::is_any(&mut core.db.read().await?, before, BATCH).await? {
            return Ok(false);
        }
        core.db.write(vec![], (before, BATCH), store::remove).await?;
        if core.stop.is_cancelled() {
            return Ok(true);
        }
    }
    Ok(true)
}
