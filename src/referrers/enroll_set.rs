//! Enrolls a set of referrers in a campaign, in a few statements.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::enroll::Enrolled;
use super::store::{self, many};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::codes;
use crate::core::Core;
use crate::db::{DbResult, Key, Part, Terms, Tx};

/// The referrers of one transaction.
#[derive(Debug, Clone)]
pub struct Set {
    pub business_id: i64,
    pub campaign_id: i64,
    /// Their ids.
    pub referrers: Vec<i64>,
    /// True to give each a code.
    pub generate: bool,
    /// The job that has one audit entry for all. Without a job each has an entry.
    pub job_id: Option<i64>,
}

impl Set {
    /// Needed by [`enroll_set`]: who is enrolled is decided one after the other.
    pub fn terms(&self, actor: &Arc<Actor>) -> Terms {
        let keys = self.referrers.iter().map(|id| Key::Row(*id)).collect();
        // An enrollment, a code and an entry each; and the entry of the whole.
        Terms::of(keys).by(actor).ids(3 * self.referrers.len() + 1)
    }
}

/// Referrers of one transaction, so that none holds SQLite's writer for long.
pub const SLICE: usize = 200;

/// Enrolls referrers by their ids, and answers for each in their order. One named twice is enrolled already.
pub async fn enroll_each(core: &Core, actor: &Arc<Actor>, whole: Set) -> DbResult<Vec<Enrolled>> {
    let mut all = Vec::with_capacity(whole.referrers.len());
    for some in whole.referrers.chunks(SLICE) {
        let set = Set { referrers: some.to_vec(), ..whole.clone() };
        let terms = set.terms(actor);
        all.extend(match Part::next_of(actor) {
            Some(part) => core.db.write_once(terms, part, set, enroll_set).await?,
            None => core.db.write_on(terms, set, enroll_set).await?,
        });
    }
    Ok(all)
}

/// Enrolls them under their keys.
pub(super) async fn enroll_set(tx: &mut Tx, set: &Set) -> DbResult<Vec<Enrolled>> {
    let &Set { business_id, campaign_id, generate, job_id, .. } = set;
    if !store::has_campaign(tx, business_id, campaign_id).await? {
        return Ok(vec![Enrolled::NotFound; set.referrers.len()]);
    }
    let ids: BTreeSet<i64> = set.referrers.iter().copied().collect();
    let found = many::candidates(tx, business_id, campaign_id, &ids.into_iter().collect::<Vec<_>>()).await?;
    let found: BTreeMap<i64, many::Candidate> = found.into_iter().map(|c| (c.referrer_id, c)).collect();
    let (mut new, mut taken, mut outcomes) = (Vec::new(), BTreeSet::new(), Vec::new());
    for id in &set.referrers {
        let outcome = match found.get(id) {
            None => Enrolled::NotFound,
            Some(c) if c.archived_at.is_some() => Enrolled::Archived,
            Some(c) if c.enrollment_id.is_some() || !taken.insert(*id) => Enrolled::Already,
            Some(c) => {
                let enrollment_id = tx.id()?;
                new.push((enrollment_id, c));
                Enrolled::Done { enrollment_id, code: None }
            }
        };
        outcomes.push(outcome);
    }
    if new.is_empty() {
        return Ok(outcomes);
    }
    let now = tx.now();
    many::enroll(tx, business_id, campaign_id, &new, job_id).await?;
    store::counted::count_new(tx, new.iter().map(|_| campaign_id), now).await?;
    let mut codes: BTreeMap<i64, String> = BTreeMap::new();
    if generate {
        let enrolled = new.iter().map(|(enrollment_id, c)| codes::Enrolled {
            enrollment_id: *enrollment_id,
            business_id,
            campaign_id,
            referrer_id: c.referrer_id,
        });
        let given = codes::give(tx, &enrolled.collect::<Vec<_>>()).await?;
        codes.extend(given.into_iter().map(|g| (g.enrollment_id, g.text)));
    }
    if job_id.is_none() {
        let mut entries = Vec::with_capacity(new.len());
        for (enrollment_id, c) in &new {
            let entry = NewEntry::by(tx, business_id, "referrer.enrolled", ("enrollment", *enrollment_id))?
                .after(json!({ "campaign": campaign_id, "code": codes.get(enrollment_id) }))
                .of_referrer(c.referrer_id);
            entries.push(entry);
        }
        audit::write(tx, &entries).await?;
    }
    for outcome in &mut outcomes {
        if let Enrolled::Done { enrollment_id, code } = outcome {
            *code = codes.remove(enrollment_id);
        }
    }
    Ok(outcomes)
}
