//! Leads: people in a campaign, referred or not.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::common::{
    After, Limit, Page, Turn, campaign, campaigns, expected, field_id, instant, maybe_instant, merged, nothing, page,
    path_id, stale, versioned,
};
use super::store::leads::{self as store, Filter, LeadRow, TouchRow};
use crate::api::Caller;
use crate::api::field::{IdText, Line, Many, NumberText, OneOf, Text, Tried, Word};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, Sent};
use crate::app::App;
use crate::desk::{AddLead, Changed, Claim, ClaimBy, Contact, Event, Outcome, Refusal, Status, TouchKind, What};
use crate::id::{self, Kind};
use crate::leads::ARRIVALS;
use crate::object;
use crate::phone::Phone;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/leads", "listLeads", "List leads")
            .about("The newest first. Filters are those of the Leads page; a combination that no index serves looks at 10,000 leads.")
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
            .about("A person who is known by e-mail or phone is found and not added again: 200 with the lead that was there. A code that does not count is kept as a touch, with an inbox item that says why.")
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
            .about("Up to 1,000, an answer for each, in their order; what is wrong with one does not fail the others.")
            .scope("leads:write")
            .largest(4 * 1024 * 1024)
            .takes::<NewLeads>(NEW_LEADS)
            .answers::<LeadsAdded>(200, "What became of each.", ""),
        create_many,
    )
    .with(
        Operation::get("/v1/leads/{lead}", "getLead", "Read a lead")
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
            .about("Fields that are left out stay as they are; an empty text clears one. With `If-Match` the change is made only to that version.")
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
            .answers_nothing(204, "It is archived.")
            .refuses(&[404, 409]),
        archive,
    )
    .with(
        Operation::put("/v1/leads/{lead}/status", "setLeadStatus", "Set a lead's status")
            .about("`qualified` and `converted` qualify it; leaving them takes the qualification back.")
            .scope("leads:write")
            .in_path("lead", "Its id: `lead_…` or the integer.")
            .takes::<NewStatus>(r#"{"status": "contacted"}"#)
            .answers::<Lead>(200, "The lead as it is now.", "")
            .refuses(&[404, 409]),
        set_status,
    )
    .with(
        Operation::put("/v1/leads/{lead}/qualification", "qualifyLead", "Qualify a lead, or take it back")
            .about("Doing it twice changes nothing. Taking it back voids unpaid rewards; commissions of payments stay.")
            .scope("leads:write")
            .in_path("lead", "Its id: `lead_…` or the integer.")
            .takes::<Qualification>(r#"{"qualified": true}"#)
            .answers::<Lead>(200, "The lead as it is now.", "")
            .refuses(&[404, 409]),
        qualify,
    )
    .with(
        Operation::post("/v1/qualifications/batch", "qualifyLeads", "Qualify many leads")
            .about("Up to 1,000, by id, an answer for each.")
            .scope("leads:write")
            .largest(1024 * 1024)
            .takes::<Qualifications>(r#"{"items": [{"lead": "lead_3n93q4hy1kjz4", "qualified": true}]}"#)
            .answers::<Qualified>(200, "What became of each.", ""),
        qualify_many,
    )
    .with(
        Operation::get("/v1/leads/{lead}/touches", "listTouches", "List a lead's touches")
            .about("What links it to referrers, the newest first. One counts: the lead's `touch`.")
            .scope("leads:read")
            .in_path("lead", "Its id: `lead_…` or the integer.")
            .asks::<PageAsked>()
            .answers::<Page<Touch>>(200, "A page of touches.", "")
            .refuses(&[404]),
        touches,
    )
}

const NEW_LEAD: &str =
    r#"{"name": "Jane Smith", "email": "jane@example.com", "company": "Acme Corp", "code": "AGENT123"}"#;
const NEW_LEADS: &str = r#"{"items": [{"name": "Jane Smith", "email": "jane@example.com", "code": "AGENT123"}]}"#;

object! {
    /// Which part of a list is asked for.
    strict pub struct PageAsked {
        /// Rows of the page.
        limit "limit": Option<Limit>,
        /// Where it begins: `next` of the page before.
        after "after": Option<After>,
    }
}

/// A way of arrival.
#[derive(Debug, Clone, Copy)]
pub struct Arrival(&'static str);

impl Word for Arrival {
    const WORDS: &'static [&'static str] = &["code", "link", "verbal", "upload", "staff"];

    fn of(word: &str) -> Option<Self> {
        ARRIVALS.iter().map(|(known, _)| *known).find(|known| *known == word).map(Self)
    }
}

object! {
    /// Which leads are asked for.
    strict struct LeadsAsked {
        /// Rows of the page.
        limit "limit": Option<Limit>,
        /// Where it begins: `next` of the page before.
        after "after": Option<After>,
        /// Only of this campaign; of all otherwise.
        campaign "campaign": Option<IdText>,
        /// Only with this status.
        status "status": Option<OneOf<Status>>,
        /// Only those that came this way.
        arrival "arrival": Option<OneOf<Arrival>>,
        /// Only qualified ones, or only those that are not.
        qualified "qualified": Option<bool>,
        /// Only those of a referrer, by id; `none` for those of nobody.
        referrer "referrer": Option<IdText>,
        /// Only with this very e-mail address, as it is matched: case and domain spelling do not count.
        email "email": Option<Line<320>>,
        /// A piece of name, e-mail, phone or company.
        q "q": Option<Line<200>>,
        /// Archived ones instead of the others.
        archived "archived": Option<bool>,
    }
}

object! {
    /// A lead to add.
    strict struct NewLead {
        /// The campaign: `campaign_…` or the integer. The key's, or the business's default, otherwise.
        campaign "campaign": Option<IdText>,
        /// The full name.
        name "name": Line<200>,
        /// The e-mail address. Text that is no address is kept and not matched by.
        email "email": Option<Line<320>>,
        /// The phone number, in the business's country where it has no country code.
        phone "phone": Option<Line<60>>,
        company "company": Option<Line<200>>,
        jobtitle "jobtitle": Option<Line<200>>,
        industry "industry": Option<Line<200>>,
        website "website": Option<Line<500>>,
        /// What they want.
        request "request": Option<Text<5000>>,
        /// A plain decimal.
        budget "budget": Option<NumberText>,
        country "country": Option<Line<100>>,
        state "state": Option<Line<100>>,
        address "address": Option<Text<500>>,
        /// Where they came from, in your words.
        source "source": Option<Line<100>>,
        /// `new` otherwise.
        status "status": Option<OneOf<Status>>,
        /// The referral code they brought.
        code "code": Option<Line<60>>,
    }
}

object! {
    /// Leads to add.
    strict struct NewLeads {
        /// Up to 1,000.
        items "items": Many<Tried<NewLead>, 1000>,
    }
}

object! {
    /// What changes about a lead. A field that is left out stays; an empty text clears it.
    strict struct LeadChange {
        name "name": Option<Line<200>>,
        email "email": Option<Clearable<320>>,
        phone "phone": Option<Clearable<60>>,
        company "company": Option<Clearable<200>>,
        jobtitle "jobtitle": Option<Clearable<200>>,
        industry "industry": Option<Clearable<200>>,
        website "website": Option<Clearable<500>>,
        request "request": Option<Clearable<5000>>,
        /// A plain decimal.
        budget "budget": Option<NumberText>,
        country "country": Option<Clearable<100>>,
        state "state": Option<Clearable<100>>,
        address "address": Option<Clearable<500>>,
        source "source": Option<Clearable<100>>,
        /// Whether it is worked on.
        active "active": Option<bool>,
    }
}

/// Text that an empty one clears.
#[derive(Debug, Clone)]
struct Clearable<const MOST: usize>(Option<String>);

impl<const MOST: usize> crate::api::field::Field for Clearable<MOST> {
    fn read(raw: Option<&str>) -> Result<Self, crate::api::field::Wrong> {
        use crate::api::field::Wrong;
        match Text::<MOST>::read(Some(raw.ok_or(Wrong::Missing)?)) {
            Ok(text) => Ok(Self(Some(text.0.trim().to_owned()))),
            Err(Wrong::Missing) => Ok(Self(None)),
            Err(other) => Err(other),
        }
    }

    fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "maxLength": MOST })
    }
}

