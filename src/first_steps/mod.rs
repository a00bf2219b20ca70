//! The first steps of a business, until its first referral counts. Each is done when the database shows it; only that
//! the referrers were told leaves nothing else behind, so it is noted here.

mod change;
pub mod pages;
mod store;

pub use change::{hide, told};

use crate::db::{Conn, DbResult};

/// The steps, and which are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    pub referrers: bool,
    pub codes: bool,
    pub told: bool,
    pub recorded: bool,
    pub live: bool,
    /// True once somebody hid the list.
    pub hidden: bool,
}

impl Steps {
    pub fn all(self) -> [bool; 5] {
        [self.referrers, self.codes, self.told, self.recorded, self.live]
    }
}

/// The steps of a business; none when a referral has counted.
pub async fn of(conn: &mut Conn, business_id: i64) -> DbResult<Option<Steps>> {
    if store::counted(conn, business_id).await? > 0 {
        return Ok(None);
    }
    let row = store::steps(conn, business_id).await?;
    Ok(row.map(|row| Steps {
        referrers: row.referrers > 0,
        codes: row.codes > 0,
        told: row.told_at.is_some(),
        recorded: row.recorded > 0,
        live: row.live > 0,
        hidden: row.hidden_at.is_some(),
    }))
}
