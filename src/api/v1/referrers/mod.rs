//! Referrers: people who refer, the campaigns they are in, their codes and what they are owed.

mod batch;
mod shape;

use std::collections::HashMap;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::common::{campaign, expected, needle, nothing, path_id, stale, versioned};
use super::part::{Hits, Page, Part, page};
use crate::api::Caller;
use crate::api::field::Clearable;
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, Sent, SentIfAny};
use crate::api::v1::leads::{marked, marks};
use crate::app::App;
use crate::email::Email;
use crate::id::{self, Kind};
use crate::meta::Marks;
use crate::phone::Phone;
use crate::referrers::rows::{self as store, EnrollmentRow, Filter, ReferrerRow};
use crate::referrers::{self, AddReferrer, Added, Decided, Edited, Enrolled, NewFacts};
use crate::search::Scope;
use batch::{all_balances, create_many};
use shape::{
    AllBalances, Balances, BalancesAsked, NewEnrollment, NewReferrer, NewReferrers, NewState, Referrer, ReferrerChange,
    ReferrerFacts, ReferrersAdded, ReferrersAsked,
};

const ID: &str = "Their id: `agent_…` or the integer.";
/// Data that a test key reads and never changes.
const WHAT: &str = "Referrers";

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/referrers", "listReferrers", "List referrers")
            .about("The newest first. With `q`, a page may have fewer than its limit, or none, and still a `next`.")
            .scope("referrers:read")
            .asks::<ReferrersAsked>()
            .answers::<Page<Referrer>>(200, "A page of referrers.", "")
            .link("getReferrer", "referrer", "/data/0/id")
            .link("updateReferrer", "referrer", "/data/0/id")
            .link("getBalances", "referrer", "/data/0/id"),
        list,
    )
    .with(
        Operation::post("/v1/referrers", "createReferrer", "Add a referrer")
            .once()
            .about("Enrolls them in a campaign and gives them a code. A referrer known by e-mail is enrolled: 200 with the existing referrer.")
            .scope("referrers:write")
            .takes::<NewReferrer>(r#"{"name": "Jane Doe", "email": "jane@example.com"}"#)
            .answers::<Referrer>(201, "The referrer that was added.", "")
            .link("getReferrer", "referrer", "/id")
            .link("setReferrerState", "referrer", "/id")
            .link("archiveReferrer", "referrer", "/id")
            .answers::<Referrer>(200, "The referrer that was there.", ""),
        create,
    )
    .with(
        Operation::post("/v1/referrers/batch", "createReferrers", "Add many referrers")
            .once()
            .about("Up to 1,000, an answer for each, in their order; what is wrong with one does not fail the others. Each is added as by `POST /v1/referrers`.")
            .scope("referrers:write")
            .largest(4 * 1024 * 1024)
            .takes::<NewReferrers>(r#"{"items": [{"name": "Jane Doe", "email": "jane@example.com", "external_id": "crm-1042"}]}"#)
            .answers::<ReferrersAdded>(200, "The outcome of each.", ""),
        create_many,
    )
    .with(
        Operation::get("/v1/referrers/{referrer}", "getReferrer", "Read a referrer")
            .about("With the campaigns they are in, and their codes.")
            .scope("referrers:read")
            .in_path("referrer", ID)
            .header("if-none-match", "The ETag of a version that the caller has: 304 if it is still the one.")
            .answers::<Referrer>(200, "The referrer, with the version as ETag.", "")
            .answers_nothing(304, "They are as the caller has them.")
            .refuses(&[404]),
        show,
    )
    .with(
        Operation::patch("/v1/referrers/{referrer}", "updateReferrer", "Change what is known of a referrer")
            .about("Fields that are left out stay as they are; null or an empty text clears one. With `If-Match` the change is made only to that version.")
            .scope("referrers:write")
            .in_path("referrer", ID)
            .header("if-match", "The ETag of the version that is changed; 412 if there is a newer one.")
            .takes::<ReferrerChange>(r#"{"company": "Acme Corp"}"#)
            .answers::<Referrer>(200, "The referrer as they are now.", "")
            .refuses(&[404, 409, 412]),
        update,
    )
    .with(
        Operation::put("/v1/referrers/{referrer}", "replaceReferrer", "Write all that is known of a referrer")
            .about("All of it: a field that is left out is cleared. With `If-Match` only over that version.")
            .scope("referrers:write")
            .in_path("referrer", ID)
            .header("if-match", "The ETag of the version that is replaced; 412 if there is a newer one.")
            .takes::<ReferrerFacts>(r#"{"name": "Jane Doe", "email": "jane@example.com", "company": "Acme"}"#)
            .answers::<Referrer>(200, "The referrer as they are now.", "")
            .refuses(&[404, 409, 412]),
        replace,
    )
    .with(
        Operation::delete("/v1/referrers/{referrer}", "archiveReferrer", "Archive a referrer")
            .about("History, codes, attribution and money stay; nothing new is attributed to them.")
            .scope("referrers:write")
            .in_path("referrer", ID)
            .header("if-match", "The ETag of the version that is meant; 412 if there is a newer one.")
            .answers_nothing(204, "They are archived.")
            .refuses(&[404, 412]),
        archive,
    )
    .with(
        Operation::post("/v1/referrers/{referrer}/restore", "restoreReferrer", "Bring a referrer back from the archive")
            .once()
            .about("Doing it twice changes nothing.")
            .scope("referrers:write")
            .in_path("referrer", ID)
            .answers::<Referrer>(200, "The referrer as they are now.", "")
            .refuses(&[404]),
        restore,
    )
    .with(
        Operation::post("/v1/referrers/{referrer}/enrollments", "enrollReferrer", "Enroll a referrer in a campaign")
            .once()
            .about("With a code by default. An existing enrollment stays unchanged: 200.")
            .scope("referrers:write")
            .in_path("referrer", ID)
            .may_take::<NewEnrollment>(r#"{"campaign": "campaign_5hq4nfhx7n0k2"}"#)
            .answers::<Referrer>(201, "The referrer with the new enrollment.", "")
            .answers::<Referrer>(200, "The referrer as they are.", "")
            .refuses(&[404, 409]),
        enroll,
    )
    .with(
        Operation::put("/v1/referrers/{referrer}/state", "setReferrerState", "Pause, ban or activate a referrer")
            .about("In one campaign. Paused: no new leads. Banned: no new commissions either, and unpaid ones stay out of payouts until staff decide.")
            .scope("referrers:write")
            .in_path("referrer", ID)
            .takes::<NewState>(r#"{"state": "paused"}"#)
            .answers::<Referrer>(200, "The referrer as they are now.", "")
            .refuses(&[404, 409]),
        set_state,
    )
    .with(
        Operation::get("/v1/balances", "listBalances", "The balances of all referrers")
            .about("Of everybody who ever earned, in the order of the referrers' ids: by currency, as `GET /v1/referrers/{referrer}/balances`. `GET /v1/referrers/{referrer}/balances/{currency}/trace` says how one came about.")
            .scope("money:read")
            .asks::<BalancesAsked>()
            .answers::<AllBalances>(200, "A page of balances.", "")
            .link("getReferrer", "referrer", "/data/0/referrer"),
        all_balances,
    )
    .with(
        Operation::get("/v1/referrers/{referrer}/balances", "getBalances", "The balance of a referrer")
            .about("By currency: held (pending, or approved while the payment is disputed), due (approved), paid.")
            .scope("money:read")
            .in_path("referrer", ID)
            .answers::<Balances>(200, "The balances.", "")
            .refuses(&[404]),
        balances,
    )
}

pub async fn find(app: &App, caller: &Caller, text: &str) -> Result<ReferrerRow, Problem> {
    let id = path_id(Kind::Referrer, text, "referrer")?;
    let found = store::by_id(&mut app.db.read().await?, caller.business_id(), id).await?;
    found.ok_or_else(|| nothing("referrer"))
}

/// A referrer with their enrollments, as they are now.
async fn whole(app: &App, caller: &Caller, id: i64) -> Result<(ReferrerRow, Vec<EnrollmentRow>), Problem> {
    let mut conn = app.db.read().await?;
    let row = store::by_id(&mut conn, caller.business_id(), id).await?.ok_or_else(|| nothing("referrer"))?;
    let enrollments = store::enrollments(&mut conn, &[id]).await?;
    Ok((row, enrollments))
}

/// Their standing and codes change without them: the version is of both.
fn version(row: &ReferrerRow, enrollments: &[EnrollmentRow]) -> i64 {
    let mixed = enrollments.iter().fold(row.updated_at, |version, e| {
        version.rotate_left(7) ^ e.id ^ i64::from(crc32fast::hash(format!("{}{:?}", e.state, e.code).as_bytes()))
    });
    mixed & i64::MAX
}

async fn answer(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    status: StatusCode,
    id: i64,
) -> Result<Response, Problem> {
    let (row, enrollments) = whole(app, caller, id).await?;
    let version = version(&row, &enrollments);
    Ok(versioned(headers, status, version, &Referrer::of(row, enrollments, &app.config.public_url)))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<ReferrersAsked>,
) -> Result<Response, Problem> {
    let campaign_id = match &asked.campaign {
        Some(text) => Some(campaign(&app, &caller, Some(&text.0)).await?),
        None => None,
    };
    let filter = Filter {
        email_key: asked.email.map(|e| crate::email::key_of(&e).unwrap_or_default()),
        external_id: asked.external_id.map(|id| id.0),
        needle: needle(&caller, asked.q.as_deref())?,
        archived: asked.archived.unwrap_or(false),
        campaign_id,
        state: asked.state.map(|state| state.0.word()),
        has_code: asked.has_code,
    };
    let part = Part::new(asked.window, &caller, app.clock.now());
    let list = store::listing(caller.business_id(), &filter);
    let hits: Hits<ReferrerRow> = if filter.needle.is_empty() {
        part.rows(&mut app.db.read().await?, list).await?
    } else {
        part.searchable()?;
        part.search(&app.db, list, Scope::referrers(caller.business_id()), &filter.needle).await?
    };
    let ids: Vec<i64> = hits.rows.iter().map(|row| row.id).collect();
    let mut conn = app.db.read().await?;
    let mut of: HashMap<i64, Vec<EnrollmentRow>> = HashMap::new();
    for enrollment in store::enrollments(&mut conn, &ids).await? {
        of.entry(enrollment.referrer_id).or_default().push(enrollment);
    }
    drop(conn);
    let url = &app.config.public_url;
    let show = |row: ReferrerRow| {
        let enrollments = of.remove(&row.id).unwrap_or_default();
        Referrer::of(row, enrollments, url)
    };
    Ok(page(&uri, &part, hits, |row| (part.at(row.created_at, row.updated_at), row.id), show))
}

fn phone(caller: &Caller, text: Option<&str>) -> Result<Option<Phone>, FieldProblem> {
    let phone = text.map(|text| Phone::parse(text, &caller.key.row.country)).transpose();
    phone.map_err(|why| FieldProblem::wrong("phone", why))
}

/// A referrer to add, in a campaign.
fn adding(caller: &Caller, campaign_id: i64, new: NewReferrer) -> Result<AddReferrer, FieldProblem> {
    Ok(AddReferrer {
        business_id: caller.business_id(),
        campaign_id,
        phone: phone(caller, new.phone.as_deref())?,
        name: new.name.0,
        email: new.email,
        company: new.company.map(|c| c.0),
        marks: marks(new.external_id.map(|id| id.0), new.metadata)?.unwrap_or_default(),
        generate: new.generate_code.unwrap_or(true),
    })
}

fn external_id_taken(referrer_id: i64) -> Problem {
    let holder = id::render(Kind::Referrer, referrer_id);
    let message = format!("The external id is another referrer's, or this one has another: {holder}.");
    Problem::conflict("external_id_taken", message)
}

async fn create(State(app): State<App>, caller: Caller, Sent(new): Sent<NewReferrer>) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let campaign_id = campaign(&app, &caller, new.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let add = adding(&caller, campaign_id, new)?;
    let (status, id) = match referrers::add(&app, &caller.actor, add).await? {
        Added::New { referrer_id, .. } => (StatusCode::CREATED, referrer_id),
        Added::Known { referrer_id, .. } => (StatusCode::OK, referrer_id),
        Added::ExternalIdTaken { referrer_id } => return Err(external_id_taken(referrer_id)),
    };
    answer(&app, &caller, &HeaderMap::new(), status, id).await
}

async fn show(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(text): InPath,
) -> Result<Response, Problem> {
    let id = path_id(Kind::Referrer, &text, "referrer")?;
    answer(&app, &caller, &headers, StatusCode::OK, id).await
}

async fn replace(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(text): InPath,
    Sent(facts): Sent<ReferrerFacts>,
) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let id = path_id(Kind::Referrer, &text, "referrer")?;
    let new = NewFacts {
        phone: phone(&caller, facts.phone.as_deref())?,
        name: facts.name.0,
        email: facts.email,
        company: facts.company.map(|c| c.0),
        marks: Some(marks(facts.external_id.map(|id| id.0), facts.metadata)?.unwrap_or_default()),
    };
    let seen = match expected(&headers)? {
        None => None,
        Some(expected) => Some(as_expected(&app, &caller, id, Some(expected)).await?.updated_at),
    };
    match referrers::edit(&app, &caller.actor, caller.business_id(), id, new, seen).await? {
        Edited::Stale => Err(stale()),
        other => edited(&app, &caller, id, other).await,
    }
}

/// The referrer, if it is still the version that is expected.
async fn as_expected(app: &App, caller: &Caller, id: i64, expected: Option<i64>) -> Result<ReferrerRow, Problem> {
    let (row, enrollments) = whole(app, caller, id).await?;
    if expected.is_some_and(|expected| expected != version(&row, &enrollments)) { Err(stale()) } else { Ok(row) }
}

async fn edited(app: &App, caller: &Caller, id: i64, edited: Edited) -> Result<Response, Problem> {
    match edited {
        Edited::Done { .. } => answer(app, caller, &HeaderMap::new(), StatusCode::OK, id).await,
        Edited::EmailTaken { referrer_id, .. } => Err(Problem::conflict(
            "email_taken",
            format!("That e-mail address is {}'s.", id::render(Kind::Referrer, referrer_id)),
        )),
        Edited::ExternalIdTaken { referrer_id } => Err(external_id_taken(referrer_id)),
        Edited::NotFound => Err(nothing("referrer")),
        Edited::Stale => Err(Problem::conflict("changed_meanwhile", "The referrer keeps changing. Try again.")),
    }
}

async fn update(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(text): InPath,
    Sent(change): Sent<ReferrerChange>,
) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let id = path_id(Kind::Referrer, &text, "referrer")?;
    let expected = expected(&headers)?;
    let mut last = Edited::Stale;
    // Two who change different fields at once both get their way: the second one is put on the first's.
    for _ in 0..5 {
        let row = as_expected(&app, &caller, id, expected).await?;
        let seen = row.updated_at;
        let new = changed(row, &change, &caller)?;
        last = referrers::edit(&app, &caller.actor, caller.business_id(), id, new, Some(seen)).await?;
        if last != Edited::Stale {
            break;
        }
    }
    edited(&app, &caller, id, last).await
}

/// The stored facts of a referrer with a change made to them.
fn changed(row: ReferrerRow, change: &ReferrerChange, caller: &Caller) -> Result<NewFacts, Problem> {
    fn or<const N: usize>(change: &Option<Clearable<N>>, before: Option<String>) -> Option<String> {
        change.as_ref().map_or(before, |c| c.0.clone())
    }
    let known = Marks { external_id: row.external_id.clone(), meta: row.meta.clone() };
    let marks = marked(known, change.external_id.clone(), change.metadata.clone())?;
    let email = or(&change.email, row.email).map(|text| Email::parse(&text)).transpose();
    Ok(NewFacts {
        name: change.name.0.as_ref().map_or(row.name, |name| name.0.clone()),
        email: email.map_err(|why| FieldProblem::wrong("email", why))?,
        phone: phone(caller, or(&change.phone, row.phone).as_deref())?,
        company: or(&change.company, row.company),
        marks: Some(marks),
    })
}

async fn archive(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(text): InPath,
) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let id = path_id(Kind::Referrer, &text, "referrer")?;
    if let Some(seen) = expected(&headers)? {
        let (row, enrollments) = whole(&app, &caller, id).await?;
        if version(&row, &enrollments) != seen {
            return Err(stale());
        }
    }
    let done = referrers::archive(&app, &caller.actor, caller.business_id(), id, true).await?;
    done.map(|_| StatusCode::NO_CONTENT.into_response()).ok_or_else(|| nothing("referrer"))
}

async fn restore(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let id = path_id(Kind::Referrer, &text, "referrer")?;
    let done = referrers::archive(&app, &caller.actor, caller.business_id(), id, false).await?;
    done.ok_or_else(|| nothing("referrer"))?;
    answer(&app, &caller, &HeaderMap::new(), StatusCode::OK, id).await
}

async fn enroll(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    SentIfAny(new): SentIfAny<NewEnrollment>,
) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let id = find(&app, &caller, &text).await?.id;
    let campaign = campaign(&app, &caller, new.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let generate = new.generate_code.unwrap_or(true);
    let status = match referrers::enroll(&app, &caller.actor, caller.business_id(), id, campaign, generate).await? {
        Enrolled::Done { .. } => StatusCode::CREATED,
        Enrolled::Already => StatusCode::OK,
        Enrolled::Archived => return Err(Problem::conflict("archived", "The referrer is archived.")),
        Enrolled::NotFound => return Err(nothing("referrer")),
    };
    answer(&app, &caller, &HeaderMap::new(), status, id).await
}

async fn set_state(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(new): Sent<NewState>,
) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let row = find(&app, &caller, &text).await?;
    let campaign = campaign(&app, &caller, new.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let enrollments = store::enrollments(&mut app.db.read().await?, &[row.id]).await?;
    let enrollment = enrollments.into_iter().find(|e| e.campaign_id == campaign);
    let enrollment = enrollment.ok_or_else(|| FieldProblem::wrong("campaign", "is not one they are enrolled in"))?;
    let reason = new.reason.map(|r| r.0);
    match referrers::decide(&app, &caller.actor, caller.business_id(), enrollment.id, new.state.0, reason).await? {
        Decided::NotFound => Err(nothing("referrer")),
        _ => answer(&app, &caller, &HeaderMap::new(), StatusCode::OK, row.id).await,
    }
}

async fn balances(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<Balances>, Problem> {
    let row = find(&app, &caller, &text).await?;
    // Test data are on no account.
    let rows = if caller.test() { Vec::new() } else { store::balances(&mut app.db.read().await?, row.id).await? };
    Ok(Json(Balances::of(rows)?))
}
