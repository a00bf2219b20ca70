//! Adding a referrer, from a form, an upload or an API: the same verb.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::change::external_key;
use super::{AddReferrer, store};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::codes::{self, Enrolled};
use crate::core::Core;
use crate::db::{DbError, DbResult, Key, Tx};
use crate::meta::Marks;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Added {
    New {
        referrer_id: i64,
        enrollment_id: i64,
        code: Option<String>,
    },
    /// The external id is another referrer's, or the one with that address has another one.
    ExternalIdTaken {
        referrer_id: i64,
    },
    /// Known in the business by that e-mail address; enrolled in this campaign now if they were not, and
    /// taken out of the archive if they were in it.
    Known {
        referrer_id: i64,
        enrollment_id: i64,
        enrolled: bool,
        code: Option<String>,
    },
}

pub async fn add(core: &Core, actor: &Arc<Actor>, new: AddReferrer) -> DbResult<Added> {
    core.write_once(keys(&new).collect(), actor, new, add_in).await
}

/// Adds each of a list, some in one transaction: an answer for each, in order. One who comes twice is known the second
/// time.
pub async fn add_each(core: &Core, actor: &Arc<Actor>, all: Vec<AddReferrer>) -> DbResult<Vec<Added>> {
    let mut added = Vec::with_capacity(all.len());
    for some in all.chunks(AT_ONCE) {
        let keys = some.iter().flat_map(keys).collect();
        match core.write_once(keys, actor, some.to_vec(), add_all_in).await {
            Ok(some) => added.extend(some),
            Err(DbError::Unavailable(why) | DbError::Lost(why) | DbError::Taken(why)) if !added.is_empty() => {
                return Err(DbError::InDoubt(format!("after {} of the referrers: {why}", added.len())));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(added)
}

/// Referrers of one transaction: few enough that other writes hardly wait.
const AT_ONCE: usize = 50;

async fn add_all_in(tx: &mut Tx, all: &Vec<AddReferrer>) -> DbResult<Vec<Added>> {
    let mut added = Vec::with_capacity(all.len());
    for new in all {
        added.push(add_in(tx, new).await?);
    }
    Ok(added)
}

/// The address, or the external id, decides whether they are known; a referrer without either is always new.
fn keys(new: &AddReferrer) -> impl Iterator<Item = Key> {
    let by_email = new.email.iter().map(|e| Key::Referrer(new.business_id, e.key().to_owned()));
    by_email.chain(new.marks.external_id.iter().map(|id| external_key(new.business_id, id)))
}

/// The referrer whom the address and the external id name. Two whom they name are a contradiction.
async fn known(tx: &mut Tx, new: &AddReferrer) -> DbResult<Result<Option<i64>, i64>> {
    let by_email = match &new.email {
        Some(email) => store::by_email(tx, new.business_id, email.key()).await?,
        None => None,
    };
    let Some(external_id) = &new.marks.external_id else { return Ok(Ok(by_email)) };
    let by_id = store::by_external_id(tx, new.business_id, external_id).await?;
    let Some(known) = by_id.or(by_email) else { return Ok(Ok(None)) };
    let row = store::by_id(tx, new.business_id, known).await?;
    let fits = match (by_id, by_email) {
        (Some(by_id), Some(by_email)) => by_id == by_email,
        // An address that is not theirs: a change of it is a change of theirs.
        (Some(_), None) => new.email.is_none(),
        _ => row.is_some_and(|row| row.external_id.is_none()),
    };
    Ok(if fits { Ok(Some(known)) } else { Err(known) })
}

async fn add_in(tx: &mut Tx, new: &AddReferrer) -> DbResult<Added> {
    let id = tx.id()?;
    let now = tx.now();
    let enrollment_id = tx.id()?;
    let known = match known(tx, new).await? {
        Ok(known) => known,
        Err(referrer_id) => return Ok(Added::ExternalIdTaken { referrer_id }),
    };
    let referrer_id = known.unwrap_or(id);
    let mut restored = false;
    let mut name = new.name.clone();
    match known {
        None => store::insert(tx, id, new, now).await?,
        Some(known) => {
            let row = store::by_id(tx, new.business_id, known).await?;
            if let Some(row) = row.as_ref().filter(|row| row.external_id.is_none() && new.marks.external_id.is_some()) {
                let marks = Marks { external_id: new.marks.external_id.clone(), meta: row.meta.clone() };
                store::set_marks(tx, known, &marks, now).await?;
            }
            restored = row.as_ref().is_some_and(|r| r.archived_at.is_some());
            name = row.map_or(name, |r| r.name);
            if restored {
                store::set_archived(tx, known, false, now).await?;
            }
        }
    }
    let enrolled = store::enrollment(tx, new.campaign_id, referrer_id).await?;
    let enrollment = enrolled.unwrap_or(enrollment_id);
    if enrolled.is_none() {
        let (business, campaign) = (new.business_id, new.campaign_id);
        store::enroll(tx, enrollment, business, campaign, referrer_id, &name, now).await?;
    }
    let business = known.is_none().then_some(new.business_id);
    let campaign = enrolled.is_none().then_some(new.campaign_id);
    store::counted::count_new(tx, business.into_iter().chain(campaign), now).await?;
    let mut code = None;
    if new.generate {
        let who = Enrolled {
            enrollment_id: enrollment,
            business_id: new.business_id,
            campaign_id: new.campaign_id,
            referrer_id,
        };
        code = codes::give(tx, &[who]).await?.pop().map(|g| g.text);
    }
    if known.is_none() || enrolled.is_none() || restored {
        let action = match (known.is_none(), restored) {
            (true, _) => "referrer.added",
            (false, true) => "referrer.restored",
            (false, false) => "referrer.enrolled",
        };
        let entry = NewEntry::by(tx, new.business_id, action, ("referrer", referrer_id))?
            .after(json!({ "name": name, "campaign": new.campaign_id, "code": code }))
            .of_referrer(referrer_id);
        audit::write(tx, &[entry]).await?;
    }
    Ok(match known {
        None => Added::New { referrer_id, enrollment_id: enrollment, code },
        Some(_) => {
            Added::Known { referrer_id, enrollment_id: enrollment, enrolled: enrolled.is_none() || restored, code }
        }
    })
}
