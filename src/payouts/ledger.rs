//! The ledger that writes about payouts post to.

use crate::clock::Zone;
use crate::db::{DbError, DbResult, Tx};
use crate::engine::ids::BusinessId;
use crate::engine::payout::Ledger;
use crate::money::Currency;

/// A business's ledger in a currency, on its day of today.
pub async fn ledger(tx: &mut Tx, business_id: i64, currency: Currency) -> DbResult<Ledger> {
    let business = crate::business::by_id(tx, business_id).await?;
    let business = business.ok_or_else(|| DbError::Fault("the business of a payout is gone".into()))?;
    let day = Zone::parse(&business.timezone).unwrap_or_default().day_of(tx.now());
    Ok(Ledger { business_id: BusinessId(business_id), currency, day })
}
