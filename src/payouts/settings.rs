//! The settings of a business's payouts: the people who have to agree, the mark of changed details, and for each
//! campaign the least amounts, the day of the month and the ways of paying.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::rhythm;
use super::store::{self, Approval, Paying};
use crate::actor::Actor;
use crate::amounts::Amounts;
use crate::audit::{self, NewEntry};
use crate::clock::Zone;
use crate::core::Core;
use crate::db::{Conn, DbResult, Key, Tx};
use crate::payout_details::Offered;

/// The days within which changed payout details are marked, unless the business chose others, and the most of them.
pub const USUAL_CHANGED_DAYS: i64 = 3;
pub const MOST_CHANGED_DAYS: i64 = 90;

/// The ways a business's campaigns pay, oldest campaign first.
pub async fn paying(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Paying>> {
    store::paying(conn, business_id).await
}

/// Payout details that changed within these days before a payout are marked in it: a changed account is the classic
/// fraud.
pub async fn changed_days(conn: &mut Conn, business_id: i64) -> DbResult<i64> {
    store::changed_days(conn, business_id).await
}

/// A campaign of the business, as it pays now.
async fn paying_of(conn: &mut Conn, business_id: i64, campaign_id: i64) -> DbResult<Option<Paying>> {
    Ok(store::paying(conn, business_id).await?.into_iter().find(|campaign| campaign.id == campaign_id))
}

/// The outcome of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Set {
    Changed,
    /// It was so before.
    Already,
    /// The campaign is not the business's.
    NotFound,
}

/// Sets who has to agree to a locked payout. It counts for those that are locked by now too.
pub async fn set_approval(core: &Core, actor: &Arc<Actor>, business_id: i64, approval: Approval) -> DbResult<Set> {
    core.write_once(vec![Key::Payouts(business_id)], actor, (business_id, approval), set_approval_in).await
}

async fn set_approval_in(tx: &mut Tx, &(business_id, approval): &(i64, Approval)) -> DbResult<Set> {
    let before = store::approval(tx, business_id).await?;
    if before == approval {
        return Ok(Set::Already);
    }
    store::set_approval(tx, business_id, approval).await?;
    let entry = NewEntry::by(tx, business_id, "payout.settings", ("business", business_id))?
        .before(json!({ "approval": before }))
        .after(json!({ "approval": approval }));
    audit::write(tx, &[entry]).await?;
    Ok(Set::Changed)
}

/// Sets the days within which changed payout details are marked; 0 marks none.
pub async fn set_changed_days(core: &Core, actor: &Arc<Actor>, business_id: i64, days: i64) -> DbResult<Set> {
    core.write_once(vec![Key::Payouts(business_id)], actor, (business_id, days), set_changed_days_in).await
}

async fn set_changed_days_in(tx: &mut Tx, &(business_id, days): &(i64, i64)) -> DbResult<Set> {
    let before = store::changed_days(tx, business_id).await?;
    if before == days {
        return Ok(Set::Already);
    }
    store::set_changed_days(tx, business_id, days).await?;
    let entry = NewEntry::by(tx, business_id, "payout.settings", ("business", business_id))?
        .before(json!({ "changed_details_days": before }))
        .after(json!({ "changed_details_days": days }));
    audit::write(tx, &[entry]).await?;
    Ok(Set::Changed)
}

/// Sets the ways of paying that a campaign offers: no payout of another way takes its commissions.
pub async fn set_offered(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    campaign_id: i64,
    offered: Offered,
) -> DbResult<Set> {
    let input = (business_id, campaign_id, offered);
    core.write_once(vec![Key::Payouts(business_id)], actor, input, set_offered_in).await
}

async fn set_offered_in(tx: &mut Tx, &(business_id, campaign_id, ref offered): &(i64, i64, Offered)) -> DbResult<Set> {
    let Some(known) = paying_of(tx, business_id, campaign_id).await? else { return Ok(Set::NotFound) };
    if known.offered == *offered {
        return Ok(Set::Already);
    }
    store::set_offered(tx, campaign_id, offered).await?;
    let entry = NewEntry::by(tx, business_id, "payout.settings", ("campaign", campaign_id))?
        .before(json!({ "methods": known.offered.methods().collect::<Vec<_>>() }))
        .after(json!({ "methods": offered.methods().collect::<Vec<_>>() }));
    audit::write(tx, &[entry]).await?;
    Ok(Set::Changed)
}

/// Sets the least amounts that a campaign pays out; what is below is carried over to the next payout.
pub async fn set_minimum(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    campaign_id: i64,
    minimum: Amounts,
) -> DbResult<Set> {
    let input = (business_id, campaign_id, minimum);
    core.write_once(vec![Key::Payouts(business_id)], actor, input, set_minimum_in).await
}

async fn set_minimum_in(tx: &mut Tx, &(business_id, campaign_id, ref minimum): &(i64, i64, Amounts)) -> DbResult<Set> {
    let Some(known) = paying_of(tx, business_id, campaign_id).await? else { return Ok(Set::NotFound) };
    let before = Amounts::from_json(&known.payout_minimum);
    if before == *minimum {
        return Ok(Set::Already);
    }
    store::set_minimum(tx, campaign_id, &minimum.to_json()).await?;
    let entry = NewEntry::by(tx, business_id, "payout.settings", ("campaign", campaign_id))?
        .before(json!({ "minimum": before.shown() }))
        .after(json!({ "minimum": minimum.shown() }));
    audit::write(tx, &[entry]).await?;
    Ok(Set::Changed)
}

/// Sets the day of each month on which a campaign's drafts are made by themselves; none without it. A day that has
/// passed counts from the next month on.
pub async fn set_day(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    campaign_id: i64,
    day: Option<i64>,
) -> DbResult<Set> {
    let input = (business_id, campaign_id, day);
    core.write_once(vec![Key::Payouts(business_id)], actor, input, set_day_in).await
}

async fn set_day_in(tx: &mut Tx, &(business_id, campaign_id, day): &(i64, i64, Option<i64>)) -> DbResult<Set> {
    let Some(known) = paying_of(tx, business_id, campaign_id).await? else { return Ok(Set::NotFound) };
    if known.payout_day == day {
        return Ok(Set::Already);
    }
    let business = crate::business::by_id(tx, business_id).await?;
    let zone = business.and_then(|b| Zone::parse(&b.timezone).ok()).unwrap_or_default();
    let today = zone.day_of(tx.now());
    let is_past = day.is_some_and(|day| day < rhythm::day_of_month(today));
    let done = is_past.then(|| rhythm::month_of(today));
    store::set_day(tx, campaign_id, day, done.as_deref()).await?;
    let entry = NewEntry::by(tx, business_id, "payout.settings", ("campaign", campaign_id))?
        .before(json!({ "day": known.payout_day }))
        .after(json!({ "day": day }));
    audit::write(tx, &[entry]).await?;
    Ok(Set::Changed)
}
