//! Changing what a business is called and what new things in it begin with.

use std::sync::Arc;

use serde_json::json;

use super::settings::Settings;
use super::store;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::campaigns;
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::figures;

/// Sets name, zone, currency, country and address; answers whether anything was different.
pub async fn change(core: &Core, actor: &Arc<Actor>, business_id: i64, new: Settings) -> DbResult<bool> {
    core.write(vec![Key::Row(business_id)], actor, (business_id, new), change_in).await
}

async fn change_in(tx: &mut Tx, &(business_id, ref new): &(i64, Settings)) -> DbResult<bool> {
    let old = store::by_id(tx, business_id).await?.as_ref().and_then(Settings::of);
    if old.as_ref() == Some(new) {
        return Ok(false);
    }
    store::update(tx, business_id, new).await?;
    if old.as_ref().is_none_or(|old| old.currency != new.currency) {
        figures::enqueue(tx, &[business_id].into()).await?;
    }
    let mut entry = NewEntry::by(tx, business_id, "business.changed", ("business", business_id))?.after(new.json());
    if let Some(old) = old {
        entry = entry.before(old.json());
    }
    audit::write(tx, &[entry]).await?;
    Ok(true)
}

/// Makes a campaign the one for leads that name none. Answers whether it was another one before; `None` when
/// the campaign is not the business's.
pub async fn set_default_campaign(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    campaign_id: i64,
) -> DbResult<Option<bool>> {
    core.write(vec![Key::Row(business_id)], actor, (business_id, campaign_id), set_default_campaign_in).await
}

async fn set_default_campaign_in(tx: &mut Tx, &(business_id, campaign_id): &(i64, i64)) -> DbResult<Option<bool>> {
    let Some(campaign) = campaigns::find(tx, business_id, campaign_id).await? else { return Ok(None) };
    let old = store::by_id(tx, business_id).await?.and_then(|b| b.default_campaign_id);
    if old == Some(campaign_id) {
        return Ok(Some(false));
    }
    let before = match old {
        Some(id) => campaigns::find(tx, business_id, id).await?.map(|c| c.name),
        None => None,
    };
    store::set_default_campaign(tx, business_id, campaign_id).await?;
    let subject = ("campaign", campaign_id);
    let entry = NewEntry::by(tx, business_id, "campaign.default", subject)?
        .before(json!({ "default_campaign": before }))
        .after(json!({ "default_campaign": campaign.name }));
    audit::write(tx, &[entry]).await?;
    Ok(Some(true))
}
