//! Noting that referrers were told, and hiding the list.

use std::sync::Arc;

use super::store;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};

/// Notes that referrers were told their links and codes; answers false when that was noted before.
pub async fn told(core: &Core, actor: &Arc<Actor>, business_id: i64) -> DbResult<bool> {
    // Each copied text says it again, and none of them needs the writer.
    let known = store::steps(&mut core.db.read().await?, business_id).await?;
    if known.is_some_and(|row| row.told_at.is_some()) {
        return Ok(false);
    }
    core.write(vec![Key::Row(business_id)], actor, business_id, told_in).await
}

async fn told_in(tx: &mut Tx, &business_id: &i64) -> DbResult<bool> {
    let now = tx.now();
    if store::set_told(tx, business_id, now).await? == 0 {
        return Ok(false);
    }
    let entry = NewEntry::by(tx, business_id, "referrers.told", ("business", business_id))?;
    audit::write(tx, &[entry]).await?;
    Ok(true)
}

/// Hides the list on Home, or shows it again. It is a matter of taste and leaves no entry in the audit.
pub async fn hide(core: &Core, actor: &Arc<Actor>, business_id: i64, hidden: bool) -> DbResult<()> {
    core.write(vec![Key::Row(business_id)], actor, (business_id, hidden), hide_in).await
}

async fn hide_in(tx: &mut Tx, &(business_id, hidden): &(i64, bool)) -> DbResult<()> {
    let at = hidden.then(|| tx.now());
    store::set_hidden(tx, business_id, at).await
}
