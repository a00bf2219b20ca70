//! Finds the key of a request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::networks::Networks;
use super::scopes::within;
use super::store::{self, KeyRow};
use crate::actor::{Actor, ActorKind};
use crate::clock::{Clock, Instant, Zone};
use crate::db::{Db, DbError, DbResult};
use crate::id;
use crate::users::Role;

/// A key that may be used, with what its business needs to know.
#[derive(Debug, Clone)]
pub struct Known {
    pub row: Arc<KeyRow>,
    pub zone: Zone,
    pub networks: Arc<Networks>,
}

impl Known {
    pub fn may(&self, scope: &str) -> bool {
        self.row.scopes.split(' ').any(|s| s == scope)
    }

    pub fn actor(&self, origin: String) -> Actor {
        Actor { kind: ActorKind::Key, id: Some(self.row.id), name: self.row.name.clone(), origin, call: None }
    }

    /// The campaign of leads that name none.
    pub fn campaign(&self) -> Option<i64> {
        self.row.campaign_id.or(self.row.default_campaign_id)
    }
}

/// Why a request's key was refused.
#[derive(Debug)]
pub enum KeyError {
    Missing,
    Unknown,
    Unavailable(DbError),
}

/// Seconds a node believes what it read of a key.
const BELIEVED: i64 = 1;
/// Entries in memory before the old ones are dropped.
const MOST: usize = 10_000;

#[derive(Clone)]
pub struct Keyring {
    db: Db,
    clock: Clock,
    read: Arc<Mutex<HashMap<String, (Instant, Known)>>>,
    used: Arc<Mutex<HashMap<i64, Instant>>>,
}

impl Keyring {
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, read: Arc::default(), used: Arc::default() }
    }

    /// The key of a request by its `Authorization`, in any of the three forms: Bearer, bare, or Basic with the key as user name.
    pub async fn of(&self, authorization: Option<&str>) -> Result<Known, KeyError> {
        let text = authorization.and_then(key_text).ok_or(KeyError::Missing)?;
        if !id::api_key_checksum_ok(&text) {
            return Err(KeyError::Unknown);
        }
        let now = self.clock.now();
        let hash = id::sha256_hex(&text);
        if let Some(known) = self.remembered(&hash, now) {
            return if is_over(&known.row, now) { Err(KeyError::Unknown) } else { Ok(self.note(known, now)) };
        }
        let mut conn = self.db.read().await.map_err(KeyError::Unavailable)?;
        let found = store::by_hash(&mut conn, &hash).await.map_err(KeyError::Unavailable)?;
        let row = found.and_then(bounded).ok_or(KeyError::Unknown)?;
        if is_over(&row, now) {
            return Err(KeyError::Unknown);
        }
        let zone = Zone::parse(&row.timezone).unwrap_or_default();
        let networks = Arc::new(Networks::of_stored(&row.networks));
        let known = Known { row: Arc::new(row), zone, networks };
        if let Ok(mut read) = self.read.lock() {
            if read.len() > MOST {
                read.retain(|_, (at, _)| at.plus_seconds(BELIEVED) > now);
            }
            read.insert(hash, (now, known.clone()));
        }
        Ok(self.note(known, now))
    }

    fn remembered(&self, hash: &str, now: Instant) -> Option<Known> {
        let read = self.read.lock().ok()?;
        read.get(hash).filter(|(at, _)| *at <= now && now < at.plus_seconds(BELIEVED)).map(|(_, known)| known.clone())
    }

    /// Drops what was read, so that this node sees a change at once instead of after a second.
    pub fn forget(&self) {
        if let Ok(mut read) = self.read.lock() {
            read.clear();
        }
    }

    fn note(&self, known: Known, now: Instant) -> Known {
        if let Ok(mut used) = self.used.lock() {
            used.insert(known.row.id, now);
        }
        known
    }

    /// Writes the last use of the keys that were used since; a job calls it now and then.
    pub async fn flush(&self) -> DbResult<()> {
        let used: Vec<(i64, Instant)> = match self.used.lock() {
            Ok(mut used) => used.drain().collect(),
            Err(_) => return Ok(()),
        };
        if used.is_empty() { Ok(()) } else { self.db.write(vec![], used, store::used).await }
    }
}

/// The key with the scopes that its holder's role allows today; none where the holder is no member any more.
fn bounded(mut row: KeyRow) -> Option<KeyRow> {
    if row.held_by.is_some() {
        row.scopes = within(&row.scopes, Role::parse(row.holder_role.as_deref()?)?);
    }
    Some(row)
}

fn is_over(row: &KeyRow, now: Instant) -> bool {
    row.revoked_at.is_some() || row.expires_at.is_some_and(|at| at <= now.micros())
}

fn key_text(authorization: &str) -> Option<String> {
    let value = authorization.trim();
    let (scheme, rest) = value.split_once(' ').unwrap_or(("", value));
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(BASE64_STANDARD.decode(rest.trim()).ok()?).ok()?;
        let user = decoded.split(':').next().unwrap_or_default();
        return Some(user.to_owned());
    }
    let bearer = scheme.is_empty() || scheme.eq_ignore_ascii_case("bearer");
    bearer.then(|| rest.trim().to_owned()).filter(|text| !text.is_empty())
}
