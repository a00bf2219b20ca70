//! A referrer whose contact becomes that of their own lead referred nobody by that lead.

use std::sync::Arc;

use super::store;
use crate::actor::Actor;
use crate::core::Core;
use crate::db::DbResult;
use crate::engine::{By, Event, FindSelfReferral};

/// Ends the attribution of the referrer's leads that have a contact of the referrer's. A node that dies before
/// this leaves them to the next event of the lead, or to the approval of what the lead earned: both look again.
pub(super) async fn end(core: &Core, actor: &Arc<Actor>, business_id: i64, referrer_id: i64) -> DbResult<()> {
    let leads = store::leads_with_own_contact(&mut core.db.read().await?, referrer_id).await?;
    let event = |lead_id| Event::new(By::new(business_id, actor), FindSelfReferral { lead_id });
    core.engine.slice(leads.into_iter().map(event).collect()).await?;
    Ok(())
}
