//! The rhythm of a campaign: drafts of what is due, made by themselves each month on a day of the business's. Nobody
//! is paid by it: a draft waits for a person.

use std::sync::Arc;

use super::draft::create_in;
use super::store;
use super::wish::NewPayout;
use crate::actor::{Actor, ActorKind};
use crate::business;
use crate::clock::{Day, Zone};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::keyring::Keyring;
use crate::month::Month;

/// The last day that every month has.
pub const LAST_DAY: i64 = 28;

/// A campaign whose day has come.
struct Due {
    business_id: i64,
    campaign_id: i64,
    month: String,
    keyring: Keyring,
}

/// The number of a day in its month, from 1.
pub(super) fn day_of_month(day: Day) -> i64 {
    Month::of(day).first().days_until(day) + 1
}

pub(super) fn month_of(day: Day) -> String {
    day.to_string().chars().take(7).collect()
}

/// One run of the scheduled task. A day that passed while no server ran is made up for in its month.
pub async fn run(core: &Core) -> DbResult<bool> {
    let (name, origin) = ("monthly payouts".into(), "schedule".into());
    let actor = Arc::new(Actor { kind: ActorKind::Job, id: None, name, origin, call: None });
    let businesses = business::all(&mut core.db.read().await?).await?;
    for b in businesses {
        let today = Zone::parse(&b.timezone).unwrap_or_default().day_of(core.clock.now());
        let month = month_of(today);
        let due = store::due_campaigns(&mut core.db.read().await?, b.id, day_of_month(today), &month).await?;
        for campaign_id in due {
            let due = Due { business_id: b.id, campaign_id, month: month.clone(), keyring: core.keyring.clone() };
            core.write(vec![Key::Payouts(b.id)], &actor, due, make).await?;
            core.wake.ring();
        }
    }
    Ok(false)
}

/// A draft for each currency and offered way of paying in which something is due, and the month marked, in one transaction:
/// two nodes make them once.
async fn make(tx: &mut Tx, due: &Due) -> DbResult<()> {
    if !store::mark_month(tx, due.campaign_id, &due.month).await? {
        return Ok(());
    }
    let paying = store::paying(tx, due.business_id).await?;
    let offered = paying.into_iter().find(|campaign| campaign.id == due.campaign_id).map(|campaign| campaign.offered);
    let is_offered = |kind: &store::DueKind| offered.as_ref().is_none_or(|offered| offered.has(kind.method));
    for kind in store::due_kinds(tx, due.business_id, due.campaign_id).await?.into_iter().filter(is_offered) {
        let new = NewPayout {
            business_id: due.business_id,
            campaign_id: Some(due.campaign_id),
            currency: kind.currency,
            method: kind.method,
            format: None,
        };
        if let Err(why) = create_in(tx, &(new, due.keyring.clone())).await? {
            tracing::warn!(campaign = due.campaign_id, why = %why.sentence(), "no monthly draft");
        }
    }
    Ok(())
}
