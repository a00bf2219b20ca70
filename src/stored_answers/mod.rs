//! Stored answers of calls with an `Idempotency-Key`, and of forms, so that a repeated one gets the same answer. A row begins
//! with the first write of its call, in the same transaction (`db::once`), and has the answer once it was given.

mod in_flight;
mod store;

use crate::clock::Instant;
use crate::db::{Db, DbResult};

pub use in_flight::{Held, InFlight};
pub use store::{NewAnswer, SentForm, StoredAnswer, begin_form, find, forget, keep};

/// The time that answers are stored.
const STORED_SECONDS: i64 = 72 * 60 * 60;

/// Forgets answers that are older than anybody may ask for; answers whether there may be more.
pub async fn tidy(db: &Db, now: Instant) -> DbResult<bool> {
    db.write(vec![], now.plus_seconds(-STORED_SECONDS), store::tidy).await
}
