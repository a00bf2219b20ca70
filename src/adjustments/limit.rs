//! The amounts above which an adjustment waits for a second person.

use std::sync::Arc;

use serde_json::json;

use super::store;
use crate::actor::Actor;
use crate::amounts::Amounts;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{Conn, DbResult, Key, Tx};

/// The limits of a business by currency. A currency without one needs no second person.
pub async fn limits(conn: &mut Conn, business_id: i64) -> DbResult<Amounts> {
    store::limits(conn, business_id).await
}

/// Sets the limits; answers whether they are others now. What waits goes on waiting.
pub async fn set_limits(core: &Core, actor: &Arc<Actor>, business_id: i64, limits: Amounts) -> DbResult<bool> {
    core.write_once(vec![Key::Payouts(business_id)], actor, (business_id, limits), set_in).await
}

async fn set_in(tx: &mut Tx, &(business_id, ref limits): &(i64, Amounts)) -> DbResult<bool> {
    let before = store::limits(tx, business_id).await?;
    if before == *limits {
        return Ok(false);
    }
    store::set_limits(tx, business_id, limits).await?;
    let entry = NewEntry::by(tx, business_id, "payout.settings", ("business", business_id))?
        .before(json!({ "adjustment_limit": before.shown() }))
        .after(json!({ "adjustment_limit": limits.shown() }));
    audit::write(tx, &[entry]).await?;
    Ok(true)
}
