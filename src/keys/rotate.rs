//! A key is followed by another with the same name and rights, and ends when its programs have had the time
//! to change over.

use std::sync::Arc;

use serde_json::json;

use super::make::{in_words, is_beyond};
use super::ring::Keyring;
use super::store::{self, NewKey};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::clock::Instant;
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::id;

/// The time that the old key still works: the form's word, the label, seconds.
pub const OVERLAPS: [(&str, &str, i64); 4] = [
    ("day", "For 24 hours", 86_400),
    ("week", "For 7 days", 7 * 86_400),
    ("hour", "For 1 hour", 3_600),
    ("now", "Not at all: it may have been seen by somebody else", 0),
];

/// The outcome. The text is shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
    Key {
        id: i64,
        text: String,
    },
    /// It was revoked, has expired, or another key has taken over already.
    Over,
    /// The key may do more than the role of the person who rotates it.
    BeyondRole,
    NotFound,
}

/// Makes the key that takes over: name, mode, scopes, campaign, addresses and limit. Its expiry is its own.
pub async fn rotate(
    core: &Core,
    keyring: &Keyring,
    actor: &Arc<Actor>,
    business_id: i64,
    key_id: i64,
    overlap_seconds: i64,
    expires_at: Option<Instant>,
) -> DbResult<Rotated> {
    let outcome = core
        .write(vec![Key::Row(key_id)], actor, (business_id, key_id, overlap_seconds, expires_at), rotate_in)
        .await?;
    keyring.forget();
    Ok(outcome)
}

async fn rotate_in(
    tx: &mut Tx,
    &(business_id, key_id, overlap_seconds, expires_at): &(i64, i64, i64, Option<Instant>),
) -> DbResult<Rotated> {
    let id = tx.id()?;
    let now = tx.now();
    let Some(old) = store::find(tx, business_id, key_id).await? else { return Ok(Rotated::NotFound) };
    let expired = old.expires_at.is_some_and(|at| at <= now.micros());
    let text = id::new_api_key(!old.test, &mut rand::rng());
    let key = NewKey {
        campaign_id: old.campaign_id,
        scopes: old.scopes.clone(),
        networks: old.networks.clone(),
        per_minute: old.per_minute,
        expires_at,
        ..NewKey::full(id, business_id, &old.name, &text, tx.actor()?.user())
    };
    if expired || old.revoked_at.is_some() || old.replaced_by.is_some() {
        return Ok(Rotated::Over);
    }
    if is_beyond(tx, business_id, &old.scopes).await? {
        return Ok(Rotated::BeyondRole);
    }
    store::insert(tx, &key, now).await?;
    let ends = now.plus_seconds(overlap_seconds);
    if !store::replace(tx, key_id, key.id, ends).await? {
        return Err(crate::db::DbError::Lost("the key was changed meanwhile".into()));
    }
    let entry = NewEntry::by(tx, business_id, "key.rotated", ("key", key.id))?
        .before(json!({ "name": old.name, "shown": old.shown, "ends": ends.to_rfc3339_millis() }))
        .after(in_words(&key));
    audit::write(tx, &[entry]).await?;
    Ok(Rotated::Key { id: key.id, text })
}
