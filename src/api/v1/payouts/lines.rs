//! A payout's lines, and what became of each.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::shape::{PayoutLine, PayoutWithLines};
use super::{ID, answer, of_caller, refused};
use crate::api::Caller;
use crate::api::field::{Line, OneOf, Word};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, InPaths, Sent};
use crate::api::v1::common::{id_of, nothing, path_id};
use crate::api::v1::window::{Limit, USUAL};
use crate::app::App;
use crate::clock::Day;
use crate::engine::payout::LineEvent;
use crate::engine::state::LineState;
use crate::id::{self, Kind};
use crate::object;
use crate::payouts::{self, LineFilter, Settle, Settled};

const LINE: &str = "Its id: `line_…` or the integer.";

pub fn calls(api: Api) -> Api {
    let event = |path, id, title| {
        Operation::post(path, id, title)
            .once()
            .scope("payouts:write")
            .in_path("payout", ID)
            .in_path("line", LINE)
            .answers::<PayoutLine>(200, "The line as it is now.", "")
            .refuses(&[404, 409])
    };
    let choice = |path, id, title| {
        Operation::post(path, id, title)
            .once()
            .scope("payouts:write")
            .in_path("payout", ID)
            .in_path("line", LINE)
            .answers::<PayoutWithLines>(200, "The payout as it is now.", "")
            .refuses(&[404, 409])
    };
    api.with(
        Operation::get("/v1/payouts/{payout}/lines", "listPayoutLines", "Read the lines of a payout")
            .about("In the order of their ids, those who are left out too.")
            .scope("payouts:read")
            .in_path("payout", ID)
            .asks::<LinesAsked>()
            .answers::<Lines>(200, "A page of lines.", "")
            .refuses(&[404]),
        list,
    )
    .with(
        event("/v1/payouts/{payout}/lines/{line}/paid", "payPayoutLine", "Mark a line as paid")
            .about("Of a locked payout. Saying it twice changes nothing.")
            .takes::<Paid>(r#"{"reference": "TX-1", "day": "2026-11-30"}"#),
        paid,
    )
    .with(
        event("/v1/payouts/{payout}/lines/{line}/failed", "failPayoutLine", "Say that a line failed")
            .about("Its amount is due again, for the next payout.")
            .takes::<Ended>(r#"{"reason": "account closed"}"#),
        failed,
    )
    .with(
        event("/v1/payouts/{payout}/lines/{line}/returned", "returnPayoutLine", "Say that paid money came back")
            .about("Its amount is due again, by an entry of its own.")
            .takes::<Ended>(r#"{"reason": "unclaimed for 30 days"}"#),
        returned,
    )
    .with(
        choice("/v1/payouts/{payout}/lines/{line}/leave-out", "leaveOutPayoutLine", "Leave a referrer out of a draft"),
        leave_out,
    )
    .with(
        choice("/v1/payouts/{payout}/lines/{line}/take-in", "takeInPayoutLine", "Take a referrer into a draft again")
            .about("One who was left out by hand."),
        take_in,
    )
}

/// The states of a line.
#[derive(Debug, Clone, Copy)]
struct State_(LineState);

impl Word for State_ {
    const WORDS: &'static [&'static str] = &["out", "in", "locked", "paid", "failed", "returned"];

    fn of(word: &str) -> Option<Self> {
        LineState::parse(word).map(Self)
    }
}

object! {
    /// The part of the lines.
    strict struct LinesAsked {
        /// Only in this state.
        state "state": Option<OneOf<State_>>,
        /// Rows of the page.
        limit "limit": Option<Limit>,
        /// The start of the page: `next` of the page before.
        after "after": Option<Line<40>>,
    }
}

object! {
    /// How it was paid.
    strict struct Paid {
        /// The bank's or provider's own.
        reference "reference": Option<Line<100>>,
        /// The business's day; today without one.
        day "day": Option<Day>,
    }
}

object! {
    /// Why it was not, or is no longer, paid.
    strict struct Ended {
        /// For the history and the referrer.
        reason "reason": Line<500>,
        /// The bank's or provider's own.
        reference "reference": Option<Line<100>>,
        /// The business's day; today without one.
        day "day": Option<Day>,
    }
}

/// A page of lines.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PayoutLines")]
struct Lines {
    /// In the order of their ids.
    data: Vec<PayoutLine>,
    /// The `after` of the next call; null on the last page.
    next: Option<String>,
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Asked(asked): Asked<LinesAsked>,
) -> Result<Response, Problem> {
    let payout = of_caller(&app, &caller, &text).await?;
    let wrong = || FieldProblem::wrong("after", "is not a cursor that a page of this list gave");
    let after = asked.after.map(|text| id::parse(Kind::PayoutLine, &text).ok_or_else(wrong)).transpose()?;
    let limit = asked.limit.map_or(USUAL, |limit| limit.0);
    let filter = asked.state.map_or(LineFilter::All, |state| LineFilter::State(state.0.0));
    let mut conn = app.db.read().await?;
    let mut rows = payouts::lines(&mut conn, payout.id, filter, after.unwrap_or(0), limit + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| id::render(Kind::PayoutLine, row.id));
    let data = rows.iter().map(PayoutLine::of).collect::<Result<_, _>>()?;
    Ok(Json(Lines { data, next }).into_response())
}

async fn happened(
    app: &App,
    caller: &Caller,
    path: (String, String),
    settle: impl FnOnce(i64) -> Settle,
) -> Result<Response, Problem> {
    let payout = of_caller(app, caller, &path.0).await?;
    let line = id_of(Kind::PayoutLine, &path.1).ok_or_else(|| nothing("line"))?;
    let done = payouts::settle(app, &caller.actor, caller.business_id(), payout.id, vec![settle(line)]).await?;
    match done.map_err(|why| refused(&why))?.as_slice() {
        [Settled::Done | Settled::Already] => {}
        [Settled::Never(state)] => {
            return Err(Problem::conflict("line_state", format!("The line is {state}, so this cannot happen to it.")));
        }
        _ => return Err(nothing("line")),
    }
    let row = payouts::line(&mut app.db.read().await?, caller.business_id(), line).await?;
    let row = row.ok_or_else(|| nothing("line"))?;
    Ok(Json(PayoutLine::of(&row)?).into_response())
}

async fn paid(
    State(app): State<App>,
    caller: Caller,
    InPaths(payout, line): InPaths,
    Sent(paid): Sent<Paid>,
) -> Result<Response, Problem> {
    let settle = |line_id| Settle {
        line_id,
        event: LineEvent::Pay,
        reason: None,
        reference: paid.reference.map(|text| text.0),
        day: paid.day,
    };
    happened(&app, &caller, (payout, line), settle).await
}

fn ended(ended: Ended, event: LineEvent) -> impl FnOnce(i64) -> Settle {
    move |line_id| Settle {
        line_id,
        event,
        reason: Some(ended.reason.0),
        reference: ended.reference.map(|text| text.0),
        day: ended.day,
    }
}

async fn failed(
    State(app): State<App>,
    caller: Caller,
    InPaths(payout, line): InPaths,
    Sent(why): Sent<Ended>,
) -> Result<Response, Problem> {
    happened(&app, &caller, (payout, line), ended(why, LineEvent::Fail)).await
}

async fn returned(
    State(app): State<App>,
    caller: Caller,
    InPaths(payout, line): InPaths,
    Sent(why): Sent<Ended>,
) -> Result<Response, Problem> {
    happened(&app, &caller, (payout, line), ended(why, LineEvent::Return)).await
}

async fn leave_out(
    State(app): State<App>,
    caller: Caller,
    InPaths(payout, line): InPaths,
) -> Result<Response, Problem> {
    let id = of_caller(&app, &caller, &payout).await?.id;
    let line = path_id(Kind::PayoutLine, &line, "line")?;
    let done = payouts::leave_out(&app, &caller.actor, caller.business_id(), id, line).await?;
    done.map_err(|why| refused(&why))?;
    answer(&app, &caller, id, &HeaderMap::new(), StatusCode::OK).await
}

async fn take_in(State(app): State<App>, caller: Caller, InPaths(payout, line): InPaths) -> Result<Response, Problem> {
    let id = of_caller(&app, &caller, &payout).await?.id;
    let line = path_id(Kind::PayoutLine, &line, "line")?;
    let done = payouts::take_in(&app, &caller.actor, caller.business_id(), id, line).await?;
    done.map_err(|why| refused(&why))?;
    answer(&app, &caller, id, &HeaderMap::new(), StatusCode::OK).await
}
