//! Referrers: people who refer, the campaigns they are in, their codes and what they are owed.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::common::{
    After, Hits, Limit, Page, Turn, campaign, instant, maybe_instant, nothing, number, page, path_id, versioned,
};
use super::store::referrers::{self as store, EnrollmentRow, Filter, ReferrerRow};
use crate::api::Caller;
use crate::api::field::{IdText, Line, OneOf, Word, number_schema};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, Sent};
use crate::app::App;
use crate::email::Email;
use crate::id::{self, Kind};
use crate::links;
use crate::object;
use crate::phone::Phone;
use crate::referrers::{self, AddReferrer, Added, Decided, Edited, NewFacts, State as Standing};
use crate::search::{Needle, Scope};
use crate::text::fold;

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
            .about("Enrolls them in a campaign and gives them a code. Who is known by e-mail is found and enrolled: 200 with the referrer that was there.")
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
        Operation::get("/v1/referrers/{referrer}", "getReferrer", "Read a referrer")
            .scope("referrers:read")
            .in_path("referrer", "Their id: `agent_…` or the integer.")
            .header("if-none-match", "The ETag of a version that the caller has: 304 if it is still the one.")
            .answers::<Referrer>(200, "The referrer, with the version as ETag.", "")
            .answers_nothing(304, "They are as the caller has them.")
            .refuses(&[404]),
        show,
    )
    .with(
        Operation::put("/v1/referrers/{referrer}", "updateReferrer", "Change what is known of a referrer")
            .about("All of it: a field that is left out is cleared.")
            .scope("referrers:write")
            .in_path("referrer", "Their id: `agent_…` or the integer.")
            .takes::<ReferrerFacts>(r#"{"name": "Jane Doe", "email": "jane@example.com", "company": "Acme"}"#)
            .answers::<Referrer>(200, "The referrer as they are now.", "")
            .refuses(&[404, 409]),
        update,
    )
    .with(
        Operation::delete("/v1/referrers/{referrer}", "archiveReferrer", "Archive a referrer")
            .about("History, codes, attribution and money stay; nothing new is attributed to them.")
            .scope("referrers:write")
            .in_path("referrer", "Their id: `agent_…` or the integer.")
            .answers_nothing(204, "They are archived.")
            .refuses(&[404]),
        archive,
    )
    .with(
        Operation::put("/v1/referrers/{referrer}/state", "setReferrerState", "Pause, ban or activate a referrer")
            .about("In one campaign. Paused: no new leads. Banned: no new commissions either, and unpaid ones stay out of payouts until staff decide.")
            .scope("referrers:write")
            .in_path("referrer", "Their id: `agent_…` or the integer.")
            .takes::<NewState>(r#"{"state": "paused"}"#)
            .answers::<Referrer>(200, "The referrer as they are now.", "")
            .refuses(&[404, 409]),
        set_state,
    )
    .with(
        Operation::get("/v1/referrers/{referrer}/balances", "getBalances", "What a referrer is owed")
            .about("By currency: held (pending), due (approved), paid.")
            .scope("money:read")
            .in_path("referrer", "Their id: `agent_…` or the integer.")
            .answers::<Balances>(200, "The balances.", "")
            .refuses(&[404]),
        balances,
    )
}

object! {
    /// Which referrers are asked for.
    strict struct ReferrersAsked {
        /// Rows of the page.
        limit "limit": Option<Limit>,
        /// Where it begins: `next` of the page before.
        after "after": Option<After>,
        /// Only with this very e-mail address, as it is matched.
        email "email": Option<Line<320>>,
        /// A piece of name, e-mail, phone or company.
        q "q": Option<Line<200>>,
        /// Archived ones instead of the others.
        archived "archived": Option<bool>,
    }
}

object! {
    /// A referrer to add.
    strict struct NewReferrer {
        /// The campaign: `campaign_…` or the integer. The key's, or the business's default, otherwise.
        campaign "campaign": Option<IdText>,
        /// The full name.
        name "name": Line<200>,
        email "email": Option<Email>,
        /// In the business's country where it has no country code.
        phone "phone": Option<Line<60>>,
        company "company": Option<Line<200>>,
        /// Whether to give them a code at once; yes otherwise.
        generate_code "generate_code": Option<bool>,
    }
}

object! {
    /// What is known of a referrer.
    strict struct ReferrerFacts {
        name "name": Line<200>,
        email "email": Option<Email>,
        /// In the business's country where it has no country code.
        phone "phone": Option<Line<60>>,
        company "company": Option<Line<200>>,
    }
}

impl Word for Standing {
    const WORDS: &'static [&'static str] = &["active", "paused", "banned"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

object! {
    /// How a referrer stands in a campaign.
    strict struct NewState {
        /// The campaign; the key's, or the business's default, otherwise.
        campaign "campaign": Option<IdText>,
        state "state": OneOf<Standing>,
        /// For the audit.
        reason "reason": Option<Line<500>>,
    }
}

/// A referrer.
#[derive(Serialize, JsonSchema)]
struct Referrer {
    /// `agent_…`.
    id: String,
    /// The integer behind it, as Referral Factory's API has it.
    number: i64,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    company: Option<String>,
    /// The campaigns they are in.
    enrollments: Vec<Enrollment>,
    created_at: String,
    updated_at: String,
    archived_at: Option<String>,
}

/// A referrer in a campaign.
#[derive(Serialize, JsonSchema)]
struct Enrollment {
    /// `enroll_…`.
    id: String,
    /// `campaign_…`.
    campaign: String,
    /// `active`, `paused` or `banned`.
    state: String,
    /// The active code, if they have one.
    code: Option<String>,
    /// The link that carries it.
    url: Option<String>,
}

/// One balance.
#[derive(Serialize, JsonSchema)]
struct Balance {
    /// ISO 4217.
    currency: String,
    /// `held`, `due` or `paid`.
    account: String,
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    amount_minor: i64,
}

/// What a referrer is owed.
#[derive(Serialize, JsonSchema)]
struct Balances {
    data: Vec<Balance>,
}

impl Referrer {
    fn of(row: ReferrerRow, enrollments: Vec<EnrollmentRow>, public_url: &str) -> Self {
        let enrollment = |e: EnrollmentRow| Enrollment {
            id: id::render(Kind::Enrollment, e.id),
            campaign: id::render(Kind::Campaign, e.campaign_id),
            state: e.state,
            url: e.code.as_deref().map(|c| links::address(public_url, e.campaign_id, c, e.elder.unwrap_or(false))),
            code: e.code,
        };
        Self {
            id: id::render(Kind::Referrer, row.id),
            number: row.id,
            name: row.name,
            email: row.email,
            phone: row.phone,
            company: row.company,
            enrollments: enrollments.into_iter().map(enrollment).collect(),
            created_at: instant(row.created_at),
            updated_at: instant(row.updated_at),
            archived_at: maybe_instant(row.archived_at),
        }
    }
}

async fn find(app: &App, caller: &Caller, text: &str) -> Result<ReferrerRow, Problem> {
    let id = path_id(Kind::Referrer, text, "referrer")?;
    let found = store::by_id(&mut app.db.read().await?, caller.business_id(), id).await?;
    found.ok_or_else(|| nothing("referrer"))
}

async fn answer(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    status: StatusCode,
    id: i64,
) -> Result<Response, Problem> {
    let mut conn = app.db.read().await?;
    let row = store::by_id(&mut conn, caller.business_id(), id).await?.ok_or_else(|| nothing("referrer"))?;
    let enrollments = store::enrollments(&mut conn, &[id]).await?;
    // Their standing and codes change without them: the version is of both.
    let version = enrollments.iter().fold(row.updated_at, |version, e| {
        version.rotate_left(7) ^ e.id ^ i64::from(crc32fast::hash(format!("{}{:?}", e.state, e.code).as_bytes()))
    });
    Ok(versioned(headers, status, version, &Referrer::of(row, enrollments, &app.config.public_url)))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<ReferrersAsked>,
) -> Result<Response, Problem> {
    let filter = Filter {
        email_key: asked.email.map(|e| crate::email::key_of(&e).unwrap_or_default()),
        needle: Needle::piece(&asked.q.map(|q| fold(&q)).unwrap_or_default()),
        archived: asked.archived.unwrap_or(false),
    };
    let turn = Turn::new(asked.limit, asked.after);
    let list = store::listing(caller.business_id(), &filter);
    let hits: Hits<ReferrerRow> = if filter.needle.is_empty() {
        turn.rows(&mut app.db.read().await?, list).await?.into()
    } else {
        turn.search(&app.db, list, Scope::referrers(caller.business_id()), &filter.needle).await?
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
    Ok(page(&uri, &turn, hits, |row| (row.created_at, row.id), show))
}

fn phone(caller: &Caller, text: Option<&str>) -> Result<Option<Phone>, FieldProblem> {
    let phone = text.map(|text| Phone::parse(text, &caller.key.row.country)).transpose();
    phone.map_err(|why| FieldProblem::wrong("phone", why))
}

async fn create(State(app): State<App>, caller: Caller, Sent(new): Sent<NewReferrer>) -> Result<Response, Problem> {
    let campaign_id = campaign(&app, &caller, new.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let add = AddReferrer {
        business_id: caller.business_id(),
        campaign_id,
        phone: phone(&caller, new.phone.as_deref())?,
        name: new.name.0,
        email: new.email,
        company: new.company.map(|c| c.0),
        generate: new.generate_code.unwrap_or(true),
    };
    let (status, id) = match referrers::add(&app, &caller.actor, add).await? {
        Added::New { referrer_id, .. } => (StatusCode::CREATED, referrer_id),
        Added::Known { referrer_id, .. } => (StatusCode::OK, referrer_id),
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

async fn update(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(facts): Sent<ReferrerFacts>,
) -> Result<Response, Problem> {
    let id = path_id(Kind::Referrer, &text, "referrer")?;
    let new = NewFacts {
        phone: phone(&caller, facts.phone.as_deref())?,
        name: facts.name.0,
        email: facts.email,
        company: facts.company.map(|c| c.0),
    };
    match referrers::edit(&app, &caller.actor, caller.business_id(), id, new).await? {
        Edited::Done { .. } => answer(&app, &caller, &HeaderMap::new(), StatusCode::OK, id).await,
        Edited::EmailTaken { referrer_id, .. } => Err(Problem::conflict(
            "email_taken",
            format!("That e-mail address is {}'s.", id::render(Kind::Referrer, referrer_id)),
        )),
        Edited::NotFound => Err(nothing("referrer")),
    }
}

async fn archive(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    let id = path_id(Kind::Referrer, &text, "referrer")?;
    let done = referrers::archive(&app, &caller.actor, caller.business_id(), id, true).await?;
    done.map(|_| StatusCode::NO_CONTENT.into_response()).ok_or_else(|| nothing("referrer"))
}

async fn set_state(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(new): Sent<NewState>,
) -> Result<Response, Problem> {
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
    let rows = store::balances(&mut app.db.read().await?, row.id).await?;
    let balance = |b: store::BalanceRow| {
        let amount = number(b.amount, &b.currency)?;
        Ok(Balance { amount, amount_minor: b.amount, currency: b.currency, account: b.account })
    };
    Ok(Json(Balances { data: rows.into_iter().map(balance).collect::<Result<_, Problem>>()? }))
}