object! {
    /// A status.
    strict struct NewStatus {
        status "status": OneOf<Status>,
    }
}

object! {
    /// Whether a lead counts.
    strict struct Qualification {
        qualified "qualified": bool,
        /// For the audit.
        reason "reason": Option<Line<500>>,
    }
}

object! {
    /// One of many qualifications.
    strict struct QualificationItem {
        /// `lead_…` or the integer.
        lead "lead": IdText,
        qualified "qualified": bool,
        reason "reason": Option<Line<500>>,
    }
}

object! {
    /// Leads to qualify, or to take it back from.
    strict struct Qualifications {
        /// Up to 1,000.
        items "items": Many<Tried<QualificationItem>, 1000>,
    }
}

/// A lead.
#[derive(Serialize, JsonSchema)]
pub struct Lead {
    /// `lead_…`.
    id: String,
    /// The integer behind it, as Referral Factory's API has it.
    number: i64,
    /// `campaign_…`.
    campaign: String,
    /// Whether it is test data.
    test: bool,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    company: Option<String>,
    jobtitle: Option<String>,
    industry: Option<String>,
    website: Option<String>,
    request: Option<String>,
    #[schemars(schema_with = "maybe_number")]
    budget: Option<Box<RawValue>>,
    country: Option<String>,
    state: Option<String>,
    address: Option<String>,
    source: Option<String>,
    /// `api` or `dashboard`.
    source_origin: String,
    /// `new`, `contacted`, `qualified`, `converted` or `lost`.
    status: String,
    active: bool,
    /// Set while the referral counts.
    qualified_at: Option<String>,
    converted_at: Option<String>,
    /// Who referred it; null while nobody counts.
    attribution: Option<Attribution>,
    /// The lead it is a duplicate of.
    duplicate_of: Option<String>,
    created_at: String,
    updated_at: String,
    archived_at: Option<String>,
}

