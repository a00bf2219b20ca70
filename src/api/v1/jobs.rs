//! Work in the background that a call began: how far it has come.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::common::{instant, maybe_instant, nothing, path_id};
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::InPath;
use crate::app::App;
use crate::codes::{self, Batch};
use crate::db::DbResult;
use crate::id::{self, Kind};
use crate::jobs::{self, JobRow};
use crate::referrers;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/jobs/{job}", "getJob", "Read how far a job has come")
            .about("The job of `POST /v1/referrers/codes` or `POST /v1/enrollments`. It has ended when `state` is `done` or `failed`.")
            .scope("referrers:read")
            .in_path("job", "Its id: `job_…` or the integer.")
            .answers::<Job>(200, "The job as it is now.", "")
            .refuses(&[404]),
        show,
    )
}

/// Codes being generated, or referrers being enrolled, in the background.
#[derive(Serialize, JsonSchema)]
pub struct Job {
    /// `job_…`.
    id: String,
    /// `codes` or `enrollments`.
    kind: &'static str,
    /// `queued`, `running`, `done` or `failed`. Codes and enrollments made by a failed job stay; starting it
    /// again makes the rest.
    state: String,
    /// The campaign: `campaign_…`.
    campaign: Option<String>,
    /// Codes made, or referrers enrolled, so far.
    made: i64,
    /// Referrers who had a code, or were in the campaign, and stay as they are.
    skipped: i64,
    /// Codes missing, or active referrers of the other campaign, when it began.
    total: i64,
    /// When it was started.
    created_at: String,
    /// When it ended; null while it runs.
    finished_at: Option<String>,
}

impl Job {
    pub fn of(row: &JobRow) -> Self {
        let enrolls = row.kind == referrers::ENROLL;
        let Batch { made, skipped } = Batch::of(&row.result());
        let many = referrers::Many::of(&row.result());
        let (made, skipped) = if enrolls { (many.enrolled, many.left) } else { (made, skipped) };
        Self {
            id: id::render(Kind::Job, row.id),
            kind: if enrolls { "enrollments" } else { "codes" },
            state: row.state.clone(),
            campaign: row.campaign_id.map(|id| id::render(Kind::Campaign, id)),
            made,
            skipped,
            total: row.total,
            created_at: instant(row.created_at),
            finished_at: maybe_instant(row.finished_at),
        }
    }
}

/// Looks at a job until it is over, for half a second at most: what is small is answered whole.
pub async fn a_moment(app: &App, business_id: i64, job_id: i64) -> DbResult<Option<JobRow>> {
    let mut job = jobs::find(&mut app.db.read().await?, business_id, job_id).await?;
    for _ in 0..8 {
        if job.as_ref().is_none_or(JobRow::is_over) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(60)).await;
        job = jobs::find(&mut app.db.read().await?, business_id, job_id).await?;
    }
    Ok(job)
}

async fn show(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<Job>, Problem> {
    let id = path_id(Kind::Job, &text, "job")?;
    let job = jobs::find(&mut app.db.read().await?, caller.business_id(), id).await?;
    let job = job
        .filter(|job| [codes::KIND, referrers::ENROLL].contains(&job.kind.as_str()))
        .ok_or_else(|| nothing("job"))?;
    Ok(Json(Job::of(&job)))
}
