//! Touches: the evidence that links leads to referrers, whether it counts or not.

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use super::common::{field_id, id_of, instant};
use super::leads::find;
use super::part::{Hits, Page, Part, page};
use super::window::{PageAsked, Window};
use crate::api::Caller;
use crate::api::field::{IdText, Line};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath};
use crate::app::App;
use crate::codes::{self, Lookup};
use crate::id::{self, Kind};
use crate::leads::touches::{self as store, Filter, TouchRow};
use crate::object;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/leads/{lead}/touches", "listTouches", "List a lead's touches")
            .about("The evidence that links it to referrers, the newest first. One counts: the lead's `touch`.")
            .scope("leads:read")
            .in_path("lead", "Its id: `lead_…` or the integer.")
            .asks::<PageAsked>()
            .answers::<Page<Touch>>(200, "A page of touches.", "")
            .refuses(&[404]),
        of_lead,
    )
    .with(
        Operation::get("/v1/touches", "listAllTouches", "List touches")
            .about("For all leads, the newest first, counting or not.")
            .scope("leads:read")
            .asks::<TouchesAsked>()
            .answers::<Page<Touch>>(200, "A page of touches.", ""),
        list,
    )
}

object! {
    /// The filters of the touches.
    strict struct TouchesAsked {
        /// Only of this lead.
        lead "lead": Option<IdText>,
        /// Only by this code: `code_…`, or its text.
        code "code": Option<Line<60>>,
        /// Only for this referrer.
        referrer "referrer": Option<IdText>;
        window: Window
    }
}

/// A touch: evidence that links a lead to a referrer.
#[derive(Serialize, JsonSchema)]
struct Touch {
    /// `touch_…`.
    id: String,
    /// `lead_…`.
    lead: String,
    /// `click`, `code`, `verbal`, `event`, `import` or `staff`.
    kind: String,
    /// The code; as typed when it is unknown.
    code: Option<String>,
    /// `agent_…`; null when the code is unknown.
    referrer: Option<String>,
    /// True for the touch that counts for its lead.
    counts: bool,
    /// Why it could not count when it came.
    refused: Option<String>,
    /// The reason of staff for their decision.
    reason: Option<String>,
    /// When it came.
    at: String,
}

impl Touch {
    fn of(row: TouchRow) -> Self {
        Self {
            id: id::render(Kind::Touch, row.id),
            lead: id::render(Kind::Lead, row.lead_id),
            kind: row.kind,
            code: row.code,
            referrer: row.referrer_id.map(|id| id::render(Kind::Referrer, id)),
            counts: row.counts,
            refused: row.refused,
            reason: row.reason,
            at: instant(row.at),
        }
    }
}

async fn of_lead(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    InPath(id): InPath,
    Asked(asked): Asked<PageAsked>,
) -> Result<Response, Problem> {
    let lead = find(&app, &caller, &id).await?;
    let part = Part::new(asked.window, &caller, app.clock.now()).unchanging("at");
    let rows: Hits<TouchRow> = part.rows(&mut app.db.read().await?, store::of_lead(lead.id)).await?;
    Ok(page(&uri, &part, rows, |row| (row.at, row.id), Touch::of))
}

/// The intended code, and its owner.
async fn code(app: &App, caller: &Caller, text: &str) -> Result<(i64, i64), Problem> {
    let mut conn = app.db.read().await?;
    let wrong = || FieldProblem::wrong("code", "is nobody's");
    if let Some(id) = id_of(Kind::Code, text)
        && let Some(owner) = store::owner(&mut conn, caller.business_id(), id).await?
    {
        return Ok((id, owner));
    }
    match codes::look_up(&mut conn, caller.business_id(), text).await? {
        Lookup::Found { code, .. } => Ok((code.id, code.referrer_id)),
        Lookup::NotFound { .. } => Err(wrong().into()),
    }
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<TouchesAsked>,
) -> Result<Response, Problem> {
    let part = Part::new(asked.window, &caller, app.clock.now()).unchanging("at");
    let mut filter = Filter {
        test: caller.test(),
        lead_id: asked.lead.map(|l| field_id(Kind::Lead, "lead", &l.0, "lead")).transpose()?,
        referrer_id: asked.referrer.map(|r| field_id(Kind::Referrer, "referrer", &r.0, "referrer")).transpose()?,
        code_id: None,
    };
    if let Some(text) = &asked.code {
        let (id, owner) = code(&app, &caller, text).await?;
        filter.code_id = Some(id);
        // The touches by a code are all for whom it belongs to.
        if filter.referrer_id.is_some_and(|referrer| referrer != owner) {
            return Ok(page(&uri, &part, Vec::new(), |row: &TouchRow| (row.at, row.id), Touch::of));
        }
        filter.referrer_id = Some(owner);
    }
    let list = store::listing(caller.business_id(), &filter);
    let rows: Hits<TouchRow> = part.rows(&mut app.db.read().await?, list).await?;
    Ok(page(&uri, &part, rows, |row| (row.at, row.id), Touch::of))
}
