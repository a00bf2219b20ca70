//! A new key for what is stored: first it counts, then every row is encrypted anew, then the old key goes. Each
//! step can be repeated, so a rotation that was interrupted goes on from where it was.

use std::sync::Arc;

use serde_json::json;

use super::store;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::business;
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::keyring::{Held, Lack};
use crate::secret_key::SecretKey;

/// Why no rotation begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Nothing was ever encrypted.
    Nothing,
    /// Another process is at it.
    Busy,
    /// Keys come from the settings, and no new one stands in front.
    NoNewKey(SecretKey),
    /// Rows are encrypted with a key that is not here: its id, and their number.
    Unreadable(Vec<(String, i64)>),
    Lack(Lack),
}

/// A rotation that has begun: its key counts.
pub struct Rotation {
    pub key: SecretKey,
    held: Held,
}

impl Rotation {
    /// Begins a rotation, or goes on with one that was interrupted. `lost` goes on although some rows are encrypted
    /// with a key that is gone.
    pub async fn begin(core: &Core, actor: &Arc<Actor>, lost: bool) -> DbResult<Result<Self, Refused>> {
        let mut conn = core.db.read().await?;
        let current = store::current(&mut conn).await?;
        let in_use = store::in_use(&mut conn).await?;
        drop(conn);
        let Some(current) = current else { return Ok(Err(Refused::Nothing)) };
        let mut held = match core.keyring.hold() {
            Ok(Some(held)) => held,
            Ok(None) => return Ok(Err(Refused::Busy)),
            Err(why) => return Ok(Err(Refused::Lack(why))),
        };
        let keys = match core.keyring.keys() {
            Ok(keys) => keys,
            Err(why) => return Ok(Err(Refused::Lack(why))),
        };
        let is_here = |id: &str| keys.iter().any(|key| key.id() == id);
        let unreadable: Vec<(String, i64)> = in_use.iter().filter(|(id, _)| !is_here(id)).cloned().collect();
        if !unreadable.is_empty() && !lost {
            return Ok(Err(Refused::Unreadable(unreadable)));
        }
        let is_unfinished = in_use.iter().any(|(id, _)| *id != current && is_here(id));
        let key = match new_key(core, &keys, &current, is_unfinished) {
            Next::Known(key) => key,
            Next::Missing => return Ok(Err(Refused::NoNewKey(SecretKey::draw()))),
            Next::Drawn(key) => match held.add(&key) {
                Ok(()) => key,
                Err(why) => return Ok(Err(Refused::Lack(why))),
            },
        };
        if key.id() != current {
            let terms = crate::db::Terms::of(vec![Key::Secrets]).by(actor);
            core.db.write_on(terms, (current, key.id().to_owned()), count_from_now).await?;
        }
        Ok(Ok(Self { key, held }))
    }

    /// Ends it: the keys that nothing needs any more go. True when the new key is the only one left.
    pub async fn end(self, core: &Core) -> DbResult<Result<bool, Lack>> {
        core.db.write(vec![Key::Secrets], (), store::forget_unused).await?;
        let in_use = store::in_use(&mut core.db.read().await?).await?;
        if in_use.iter().any(|(id, _)| id != self.key.id()) {
            return Ok(Ok(false));
        }
        Ok(self.held.keep_only(&self.key).map(|()| true))
    }
}

enum Next {
    Known(SecretKey),
    Drawn(SecretKey),
    Missing,
}

/// The key to rotate to: the one in front of the settings; in a file, the one that an interrupted rotation has
/// added, or a new one.
fn new_key(core: &Core, keys: &[SecretKey], current: &str, is_unfinished: bool) -> Next {
    let known = |id: &str| keys.iter().find(|key| key.id() == id).cloned();
    if core.keyring.is_given() {
        return match keys.first() {
            Some(first) if first.id() != current || is_unfinished => Next::Known(first.clone()),
            _ => Next::Missing,
        };
    }
    let added = keys.last().filter(|last| last.id() != current);
    match (is_unfinished, known(current), added) {
        (true, Some(key), _) => Next::Known(key),
        (_, _, Some(added)) => Next::Known(added.clone()),
        _ => Next::Drawn(SecretKey::draw()),
    }
}

async fn count_from_now(tx: &mut Tx, (old, new): &(String, String)) -> DbResult<()> {
    let now = tx.now();
    store::make_current(tx, new, now).await?;
    let mut entries = Vec::new();
    for business in business::all(tx).await? {
        let entry = NewEntry::by(tx, business.id, "business.key_rotated", ("business", business.id))?;
        entries.push(entry.before(json!({ "key": old })).after(json!({ "key": new })));
    }
    audit::write(tx, &entries).await
}
