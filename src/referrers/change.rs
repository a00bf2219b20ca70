//! Changing what is known of a referrer, and archiving one.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::store::{self, ReferrerRow};
use super::{NewFacts, self_referral};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::meta::{self, Marks};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    Done {
        changed: bool,
    },
    /// Another referrer of the business has that address.
    EmailTaken {
        referrer_id: i64,
        name: String,
    },
    /// Another referrer of the business has that external id.
    ExternalIdTaken {
        referrer_id: i64,
    },
    NotFound,
    /// Another user has changed it since it was read.
    Stale,
}

/// Writes what is known of a referrer; every list and search knows it at once. `seen` is when it was last
/// changed as the editor saw it; none takes it as it is.
pub async fn edit(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    referrer_id: i64,
    new: NewFacts,
    seen: Option<i64>,
) -> DbResult<Edited> {
    let mut keys = vec![Key::Row(referrer_id)];
    keys.extend(new.email.iter().map(|e| Key::Referrer(business_id, e.key().to_owned())));
    let external_id = new.marks.as_ref().and_then(|marks| marks.external_id.as_deref());
    keys.extend(external_id.map(|id| external_key(business_id, id)));
    let edited = core.write(keys, actor, (business_id, referrer_id, new, seen), edit_in).await?;
    if edited == (Edited::Done { changed: true }) {
        self_referral::end(core, actor, business_id, referrer_id).await?;
    }
    Ok(edited)
}

async fn edit_in(
    tx: &mut Tx,
    &(business_id, referrer_id, ref new, seen): &(i64, i64, NewFacts, Option<i64>),
) -> DbResult<Edited> {
    let now = tx.now();
    let Some(old) = store::by_id(tx, business_id, referrer_id).await? else { return Ok(Edited::NotFound) };
    if seen.is_some_and(|seen| seen != old.updated_at) {
        return Ok(Edited::Stale);
    }
    if let Some(email) = &new.email
        && let Some(other) = store::by_email(tx, business_id, email.key()).await?
        && other != referrer_id
    {
        let name = store::by_id(tx, business_id, other).await?.map(|r| r.name).unwrap_or_default();
        return Ok(Edited::EmailTaken { referrer_id: other, name });
    }
    let marks = Marks { external_id: old.external_id.clone(), meta: old.meta.clone() };
    let marked = new.marks.clone().unwrap_or_else(|| marks.clone());
    if let Some(id) = &marked.external_id
        && let Some(other) = store::by_external_id(tx, business_id, id).await?
        && other != referrer_id
    {
        return Ok(Edited::ExternalIdTaken { referrer_id: other });
    }
    let (before, after) = (old_json(&old, &marks), new.json(&marked));
    if before == after {
        return Ok(Edited::Done { changed: false });
    }
    store::update(tx, referrer_id, new, now).await?;
    if marked != marks {
        store::set_marks(tx, referrer_id, &marked, now).await?;
    }
    store::store_words(tx, business_id, referrer_id, &new.described().words()).await?;
    let entry = NewEntry::by(tx, business_id, "referrer.edited", ("referrer", referrer_id))?
        .before(before)
        .after(after)
        .of_referrer(referrer_id);
    audit::write(tx, &[entry]).await?;
    Ok(Edited::Done { changed: true })
}

/// The lock under which it is decided whose an external id is.
pub fn external_key(business_id: i64, external_id: &str) -> Key {
    Key::Referrer(business_id, format!("external:{external_id}"))
}

fn old_json(r: &ReferrerRow, marks: &Marks) -> Json {
    json!({
        "name": r.name,
        "email": r.email,
        "phone": r.phone,
        "company": r.company,
        "external_id": marks.external_id,
        "metadata": meta::texts(&marks.meta),
    })
}

/// Archives a referrer, or takes that back: history, codes, leads and money stay; no new lead is
/// attributed to them. `None` when the referrer is unknown, else whether anything changed.
pub async fn archive(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    referrer_id: i64,
    archived: bool,
) -> DbResult<Option<bool>> {
    core.write_once(vec![Key::Row(referrer_id)], actor, (business_id, referrer_id, archived), archive_in).await
}

async fn archive_in(tx: &mut Tx, &(business_id, referrer_id, archived): &(i64, i64, bool)) -> DbResult<Option<bool>> {
    let now = tx.now();
    let Some(old) = store::by_id(tx, business_id, referrer_id).await? else { return Ok(None) };
    if old.archived_at.is_some() == archived {
        return Ok(Some(false));
    }
    store::set_archived(tx, referrer_id, archived, now).await?;
    let action = if archived { "referrer.archived" } else { "referrer.restored" };
    let entry = NewEntry::by(tx, business_id, action, ("referrer", referrer_id))?.of_referrer(referrer_id);
    audit::write(tx, &[entry]).await?;
    Ok(Some(true))
}
