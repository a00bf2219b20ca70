//! Messages for the outside, written with what they tell of. Nobody can subscribe to them yet, so they
//! are let go once they are a minute old; handing them to endpoints will take this place.

mod store;

use crate::core::Core;
use crate::db::DbResult;

/// Messages removed in one transaction.
const BATCH: i64 = 500;
const KEPT_SECONDS: i64 = 60;
/// Batches of one turn, so that a turn ends.
const BATCHES: usize = 200;

/// One turn of the scheduled task; true when messages are left.
pub async fn turn(core: &Core) -> DbResult<bool> {
    for _ in 0..BATCHES {
        let before = core.clock.now().plus_seconds(-KEPT_SECONDS);
        // Asked by reading, so that an idle desk writes nothing.
        if !store::is_any(&mut core.db.read().await?, before, BATCH).await? {
            return Ok(false);
        }
        core.db.write(vec![], move |tx| Box::pin(store::remove(tx, before, BATCH))).await?;
        if core.stop.is_cancelled() {
            return Ok(true);
        }
    }
    Ok(true)
}
