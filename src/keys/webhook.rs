//! The inbound webhook: an address with a secret in it, one for each campaign, for programs that can call an
//! address and set no header. It is shown once, when it is made, and stored as a hash.

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

/// The last characters of each campaign's token, by campaign.
pub async fn shown(conn: &mut Conn, business_id: i64) -> DbResult<Vec<(i64, String)>> {
    store::webhook_tokens(conn, business_id).await
}

/// A new token, which is shown once: an old address answers 404 from now on. `None` when the campaign belongs to
/// another business.
pub async fn set(core: &Core, actor: &Arc<Actor>, business_id: i64, campaign_id: i64) -> DbResult<Option<String>> {
    let new = id::new_token(&mut rand::rng());
    let input = (business_id, campaign_id, new.clone());
    let set = core.write(vec![Key::Row(campaign_id)], actor, input, set_in).await?;
    Ok(set.then_some(new))
}

async fn set_in(tx: &mut Tx, &(business_id, campaign_id, ref new): &(i64, i64, String)) -> DbResult<bool> {
    if campaigns::find(tx, business_id, campaign_id).await?.is_none() {
        return Ok(false);
    }
    let replaced = store::set_webhook_token(tx, business_id, campaign_id, new).await?;
    let entry =
        NewEntry::by(tx, business_id, "key.webhook", ("campaign", campaign_id))?.after(json!({ "replaced": replaced }));
    audit::write(tx, &[entry]).await?;
    Ok(true)
}
