//! The second person's word about an adjustment, and the first one's change of mind.

use std::sync::Arc;

use serde_json::json;

use super::add::post;
use super::refused::Refused;
use super::store::{self, AdjustmentRow};
use super::wish::Decision;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::engine::payout::{AdjustmentEvent, Next};
use crate::engine::state::AdjustmentState;

/// Approves, refuses or withdraws an adjustment that waits. Saying the same twice changes nothing.
pub async fn decide(core: &Core, actor: &Arc<Actor>, decision: Decision) -> DbResult<Result<(), Refused>> {
    core.write_once(vec![Key::Payouts(decision.business_id)], actor, decision, decide_in).await
}

async fn decide_in(tx: &mut Tx, decision: &Decision) -> DbResult<Result<(), Refused>> {
    let Some(row) = store::find(tx, decision.business_id, decision.id).await? else {
        return Ok(Err(Refused::NotFound));
    };
    let is_maker = row.made_by_id == Some(decision.person);
    let state = match row.state.after(decision.event) {
        Next::Already => return Ok(Ok(())),
        Next::Never => return Ok(Err(Refused::State(row.state))),
        Next::To(state) => state,
    };
    let action = match decision.event {
        AdjustmentEvent::Withdraw if !is_maker => return Ok(Err(Refused::NotMaker)),
        AdjustmentEvent::Approve | AdjustmentEvent::Refuse if is_maker => return Ok(Err(Refused::SamePerson)),
        AdjustmentEvent::Withdraw => "adjustment.withdrawn",
        AdjustmentEvent::Approve => "adjustment.approved",
        AdjustmentEvent::Refuse => "adjustment.refused",
    };
    let version = tx.now().micros().max(row.updated_at + 1);
    store::decide(tx, decision, state, version).await?;
    let mut entry = NewEntry::by(tx, row.business_id, action, ("adjustment", row.id))?
        .after(json!({ "kind": row.kind, "amount": row.money().shown(), "campaign": row.campaign_id }))
        .of_referrer(row.referrer_id);
    entry.reason.clone_from(&decision.reason);
    audit::write(tx, &[entry]).await?;
    if state == AdjustmentState::Posted {
        post(tx, &AdjustmentRow { state, updated_at: version, ..row }).await?;
    }
    Ok(Ok(()))
}
