//! Decisions of staff about a lead that may move money: its referrer, and merging it with another lead.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::{answer, find, refused};
use crate::api::Caller;
use crate::api::field::{IdText, Line};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{InPath, Sent};
use crate::api::v1::common::{field_id, nothing};
use crate::api::v1::moves::{Preview, Seen, is_as_seen, look, may_move};
use crate::app::App;
use crate::codes::{self, Lookup};
use crate::engine::{Archive, Event, Merge, Reattribute, What};
use crate::id::Kind;
use crate::leads::rows::{self as store, LeadRow};
use crate::object;
use crate::referrers::rows as people;

use super::shape::Lead;

const ATTRIBUTION: &str = r#"{"code": "AGENT123", "reason": "she named him on the phone"}"#;
const MERGE: &str = r#"{"into": "lead_3n93q4hy1kjz4"}"#;
const ID: &str = "Its id: `lead_…` or the integer.";

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::put("/v1/leads/{lead}/attribution", "attributeLead", "Decide who referred a lead")
            .about("By `referrer` or by `code`; `referrer` `none` takes the attribution away. Unpaid commissions move along, paid ones are netted in the next payout; waiting payments earn only with `pay_back`. The preview says which money moves; with its `seen`, exactly that is done, or nothing (412). Where money moves, the key needs `money:write` as well.")
            .scope("leads:write")
            .in_path("lead", ID)
            .takes::<NewAttribution>(ATTRIBUTION)
            .answers::<Lead>(200, "The lead as it is now.", "")
            .refuses(&[404, 409, 412]),
        attribute,
    )
    .with(
        Operation::post(
            "/v1/leads/{lead}/attribution/preview",
            "previewAttribution",
            "See which money another referrer would move",
        )
        .about("Takes what `PUT /v1/leads/{lead}/attribution` takes, and does nothing.")
        .scope("money:read")
        .in_path("lead", ID)
        .takes::<NewAttribution>(ATTRIBUTION)
        .answers::<Preview>(200, "The money that would move.", "")
        .refuses(&[404, 409]),
        preview_attribution,
    )
    .with(
        Operation::post("/v1/leads/{lead}/merge", "mergeLead", "Merge a lead into another")
            .once()
            .about("The lead of the address becomes part of `into`: its touches go over, and its facts where the other has none; the earliest touch counts; the lead itself is archived. One that has sign-ups, payments or commissions stays: merge the other one into it. Where money moves, the key needs `money:write` as well.")
            .scope("leads:write")
            .in_path("lead", ID)
            .takes::<Merging>(MERGE)
            .answers::<Lead>(200, "The lead that it is part of now.", "")
            .refuses(&[404, 409, 412]),
        merge,
    )
    .with(
        Operation::post("/v1/leads/{lead}/merge/preview", "previewMerge", "See which money a merge would move")
            .about("Takes what `POST /v1/leads/{lead}/merge` takes, and does nothing.")
            .scope("money:read")
            .in_path("lead", ID)
            .takes::<Merging>(MERGE)
            .answers::<Preview>(200, "The money that would move.", "")
            .refuses(&[404, 409]),
        preview_merge,
    )
    .with(
        Operation::post("/v1/leads/{lead}/restore", "restoreLead", "Bring a lead back from the archive")
            .once()
            .about("Doing it twice changes nothing.")
            .scope("leads:write")
            .in_path("lead", ID)
            .answers::<Lead>(200, "The lead as it is now.", "")
            .refuses(&[404, 409]),
        restore,
    )
}

object! {
    /// The referrer of a lead: one of `referrer` and `code`.
    strict pub struct NewAttribution {
        /// `agent_…` or the integer, of the lead's campaign; `none` for no referrer.
        referrer "referrer": Option<IdText>,
        /// A code instead: its referrer referred the lead.
        code "code": Option<Line<60>>,
        /// For the history.
        reason "reason": Line<300>,
        /// True to make waiting payments and the qualification earn at once; false by default.
        pay_back "pay_back": Option<bool>,
        /// The token of the preview: with it, nothing is done if other money would move by now.
        seen "seen": Option<Seen>,
    }
}

object! {
    /// The lead into which another is merged.
    strict pub struct Merging {
        /// `lead_…` or the integer.
        into "into": IdText,
        /// The token of the preview: with it, nothing is done if other money would move by now.
        seen "seen": Option<Seen>,
    }
}

fn no_lead() -> Problem {
    nothing("lead")
}

