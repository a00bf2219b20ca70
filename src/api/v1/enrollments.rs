//! Many referrers at a time in a campaign: by their ids, or all of another campaign.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::common::{campaign, id_of, nothing};
use super::jobs::{self, Job};
use crate::api::Caller;
use crate::api::field::{IdText, Line, Many};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::Sent;
use crate::app::App;
use crate::id::{self, Kind};
use crate::object;
use crate::referrers::{self, Enrolled, Set, Wanted};
use crate::remarks;

const WHAT: &str = "Referrers";

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::post("/v1/enrollments", "enrollReferrers", "Enroll many referrers in a campaign")
            .once()
            .about("Either `referrers`, up to 1,000 ids, with an answer for each in their order; or `from`, another campaign, whose active referrers are all enrolled. `from` runs in the background: 202, and `GET /v1/jobs/{job}` says how far it is; the same call during the job joins it. Who is in the campaign stays as they are.")
            .scope("referrers:write")
            .takes::<NewEnrollments>(r#"{"campaign": "campaign_5hq4nfhx7n0k2", "referrers": ["agent_5hq4nfhx7n0k2"]}"#)
            .answers::<EnrollmentsMade>(200, "The outcome of each, or of the job, which is over.", "")
            .answers::<EnrollmentsMade>(202, "The job goes on in the background.", ""),
        create,
    )
}

object! {
    /// Referrers to enroll: one of `referrers` and `from`.
    strict struct NewEnrollments {
        /// The campaign they are enrolled in: `campaign_…` or the integer. The key's, or the business's default,
        /// otherwise.
        campaign "campaign": Option<IdText>,
        /// Up to 1,000 ids: `agent_…` or the integer.
        referrers "referrers": Option<Many<IdText, 1000>>,
        /// All active referrers of this other campaign.
        from "from": Option<IdText>,
        /// Of those, only the ones with this tag.
        tag "tag": Option<Line<60>>,
        /// True to give each a code at once; true by default.
        generate_code "generate_code": Option<bool>,
    }
}

/// The outcome of one referrer.
#[derive(Serialize, JsonSchema)]
struct EnrollmentMade {
    /// `enrolled`, `already`, `archived` or `not_found`.
    result: &'static str,
    /// `agent_…`; null where there is none.
    referrer: Option<String>,
    /// Their code in the campaign, where one was generated.
    code: Option<String>,
}

/// The outcome of an enrollment of many.
#[derive(Serialize, JsonSchema)]
struct EnrollmentsMade {
    /// With `referrers`: the outcome of each, in the order of what was sent.
    items: Vec<EnrollmentMade>,
    /// With `from`: the job.
    job: Option<Job>,
}

async fn create(State(app): State<App>, caller: Caller, Sent(new): Sent<NewEnrollments>) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let campaign_id = campaign(&app, &caller, new.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let generate = new.generate_code.unwrap_or(true);
    match (new.referrers, new.from) {
        (Some(ids), None) if new.tag.is_none() => by_id(&app, &caller, campaign_id, &ids.0, generate).await,
        (None, Some(from)) => {
            let tag = new.tag.as_ref().map(|tag| tag.0.as_str());
            all_of(&app, &caller, campaign_id, (&from.0, tag), generate).await
        }
        (Some(_), None) => Err(FieldProblem::wrong("tag", "narrows `from`, and not `referrers`").into()),
        (Some(_), Some(_)) => Err(FieldProblem::wrong("from", "is sent without `referrers`: one of the two").into()),
        (None, None) => Err(FieldProblem::wrong("referrers", "is missing: send `referrers` or `from`").into()),
    }
}

async fn by_id(
    app: &App,
    caller: &Caller,
    campaign_id: i64,
    sent: &[IdText],
    generate: bool,
) -> Result<Response, Problem> {
    let ids: Vec<Option<i64>> = sent.iter().map(|text| id_of(Kind::Referrer, &text.0)).collect();
    let referrers = ids.iter().copied().flatten().collect();
    let set = Set { business_id: caller.business_id(), campaign_id, referrers, generate, job_id: None };
    let mut outcomes = referrers::enroll_each(app, &caller.actor, set).await?.into_iter();
    let item = |id: Option<i64>| {
        let outcome = id.and_then(|_| outcomes.next()).unwrap_or(Enrolled::NotFound);
        let known = id.filter(|_| outcome != Enrolled::NotFound);
        let (result, code) = match outcome {
            Enrolled::Done { code, .. } => ("enrolled", code),
            Enrolled::Already => ("already", None),
            Enrolled::Archived => ("archived", None),
            Enrolled::NotFound => ("not_found", None),
        };
        EnrollmentMade { result, referrer: known.map(|id| id::render(Kind::Referrer, id)), code }
    };
    let items = ids.into_iter().map(item).collect();
    Ok(Json(EnrollmentsMade { items, job: None }).into_response())
}

async fn all_of(
    app: &App,
    caller: &Caller,
    campaign_id: i64,
    (from, tag): (&str, Option<&str>),
    generate: bool,
) -> Result<Response, Problem> {
    let wrong = |why: &'static str| Problem::from(FieldProblem::wrong("from", why));
    let Ok(from) = campaign(app, caller, Some(from)).await else {
        return Err(wrong("is not a campaign of this business"));
    };
    if from == campaign_id {
        return Err(wrong("is the campaign itself"));
    }
    let tag = match tag {
        None => 0,
        Some(name) => {
            let all = remarks::all_tags(&mut app.db.read().await?, caller.business_id()).await?;
            let same = |(_, known): &&(i64, String)| known.to_lowercase() == name.to_lowercase();
            let found = all.iter().find(same).map(|(id, _)| *id);
            found.ok_or_else(|| Problem::from(FieldProblem::wrong("tag", "is not a tag of this business")))?
        }
    };
    let business_id = caller.business_id();
    let wanted = Wanted { from, tag, generate };
    let id = referrers::enroll_many(app, &caller.actor, business_id, campaign_id, wanted).await?;
    let job = jobs::a_moment(app, business_id, id).await?.ok_or_else(|| nothing("job"))?;
    let status = if job.is_over() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(EnrollmentsMade { items: Vec::new(), job: Some(Job::of(&job)) })).into_response())
}
