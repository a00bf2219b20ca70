//! The inbound webhook: an address with a secret in it, one for each campaign, for programs that can call an
//! address and set no header. Made when it is first shown, replaced when it has leaked.

use std::sync::Arc;

use serde_json::json;

use super::store::{self, WebhookRow};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{Conn, DbResult, Key, Tx};
use crate::{campaigns, id};

/// No token is longer; longer texts are not looked up.
const LONGEST: usize = 100;

/// The campaign with this token.
pub async fn find(conn: &mut Conn, token: &str) -> DbResult<Option<WebhookRow>> {
    if token.is_empty() || token.len() > LONGEST {
        return Ok(None);
    }
    store::webhook_by_hash(conn, &id::sha256_hex(token)).await
}

/// The token of a campaign; made now if it has none. `None` when the campaign belongs to another business.
pub async fn token_of(core: &Core, actor: &Arc<Actor>, business_id: i64, campaign_id: i64) -> DbResult<Option<String>> {
    let known = store::webhook_token(&mut core.db.read().await?, business_id, campaign_id).await?;
    if known.is_some() {
        return Ok(known);
    }
    set(core, actor, business_id, campaign_id, false).await
}

/// A new token: the old address answers 404 from now on.
pub async fn replace(core: &Core, actor: &Arc<Actor>, business_id: i64, campaign_id: i64) -> DbResult<Option<String>> {
    set(core, actor, business_id, campaign_id, true).await
}

async fn set(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    campaign_id: i64,
    again: bool,
) -> DbResult<Option<String>> {
    let new = id::new_token(&mut rand::rng());
    core.write(vec![Key::Row(campaign_id)], actor, (business_id, campaign_id, again, new), set_in).await
}

async fn set_in(
    tx: &mut Tx,
    &(business_id, campaign_id, again, ref new): &(i64, i64, bool, String),
) -> DbResult<Option<String>> {
    if campaigns::find(tx, business_id, campaign_id).await?.is_none() {
        return Ok(None);
    }
    let old = store::webhook_token(tx, business_id, campaign_id).await?;
    if let Some(old) = old.as_ref().filter(|_| !again) {
        return Ok(Some(old.clone()));
    }
    store::set_webhook_token(tx, business_id, campaign_id, new).await?;
    let entry = NewEntry::by(tx, business_id, "key.webhook", ("campaign", campaign_id))?
        .after(json!({ "replaced": old.is_some() }));
    audit::write(tx, &[entry]).await?;
    Ok(Some(new.clone()))
}
