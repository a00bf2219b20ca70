//! Long work in the background: stored in the database, done in chunks, by one node at a time.
//!
//! A feature has a *step*: a function that does one chunk. It reads what the chunk is about, then in one
//! [`Db::write`](crate::db::Db::write) does the work **and** calls [`Claimed::advance`] with how far it
//! has come; so a node that dies in between has done both or neither, and whoever takes the job up next
//! goes on from `cursor`. A worker whose claim was taken over finds out in `advance` and its chunk is
//! rolled back. Keep a chunk's transaction below 50 ms on SQLite: a few hundred plain rows, or
//! [`SLICE`](crate::engine::SLICE) events.
//!
//! To add a kind, write the step and name it in `core::job_kinds`:
//!
//! ```ignore
//! // src/codes/generate_all.rs
//! pub const KIND: &str = "generate_codes";
//!
//! pub fn step(core: Core, job: Arc<Claimed>) -> BoxFuture<'static, DbResult<Progress>> {
//!     Box::pin(async move {
//!         let campaign_id = job.campaign_id.unwrap_or_default();
//!         // The cursor is whatever the step needs to go on from; '' at the beginning.
//!         let chunk = store::without_code(&mut core.db.read().await?, campaign_id, &job.cursor, 200).await?;
//!         let terms = Terms::of(keys_of(&chunk)).by(&job.actor).ids(chunk.len() + 1);
//!         core.db.write_on(terms, (job, chunk), give_all).await
//!     })
//! }
//!
//! async fn give_all(tx: &mut Tx, (job, chunk): &(Arc<Claimed>, Vec<Enrolled>)) -> DbResult<Progress> {
//!     let given = codes::give(tx, chunk).await?;
//!     let mut progress = job.progress();
//!     progress.cursor = …;
//!     progress.done += given.len() as i64;
//!     progress.result = json!({ "made": …, "skipped": … }).to_string();
//!     progress.finished = chunk.len() < 200;
//!     job.advance(tx, &progress).await?;
//!     Ok(progress)
//! }
//!
//! // The page: a second click, or a second node, joins the job that runs.
//! let job_id = jobs::enqueue(&page.app, NewJob {
//!     business_id, campaign_id: Some(campaign_id), kind: KIND, join_key: format!("codes:{campaign_id}"),
//!     input: json!({}), total: missing, actor: Arc::new(page.member.actor()),
//! }).await?;
//! ```
//!
//! The page of a job finds it by [`find`] and shows [`JobRow::percent`] in `page::progress`, with a
//! `poll_url` while [`JobRow::is_over`] is false. [`run_one`] does a job in place, for commands; [`run_all`]
//! does all that are waiting, for tests. Work that comes round is a [`Schedule`].

mod run;
mod schedule;
mod store;

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value as Json;

use crate::actor::{Actor, ActorKind, origin_of_job};
use crate::core::Core;
use crate::db::{Conn, DbError, DbResult, Stop, Tx};
use crate::row;

pub use run::{run_all, run_one, start, wait_briefly};
pub use schedule::Schedule;

/// A job to be done.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub business_id: i64,
    pub campaign_id: Option<i64>,
    pub kind: &'static str,
    /// While a job of the business with this key is unfinished, starting it again joins it.
    pub join_key: String,
    pub input: Json,
    /// The amount of work, for the progress bar; 0 when it is unknown.
    pub total: i64,
    pub actor: Arc<Actor>,
}

row! {
    /// A job as stored.
    #[derive(Debug, Clone)]
    pub struct JobRow {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: Option<i64>,
        pub kind: String,
        pub state: String,
        pub input: String,
        pub cursor: String,
        pub done: i64,
        pub total: i64,
        pub result: String,
        pub claim: Option<i64>,
        pub attempts: i64,
        pub error: Option<String>,
        pub actor_kind: String,
        pub actor_id: Option<i64>,
        pub actor_name: String,
        pub created_at: i64,
        pub finished_at: Option<i64>,
    }
}

impl JobRow {
    /// Done or given up.
    pub fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "done" | "failed")
    }

    /// Part done, of a hundred.
    pub fn percent(&self) -> i64 {
        if self.total > 0 { (self.done.saturating_mul(100) / self.total).clamp(0, 100) } else { 0 }
    }

    /// The result so far.
    pub fn result(&self) -> Json {
        serde_json::from_str(&self.result).unwrap_or_default()
    }
}