fn maybe_number(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": ["number", "null"] })
}

/// What counts for a lead.
#[derive(Serialize, JsonSchema)]
struct Attribution {
    /// `agent_…`.
    referrer: String,
    code: Option<String>,
    /// `code`, `link`, `verbal`, `upload` or `staff`.
    arrival: Option<String>,
    /// The touch that counts: `touch_…`.
    touch: Option<String>,
}

impl Lead {
    fn of(row: LeadRow) -> Self {
        let lead = |id| id::render(Kind::Lead, id);
        Self {
            id: lead(row.id),
            number: row.id,
            campaign: id::render(Kind::Campaign, row.campaign_id),
            test: row.test,
            name: row.name,
            email: row.email,
            phone: row.phone,
            company: row.company,
            jobtitle: row.jobtitle,
            industry: row.industry,
            website: row.website,
            request: row.request,
            budget: row.budget.and_then(|text| RawValue::from_string(text).ok()),
            country: row.country,
            state: row.region,
            address: row.address,
            source: row.source,
            source_origin: row.source_origin,
            status: row.status,
            active: row.active,
            qualified_at: maybe_instant(row.qualified_at),
            converted_at: maybe_instant(row.converted_at),
            attribution: row.referrer_id.map(|referrer| Attribution {
                referrer: id::render(Kind::Referrer, referrer),
                code: row.code,
                arrival: row.arrival,
                touch: row.touch_id.map(|id| id::render(Kind::Touch, id)),
            }),
            duplicate_of: row.duplicate_of.map(lead),
            created_at: instant(row.created_at),
            updated_at: instant(row.updated_at),
            archived_at: maybe_instant(row.archived_at),
        }
    }
}

/// A touch: evidence that links a lead to a referrer.
#[derive(Serialize, JsonSchema)]
struct Touch {
    /// `touch_…`.
    id: String,
    /// `click`, `code`, `verbal`, `event`, `import` or `staff`.
    kind: String,
    code: Option<String>,
    /// `agent_…`.
    referrer: Option<String>,
    /// Why it could not count when it came.
    refused: Option<String>,
    reason: Option<String>,
    at: String,
}

impl Touch {
    fn of(row: TouchRow) -> Self {
        Self {
            id: id::render(Kind::Touch, row.id),
            kind: row.kind,
            code: row.code,
            referrer: row.referrer_id.map(|id| id::render(Kind::Referrer, id)),
            refused: row.refused,
            reason: row.reason,
            at: instant(row.at),
        }
    }
}

/// What became of one of many leads.
#[derive(Serialize, JsonSchema)]
struct LeadAdded {
    /// `added`, `known` or `invalid`.
    result: &'static str,
    /// `lead_…`.
    lead: Option<String>,
    /// Who counts as its referrer: `agent_…`.
    referrer: Option<String>,
    /// Why the code does not count.
    refused: Option<&'static str>,
    /// What is wrong with the item.
    errors: Vec<ItemError>,
}

