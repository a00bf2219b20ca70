//! Making an adjustment.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::refused::Refused;
use super::store::{self, AdjustmentRow};
use super::wish::NewAdjustment;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::counters;
use crate::db::{Conn, DbError, DbResult, Key, Tx};
use crate::engine::ids::{AdjustmentId, CampaignId, EnrollmentId, ReferrerId};
use crate::engine::payout::{self as engine, Item};
use crate::engine::state::AdjustmentState;
use crate::payouts;

/// Makes an adjustment and answers its id. It counts at once, unless it is above the limit of the business. Archived,
/// paused and banned referrers have adjustments too: the money of theirs may be wrong as well.
pub async fn add(core: &Core, actor: &Arc<Actor>, new: NewAdjustment) -> DbResult<Result<i64, Refused>> {
    core.write_once(vec![Key::Payouts(new.business_id)], actor, new, add_in).await
}

async fn add_in(tx: &mut Tx, new: &NewAdjustment) -> DbResult<Result<i64, Refused>> {
    if new.money.minor == 0 {
        return Ok(Err(Refused::Zero));
    }
    if !store::is_referrer(tx, new.business_id, new.referrer_id).await? {
        return Ok(Err(Refused::NoReferrer));
    }
    let enrollment = store::enrollment(tx, new.business_id, new.campaign_id, new.referrer_id).await?;
    let Some(enrollment_id) = enrollment else { return Ok(Err(Refused::NotEnrolled)) };
    let known = currencies(tx, new.campaign_id).await?;
    if !known.contains(new.money.currency.code()) {
        return Ok(Err(Refused::Currency(known.into_iter().collect())));
    }
    let limit = store::limits(tx, new.business_id).await?.get(new.money.currency);
    let waits = limit.is_some_and(|limit| new.money.minor.unsigned_abs() > limit.minor.unsigned_abs());
    let (state, action) = match waits {
        true => (AdjustmentState::Pending, "adjustment.asked"),
        false => (AdjustmentState::Posted, "adjustment.added"),
    };
    let id = tx.id()?;
    store::insert(tx, id, enrollment_id, state, new).await?;
    let entry = NewEntry::by(tx, new.business_id, action, ("adjustment", id))?
        .after(json!({ "kind": new.kind(), "amount": new.money.shown(), "campaign": new.campaign_id }))
        .reason(new.reason.as_str())
        .of_referrer(new.referrer_id);
    audit::write(tx, &[entry]).await?;
    if state == AdjustmentState::Posted {
        let row = store::find(tx, new.business_id, id).await?;
        post(tx, &row.ok_or_else(|| DbError::Fault("a new adjustment is gone".into()))?).await?;
    }
    Ok(Ok(id))
}

/// The currencies in which a campaign has anything: the business's own, those of its terms, rewards and least amounts,
/// and those in which money came or was earned. A slip of the currency would be paid in it.
async fn currencies(conn: &mut Conn, campaign_id: i64) -> DbResult<BTreeSet<String>> {
    let mut known = store::set_currencies(conn, campaign_id).await?;
    for (_, name) in counters::totals(conn, &[campaign_id]).await?.into_keys() {
        let currency = match name.split('.').collect::<Vec<_>>()[..] {
            ["money", _, currency] | ["revenue", currency] => currency,
            _ => continue,
        };
        known.insert(currency.to_owned());
    }
    Ok(known)
}

/// Writes an adjustment that counts on the ledger.
pub(super) async fn post(tx: &mut Tx, row: &AdjustmentRow) -> DbResult<()> {
    let about = payouts::ledger(tx, row.business_id, row.currency).await?;
    let item = Item {
        commission_id: None,
        adjustment_id: Some(AdjustmentId(row.id)),
        referrer_id: ReferrerId(row.referrer_id),
        campaign_id: CampaignId(row.campaign_id),
        enrollment_id: EnrollmentId(row.enrollment_id),
        amount: row.amount,
        version: row.updated_at,
    };
    engine::adjust(tx, about, &[item]).await
}
