//! Stored answers of calls with an `Idempotency-Key`, so that a repeated call gets the same answer.

mod store;

use crate::core::Core;
use crate::db::DbResult;

pub use store::{KeptRow, NewAnswer, begin, forget, keep};

/// How long answers are stored.
const KEPT_SECONDS: i64 = 72 * 60 * 60;

/// Forgets answers that are older than anybody may ask for; answers whether there may be more.
pub async fn tidy(core: &Core) -> DbResult<bool> {
    let before = core.clock.now().plus_seconds(-KEPT_SECONDS);
    core.db.write(vec![], before, store::tidy).await
}
