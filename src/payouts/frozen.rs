//! The settings that the files of a locked payout are made by. The lock keeps those of every kind of file that is set
//! up by then, so that a file is the same whenever it is downloaded. A kind that is set up later is kept at its first
//! download. Giving the payout back forgets them.

use super::files::{Format, suits};
use super::formats::{self, Version};
use super::store::{self, PayoutRow};
use crate::db::{Conn, DbResult, Tx};

/// Keeps the settings of every kind of file that can pay a payout, in the transaction that begins its lock.
pub(super) async fn freeze(tx: &mut Tx, payout: &PayoutRow) -> DbResult<()> {
    for format in Format::ALL.into_iter().filter(|format| suits(*format, payout.method, payout.currency)) {
        if let Some(settings_id) = formats::stored(tx, payout.business_id, format).await? {
            store::freeze(tx, payout.id, format, settings_id).await?;
        }
    }
    Ok(())
}

/// The settings that a file of the payout is made by: for a draft, and a kind that was set up after the lock, those
/// that count now.
pub(super) async fn version(conn: &mut Conn, payout: &PayoutRow, format: Format) -> DbResult<Option<Version>> {
    if payout.payer.is_some()
        && let Some(row) = store::frozen(conn, payout.id, format).await?
    {
        return Version::of(payout.business_id, row).map(Some);
    }
    formats::version(conn, payout.business_id, format).await
}

/// Keeps the settings of a format for a locked payout, unless some were kept; answers the version that its files are
/// made by.
pub(super) async fn keep(tx: &mut Tx, payout: &PayoutRow, format: Format) -> DbResult<Option<i64>> {
    if let Some(row) = store::frozen(tx, payout.id, format).await? {
        return Ok(Some(row.id));
    }
    let Some(settings_id) = formats::stored(tx, payout.business_id, format).await? else { return Ok(None) };
    store::freeze(tx, payout.id, format, settings_id).await?;
    Ok(Some(settings_id))
}

/// Forgets the settings of a payout that is given back.
pub(super) async fn thaw(tx: &mut Tx, payout: &PayoutRow) -> DbResult<()> {
    store::thaw(tx, payout.id).await?;
    store::drop_unused(tx, payout.business_id).await
}
