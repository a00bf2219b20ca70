//! The tenant: what it is called, its zone, currency and country; making one with everything it needs.

mod change;
mod create;
mod pages;
mod store;

use crate::db::{Conn, DbResult};

pub use change::{Settings, change, set_default_campaign};
pub use create::{Created, NewBusiness, Owner, create};
pub use pages::routes;

/// Whether this desk has not been set up.
pub async fn none_yet(conn: &mut Conn) -> DbResult<bool> {
    Ok(store::count(conn).await? == 0)
}

/// The businesses a user is in: (id, name).
pub async fn of_user(conn: &mut Conn, user_id: i64) -> DbResult<Vec<(i64, String)>> {
    store::of_user(conn, user_id).await
}

pub use store::{BusinessRow, all, by_id, by_public_id};
