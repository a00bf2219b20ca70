//! Traces: why a commission, a lead or a line of a payout is as it is.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::common::{maybe_instant, nothing, path_id};
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::{InPath, InPaths};
use crate::app::App;
use crate::commissions::rows as commissions;
use crate::id::{self, Kind};
use crate::leads::rows as leads;
use crate::payouts;
use crate::trace::{self, Reader};

pub fn calls(api: Api) -> Api {
    let about = "The steps in the order in which they happened, each with the rule behind it, and what would have to be true for what is missing.";
    api.with(
        Operation::get("/v1/commissions/{commission}/trace", "traceCommission", "Why is a commission as it is?")
            .about(about)
            .scope("money:read")
            .in_path("commission", "Its id: `comm_…` or the integer.")
            .answers::<Trace>(200, "The trace.", "")
            .refuses(&[404]),
        of_commission,
    )
    .with(
        Operation::get("/v1/leads/{lead}/trace", "traceLead", "Why did a lead earn, or not?")
            .about(about)
            .scope("money:read")
            .in_path("lead", "Its id: `lead_…` or the integer.")
            .answers::<Trace>(200, "The trace.", "")
            .refuses(&[404]),
        of_lead,
    )
    .with(
        Operation::get(
            "/v1/payouts/{payout}/lines/{line}/trace",
            "tracePayoutLine",
            "Why is a line of a payout as it is?",
        )
        .about(about)
        .scope("payouts:read")
        .in_path("payout", "Its id: `payout_…` or the integer.")
        .in_path("line", "Its id: `line_…` or the integer.")
        .answers::<Trace>(200, "The trace.", "")
        .refuses(&[404]),
        of_line,
    )
}

/// Why something is as it is.
#[derive(Serialize, JsonSchema)]
struct Trace {
    /// The thing, in words.
    title: String,
    /// Its state.
    state: String,
    /// The result as it is now, in a sentence.
    outcome: String,
    /// In the order in which they happened.
    steps: Vec<TraceStep>,
    /// Conditions for each missing part, a sentence each.
    needed: Vec<String>,
}

/// A step of a trace.
#[derive(Serialize, JsonSchema)]
struct TraceStep {
    /// `touch`, `payment`, `qualified`, `terms`, `amount`, `hold`, `refund`, `dispute`, `approved`, `voided`,
    /// `restored`, `taken back`, `payout`, `paid`, `failed`, `returned`, `item` or `commission`.
    kind: String,
    /// The moment; null where only a day is known.
    at: Option<String>,
    /// The business's day, where no moment is known.
    day: Option<String>,
    /// In words.
    title: String,
    /// The rule or reason behind it, in words; empty for none.
    text: String,
    /// True for the touch that counts.
    counts: bool,
    /// In minor units.
    amount_minor: Option<i64>,
    /// ISO 4217; null where there is no amount.
    currency: Option<String>,
    /// The id of what it is about: `comm_…`, `pay_…`, `terms_…`, `payout_…` or `line_…`.
    about: Option<String>,
}

impl Trace {
    fn of(t: trace::Trace) -> Self {
        let step = |s: trace::Step| TraceStep {
            kind: s.kind.to_string(),
            at: maybe_instant(s.at),
            day: s.day,
            title: s.title,
            text: s.text,
            counts: s.counts,
            amount_minor: s.amount.map(|m| m.minor),
            currency: s.amount.map(|m| m.currency.code().to_owned()),
            about: s.subject.map(|(kind, id)| id::render(kind, id)),
        };
        Self {
            title: t.title,
            state: t.state,
            outcome: t.outcome,
            steps: t.steps.into_iter().map(step).collect(),
            needed: t.needed,
        }
    }
}

fn answer(found: Option<trace::Trace>, what: &str) -> Result<Response, Problem> {
    let found = found.ok_or_else(|| nothing(what))?;
    Ok(Json(Trace::of(found)).into_response())
}

async fn of_commission(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    let id = path_id(Kind::Commission, &text, "commission")?;
    let business_id = caller.business_id();
    let mut conn = app.db.read().await?;
    if commissions::commission(&mut conn, business_id, caller.test(), id).await?.is_none() {
        return Err(nothing("commission"));
    }
    answer(trace::commission(&mut conn, business_id, id, Reader::Staff).await?, "commission")
}

async fn of_lead(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    let id = path_id(Kind::Lead, &text, "lead")?;
    let business_id = caller.business_id();
    let mut conn = app.db.read().await?;
    if leads::by_id(&mut conn, business_id, id).await?.is_none_or(|lead| lead.test != caller.test()) {
        return Err(nothing("lead"));
    }
    answer(trace::lead(&mut conn, business_id, id, Reader::Staff).await?, "lead")
}

async fn of_line(State(app): State<App>, caller: Caller, InPaths(payout, line): InPaths) -> Result<Response, Problem> {
    let payout = path_id(Kind::Payout, &payout, "payout")?;
    let id = path_id(Kind::PayoutLine, &line, "line")?;
    let business_id = caller.business_id();
    let mut conn = app.db.read().await?;
    let row = payouts::line(&mut conn, business_id, id).await?;
    if caller.test() || row.is_none_or(|row| row.payout_id != payout) {
        return Err(nothing("line"));
    }
    answer(trace::payout_line(&mut conn, business_id, id, Reader::Staff).await?, "line")
}
