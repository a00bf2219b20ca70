//! Adjustments: what staff give or take beside what a referrer earned, each with its reason. [`add`] makes one; above
//! the business's limit it waits for [`decide`], the word of a second person. Only a posted one is on the ledger, from
//! where the next payout takes it. What the engine takes back of a paid commission is an adjustment too, and stands in
//! the same list.

mod add;
mod decide;
mod limit;
pub mod pages;
mod refused;
mod store;
mod wish;

use crate::db::{Conn, DbResult};
use crate::money::Money;

pub use add::add;
pub use decide::decide;
pub use limit::{limits, set_limits};
pub use refused::Refused;
pub use store::{AdjustmentRow, Filter, campaigns_of, listing, pending_of, waiting};
pub use wish::{Decision, NewAdjustment};

/// An adjustment of the business.
pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<AdjustmentRow>> {
    store::find(conn, business_id, id).await
}

impl AdjustmentRow {
    pub fn money(&self) -> Money {
        Money { minor: self.amount, currency: self.currency }
    }
}
