//! The end of a step: the run and its job move on in one transaction.

use std::sync::Arc;

use crate::db::{DbResult, Tx};
use crate::jobs::{Claimed, Progress};
use crate::providers::store::runs::{self as store, Come, RunRow, RunState};

/// Why a run does not go on.
#[derive(Debug, Clone)]
pub struct Stopped {
    pub why: String,
    /// When it does by itself.
    pub again_at: Option<i64>,
}

/// A step's end: how far it brings a run and its job.
pub struct Step {
    pub job: Arc<Claimed>,
    /// `None` leaves the run as it is.
    pub come: Option<Come>,
    pub progress: Progress,
}

impl Step {
    pub fn new(job: &Arc<Claimed>, come: Come) -> Self {
        Self { progress: job.progress(), job: job.clone(), come: Some(come) }
    }

    /// For a run that is over.
    pub fn over(job: &Arc<Claimed>) -> Self {
        let mut progress = job.progress();
        progress.finished = true;
        Self { progress, job: job.clone(), come: None }
    }

    pub fn stopped(job: &Arc<Claimed>, run: &RunRow, stopped: Stopped) -> Self {
        let come = Come { stopped: Some(stopped.why), again_at: stopped.again_at, ..Come::of(run) };
        Self { come: Some(come), ..Self::over(job) }
    }
}

impl Come {
    /// A run as it stands.
    pub fn of(run: &RunRow) -> Self {
        Self {
            id: run.id,
            state: run.state,
            cursor: run.cursor.clone(),
            counts: run.counts.clone(),
            stopped: None,
            again_at: None,
        }
    }
}

/// Stores how far a step brought its run. A run that is checked begins again from the top, to be applied: when somebody
/// says so, or at once.
pub async fn end(tx: &mut Tx, step: &Step) -> DbResult<Progress> {
    let mut progress = step.progress.clone();
    if let Some(come) = &step.come {
        let mut come = come.clone();
        let run = store::find(tx, step.job.business_id, come.id).await?;
        let asks = run.as_ref().is_some_and(|run| run.asks);
        if come.state == RunState::Checked {
            come.cursor = "{}".into();
            (progress.done, progress.finished) = (0, asks);
            if !asks {
                come.state = RunState::Running;
            }
        }
        progress.finished |= run.is_none_or(|run| run.state == RunState::Discarded);
        store::come(tx, &come).await?;
    }
    step.job.advance(tx, &progress).await?;
    Ok(progress)
}