/// The progress of a job, as its next chunk will find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub cursor: String,
    pub done: i64,
    pub total: i64,
    /// A JSON object, for the page of the result.
    pub result: String,
    pub finished: bool,
}

/// A job this worker holds.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub id: i64,
    pub business_id: i64,
    pub campaign_id: Option<i64>,
    pub cursor: String,
    pub done: i64,
    pub total: i64,
    /// The person who started it; its changes are made in their name.
    pub actor: Arc<Actor>,
    input: String,
    result: String,
    claim: i64,
}

/// Does one chunk of a job and says how far it has come.
pub type Step = fn(Core, Arc<Claimed>) -> BoxFuture<'static, DbResult<Progress>>;

/// The times that a failing step runs again from the same position.
pub const ATTEMPTS: i64 = 5;
/// A job whose holder has been silent for this long is free again.
pub const LEASE_SECONDS: i64 = 60;

impl Claimed {
    fn of(row: JobRow, claim: i64) -> Self {
        let kind = [ActorKind::User, ActorKind::Key, ActorKind::Job, ActorKind::Command]
            .into_iter()
            .find(|kind| kind.word() == row.actor_kind)
            .unwrap_or(ActorKind::Job);
        let actor = Actor {
            kind,
            id: row.actor_id,
            name: row.actor_name,
            origin: origin_of_job(&row.kind, row.id),
            call: None,
        };
        Self {
            id: row.id,
            business_id: row.business_id,
            campaign_id: row.campaign_id,
            cursor: row.cursor,
            done: row.done,
            total: row.total,
            actor: Arc::new(actor),
            input: row.input,
            result: row.result,
            claim,
        }
    }

    /// The input of the job.
    pub fn input(&self) -> Json {
        serde_json::from_str(&self.input).unwrap_or_default()
    }

    /// The result so far.
    pub fn result(&self) -> Json {
        serde_json::from_str(&self.result).unwrap_or_default()
    }

    /// The progress before this chunk.
    pub fn progress(&self) -> Progress {
        Progress {
            cursor: self.cursor.clone(),
            done: self.done,
            total: self.total,
            result: self.result.clone(),
            finished: false,
        }
    }

    /// Notes how far it has come, in the transaction of the work itself, and renews the lease.
    pub async fn advance(&self, tx: &mut Tx, to: &Progress) -> DbResult<()> {
        let now = tx.now();
        let until = now.plus_seconds(LEASE_SECONDS);
        if store::advance(tx, self.id, self.claim, now, until, to).await? == 1 {
            Ok(())
        } else {
            Err(DbError::Stopped(Stop::TakenOver))
        }
    }

    fn at(&self, p: Progress) -> Self {
        Self { cursor: p.cursor, done: p.done, total: p.total, result: p.result, ..self.clone() }
    }
}

/// The step of each kind of job.
#[derive(Default, Clone)]
pub struct Kinds(Vec<(&'static str, Step)>);

impl Kinds {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn with(mut self, kind: &'static str, step: Step) -> Self {
        self.0.push((kind, step));
        self
    }

    fn step(&self, kind: &str) -> Option<Step> {
        self.0.iter().find(|(name, _)| *name == kind).map(|(_, step)| *step)
    }
}

/// Starts a job and answers its id: of a new one, or of the unfinished one with that key.
pub async fn enqueue(core: &Core, new: NewJob) -> DbResult<i64> {
    let actor = new.actor.clone();
    let job = core.write_once(vec![], &actor, new, enqueue_in).await?;
    core.wake.ring();
    Ok(job)
}

/// The same inside a caller's transaction; ring [`Core::wake`] when it is through.
pub async fn enqueue_in(tx: &mut Tx, new: &NewJob) -> DbResult<i64> {
    let (id, now) = (tx.id()?, tx.now());
    if store::insert(tx, id, new, now).await? == 1 {
        return Ok(id);
    }
    // Our own (a commit whose answer was lost), or one that runs. It may end in this very moment.
    match store::running(tx, new.business_id, &new.join_key).await? {
        Some(running) => Ok(running),
        None if store::find(tx, new.business_id, id).await?.is_some() => Ok(id),
        None => Err(DbError::Lost("the job to join was over".into())),
    }
}

/// The unfinished job of a business with this key.
pub async fn running(conn: &mut Conn, business_id: i64, join_key: &str) -> DbResult<Option<i64>> {
    store::running(conn, business_id, join_key).await
}

/// A job of a business.
pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<JobRow>> {
    store::find(conn, business_id, id).await
}
