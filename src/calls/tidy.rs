//! Forgets old calls.

use super::{KEPT, store};
use crate::core::Core;
use crate::db::DbResult;

/// Days a call is stored.
pub const DAYS: i64 = 30;

/// Forgets calls that are older than [`DAYS`], and those of each key beyond the last [`KEPT`]: one run of a
/// scheduled task. True when there is more to do.
pub async fn tidy(core: &Core) -> DbResult<bool> {
    const BATCH: i64 = 1_000;
    let before = core.clock.now().plus_seconds(-DAYS * 86_400);
    let old = core.db.write(vec![], (before, BATCH), store::forget).await?;
    let mut more = old >= BATCH.unsigned_abs();
    let long = store::long_logs(&mut core.db.read().await?, KEPT).await?;
    for key_id in long {
        let cut = core.db.write(vec![], (key_id, KEPT, BATCH), store::cut_back).await?;
        more |= cut >= BATCH.unsigned_abs();
    }
    Ok(more)
}
