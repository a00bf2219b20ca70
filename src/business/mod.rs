//! The tenant: what it is called, its zone, currency and country; making one with everything it needs.

mod change;
mod create;
pub mod pages;
mod settings;
mod store;

use crate::db::{Conn, DbResult};

pub use change::{change, set_default_campaign};
pub use create::{Created, create};
pub use settings::{NewBusiness, Owner, Settings};
pub use store::{BusinessRow, all, by_id, by_public_id, of_user};

/// True before set-up.
pub async fn none_yet(conn: &mut Conn) -> DbResult<bool> {
    Ok(store::count(conn).await? == 0)
}
