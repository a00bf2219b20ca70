//! Enrolling the active referrers of one campaign in another, all or those with a tag, in the background.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::enroll::Enrolled;
use super::enroll_set::{self, SLICE, Set};
use super::store::many::{self, Source};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Tx};
use crate::jobs::{self, Claimed, NewJob, Progress};

/// The kind of job that enrolls many.
pub const KIND: &str = "enroll";

/// The referrers who are enrolled.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Wanted {
    /// The campaign they are in.
    pub from: i64,
    /// 0 for any.
    pub tag: i64,
    /// True to give each a code.
    pub generate: bool,
}

/// The progress or result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Many {
    pub enrolled: i64,
    /// In the campaign before, or archived meanwhile.
    pub left: i64,
    /// True when each of them got a code.
    pub codes: bool,
}

impl Many {
    pub fn of(result: &Json) -> Self {
        serde_json::from_value(result.clone()).unwrap_or_default()
    }
}

/// Asks for the enrollment and answers the job's id. The same wish again joins the job that runs; once it is done, a
/// further one finds them enrolled.
pub async fn enroll_many(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    into: i64,
    wanted: Wanted,
) -> DbResult<i64> {
    let total = many::count(&mut core.db.read().await?, business_id, wanted.from, wanted.tag).await?;
    let Wanted { from, tag, generate } = wanted;
    jobs::enqueue(
        core,
        NewJob {
            business_id,
            campaign_id: Some(into),
            kind: KIND,
            join_key: format!("enroll:{into}:{from}:{tag}:{generate}"),
            input: json!(wanted),
            total,
            actor: actor.clone(),
        },
    )
    .await
}

/// Enrolls the next referrers, oldest first. The entry with the counts is written with the last of them; of each,
/// the enrollment names the job.
pub fn step(core: Core, job: Arc<Claimed>) -> BoxFuture<'static, DbResult<Progress>> {
    Box::pin(async move {
        let wanted = wanted(&job);
        let found = match wanted {
            Some(wanted) => {
                let mut conn = core.db.read().await?;
                many::source(&mut conn, job.business_id, wanted.from, wanted.tag, position(&job.cursor), SLICE).await?
            }
            None => Vec::new(),
        };
        let set = Set {
            business_id: job.business_id,
            campaign_id: job.campaign_id.unwrap_or_default(),
            referrers: found.iter().map(|source| source.referrer_id).collect(),
            generate: wanted.is_some_and(|wanted| wanted.generate),
            job_id: Some(job.id),
        };
        core.db.write_on(set.terms(&job.actor), (job, found, set), chunk).await
    })
}

fn wanted(job: &Claimed) -> Option<Wanted> {
    serde_json::from_value(job.input()).ok()
}

/// Behind which enrollment the next chunk begins.
fn position(cursor: &str) -> (i64, i64) {
    let read = |text: &str| text.parse::<i64>().ok();
    cursor.split_once(' ').and_then(|(at, id)| Some((read(at)?, read(id)?))).unwrap_or((i64::MIN, 0))
}

async fn chunk(tx: &mut Tx, (job, found, set): &(Arc<Claimed>, Vec<Source>, Set)) -> DbResult<Progress> {
    let mut many = Many { codes: set.generate, ..Many::of(&job.result()) };
    for enrolled in enroll_set::enroll_set(tx, set).await? {
        match enrolled {
            Enrolled::Done { .. } => many.enrolled += 1,
            Enrolled::Already | Enrolled::Archived | Enrolled::NotFound => many.left += 1,
        }
    }
    let mut progress = job.progress();
    if let Some(last) = found.last() {
        progress.cursor = format!("{} {}", last.created_at, last.enrollment_id);
    }
    progress.done += i64::try_from(found.len()).unwrap_or_default();
    progress.result = json!(many).to_string();
    progress.finished = found.len() < SLICE;
    job.advance(tx, &progress).await?;
    if progress.finished {
        let entry = NewEntry::by(tx, job.business_id, "referrers.enrolled", ("campaign", set.campaign_id))?;
        audit::write(tx, &[entry.after(json!(many))]).await?;
    }
    Ok(progress)
}
