//! Approves the commissions whose hold is over by their business's local date. The rule itself is the
//! engine's; this finds due commissions and sends them to it in slices. Disputed and banned ones stay pending
//! until staff decide.

mod store;

use std::sync::Arc;

use serde::Serialize;

use crate::actor::{Actor, ActorKind};
use crate::business;
use crate::clock::Zone;
use crate::core::Core;
use crate::db::DbResult;
use crate::engine::{Approve, By, Change, Event};

/// Due commissions looked at in one step.
const STEP: usize = 500;
/// Approvals that are sent to the engine at a time: on SQLite one transaction, which holds the writer for less than
/// 100 ms.
const TOGETHER: usize = 250;
/// Steps of one scheduled run, so that a run ends within its lease.
const STEPS: usize = 20;

/// The result of a sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Pending commissions whose hold is over.
    pub due: i64,
    pub approved: i64,
    /// Left pending: disputed, or of a banned referrer.
    pub held_back: i64,
}

/// One run of the scheduled task; true when it stopped before the end.
pub async fn run(core: &Core) -> DbResult<bool> {
    let (swept, more) = sweep(core, Some(STEPS)).await?;
    if swept.approved > 0 {
        tracing::info!(approved = swept.approved, held_back = swept.held_back, "holds are over");
    }
    Ok(more)
}

/// Sweeps every business to the end.
pub async fn all(core: &Core) -> DbResult<Swept> {
    Ok(sweep(core, None).await?.0)
}

async fn sweep(core: &Core, steps: Option<usize>) -> DbResult<(Swept, bool)> {
    let mut swept = Swept::default();
    let mut left = steps;
    let businesses = business::all(&mut core.db.read().await?).await?;
    for b in businesses {
        let zone = Zone::parse(&b.timezone).unwrap_or_default();
        let mut position: store::Position = (String::new(), 0);
        loop {
            if left == Some(0) || core.stop.is_cancelled() {
                return Ok((swept, true));
            }
            let today = zone.day_of(core.clock.now()).to_string();
            let due = store::due(&mut core.db.read().await?, b.id, &today, &position, STEP).await?;
            let Some(last) = due.last() else { break };
            position = (last.hold_until.clone(), last.id);
            let whole = due.len() == STEP;
            // Reading costs next to nothing: commissions held back do not count towards the steps.
            if step(core, b.id, due, &mut swept).await? {
                left = left.map(|n| n - 1);
            }
            if !whole {
                break;
            }
        }
    }
    Ok((swept, false))
}

/// Answers whether there was anything to approve.
async fn step(core: &Core, business_id: i64, due: Vec<store::Due>, swept: &mut Swept) -> DbResult<bool> {
    let actor =
        Arc::new(Actor { kind: ActorKind::Job, id: None, name: "sweep".into(), origin: "schedule".into(), call: None });
    let by = By::new(business_id, &actor);
    let found = i64::try_from(due.len()).unwrap_or_default();
    let events: Vec<Event> = due
        .into_iter()
        .filter(|c| !c.held_back)
        .map(|c| Event::new(by.clone(), Approve { commission_id: c.id.into(), reason: None }))
        .collect();
    let any = !events.is_empty();
    let mut approved = 0;
    for slice in events.chunks(TOGETHER) {
        let outcomes = core.engine.slice(slice.to_vec()).await?;
        approved += outcomes.iter().flatten().filter(|o| o.changed()).count();
    }
    let approved = i64::try_from(approved).unwrap_or_default();
    swept.due += found;
    swept.approved += approved;
    swept.held_back += found - approved;
    Ok(any)
}
