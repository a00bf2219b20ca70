//! What arrived and could not simply be applied, waiting for a person: each kind with what happened and
//! what can be done about it. A decision and the item's end are one event of the desk.

mod decide;
mod pages;
mod store;
mod words;

use crate::db::{Conn, DbResult};

pub use decide::{Claimant, accepting};
pub use pages::routes;
pub use store::{ItemRow, by_id};
pub use words::{Fix, fix_of, words_of};

/// Open items, counted to a hundred: beyond that the number says nothing more.
pub async fn open_count(conn: &mut Conn, business_id: i64) -> DbResult<i64> {
    store::open_count(conn, business_id).await
}
