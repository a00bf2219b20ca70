//! Tagging, and writing a note.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::store;
use super::subject::{Subject, TAGS};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Terms, Tx};
use crate::fold::fold;

/// The result of tagging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tagged {
    /// The number of subjects whose tags are others now.
    Done(usize),
    /// Nothing was changed: somebody would have more tags than there may be.
    TooMany,
    /// Nothing was changed: a subject is unknown.
    NotFound,
}

/// Subjects of one transaction.
const STEP: usize = 500;

/// Adds tags to subjects and takes tags from them.
pub async fn tag(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    (kind, subjects): (Subject, &[i64]),
    add: Vec<String>,
    take: Vec<String>,
) -> DbResult<Tagged> {
    let mut changed = 0;
    for some in subjects.chunks(STEP) {
        let keys = some.iter().map(|id| Key::Row(*id)).collect();
        let input = (business_id, kind, some.to_vec(), add.clone(), take.clone());
        // Entries of the audit, and ids of new tags.
        let terms = Terms::of(keys).by(actor).ids(some.len() + add.len());
        match core.db.write_on(terms, input, tag_in).await? {
            Tagged::Done(n) => changed += n,
            other => return Ok(other),
        }
    }
    Ok(Tagged::Done(changed))
}

type Tagging = (i64, Subject, Vec<i64>, Vec<String>, Vec<String>);

async fn tag_in(tx: &mut Tx, &(business_id, kind, ref subjects, ref add, ref take): &Tagging) -> DbResult<Tagged> {
    if store::own(tx, business_id, kind, subjects).await?.len() < subjects.len() {
        return Ok(Tagged::NotFound);
    }
    let before = store::tags_of(tx, subjects).await?;
    let gone: Vec<String> = take.iter().map(|name| fold(name)).collect();
    let mut wanted: BTreeMap<i64, Vec<&String>> = BTreeMap::new();
    for subject in subjects {
        let has = before.get(subject).map(Vec::as_slice).unwrap_or_default();
        let mut all: Vec<&String> = has.iter().filter(|name| !gone.contains(&fold(name))).collect();
        for name in add {
            if !all.iter().any(|known| fold(known) == fold(name)) {
                all.push(name);
            }
        }
        if all.len() > TAGS {
            return Ok(Tagged::TooMany);
        }
        if all.len() != has.len() || all.iter().any(|name| !has.contains(name)) {
            wanted.insert(*subject, all);
        }
    }
    if wanted.is_empty() {
        return Ok(Tagged::Done(0));
    }
    let changed: Vec<i64> = wanted.keys().copied().collect();
    let (now, mut pairs) = (tx.now(), Vec::new());
    if !gone.is_empty() {
        store::take(tx, business_id, &changed, &gone).await?;
    }
    for name in add {
        let id = tx.id()?;
        let tag = store::tag_id(tx, id, business_id, (name, &fold(name)), now).await?;
        pairs.extend(changed.iter().map(|subject| (tag, *subject)));
    }
    if !pairs.is_empty() {
        store::add(tx, &pairs).await?;
    }
    let mut entries = Vec::with_capacity(changed.len());
    for (subject, names) in &wanted {
        let has = before.get(subject).cloned().unwrap_or_default();
        let action = if kind == Subject::Lead { "lead.tagged" } else { "referrer.tagged" };
        let entry = NewEntry::by(tx, business_id, action, (kind.word(), *subject))?
            .before(json!({ "tags": has }))
            .after(json!({ "tags": names }));
        entries.push(of(entry, kind, *subject));
    }
    audit::write(tx, &entries).await?;
    Ok(Tagged::Done(changed.len()))
}

fn of(entry: NewEntry, kind: Subject, id: i64) -> NewEntry {
    match kind {
        Subject::Lead => NewEntry { lead_id: Some(id), ..entry },
        Subject::Referrer => entry.of_referrer(id),
    }
}

/// Writes a note. `None` where the subject is unknown, else the note's id.
pub async fn note(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    (kind, subject_id): (Subject, i64),
    text: String,
) -> DbResult<Option<i64>> {
    core.write_once(vec![Key::Row(subject_id)], actor, (business_id, kind, subject_id, text), note_in).await
}

async fn note_in(
    tx: &mut Tx,
    &(business_id, kind, subject_id, ref text): &(i64, Subject, i64, String),
) -> DbResult<Option<i64>> {
    if store::own(tx, business_id, kind, &[subject_id]).await?.is_empty() {
        return Ok(None);
    }
    let (id, now, author) = (tx.id()?, tx.now(), tx.actor()?.name.clone());
    store::add_note(tx, id, (business_id, subject_id), (text, &author), now).await?;
    let action = if kind == Subject::Lead { "lead.noted" } else { "referrer.noted" };
    let entry = NewEntry::by(tx, business_id, action, (kind.word(), subject_id))?;
    audit::write(tx, &[of(entry, kind, subject_id)]).await?;
    Ok(Some(id))
}