/// The enrollment in the lead's campaign that is meant, and the code.
async fn target(
    app: &App,
    caller: &Caller,
    lead: &LeadRow,
    new: &NewAttribution,
) -> Result<(Option<i64>, Option<i64>), Problem> {
    let (field, referrer, code) = match (&new.referrer, &new.code) {
        (Some(_), Some(_)) => return Err(FieldProblem::wrong("code", "cannot stand beside referrer").into()),
        (None, None) => return Err(FieldProblem::missing("referrer").into()),
        (Some(text), None) if text.0 == "none" => return Ok((None, None)),
        (Some(text), None) => ("referrer", field_id(Kind::Referrer, "referrer", &text.0, "referrer")?, None),
        (None, Some(text)) => {
            let found = codes::look_up(&mut app.db.read().await?, caller.business_id(), text).await?;
            match found {
                Lookup::Found { code, .. } if code.state == "retired" => {
                    return Err(FieldProblem::wrong("code", "is retired").into());
                }
                Lookup::Found { code, .. } => ("code", code.referrer_id, Some(code)),
                Lookup::NotFound { .. } => return Err(FieldProblem::wrong("code", "is nobody's").into()),
            }
        }
    };
    let mut conn = app.db.read().await?;
    if people::by_id(&mut conn, caller.business_id(), referrer).await?.is_none() {
        return Err(FieldProblem::wrong(field, "is not a referrer of this business").into());
    }
    let enrollments = people::enrollments(&mut conn, &[referrer]).await?;
    let enrollment = enrollments.into_iter().find(|e| e.campaign_id == lead.campaign_id);
    let wrong = || FieldProblem::wrong(field, "is of nobody who is enrolled in the lead's campaign");
    let enrollment = enrollment.ok_or_else(wrong)?;
    Ok((Some(enrollment.id), code.filter(|c| c.enrollment_id == enrollment.id).map(|c| c.id)))
}

async fn attribution(app: &App, caller: &Caller, lead: &LeadRow, new: &NewAttribution) -> Result<What, Problem> {
    let (to, code_id) = target(app, caller, lead, new).await?;
    let (reason, pay_back) = (new.reason.0.clone(), new.pay_back.unwrap_or(false));
    let (to, code_id) = (to.map(Into::into), code_id.map(Into::into));
    Ok(Reattribute { lead_id: lead.id.into(), to, code_id, reason, pay_back }.into())
}

async fn attribute(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath,
    Sent(new): Sent<NewAttribution>,
) -> Result<Response, Problem> {
    let lead = find(&app, &caller, &id).await?;
    let what = attribution(&app, &caller, &lead, &new).await?;
    may_move(&app, &caller, &what, no_lead).await?;
    is_as_seen(&app, &caller, &what, new.seen.as_ref(), no_lead).await?;
    app.engine.one_of(Event::new(caller.by(), what)).await?.map_err(refused)?;
    answer(&app, &caller, StatusCode::OK, lead.id).await
}

async fn preview_attribution(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath,
    Sent(new): Sent<NewAttribution>,
) -> Result<Json<Preview>, Problem> {
    let lead = find(&app, &caller, &id).await?;
    let what = attribution(&app, &caller, &lead, &new).await?;
    Ok(Json(Preview::of(&look(&app, &caller, &what, no_lead).await?)?))
}

/// The merge that is meant; both leads are the caller's.
async fn merging(app: &App, caller: &Caller, id: &str, into: &IdText) -> Result<(What, i64), Problem> {
    let lead = find(app, caller, id).await?;
    let into = field_id(Kind::Lead, "into", &into.0, "lead")?;
    let known = store::by_id(&mut app.db.read().await?, caller.business_id(), into).await?;
    known
        .filter(|lead| lead.test == caller.test())
        .ok_or_else(|| FieldProblem::wrong("into", "is not a lead of this business"))?;
    Ok((Merge { lead_id: lead.id.into(), into: into.into() }.into(), into))
}

async fn merge(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath,
    Sent(new): Sent<Merging>,
) -> Result<Response, Problem> {
    let (what, into) = merging(&app, &caller, &id, &new.into).await?;
    may_move(&app, &caller, &what, no_lead).await?;
    is_as_seen(&app, &caller, &what, new.seen.as_ref(), no_lead).await?;
    app.engine.one_of(Event::new(caller.by(), what)).await?.map_err(refused)?;
    answer(&app, &caller, StatusCode::OK, into).await
}

async fn preview_merge(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath,
    Sent(new): Sent<Merging>,
) -> Result<Json<Preview>, Problem> {
    let (what, _) = merging(&app, &caller, &id, &new.into).await?;
    Ok(Json(Preview::of(&look(&app, &caller, &what, no_lead).await?)?))
}

async fn restore(State(app): State<App>, caller: Caller, InPath(id): InPath) -> Result<Response, Problem> {
    let lead_id = find(&app, &caller, &id).await?.id;
    let restore = Archive { lead_id: lead_id.into(), archived: false };
    app.engine.one(caller.by(), restore).await?.map_err(refused)?;
    answer(&app, &caller, StatusCode::OK, lead_id).await
}
