//! The workers of a node: take a job, do it chunk by chunk, and alternate with the next one.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use futures::FutureExt;
use tokio::task::JoinSet;

use super::{ATTEMPTS, Claimed, JobRow, Kinds, Schedule, Step, store};
use crate::core::Core;
use crate::db::{DbError, DbResult, Stop};

/// Jobs a node works on at one time.
const WORKERS: usize = 2;
/// The pause between two looks for jobs started on other nodes.
const LOOK: Duration = Duration::from_secs(1);
/// A job that has run for this long lets waiting ones go first.
const HOLD: Duration = Duration::from_secs(10);

/// Starts this node's workers and its share of the work that comes round. They end with
/// [`Core`]'s `stop`; the set is empty when they have.
pub fn start(core: &Core, kinds: Kinds, schedule: Schedule) -> JoinSet<()> {
    let mut running = JoinSet::new();
    for _ in 0..WORKERS {
        running.spawn(work(core.clone(), kinds.clone()));
    }
    schedule.start(core, &mut running);
    running
}

async fn work(core: Core, kinds: Kinds) {
    while !core.stop.is_cancelled() {
        match take(&core, ANY).await {
            Ok(Some((kind, job))) => hold(&core, &kinds, &kind, job, Some(HOLD)).await,
            Ok(None) => rest(&core).await,
            Err(error) => {
                tracing::warn!(%error, "no job could be taken");
                rest(&core).await;
            }
        }
    }
}

async fn rest(core: &Core) {
    tokio::select! {
        () = core.stop.cancelled() => {}
        () = core.wake.rung() => {}
        () = tokio::time::sleep(LOOK) => {}
    }
}

/// Does everything that is waiting, in this very task.
pub async fn run_all(core: &Core, kinds: &Kinds) -> DbResult<()> {
    while let Some((kind, job)) = take(core, ANY).await? {
        hold(core, kinds, &kind, job, None).await;
    }
    Ok(())
}

/// Does one job in this very task, or waits while a server does it; answers it when it is over.
pub async fn run_one(core: &Core, kinds: &Kinds, business_id: i64, id: i64) -> DbResult<JobRow> {
    loop {
        if let Some((kind, job)) = take(core, id).await? {
            hold(core, kinds, &kind, job, None).await;
        }
        let job = store::find(&mut core.db.read().await?, business_id, id).await?;
        match job {
            Some(job) if job.is_over() => return Ok(job),
            Some(_) => tokio::time::sleep(LOOK / 5).await,
            None => return Err(DbError::Fault("the job no longer exists".into())),
        }
    }
}

/// Looks at a job that has just begun, for half a second at most: a few hundred rows are done by then, and the
/// page that comes next has no progress to show.
pub async fn wait_briefly(core: &Core, business_id: i64, id: i64) -> DbResult<()> {
    for _ in 0..8 {
        let job = store::find(&mut core.db.read().await?, business_id, id).await?;
        if job.is_none_or(|job| job.is_over()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    Ok(())
}

/// Whichever job has waited longest.
const ANY: i64 = 0;

async fn take(core: &Core, only: i64) -> DbResult<Option<(String, Claimed)>> {
    let now = core.clock.now();
    if !store::is_any_free(&mut core.db.read().await?, now, only).await? {
        return Ok(None);
    }
    let claim = core.ids.next().await?;
    let row = core.db.write(vec![], (claim, only), store::claim).await?;
    Ok(row.map(|row| (row.kind.clone(), Claimed::of(row, claim))))
}

/// Runs the steps of one job until it is done, its time is up, or the program stops.
async fn hold(core: &Core, kinds: &Kinds, kind: &str, mut job: Claimed, longest: Option<Duration>) {
    let Some(step) = kinds.step(kind) else {
        return give_up(core, &job, "this version of the program does not know such a job").await;
    };
    let started = Moment::now();
    loop {
        match chunk(core, step, &job).await {
            Ok(progress) if progress.finished => {
                tracing::info!(job = job.id, kind, done = progress.done, "a job is done");
                return;
            }
            Ok(progress) => job = job.at(progress),
            Err(DbError::Stopped(Stop::TakenOver)) => {
                tracing::warn!(job = job.id, kind, "a job was taken over by another worker");
                return;
            }
            Err(error) => return failed(core, &job, &error).await,
        }
        if core.stop.is_cancelled() || longest.is_some_and(|longest| started.elapsed() > longest) {
            return release(core, &job, 0, None).await;
        }
    }
}

/// One step; a panic in it fails the job and never the worker.
async fn chunk(core: &Core, step: Step, job: &Claimed) -> DbResult<super::Progress> {
    let done = std::panic::AssertUnwindSafe(step(core.clone(), Arc::new(job.clone()))).catch_unwind().await;
    done.unwrap_or_else(|_| Err(DbError::Fault("a step of the job panicked".into())))
}

/// Tries again later, from the same position, or gives up.
async fn failed(core: &Core, job: &Claimed, error: &DbError) {
    let attempts = match core.db.read().await {
        Ok(mut conn) => store::find(&mut conn, job.business_id, job.id).await.ok().flatten().map_or(1, |j| j.attempts),
        Err(_) => 1,
    };
    tracing::warn!(job = job.id, %error, attempts, "a step of a job failed");
    // A database that is full or away is no fault of the job; it waits as long as that takes.
    if attempts >= ATTEMPTS && matches!(error, DbError::Fault(_)) {
        return give_up(core, job, &error.to_string()).await;
    }
    release(core, job, 1 << attempts.clamp(0, 6), Some(error.to_string())).await;
}

async fn give_up(core: &Core, job: &Claimed, why: &str) {
    tracing::error!(job = job.id, why, "a job was given up");
    let id = job.id;
    let written = core.db.write(vec![], (id, job.claim, why.to_owned()), store::fail).await;
    if let Err(error) = written {
        tracing::warn!(job = id, %error, "the end of a job was not written");
    }
}

async fn release(core: &Core, job: &Claimed, seconds: i64, error: Option<String>) {
    let id = job.id;
    let written = core.db.write(vec![], (id, job.claim, seconds, error), store::release).await;
    if let Err(error) = written {
        // The lease runs out by itself.
        tracing::warn!(job = id, %error, "a job was not given back");
    }
}
