//! Generated codes: for one enrollment, or for all of a campaign that have none.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::give::{self, Enrolled};
use super::store::{self, EnrollmentRow};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::code;
use crate::core::Core;
use crate::db::{Conn, DbResult, Key, Terms, Tx};
use crate::jobs::{self, Claimed, NewJob, Progress};

/// The outcome of generating a code for one enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Generated {
    Made {
        text: String,
        name: String,
    },
    /// It had an active one, which stays.
    Had {
        text: String,
        name: String,
    },
    /// Paused, banned or archived.
    NotActive {
        name: String,
        state: String,
    },
    NotFound,
}

/// Gives one active enrollment a code, if it has none.
pub async fn generate_one(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    enrollment_id: i64,
) -> DbResult<Generated> {
    core.write_once(vec![Key::Enrollment(enrollment_id)], actor, (business_id, enrollment_id), generate_in).await
}

async fn generate_in(tx: &mut Tx, &(business_id, enrollment_id): &(i64, i64)) -> DbResult<Generated> {
    let Some(owner) = store::enrollment(tx, business_id, enrollment_id).await? else {
        return Ok(Generated::NotFound);
    };
    let name = owner.name.clone();
    if owner.archived || owner.state != "active" {
        let state = if owner.archived { "archived".to_owned() } else { owner.state };
        return Ok(Generated::NotActive { name, state });
    }
    let given = give::give(tx, &[owner.enrolled()]).await?.pop();
    let Some(given) = given else { return Ok(Generated::NotFound) };
    if !given.made {
        return Ok(Generated::Had { text: given.text, name });
    }
    let entry = NewEntry::by(tx, business_id, "code.generated", ("code", given.code_id))?
        .after(json!({ "code": given.text }))
        .of_referrer(owner.referrer_id);
    audit::write(tx, &[entry]).await?;
    Ok(Generated::Made { text: given.text, name })
}

/// The preview of generating for all.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Active enrollments without an active code: as many codes will be made.
    pub codeless: i64,
    /// Active enrollments that have one, and keep it.
    pub have: i64,
    /// Enrollments without a code that are paused or banned, and get none.
    pub resting: i64,
    /// Samples of the codes.
    pub samples: Vec<String>,
}

/// Counts a campaign's enrollments by what generating for all would do with them.
pub async fn plan(conn: &mut Conn, campaign_id: i64) -> DbResult<Plan> {
    let counts = store::coverage(conn, campaign_id).await?;
    let mut rng = rand::rng();
    let samples = (0..3).map(|_| code::generate(&mut rng)).collect();
    Ok(Plan { codeless: counts.codeless, have: counts.have, resting: counts.resting, samples })
}

/// The kind of job that generates for all.
pub const KIND: &str = "codes";

/// The progress or result of generating for all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Batch {
    pub made: i64,
    /// Had a code already, or got one from another run meanwhile.
    pub skipped: i64,
}

impl Batch {
    pub fn of(result: &Json) -> Self {
        let number = |name: &str| result.get(name).and_then(Json::as_i64).unwrap_or_default();
        Self { made: number("made"), skipped: number("skipped") }
    }

    fn json(self) -> Json {
        json!({ "made": self.made, "skipped": self.skipped })
    }
}

/// Asks for a code for every active enrollment of a campaign that has none, and answers the job's id. A
/// second click, or a second node, joins the job that runs; once it is done there is nothing left to make.
pub async fn generate_all(core: &Core, actor: &Arc<Actor>, business_id: i64, campaign_id: i64) -> DbResult<i64> {
    let counts = store::coverage(&mut core.db.read().await?, campaign_id).await?;
    jobs::enqueue(
        core,
        NewJob {
            business_id,
            campaign_id: Some(campaign_id),
            kind: KIND,
            join_key: format!("codes:{campaign_id}"),
            input: json!({ "have": counts.have }),
            total: counts.codeless,
            actor: actor.clone(),
        },
    )
    .await
}

/// Enrollments of one transaction: few enough for a short turn of the writer and for the keys.
const CHUNK: usize = 500;

/// Generates for the next enrollments of the campaign, oldest first. The audit entry with the counts is
/// written with the last of them.
pub fn step(core: Core, job: Arc<Claimed>) -> BoxFuture<'static, DbResult<Progress>> {
    Box::pin(async move {
        let campaign_id = job.campaign_id.unwrap_or_default();
        let found = {
            let mut conn = core.db.read().await?;
            store::codeless(&mut conn, job.business_id, campaign_id, position(&job.cursor), CHUNK).await?
        };
        let terms = Terms::of(found.iter().map(|e| Key::Enrollment(e.enrollment_id)).collect());
        let terms = terms.by(&job.actor).ids(found.len() + 1);
        core.db.write_on(terms, (job, found), chunk).await
    })
}

/// Behind which enrollment the next chunk begins.
fn position(cursor: &str) -> (i64, i64) {
    let read = |text: &str| text.parse::<i64>().ok();
    cursor.split_once(' ').and_then(|(at, id)| Some((read(at)?, read(id)?))).unwrap_or((i64::MIN, 0))
}

async fn chunk(tx: &mut Tx, (job, found): &(Arc<Claimed>, Vec<EnrollmentRow>)) -> DbResult<Progress> {
    let looked_at: Vec<i64> = found.iter().map(|e| e.enrollment_id).collect();
    let waiting = store::still_codeless(tx, &looked_at).await?;
    let enrolled: Vec<Enrolled> =
        found.iter().filter(|e| waiting.contains(&e.enrollment_id)).map(EnrollmentRow::enrolled).collect();
    let given = give::give(tx, &enrolled).await?;
    let count = |n: usize| i64::try_from(n).unwrap_or_default();
    let made = count(given.iter().filter(|g| g.made).count());
    let mut batch = if job.cursor.is_empty() {
        Batch { made: 0, skipped: job.input().get("have").and_then(Json::as_i64).unwrap_or_default() }
    } else {
        Batch::of(&job.result())
    };
    batch.made += made;
    batch.skipped += count(found.len()) - made;
    let mut progress = job.progress();
    if let Some(last) = found.last() {
        progress.cursor = format!("{} {}", last.created_at, last.enrollment_id);
    }
    progress.done += count(found.len());
    progress.result = batch.json().to_string();
    progress.finished = found.len() < CHUNK;
    job.advance(tx, &progress).await?;
    if progress.finished {
        let subject = ("campaign", job.campaign_id.unwrap_or_default());
        let entry = NewEntry::by(tx, job.business_id, "codes.generated", subject)?.after(batch.json());
        audit::write(tx, &[entry]).await?;
    }
    Ok(progress)
}
