//! Storing the details of many referrers in one transaction, as an upload brings them.

use std::collections::BTreeMap;

use super::Details;
use super::open::{opened, sealed};
use super::set::shown;
use super::store::{self, NewVersion, SealedRow};
use crate::audit::{self, NewEntry};
use crate::db::{Conn, DbError, DbResult, Key, Tx};
use crate::secret_key::SecretKey;
use crate::secrets;

/// Ids that one referrer's details may need: the version, and the audit entry.
pub const IDS_EACH: usize = 2;

/// The keys with which an upload stores details: the one that counts, and all that open what is there.
#[derive(Debug, Clone)]
pub struct Keys {
    pub seal: SecretKey,
    pub open: Vec<SecretKey>,
}

/// The lock of such a write, beside those of its referrers.
pub const LOCK: Key = Key::Secrets;

/// The referrers whose details would be others, by their ids.
pub async fn differing(
    conn: &mut Conn,
    keys: &[SecretKey],
    business_id: i64,
    new: &[(i64, &Details)],
) -> DbResult<Vec<i64>> {
    Ok(compared(conn, keys, business_id, new).await?.into_iter().map(|(id, ..)| id).collect())
}

/// The details that change, beside those that count now.
async fn compared<'d>(
    conn: &mut Conn,
    keys: &[SecretKey],
    business_id: i64,
    new: &[(i64, &'d Details)],
) -> DbResult<Vec<(i64, &'d Details, Option<SealedRow>)>> {
    let ids: Vec<i64> = new.iter().map(|(id, _)| *id).collect();
    let found = store::current(conn, business_id, &ids).await?;
    let mut current: BTreeMap<i64, SealedRow> = found.into_iter().map(|row| (row.referrer_id, row)).collect();
    let pairs = new.iter().map(|(id, details)| (*id, *details, current.remove(id)));
    let differs = |(_, details, old): &(i64, &Details, Option<SealedRow>)| {
        old.as_ref().and_then(|row| opened(keys, row).ok()).as_ref() != Some(*details)
    };
    Ok(pairs.filter(differs).collect())
}

/// Stores the details of some referrers of a business, no referrer twice; answers those that changed. The
/// transaction holds [`LOCK`].
pub async fn set_many(tx: &mut Tx, keys: &Keys, business_id: i64, new: &[(i64, &Details)]) -> DbResult<Vec<i64>> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    if !secrets::is_current(tx, keys.seal.id()).await? {
        return Err(DbError::Lost("another key counts for payout details".into()));
    }
    let (mut versions, mut entries, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for (referrer_id, details, old) in compared(tx, &keys.open, business_id, new).await? {
        let sealed = sealed(&keys.seal, business_id, referrer_id, details);
        let version = NewVersion {
            business_id,
            referrer_id,
            method: details.method(),
            masked: details.masked(),
            sealed: sealed.ok_or_else(|| DbError::Fault("payout details could not be encrypted".into()))?,
            key_id: keys.seal.id().to_owned(),
        };
        let mut entry =
            NewEntry::by(tx, business_id, "referrer.details_set", ("referrer", referrer_id))?.of_referrer(referrer_id);
        entry.before = old.map(|old| shown(old.method, &old.masked));
        entries.push(entry.after(shown(version.method, &version.masked)));
        versions.push((tx.id()?, version));
        ids.push(referrer_id);
    }
    let now = tx.now();
    store::replace(tx, &ids).await?;
    store::add(tx, &versions, now).await?;
    audit::write(tx, &entries).await?;
    Ok(ids)
}
