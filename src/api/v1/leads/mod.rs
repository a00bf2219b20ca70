//! Leads: people in a campaign, referred or not.

mod batch;
mod decide;
mod facts;
mod shape;

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::common::{campaign, campaigns, expected, field_id, needle, nothing, path_id, versioned};
use super::moves::rejected;
use super::part::{Page, Part, merged, merged_hits, page};
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::{Asked, InPath, Sent};
use crate::app::App;
use crate::engine::{AddLeadOutcome, Archive, EditLead, Event, Outcome, Qualify, Rejected, Seen, SetStatus, What};
use crate::id::Kind;
use crate::leads::rows::{self as store, Filter, LeadRow};
use crate::search::Scope;
use batch::{create_many, qualify_many};
use facts::changed;
pub use facts::{marked, marks};
use shape::{
    Lead, LeadChange, LeadsAdded, LeadsAsked, NewLead, NewLeads, NewStatus, Qualification, Qualifications, Qualified,
};

pub use decide::calls as decisions;
pub use shape::ItemError;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/leads", "listLeads", "List leads")
            .about("The newest first. Filters are those of the Leads page, and the source; a combination that no index serves looks at 10,000 leads. With `q`, all are searched; a page may have fewer than its limit, or none, and still a `next`. A `q` of one or two characters is looked for in the next 4,000.")
            .scope("leads:read")
            .asks::<LeadsAsked>()
            .answers::<Page<Lead>>(200, "A page of leads.", "")
            .link("getLead", "lead", "/data/0/id")
            .link("updateLead", "lead", "/data/0/id")
            .link("setLeadStatus", "lead", "/data/0/id")
            .link("listTouches", "lead", "/data/0/id"),
        list,
    )
    .with(
        Operation::post("/v1/leads", "createLead", "Add a lead")
            .once()
            .about("A person known by e-mail or phone, or by `external_id`, is not added again: 200 with the existing lead, which takes the `external_id` if it has none. An `external_id` of another person is refused: 409. A code that does not count is stored as a touch, with an inbox item that gives the reason.")
            .scope("leads:write")
            .takes::<NewLead>(NEW_LEAD)
            .answers::<Lead>(201, "The lead that was added.", "")
            .link("getLead", "lead", "/id")
            .link("qualifyLead", "lead", "/id")
            .link("archiveLead", "lead", "/id")
            .answers::<Lead>(200, "The lead that was there.", "")
            .refuses(&[409]),
        create,
    )
    .with(
        Operation::post("/v1/leads/batch", "createLeads", "Add many leads")
            .once()
            .about("Up to 1,000, an answer for each, in their order; what is wrong with one does not fail the others.")
            .scope("leads:write")
            .largest(4 * 1024 * 1024)
            .takes::<NewLeads>(NEW_LEADS)
            .answers::<LeadsAdded>(200, "The outcome of each.", ""),
        create_many,
    )
    .with(
        Operation::get("/v1/leads/{lead}", "getLead", "Read a lead")
            .about("With who referred it.")
            .scope("leads:read")
            .in_path("lead", "Its id: `lead_…` or the integer.")
            .header("if-none-match", "The ETag of a version that the caller has: 304 if it is still the one.")
            .answers::<Lead>(200, "The lead, with its version as ETag.", "")
            .answers_nothing(304, "It is as the caller has it.")
            .refuses(&[404]),
        show,
    )
    .with(
        Operation::patch("/v1/leads/{lead}", "updateLead", "Change a lead's facts")
            .about("Fields that are left out stay as they are; null or an empty text clears one. With `If-Match` the change is made only to that version.")
            .scope("leads:write")
            .in_path("lead", "Its id: `lead_…` or the integer.")
            .header("if-match", "The ETag of the version that is changed; 412 if there is a newer one.")
            .takes::<LeadChange>(r#"{"company": "Acme Corp", "budget": 50000}"#)
            .answers::<Lead>(200, "The lead as it is now.", "")
            .refuses(&[404, 409, 412]),
        update,
    )
    .with(
        Operation::delete("/v1/leads/{lead}", "archiveLead", "Archive a lead")
            .about("It leaves the lists; its history, attribution and money stay.")
            .scope("leads:write")
            .in_path("lead", "Its id: `lead_…` or the integer.")
            .header("if-match", "The ETag of the version that is meant; 412 if there is a newer one.")
            .answers_nothing(204, "It is archived.")
            .refuses(&[404, 409, 412]),
        archive,
    )
    .with(
        Operation::put("/v1/leads/{lead}/status", "setLeadStatus", "Set a lead's status")
            .about("`qualified` and `converted` qualify it; leaving them takes the qualification back.")
            .scope("leads:write")
            .in_path("lead", "Its id: `lead_…` or the integer.")
            .header("if-match", "The ETag of the version that is meant; 412 if there is a newer one.")
            .takes::<NewStatus>(r#"{"status": "contacted"}"#)
            .answers::<Lead>(200, "The lead as it is now.", "")
            .refuses(&[404, 409, 412]),
        set_status,
    )
    .with(
        Operation::put("/v1/leads/{lead}/qualification", "qualifyLead", "Qualify a lead, or take it back")
            .about("Doing it twice changes nothing. Taking it back voids unpaid rewards; commissions of payments stay.")
            .scope("leads:write")
            .in_path("lead", "Its id: `lead_…` or the integer.")
            .header("if-match", "The ETag of the version that is meant; 412 if there is a newer one.")
            .takes::<Qualification>(r#"{"qualified": true}"#)
            .answers::<Lead>(200, "The lead as it is now.", "")
            .refuses(&[404, 409, 412]),
        qualify,
    )
    .with(
        Operation::post("/v1/qualifications/batch", "qualifyLeads", "Qualify many leads")
            .once()
            .about("Up to 1,000, by id, an answer for each.")
            .scope("leads:write")
            .largest(1024 * 1024)
            .takes::<Qualifications>(r#"{"items": [{"lead": "lead_3n93q4hy1kjz4", "qualified": true}]}"#)
            .answers::<Qualified>(200, "The outcome of each.", ""),
        qualify_many,
    )
}

const NEW_LEAD: &str =
    r#"{"name": "Jane Smith", "email": "jane@example.com", "company": "Acme Corp", "code": "AGENT123"}"#;
const NEW_LEADS: &str = r#"{"items": [{"name": "Jane Smith", "email": "jane@example.com", "code": "AGENT123"}]}"#;

/// A lead of the caller's.
pub async fn find(app: &App, caller: &Caller, text: &str) -> Result<LeadRow, Problem> {
    let id = path_id(Kind::Lead, text, "lead")?;
    let found = store::by_id(&mut app.db.read().await?, caller.business_id(), id).await?;
    found.filter(|lead| lead.test == caller.test()).ok_or_else(|| nothing("lead"))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<LeadsAsked>,
) -> Result<Response, Problem> {
    let campaigns = campaigns(&app, &caller, asked.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let part = Part::new(asked.window, &caller, app.clock.now());
    let unattributed = asked.referrer.as_ref().is_some_and(|r| r.0 == "none");
    let referrer = asked.referrer.filter(|r| r.0 != "none");
    let filter = Filter {
        test: caller.test(),
        status: asked.status.map(|s| s.0),
        arrival: asked.arrival.map(|a| a.0.0),
        qualified: asked.qualified,
        referrer_id: referrer.map(|r| field_id(Kind::Referrer, "referrer", &r.0, "referrer")).transpose()?,
        unattributed,
        archived: asked.archived.unwrap_or(false),
        // A text that is no address matches no lead.
        email_key: asked.email.map(|e| crate::email::key_of(&e).unwrap_or_default()),
        external_id: asked.external_id.map(|id| id.0),
        source: asked.source.map(|source| source.0),
        needle: needle(&caller, asked.q.as_deref())?,
        by_changes: part.by_changes(),
    };
    let key = |row: &LeadRow| (part.at(row.created_at, row.updated_at), row.id);
    if !filter.needle.is_empty() {
        part.searchable()?;
        let list = |campaign| (Scope::leads(campaign, filter.test), store::listing(campaign, &filter));
        let hits = merged_hits(&app.db, &part, &filter.needle, &campaigns, key, list).await?;
        return Ok(page(&uri, &part, hits, key, Lead::of));
    }
    let mut conn = app.db.read().await?;
    let rows = match filter.by_source() {
        Some(source) => {
            let one = asked.campaign.and(campaigns.first().copied());
            part.rows(&mut conn, store::of_source(caller.business_id(), one, source, &filter)).await?
        }
        None => merged(&mut conn, &part, &campaigns, key, |campaign| store::listing(campaign, &filter)).await?,
    };
    Ok(page(&uri, &part, rows, key, Lead::of))
}

async fn show(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(id): InPath,
) -> Result<Response, Problem> {
    let row = find(&app, &caller, &id).await?;
    let version = row.updated_at;
    Ok(versioned(&headers, StatusCode::OK, version, &Lead::of(row)))
}

async fn create(State(app): State<App>, caller: Caller, Sent(new): Sent<NewLead>) -> Result<Response, Problem> {
    let campaign = campaign(&app, &caller, new.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let add = new.event(campaign, &caller)?;
    let (status, id, refused) = match app.engine.one(caller.by(), add).await?.map_err(refused)? {
        AddLeadOutcome::Added { lead_id, refused, .. } => (StatusCode::CREATED, lead_id.0, refused),
        AddLeadOutcome::Known { lead_id, refused, .. } => (StatusCode::OK, lead_id.0, refused),
    };
    let why = refused.map(|why| format!("code is kept and does not count: {}.", why.word().replace('_', " ")));
    answer_with(&app, &caller, status, id, why).await
}

/// The present lead, for the answer to a change.
async fn answer(app: &App, caller: &Caller, status: StatusCode, id: i64) -> Result<Response, Problem> {
    answer_with(app, caller, status, id, None).await
}

/// As [`answer`], with a warning beside those of the lead itself.
async fn answer_with(
    app: &App,
    caller: &Caller,
    status: StatusCode,
    id: i64,
    warning: Option<String>,
) -> Result<Response, Problem> {
    let row = store::by_id(&mut app.db.read().await?, caller.business_id(), id).await?;
    let row = row.ok_or_else(|| nothing("lead"))?;
    let version = row.updated_at;
    let mut lead = Lead::of(row);
    lead.warnings.extend(warning);
    Ok(versioned(&HeaderMap::new(), status, version, &lead))
}

/// A refusal by the rules.
fn refused(why: Rejected) -> Problem {
    rejected(why, || nothing("lead"))
}

async fn update(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(id): InPath,
    Sent(change): Sent<LeadChange>,
) -> Result<Response, Problem> {
    let expected = expected(&headers)?;
    // Two who change different fields at once both get their way: the second one is put on the first's.
    for _ in 0..5 {
        let row = find(&app, &caller, &id).await?;
        let seen = expected.unwrap_or(row.updated_at);
        let (lead_id, active) = (row.id, change.active.0.unwrap_or(row.active));
        let contact = Box::new(changed(row, change.clone(), &caller)?);
        let edit = EditLead { lead_id: lead_id.into(), contact, active };
        let seen = Seen { lead_id: lead_id.into(), updated_at: seen };
        match app.engine.one_of(Event::new(caller.by(), edit).if_unchanged(Some(seen))).await? {
            Ok(_) => return answer(&app, &caller, StatusCode::OK, lead_id).await,
            Err(Rejected::Stale) if expected.is_none() => {}
            Err(why) => return Err(refused(why)),
        }
    }
    Err(Problem::conflict("changed_meanwhile", "The lead keeps changing. Try again."))
}

/// Decides what a call asks for, of the version in its `If-Match` where it says one.
async fn decide(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    lead_id: i64,
    what: impl Into<What>,
) -> Result<Outcome, Problem> {
    let seen = expected(headers)?.map(|updated_at| Seen { lead_id: lead_id.into(), updated_at });
    app.engine.one_of(Event::new(caller.by(), what).if_unchanged(seen)).await?.map_err(refused)
}

async fn archive(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(id): InPath,
) -> Result<Response, Problem> {
    let lead_id = find(&app, &caller, &id).await?.id;
    decide(&app, &caller, &headers, lead_id, Archive { lead_id: lead_id.into(), archived: true }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn set_status(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(id): InPath,
    Sent(new): Sent<NewStatus>,
) -> Result<Response, Problem> {
    let lead_id = find(&app, &caller, &id).await?.id;
    let set = SetStatus { lead_id: lead_id.into(), status: new.status.0 };
    decide(&app, &caller, &headers, lead_id, set).await?;
    answer(&app, &caller, StatusCode::OK, lead_id).await
}

async fn qualify(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(id): InPath,
    Sent(q): Sent<Qualification>,
) -> Result<Response, Problem> {
    let lead_id = find(&app, &caller, &id).await?.id;
    let qualify = Qualify { lead_id: lead_id.into(), qualified: q.qualified, reason: q.reason.map(|r| r.0) };
    decide(&app, &caller, &headers, lead_id, qualify).await?;
    answer(&app, &caller, StatusCode::OK, lead_id).await
}
