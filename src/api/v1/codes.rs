//! Codes: what a checkout asks for, and what a referrer is given.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::common::{campaign, campaigns, field_id, instant, needle, nothing, path_id};
use super::jobs::{self, Job};
use super::part::{Page, Part, merged, merged_hits, page};
use super::window::Window;
use crate::api::Caller;
use crate::api::field::{IdText, Line, OneOf, Word};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, Sent, SentIfAny};
use crate::app::App;
use crate::codes::rows::{self as store, CodeRow, Filter};
use crate::codes::{self, Chosen, CodeState, Generated, How, Lookup, Moved};
use crate::id::{self, Kind};
use crate::object;
use crate::referrers::rows as people;
use crate::search::Scope;

/// Data that a test key reads and never changes.
const WHAT: &str = "Codes";

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/codes", "listCodes", "List codes")
            .about("The newest first. With `q`, a page may have fewer than its limit, or none, and still a `next`.")
            .scope("referrers:read")
            .asks::<CodesAsked>()
            .answers::<Page<Code>>(200, "A page of codes.", "")
            .link("lookUpCode", "text", "/data/0/text")
            .link("setCodeState", "code", "/data/0/id"),
        list,
    )
    .with(
        Operation::get("/v1/codes/{text}", "lookUpCode", "Look a code up")
            .about("Forgiving, as on a checkout: case, spaces and hyphens do not count, look-alikes are mended (O for 0), spelled-out letters are read. A code that attributes nobody answers 200 with `counts` false and why; 404 names the closest active codes in its detail.")
            .scope("referrers:read")
            .in_path("text", "The code as it was typed or heard.")
            .answers::<Found>(200, "The code that was meant.", "")
            .refuses(&[404]),
        look_up,
    )
    .with(
        Operation::post("/v1/codes", "createCode", "Give a referrer a code")
            .once()
            .about("Generated, or chosen with `text`: then the code they had becomes an alias, which still attributes. A referrer who has one already keeps it, unless `text` is given: 200.")
            .scope("referrers:write")
            .takes::<NewCode>(r#"{"referrer": "agent_2bawnr1yyrwq8", "text": "JANE2026"}"#)
            .answers::<Code>(201, "The new code.", "")
            .link("lookUpCode", "text", "/text")
            .answers::<Code>(200, "The code they have.", "")
            .refuses(&[404, 409]),
        create,
    )
    .with(
        Operation::post("/v1/referrers/{referrer}/codes", "giveCode", "Generate a code for one referrer")
            .once()
            .about("As `POST /v1/codes`, with the referrer in the address, so the body may be empty. A referrer who has a code already keeps it, unless `text` is given: 200.")
            .scope("referrers:write")
            .in_path("referrer", "Their id: `agent_…` or the integer.")
            .may_take::<OwnCode>("{}")
            .answers::<Code>(201, "The new code.", "")
            .answers::<Code>(200, "The code they have.", "")
            .refuses(&[404, 409]),
        create_for,
    )
    .with(
        Operation::post("/v1/referrers/codes", "generateCodes", "Generate codes for all who have none")
            .once()
            .about("For every active referrer of a campaign without an active code; existing codes stay. The same call during the job joins it; after the job nothing is left to make. Long jobs run in the background: 202, and `GET /v1/jobs/{job}` says how far it is.")
            .scope("referrers:write")
            .may_take::<Generation>("{}")
            .answers::<Job>(200, "It is over: how many were made, how many had one.", "")
            .answers::<Job>(202, "It goes on in the background.", "")
            .link("getJob", "job", "/id"),
        generate_all,
    )
    .with(
        Operation::put("/v1/codes/{code}/state", "setCodeState", "Retire a code, or bring it back")
            .about("A retired code attributes nobody, and a look-up says so.")
            .scope("referrers:write")
            .in_path("code", "Its id: `code_…` or the integer.")
            .takes::<CodeStanding>(r#"{"state": "retired"}"#)
            .answers::<Code>(200, "The code as it is now.", "")
            .refuses(&[404, 409]),
        set_state,
    )
}

impl Word for CodeState {
    const WORDS: &'static [&'static str] = &["active", "alias", "retired"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

object! {
    /// The filters of the codes.
    strict struct CodesAsked {
        /// Only of this campaign; of all otherwise.
        campaign "campaign": Option<IdText>,
        /// Only in this state.
        state "state": Option<OneOf<CodeState>>,
        /// Only of this referrer.
        referrer "referrer": Option<IdText>,
        /// Pieces of the code, with or without spaces and hyphens, spelled, or as a link; or words of its referrer.
        q "q": Option<Line<200>>;
        window: Window
    }
}

object! {
    /// A code for a referrer.
    strict struct NewCode {
        /// `agent_…` or the integer.
        referrer "referrer": IdText,
        /// The campaign; the key's, or the business's default, otherwise.
        campaign "campaign": Option<IdText>,
        /// A code of their own choice; generated otherwise.
        text "text": Option<Line<60>>,
    }
}

object! {
    /// A code for the referrer of the address.
    strict struct OwnCode {
        /// The campaign: `campaign_…` or the integer. The key's, or the business's default, otherwise.
        campaign "campaign": Option<IdText>,
        /// A code of their own choice; generated otherwise.
        text "text": Option<Line<60>>,
    }
}

object! {
    /// For whom codes are generated.
    strict struct Generation {
        /// The campaign: `campaign_…` or the integer. The key's, or the business's default, otherwise.
        campaign "campaign": Option<IdText>,
    }
}

object! {
    /// The state of a code.
    strict struct CodeStanding {
        /// `active`, `alias` or `retired`.
        state "state": OneOf<CodeState>,
    }
}

/// A code.
#[derive(Serialize, JsonSchema)]
struct Code {
    /// `code_…`.
    id: String,
    /// As it is written and handed out.
    text: String,
    /// `active`, `alias` (renamed away, still attributes) or `retired`.
    state: String,
    /// `generated` or `custom`.
    kind: String,
    /// `campaign_…`.
    campaign: String,
    /// `agent_…`.
    referrer: String,
    /// The referrer's name.
    referrer_name: String,
    /// The link that carries it.
    url: String,
    /// When it was made.
    created_at: String,
    /// When its state or its spelling last changed.
    updated_at: String,
}

impl Code {
    fn of(row: CodeRow, public_url: &str) -> Self {
        Self {
            id: id::render(Kind::Code, row.id),
            url: crate::links::address(public_url, row.campaign_id, &row.text, row.elder),
            text: row.text,
            state: row.state,
            kind: row.kind,
            campaign: id::render(Kind::Campaign, row.campaign_id),
            referrer: id::render(Kind::Referrer, row.referrer_id),
            referrer_name: row.referrer,
            created_at: instant(row.created_at),
            updated_at: instant(row.updated_at),
        }
    }
}

/// A code that was looked up.
#[derive(Serialize, JsonSchema)]
struct Found {
    /// The code that was meant.
    code: Code,
    /// The way from the text to the code: `exact`, `repaired` (look-alikes were mended) or `heard`.
    how: &'static str,
    /// True when a lead that brings it now is attributed.
    counts: bool,
    /// Why a lead is not attributed: `retired`, `paused`, `banned` or `archived`.
    why_not: Option<String>,
}

/// Why a code attributes no lead.
pub fn why_not(row: &CodeRow) -> Option<String> {
    if row.state == "retired" {
        Some("retired".to_owned())
    } else if row.archived {
        Some("archived".to_owned())
    } else {
        Some(row.enrollment_state.clone()).filter(|state| state != "active")
    }
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<CodesAsked>,
) -> Result<Response, Problem> {
    let campaigns = campaigns(&app, &caller, asked.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let referrer = asked.referrer.map(|r| field_id(Kind::Referrer, "referrer", &r.0, "referrer")).transpose()?;
    let part = Part::new(asked.window, &caller, app.clock.now());
    let key = |row: &CodeRow| (part.at(row.created_at, row.updated_at), row.id);
    let needle = needle(&caller, asked.q.as_deref())?;
    let state = asked.state.map(|s| s.0.word());
    let filter = Filter { state, referrer_id: referrer, needle: needle.clone(), by_changes: part.by_changes() };
    let list = |campaign| store::listing(campaign, &filter);
    let url = &app.config.public_url;
    if !needle.is_empty() {
        part.searchable()?;
        let list = |campaign| (Scope::codes(campaign), list(campaign));
        let hits = merged_hits(&app.db, &part, &needle, &campaigns, key, list).await?;
        return Ok(page(&uri, &part, hits, key, |row| Code::of(row, url)));
    }
    let rows = merged(&mut app.db.read().await?, &part, &campaigns, key, list).await?;
    Ok(page(&uri, &part, rows, key, |row| Code::of(row, url)))
}

async fn look_up(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<Found>, Problem> {
    let mut conn = app.db.read().await?;
    let (id, how) = match codes::look_up(&mut conn, caller.business_id(), &text).await? {
        Lookup::Found { code, how } => (code.id, how),
        Lookup::NotFound { closest } => {
            let near: Vec<String> = closest.into_iter().map(|near| near.code.text).collect();
            let hint = if near.is_empty() { String::new() } else { format!(" The closest: {}.", near.join(", ")) };
            return Err(Problem::new(StatusCode::NOT_FOUND, "unknown_code", format!("This code is unknown.{hint}")));
        }
    };
    let row = store::by_id(&mut conn, caller.business_id(), id).await?.ok_or_else(|| nothing("code"))?;
    let why_not = why_not(&row);
    let how = match how {
        How::Exact => "exact",
        How::Repaired => "repaired",
        How::Heard => "heard",
    };
    Ok(Json(Found { code: Code::of(row, &app.config.public_url), how, counts: why_not.is_none(), why_not }))
}

async fn answer(app: &App, caller: &Caller, status: StatusCode, id: i64) -> Result<Response, Problem> {
    let row = store::by_id(&mut app.db.read().await?, caller.business_id(), id).await?;
    let row = row.ok_or_else(|| nothing("code"))?;
    Ok((status, Json(Code::of(row, &app.config.public_url))).into_response())
}

/// Gives a referrer of the business a code, generated or of their own choice.
async fn give(
    app: &App,
    caller: &Caller,
    referrer: i64,
    campaign: i64,
    text: Option<Line<60>>,
) -> Result<Response, Problem> {
    let enrollments = people::enrollments(&mut app.db.read().await?, &[referrer]).await?;
    let enrollment = enrollments.into_iter().find(|e| e.campaign_id == campaign);
    let enrollment = enrollment.ok_or_else(|| FieldProblem::wrong("campaign", "is not one they are enrolled in"))?;
    let (status, text) = match text {
        Some(text) => match codes::choose(app, &caller.actor, caller.business_id(), enrollment.id, &text).await? {
            Chosen::Set { text, .. } => (StatusCode::CREATED, text),
            Chosen::Same => (StatusCode::OK, text.0),
            Chosen::Invalid(why) => return Err(FieldProblem::wrong("text", why).into()),
            Chosen::Taken { text, .. } => {
                return Err(Problem::conflict("code_taken", format!("{text} reads the same and is somebody's.")));
            }
            Chosen::Archived => return Err(Problem::conflict("archived", "The referrer is archived.")),
            Chosen::NotFound => return Err(nothing("referrer")),
        },
        None => match codes::generate_one(app, &caller.actor, caller.business_id(), enrollment.id).await? {
            Generated::Made { text, .. } => (StatusCode::CREATED, text),
            Generated::Had { text, .. } => (StatusCode::OK, text),
            Generated::NotActive { state, .. } if state == "archived" => {
                return Err(Problem::conflict("archived", "The referrer is archived."));
            }
            Generated::NotActive { state, .. } => {
                let message = format!("The referrer is {state} in this campaign, so no code was generated.");
                return Err(Problem::conflict("refused", message));
            }
            Generated::NotFound => return Err(nothing("referrer")),
        },
    };
    let found = codes::look_up(&mut app.db.read().await?, caller.business_id(), &text).await?;
    match found {
        Lookup::Found { code, .. } => answer(app, caller, status, code.id).await,
        Lookup::NotFound { .. } => Err(nothing("code")),
    }
}

async fn create(State(app): State<App>, caller: Caller, Sent(new): Sent<NewCode>) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let campaign = campaign(&app, &caller, new.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let referrer = field_id(Kind::Referrer, "referrer", &new.referrer.0, "referrer")?;
    let known = people::by_id(&mut app.db.read().await?, caller.business_id(), referrer).await?;
    known.ok_or_else(|| FieldProblem::wrong("referrer", "is not a referrer of this business"))?;
    give(&app, &caller, referrer, campaign, new.text).await
}

async fn create_for(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    SentIfAny(new): SentIfAny<OwnCode>,
) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let referrer = path_id(Kind::Referrer, &text, "referrer")?;
    let known = people::by_id(&mut app.db.read().await?, caller.business_id(), referrer).await?;
    known.ok_or_else(|| nothing("referrer"))?;
    let campaign = campaign(&app, &caller, new.campaign.as_ref().map(|c| c.0.as_str())).await?;
    give(&app, &caller, referrer, campaign, new.text).await
}

async fn generate_all(
    State(app): State<App>,
    caller: Caller,
    SentIfAny(wanted): SentIfAny<Generation>,
) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let campaign = campaign(&app, &caller, wanted.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let id = codes::generate_all(&app, &caller.actor, caller.business_id(), campaign).await?;
    let job = jobs::a_moment(&app, caller.business_id(), id).await?.ok_or_else(|| nothing("job"))?;
    let status = if job.is_over() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(Job::of(&job))).into_response())
}

async fn set_state(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(new): Sent<CodeStanding>,
) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let id = path_id(Kind::Code, &text, "code")?;
    match codes::move_to(&app, &caller.actor, caller.business_id(), id, new.state.0).await? {
        Moved::Done { .. } | Moved::Already { .. } => answer(&app, &caller, StatusCode::OK, id).await,
        Moved::NeedsAnother => Err(Problem::conflict(
            "needs_another",
            "The active code becomes an alias when another one takes its place.",
        )),
        Moved::Archived => Err(Problem::conflict("archived", "The referrer is archived.")),
        Moved::NotFound => Err(nothing("code")),
    }
}
