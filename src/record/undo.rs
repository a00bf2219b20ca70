//! Taking a referral back that was recorded a moment ago: the lead goes if it was new, else the claim.

use std::sync::Arc;

use super::{Receipt, store};
use crate::actor::Actor;
use crate::core::Core;
use crate::db::DbResult;
use crate::engine::{Archive, By, Event, Reattribute};

/// For this long a receipt can be undone.
pub const UNDONE_WITHIN_SECONDS: i64 = 600;

/// What became of an undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    Done,
    /// It was too long ago, or the lead has changed since.
    Over,
}

impl Receipt {
    /// True for a receipt of something that can be undone at this moment.
    pub fn can_undo(&self, now: i64) -> bool {
        let is_recent = now - self.at < UNDONE_WITHIN_SECONDS * 1_000_000;
        is_recent && (self.known_since.is_none() || self.counts)
    }
}

/// Undoes what a receipt says, in one transaction.
pub async fn undo(core: &Core, actor: &Arc<Actor>, business_id: i64, receipt: &Receipt) -> DbResult<Undone> {
    let now = core.clock.now().micros();
    let lead = store::lead_now(&mut core.db.read().await?, business_id, receipt.lead_id).await?;
    let referrer = receipt.counts.then_some(receipt.referrer_id);
    // Money, a qualification or another decision since: then staff decide.
    let fits = lead.is_some_and(|lead| lead.referrer_id == referrer && !lead.qualified && !lead.paid);
    if !receipt.can_undo(now) || !fits {
        return Ok(Undone::Over);
    }
    let (by, lead_id) = (By::new(business_id, actor), receipt.lead_id.into());
    let mut events = Vec::new();
    if receipt.counts {
        let reason = "undone by the person who recorded it".to_owned();
        let release = Reattribute { lead_id, to: None, code_id: None, reason, pay_back: false };
        events.push(Event::new(by.clone(), release));
    }
    if receipt.known_since.is_none() {
        events.push(Event::new(by, Archive { lead_id, archived: true }));
    }
    let done = core.engine.slice(events).await?;
    Ok(if done.iter().all(Result::is_ok) { Undone::Done } else { Undone::Over })
}