/// One field of an item that is wrong.
#[derive(Serialize, JsonSchema)]
pub struct ItemError {
    field: String,
    message: String,
}

impl ItemError {
    pub fn all(problems: &[FieldProblem]) -> Vec<Self> {
        problems.iter().map(|p| Self { field: p.field.to_string(), message: p.sentence() }).collect()
    }
}

/// What became of each lead.
#[derive(Serialize, JsonSchema)]
struct LeadsAdded {
    items: Vec<LeadAdded>,
}

/// What became of one qualification.
#[derive(Serialize, JsonSchema)]
struct QualifiedItem {
    /// `changed`, `already`, `refused`, `not_found` or `invalid`.
    result: &'static str,
    lead: Option<String>,
    /// Why it was refused.
    reason: Option<String>,
    errors: Vec<ItemError>,
}

/// What became of each qualification.
#[derive(Serialize, JsonSchema)]
struct Qualified {
    items: Vec<QualifiedItem>,
}

impl NewLead {
    /// The event that adds it, in a campaign.
    fn event(self, campaign_id: i64, caller: &Caller) -> Result<AddLead, FieldProblem> {
        let phone = self.phone.as_deref().map(|text| Phone::parse(text, &caller.key.row.country)).transpose();
        let phone = phone.map_err(|why| FieldProblem::wrong("phone", why))?;
        let budget = self.budget.map(|b| {
            crate::leads::budget(&b.0).ok_or_else(|| FieldProblem::wrong("budget", "must be a plain decimal"))
        });
        let email = self.email.map(|line| line.0);
        let line = |text: Option<String>| text;
        let code = self.code.map(|code| code.0);
        let source = self.source.map(|s| s.0).or_else(|| code.is_some().then(|| "referral".to_owned()));
        Ok(AddLead {
            campaign_id,
            test: caller.test(),
            contact: Contact {
                name: self.name.0,
                email_key: email.as_deref().and_then(crate::email::key_of),
                email,
                phone_key: phone.as_ref().map(|p| p.e164().to_owned()),
                phone: phone.map(|p| p.text().to_owned()),
                company: line(self.company.map(|l| l.0)),
                jobtitle: line(self.jobtitle.map(|l| l.0)),
                industry: line(self.industry.map(|l| l.0)),
                website: line(self.website.map(|l| l.0)),
                request: self.request.map(|t| t.0),
                budget: budget.transpose()?,
                country: self.country.map(|l| l.0),
                region: self.state.map(|l| l.0),
                address: self.address.map(|t| t.0),
                source,
            },
            status: self.status.map_or(Status::New, |s| s.0),
            source_origin: "api",
            claim: code.map(|text| Claim { kind: TouchKind::Code, by: ClaimBy::Code(text) }),
            recorded_by: None,
            repeats_allowed: false,
            qualify: false,
        })
    }
}

fn event(caller: &Caller, what: What) -> Event {
    Event { business_id: caller.business_id(), actor: caller.actor.clone(), what }
}

/// A lead of the caller's.
async fn find(app: &App, caller: &Caller, text: &str) -> Result<LeadRow, Problem> {
    let id = path_id(Kind::Lead, text, "lead")?;
    let found = store::by_id(&mut app.db.read().await?, caller.business_id(), caller.test(), id).await?;
    found.ok_or_else(|| nothing("lead"))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<LeadsAsked>,
) -> Result<Response, Problem> {
    let campaigns = campaigns(&app, &caller, asked.campaign.as_ref().map(|c| c.0.as_str())).await?;
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
        // What is no address is nobody's.
        email_key: asked.email.map(|e| crate::email::key_of(&e).unwrap_or_default()),
        q: asked.q.map(|q| q.0),
    };
    let turn = Turn::new(asked.limit, asked.after);
    let mut conn = app.db.read().await?;
    let key = |row: &LeadRow| (row.created_at, row.id);
    let rows = merged(&mut conn, &turn, &campaigns, key, |campaign| store::listing(campaign, &filter)).await?;
    Ok(page(&uri, &turn, rows, key, Lead::of))
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
    let (status, id) = match app.desk.one(event(&caller, What::AddLead(Box::new(add)))).await? {
        Outcome::LeadAdded { lead_id, .. } => (StatusCode::CREATED, lead_id),
        Outcome::LeadKnown { lead_id, .. } => (StatusCode::OK, lead_id),
        other => return Err(refused(other)),
    };
    answer(&app, &caller, status, id).await
}

