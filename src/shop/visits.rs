//! Noting that a shop's page was opened with the script.

use super::Watch;
use super::store::{self, Visit};
use crate::core::Core;
use crate::db::{Conn, DbResult, Key, Tx};
use crate::keys;

/// The origins that are remembered of a campaign: those seen first make room for others.
pub const MOST: i64 = 20;
const MINUTE: i64 = 60;

/// The origins that were seen, the last first.
pub async fn of_campaign(conn: &mut Conn, campaign_id: i64) -> DbResult<Vec<Visit>> {
    store::visits(conn, campaign_id, MOST).await
}

/// Notes that a page of this origin runs the script, once a minute; true when it is noted. `may` is asked before
/// anything is written, and only for a true watch.
pub async fn note(
    core: &Core,
    campaign_id: i64,
    watch: &str,
    origin: &str,
    may: impl FnOnce() -> bool,
) -> DbResult<bool> {
    let Ok(origin) = keys::publishable::origin(origin) else { return Ok(false) };
    let now = core.clock.now();
    let mut conn = core.db.read().await?;
    let business = store::business(&mut conn, campaign_id).await?;
    if !business.is_some_and(|business| Watch::is_one(watch, now, &business, campaign_id)) {
        return Ok(false);
    }
    let last = store::last(&mut conn, campaign_id, &origin).await?;
    drop(conn);
    if last.is_some_and(|last| now.seconds() - last.seconds() < MINUTE) {
        return Ok(true);
    }
    if !may() {
        return Ok(false);
    }
    core.db.write(vec![Key::Row(campaign_id)], (campaign_id, origin), note_in).await?;
    Ok(true)
}

async fn note_in(tx: &mut Tx, &(campaign_id, ref origin): &(i64, String)) -> DbResult<()> {
    let now = tx.now();
    store::note(tx, campaign_id, origin, now).await?;
    store::forget(tx, campaign_id, MOST).await
}
