//! Storing, removing and showing the details of a referrer.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::open::{self, opened, sealed};
use super::store::{self, NewVersion};
use super::{Details, Method};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbError, DbResult, Key, Tx};
use crate::secrets;

/// The outcome of storing details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Saved {
    Done {
        /// False for the same details again, which make no new version.
        changed: bool,
    },
    NotFound,
    /// There is no key to encrypt with; the sentence says what to do.
    Refused(String),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Stored {
    Done(Saved),
    /// Another key counts since the text was sealed.
    OtherKey,
}

/// The times that a key may change under a write.
const TRIES: usize = 3;

/// The locks under which details of a referrer are stored.
pub fn keys(referrer_id: i64) -> Vec<Key> {
    vec![Key::Row(referrer_id), Key::Secrets]
}

/// Stores how a referrer is paid. The version before stays for the payouts that were made with it.
pub async fn set(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    referrer_id: i64,
    details: &Details,
) -> DbResult<Saved> {
    for _ in 0..TRIES {
        let key = match secrets::to_seal(core).await? {
            Ok(key) => key,
            Err(lack) => return Ok(Saved::Refused(lack)),
        };
        let Some(sealed) = sealed(&key, business_id, referrer_id, details) else {
            return Err(DbError::Fault("payout details could not be encrypted".into()));
        };
        let new = NewVersion {
            business_id,
            referrer_id,
            method: details.method(),
            masked: details.masked(),
            sealed,
            key_id: key.id().to_owned(),
        };
        let same = same_as(core, business_id, referrer_id, details).await?;
        if let Stored::Done(saved) = core.write_once(keys(referrer_id), actor, (new, same), set_in).await? {
            return Ok(saved);
        }
    }
    Err(DbError::Lost("the key of payout details was changed again and again".into()))
}

/// The version that counts, where it says the same.
async fn same_as(core: &Core, business_id: i64, referrer_id: i64, details: &Details) -> DbResult<Option<i64>> {
    let row = store::current(&mut core.db.read().await?, business_id, &[referrer_id]).await?.pop();
    let Some((row, keys)) = row.zip(core.keyring.keys().ok()) else { return Ok(None) };
    Ok(opened(&keys, &row).ok().filter(|old| old == details).map(|_| row.id))
}

async fn set_in(tx: &mut Tx, (new, same): &(NewVersion, Option<i64>)) -> DbResult<Stored> {
    if !store::is_referrer(tx, new.business_id, new.referrer_id).await? {
        return Ok(Stored::Done(Saved::NotFound));
    }
    if !secrets::is_current(tx, &new.key_id).await? {
        return Ok(Stored::OtherKey);
    }
    let old = store::current(tx, new.business_id, &[new.referrer_id]).await?.pop();
    if old.as_ref().is_some_and(|old| Some(old.id) == *same) {
        return Ok(Stored::Done(Saved::Done { changed: false }));
    }
    let (id, now) = (tx.id()?, tx.now());
    store::replace(tx, &[new.referrer_id]).await?;
    store::add(tx, &[(id, new.clone())], now).await?;
    let mut entry = entry(tx, new.business_id, "referrer.details_set", new.referrer_id)?;
    entry.before = old.map(|old| shown(old.method, &old.masked));
    audit::write(tx, &[entry.after(shown(new.method, &new.masked))]).await?;
    Ok(Stored::Done(Saved::Done { changed: true }))
}

fn entry(tx: &mut Tx, business_id: i64, action: &'static str, referrer_id: i64) -> DbResult<NewEntry> {
    Ok(NewEntry::by(tx, business_id, action, ("referrer", referrer_id))?.of_referrer(referrer_id))
}

/// As the audit has them.
pub(super) fn shown(method: Method, masked: &str) -> Json {
    json!({ "method": method.title(), "account": masked })
}

/// Takes the details away, so that the referrer is in no further payout: true when there were any. `None` when the
/// referrer is unknown.
pub async fn remove(core: &Core, actor: &Arc<Actor>, business_id: i64, referrer_id: i64) -> DbResult<Option<bool>> {
    core.write_once(keys(referrer_id), actor, (business_id, referrer_id), remove_in).await
}

async fn remove_in(tx: &mut Tx, &(business_id, referrer_id): &(i64, i64)) -> DbResult<Option<bool>> {
    if !store::is_referrer(tx, business_id, referrer_id).await? {
        return Ok(None);
    }
    let Some(old) = store::current(tx, business_id, &[referrer_id]).await?.pop() else { return Ok(Some(false)) };
    store::replace(tx, &[referrer_id]).await?;
    let entry = entry(tx, business_id, "referrer.details_removed", referrer_id)?;
    audit::write(tx, &[entry.before(shown(old.method, &old.masked))]).await?;
    Ok(Some(true))
}

/// The whole details of a referrer for somebody who may pay. The look is in the audit before anything is shown.
pub async fn look(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    referrer_id: i64,
) -> DbResult<Option<Result<Details, String>>> {
    let Some(id) = core.write(vec![], actor, (business_id, referrer_id), look_in).await? else { return Ok(None) };
    let mut conn = core.db.read().await?;
    let opened = open::open(&mut conn, &core.keyring, business_id, &[id]).await?;
    Ok(opened.into_iter().next().map(|opened| opened.details))
}

async fn look_in(tx: &mut Tx, &(business_id, referrer_id): &(i64, i64)) -> DbResult<Option<i64>> {
    let Some(row) = store::current(tx, business_id, &[referrer_id]).await?.pop() else { return Ok(None) };
    let entry = entry(tx, business_id, "referrer.details_seen", referrer_id)?;
    audit::write(tx, &[entry.after(shown(row.method, &row.masked))]).await?;
    Ok(Some(row.id))
}