/// The lead as it is now, for whoever has changed it.
async fn answer(app: &App, caller: &Caller, status: StatusCode, id: i64) -> Result<Response, Problem> {
    let row = store::by_id(&mut app.db.read().await?, caller.business_id(), caller.test(), id).await?;
    let row = row.ok_or_else(|| nothing("lead"))?;
    let version = row.updated_at;
    Ok(versioned(&HeaderMap::new(), status, version, &Lead::of(row)))
}

/// What the rules said no to.
fn refused(outcome: Outcome) -> Problem {
    match outcome {
        Outcome::NotFound => nothing("lead"),
        Outcome::Refused { why } => Problem::conflict("refused", why),
        Outcome::Stale => stale(),
        other => crate::db::DbError::Fault(format!("a call came to {other:?}")).into(),
    }
}

async fn create_many(State(app): State<App>, caller: Caller, Sent(new): Sent<NewLeads>) -> Result<Response, Problem> {
    let mut items: Vec<LeadAdded> = Vec::with_capacity(new.items.0.len());
    let (mut places, mut events) = (Vec::new(), Vec::new());
    for (at, item) in new.items.0.into_iter().enumerate() {
        let read = match item.0 {
            Ok(lead) => match campaign(&app, &caller, lead.campaign.as_ref().map(|c| c.0.as_str())).await {
                Ok(campaign) => lead.event(campaign, &caller).map_err(|p| vec![p]),
                Err(problem) if !problem.fields.is_empty() => Err(problem.fields),
                Err(problem) => return Err(problem),
            },
            Err(problems) => Err(problems),
        };
        let mut line = LeadAdded { result: "invalid", lead: None, referrer: None, refused: None, errors: Vec::new() };
        match read {
            Ok(add) => {
                places.push(at);
                events.push(event(&caller, What::AddLead(Box::new(add))));
            }
            Err(problems) => line.errors = ItemError::all(&problems),
        }
        items.push(line);
    }
    let agent = |id: Option<i64>| id.map(|id| id::render(Kind::Referrer, id));
    for (at, outcome) in places.into_iter().zip(app.desk.slice(events).await?) {
        let (result, lead, referrer, why) = match outcome {
            Outcome::LeadAdded { lead_id, referrer_id, refused, .. } => ("added", lead_id, referrer_id, refused),
            Outcome::LeadKnown { lead_id, referrer_id, refused, .. } => ("known", lead_id, referrer_id, refused),
            other => return Err(refused(other)),
        };
        let line = &mut items[at];
        line.result = result;
        line.lead = Some(id::render(Kind::Lead, lead));
        line.referrer = agent(referrer);
        line.refused = why.map(Refusal::word);
    }
    Ok(Json(LeadsAdded { items }).into_response())
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
        let (lead_id, active) = (row.id, change.active.unwrap_or(row.active));
        let contact = Box::new(changed(row, change.clone(), &caller)?);
        let what = What::EditLead { lead_id, contact, active, seen: Some(seen) };
        match app.desk.one(event(&caller, what)).await? {
            Outcome::Done { .. } => return answer(&app, &caller, StatusCode::OK, lead_id).await,
            Outcome::Stale if expected.is_none() => {}
            other => return Err(refused(other)),
        }
    }
    Err(Problem::conflict("changed_meanwhile", "The lead keeps changing. Try again."))
}

/// A lead's facts with a change made to them.
fn changed(row: LeadRow, change: LeadChange, caller: &Caller) -> Result<Contact, FieldProblem> {
    fn or<const N: usize>(change: Option<Clearable<N>>, before: Option<String>) -> Option<String> {
        change.map_or(before, |c| c.0)
    }
    let email = or(change.email, row.email);
    let (phone, phone_key) = match change.phone {
        None => (row.phone, row.phone_key),
        Some(Clearable(None)) => (None, None),
        Some(Clearable(Some(text))) => {
            let phone =
                Phone::parse(&text, &caller.key.row.country).map_err(|why| FieldProblem::wrong("phone", why))?;
            (Some(phone.text().to_owned()), Some(phone.e164().to_owned()))
        }
    };
    let budget = match change.budget {
        None => row.budget,
        Some(text) => Some(
            crate::leads::budget(&text.0).ok_or_else(|| FieldProblem::wrong("budget", "must be a plain decimal"))?,
        ),
    };
    Ok(Contact {
        name: change.name.map_or(row.name, |n| n.0),
        email_key: email.as_deref().and_then(crate::email::key_of),
        email,
        phone,
        phone_key,
        company: or(change.company, row.company),
        jobtitle: or(change.jobtitle, row.jobtitle),
        industry: or(change.industry, row.industry),
        website: or(change.website, row.website),
        request: or(change.request, row.request),
        budget,
        country: or(change.country, row.country),
        region: or(change.state, row.region),
        address: or(change.address, row.address),
        source: or(change.source, row.source),
    })
}

