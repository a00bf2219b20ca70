//! Stored answers of calls with an `Idempotency-Key`, so that a repeated call gets the same answer. A row begins
//! with the first write of its call, in the same transaction (`db::once`), and has the answer once it was given.

mod in_flight;
mod store;

use crate::core::Core;
use crate::db::DbResult;

pub use in_flight::{Held, InFlight};
pub use store::{NewAnswer, StoredAnswer, find, forget, keep};

/// The time that answers are stored.
const STORED_SECONDS: i64 = 72 * 60 * 60;

/// Forgets answers that are older than anybody may ask for; answers whether there may be more.
pub async fn tidy(core: &Core) -> DbResult<bool> {
    let before = core.clock.now().plus_seconds(-STORED_SECONDS);
    core.db.write(vec![], before, store::tidy).await
}
