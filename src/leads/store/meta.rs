//! The fields that programs store with a lead.

use crate::clock::Instant;
use crate::db::{DbResult, Tx, sql};
use crate::meta::{self, Meta};

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetaSet {
    Same,
    /// The list as it was and as it is.
    Changed(String, String),
    TooMuch,
}

/// Writes the changes in the transaction of the verb that holds the lead.
pub async fn set(tx: &mut Tx, lead_id: i64, changes: &[Meta], now: Instant) -> DbResult<MetaSet> {
    let stored: String = sql("SELECT meta
                                FROM leads
                               WHERE id = $1")
    .bind(lead_id)
    .scalar(tx)
    .await?;
    let Some(new) = meta::merged(&stored, changes) else { return Ok(MetaSet::TooMuch) };
    if new == stored {
        return Ok(MetaSet::Same);
    }
    sql("UPDATE leads
            SET meta = $2, updated_at = $3
          WHERE id = $1")
    .bind(lead_id)
    .bind(&new)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(MetaSet::Changed(stored, new))
}