async fn archive(State(app): State<App>, caller: Caller, InPath(id): InPath) -> Result<Response, Problem> {
    let lead_id = find(&app, &caller, &id).await?.id;
    match app.desk.one(event(&caller, What::Archive { lead_id, archived: true })).await? {
        Outcome::Done { .. } => Ok(StatusCode::NO_CONTENT.into_response()),
        other => Err(refused(other)),
    }
}

async fn set_status(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath,
    Sent(new): Sent<NewStatus>,
) -> Result<Response, Problem> {
    let lead_id = find(&app, &caller, &id).await?.id;
    match app.desk.one(event(&caller, What::SetStatus { lead_id, status: new.status.0 })).await? {
        Outcome::Done { .. } | Outcome::Qualification { .. } => answer(&app, &caller, StatusCode::OK, lead_id).await,
        other => Err(refused(other)),
    }
}

async fn qualify(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath,
    Sent(q): Sent<Qualification>,
) -> Result<Response, Problem> {
    let lead_id = find(&app, &caller, &id).await?.id;
    let what = What::Qualify { lead_id, qualified: q.qualified, reason: q.reason.map(|r| r.0) };
    match app.desk.one(event(&caller, what)).await? {
        Outcome::Qualification { .. } => answer(&app, &caller, StatusCode::OK, lead_id).await,
        other => Err(refused(other)),
    }
}

async fn qualify_many(
    State(app): State<App>,
    caller: Caller,
    Sent(asked): Sent<Qualifications>,
) -> Result<Response, Problem> {
    let ids: Vec<i64> = asked
        .items
        .0
        .iter()
        .filter_map(|i| i.0.as_ref().ok())
        .filter_map(|i| super::common::id_of(Kind::Lead, &i.lead.0))
        .collect();
    let known = store::among(&mut app.db.read().await?, caller.business_id(), caller.test(), &ids).await?;
    let known: std::collections::HashSet<i64> = known.into_iter().collect();
    let mut items: Vec<QualifiedItem> = Vec::with_capacity(asked.items.0.len());
    let (mut places, mut events) = (Vec::new(), Vec::new());
    for (at, item) in asked.items.0.into_iter().enumerate() {
        let mut line = QualifiedItem { result: "invalid", lead: None, reason: None, errors: Vec::new() };
        match item.0 {
            Err(problems) => line.errors = ItemError::all(&problems),
            Ok(q) => match super::common::id_of(Kind::Lead, &q.lead.0).filter(|id| known.contains(id)) {
                None => line.result = "not_found",
                Some(lead_id) => {
                    line.lead = Some(id::render(Kind::Lead, lead_id));
                    places.push(at);
                    let what = What::Qualify { lead_id, qualified: q.qualified, reason: q.reason.map(|r| r.0) };
                    events.push(event(&caller, what));
                }
            },
        }
        items.push(line);
    }
    for (at, outcome) in places.into_iter().zip(app.desk.slice(events).await?) {
        let line = &mut items[at];
        match outcome {
            Outcome::Qualification { changed: Changed::Yes, .. } => line.result = "changed",
            Outcome::Qualification { .. } => line.result = "already",
            Outcome::Refused { why } => (line.result, line.reason) = ("refused", Some(why)),
            Outcome::NotFound => line.result = "not_found",
            other => return Err(refused(other)),
        }
    }
    Ok(Json(Qualified { items }).into_response())
}

async fn touches(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    InPath(id): InPath,
    Asked(asked): Asked<PageAsked>,
) -> Result<Response, Problem> {
    let lead = find(&app, &caller, &id).await?;
    let turn = Turn::new(asked.limit, asked.after);
    let rows: Vec<TouchRow> = turn.rows(&mut app.db.read().await?, store::touches(lead.id)).await?;
    Ok(page(&uri, &turn, rows, |row| (row.at, row.id), Touch::of))
}
