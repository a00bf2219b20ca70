//! Making and revoking keys.

use std::sync::Arc;

use serde_json::json;

use super::networks::Networks;
use super::ring::Keyring;
use super::scopes::within;
use super::store::{self, NewKey};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::clock::{Day, Instant, Zone};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::{campaigns, id};

/// A key to make.
#[derive(Debug, Clone)]
pub struct MakeKey {
    pub business_id: i64,
    pub name: String,
    pub test: bool,
    /// Words of [`super::SCOPES`], with a space between them.
    pub scopes: String,
    /// The campaign of leads that name none; `None` for the business's default.
    pub campaign_id: Option<i64>,
    /// The addresses from which it may be used.
    pub networks: Networks,
    /// Calls a minute; none for as many as it likes.
    pub per_minute: Option<i64>,
    pub expires_at: Option<Instant>,
}

/// The result. The text is shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    Key {
        id: i64,
        text: String,
    },
    /// The campaign belongs to another business.
    NoSuchCampaign,
    /// The maker's role does not allow one of the scopes.
    BeyondRole,
}

/// When a key ends that works through a day, in the business's zone; `None` when that day has passed.
pub fn through(day: Day, zone: Zone, now: Instant) -> Option<Instant> {
    (day >= zone.day_of(now)).then(|| zone.start_of(day.plus_days(1)))
}

/// The outcome of revoking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    Yes,
    Already,
    NotFound,
}

pub async fn make(core: &Core, actor: &Arc<Actor>, new: MakeKey) -> DbResult<Made> {
    let text = id::new_api_key(!new.test, &mut rand::rng());
    core.write(vec![Key::Row(new.business_id)], actor, (new, text), make_in).await
}

async fn make_in(tx: &mut Tx, (new, text): &(MakeKey, String)) -> DbResult<Made> {
    let id = tx.id()?;
    let now = tx.now();
    if let Some(campaign) = new.campaign_id
        && campaigns::find(tx, new.business_id, campaign).await?.is_none()
    {
        return Ok(Made::NoSuchCampaign);
    }
    if is_beyond(tx, new.business_id, &new.scopes).await? {
        return Ok(Made::BeyondRole);
    }
    let full = NewKey::full(id, new.business_id, &new.name, text, tx.actor()?.user());
    let key = NewKey {
        campaign_id: new.campaign_id,
        scopes: new.scopes.clone(),
        networks: new.networks.to_text(),
        per_minute: new.per_minute,
        expires_at: new.expires_at,
        ..full
    };
    store::insert(tx, &key, now).await?;
    let entry = NewEntry::by(tx, new.business_id, "key.made", ("key", id))?.after(in_words(&key));
    audit::write(tx, &[entry]).await?;
    Ok(Made::Key { id, text: text.clone() })
}

/// True when a person of staff makes a key with these scopes and their role does not allow all of them.
pub(super) async fn is_beyond(tx: &mut Tx, business_id: i64, scopes: &str) -> DbResult<bool> {
    let Some(user_id) = tx.actor()?.user() else { return Ok(false) };
    let role = store::role_of(tx, business_id, user_id).await?;
    Ok(role.is_none_or(|role| within(scopes, role) != scopes))
}

/// A new key in its audit entry.
pub(super) fn in_words(key: &NewKey) -> serde_json::Value {
    json!({
        "name": key.name,
        "shown": key.shown,
        "test": key.test,
        "scopes": key.scopes,
        "from": key.networks,
        "calls a minute": key.per_minute,
        "expires": key.expires_at.map(Instant::to_rfc3339_millis),
    })
}

/// Ends a key. Every node refuses it within the second that it believes what it read.
pub async fn revoke(
    core: &Core,
    keyring: &Keyring,
    actor: &Arc<Actor>,
    business_id: i64,
    key_id: i64,
) -> DbResult<Revoked> {
    let outcome = core.write(vec![Key::Row(key_id)], actor, (business_id, key_id), revoke_in).await?;
    keyring.forget();
    Ok(outcome)
}

async fn revoke_in(tx: &mut Tx, &(business_id, key_id): &(i64, i64)) -> DbResult<Revoked> {
    let now = tx.now();
    let Some(key) = store::find(tx, business_id, key_id).await? else { return Ok(Revoked::NotFound) };
    if !store::revoke(tx, key_id, now).await? {
        return Ok(Revoked::Already);
    }
    let entry = NewEntry::by(tx, business_id, "key.revoked", ("key", key_id))?
        .before(json!({ "name": key.name, "shown": key.shown }));
    audit::write(tx, &[entry]).await?;
    Ok(Revoked::Yes)
}
