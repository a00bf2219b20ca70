//! Statements: what a referrer was owed over a month.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::common::{nothing, number, path_id};
use super::window::{Limit, USUAL};
use crate::api::Caller;
use crate::api::field::{Line, number_schema};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, InPaths};
use crate::app::App;
use crate::clock::{Instant, Zone};
use crate::id::{self, Kind};
use crate::money::Currency;
use crate::month::Month;
use crate::object;
use crate::referrers::rows as people;
use crate::statements::{self, Balance, LineRow, MonthSums};

const REFERRER: &str = "Their id: `agent_…` or the integer.";

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/referrers/{referrer}/statements", "listStatements", "List the statements of a referrer")
            .about("A statement for each month and currency, the newest first, from the first entry of the ledger to the month of today.")
            .scope("money:read")
            .in_path("referrer", REFERRER)
            .answers::<Months>(200, "The months.", "")
            .refuses(&[404]),
        list,
    )
    .with(
        Operation::get("/v1/referrers/{referrer}/statements/{month}", "getStatement", "Read a statement")
            .about("The sums of the month and its lines in the order they were written. Owed is what was earned and not paid yet: `held`, `due` and `paying` together. A month that is over never changes: a later correction stands in the month of the correction.")
            .scope("money:read")
            .in_path("referrer", REFERRER)
            .in_path("month", "YYYY-MM.")
            .asks::<StatementAsked>()
            .answers::<Statement>(200, "The statement, with a page of its lines.", "")
            .refuses(&[404]),
        show,
    )
}

object! {
    /// The part of the statement.
    strict struct StatementAsked {
        /// ISO 4217.
        currency "currency": Line<3>,
        /// Lines of the page.
        limit "limit": Option<Limit>,
        /// The start of the page: `next` of the page before.
        after "after": Option<Line<40>>,
    }
}

/// The months of a referrer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StatementList")]
struct Months {
    /// By currency, the newest first.
    data: Vec<MonthOf>,
}

/// The sums of a month.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StatementMonth")]
struct MonthOf {
    /// YYYY-MM.
    month: String,
    /// ISO 4217.
    currency: String,
    /// False once the month is over: then it never changes.
    open: bool,
    /// Owed at the start of the month, in the currency's own decimals.
    #[schemars(schema_with = "number_schema")]
    opening: Box<RawValue>,
    /// Earned in the month, less what was taken off again.
    #[schemars(schema_with = "number_schema")]
    earned: Box<RawValue>,
    /// Paid in the month, less what came back.
    #[schemars(schema_with = "number_schema")]
    paid: Box<RawValue>,
    /// Owed at the end of the month, or now: `opening` plus `earned` less `paid`.
    #[schemars(schema_with = "number_schema")]
    closing: Box<RawValue>,
    /// In minor units.
    closing_minor: i64,
}

impl MonthOf {
    fn of(m: &MonthSums) -> Result<Self, Problem> {
        let money = |minor| number(minor, m.currency.code());
        Ok(Self {
            month: m.month.to_string(),
            currency: m.currency.code().to_owned(),
            open: m.is_open,
            opening: money(m.opening)?,
            earned: money(m.earned)?,
            paid: money(m.paid)?,
            closing: money(m.closing)?,
            closing_minor: m.closing,
        })
    }
}

/// The balances that are owed, in minor units.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StatementBalances")]
struct Balances {
    /// Pending, or disputed.
    held_minor: i64,
    /// Approved.
    due_minor: i64,
    /// In a locked payout.
    paying_minor: i64,
}

impl Balances {
    fn of(b: Balance) -> Self {
        Self { held_minor: b.held, due_minor: b.due, paying_minor: b.paying }
    }
}

/// A statement: what a referrer was owed over a month, in one currency.
#[derive(Serialize, JsonSchema)]
struct Statement {
    /// `agent_…`.
    referrer: String,
    #[serde(flatten)]
    sums: MonthOf,
    /// The accounts that `opening` is the sum of.
    opening_balances: Balances,
    /// The accounts that `closing` is the sum of.
    closing_balances: Balances,
    /// In the order they were written.
    lines: Vec<StatementLine>,
    /// The `after` of the next call; null on the last page.
    next: Option<String>,
}

/// A line of a statement.
#[derive(Serialize, JsonSchema)]
struct StatementLine {
    /// `entry_…`: its entry of the ledger, of a payout's line the first one.
    id: String,
    /// The business's day.
    day: String,
    /// `earned`, `restored`, `voided`, `reduced` (by a refund), `taken back`, `bonus`, `correction`, `paid`, `failed`
    /// or `returned`.
    kind: String,
    /// The change of what is owed; 0 where a payment failed.
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    /// In minor units.
    amount_minor: i64,
    /// The reason of the amount, in words.
    explanation: String,
    /// `comm_…`.
    commission: Option<String>,
    /// `lead_…`.
    lead: Option<String>,
    /// The payment to which the rate was applied, in minor units.
    base_minor: Option<i64>,
    /// In percent, as text; null where it is flat.
    percent: Option<String>,
    /// The version of the terms; null for a reward.
    terms: Option<i64>,
    /// `adj_…`.
    adjustment: Option<String>,
    /// `payout_…`.
    payout: Option<String>,
    /// `line_…`.
    payout_line: Option<String>,
}

impl StatementLine {
    fn of(row: &LineRow) -> Result<Self, Problem> {
        let percent = |rate: crate::money::Rate| rate.shown().trim_end_matches('%').trim().to_owned();
        Ok(Self {
            id: id::render(Kind::LedgerEntry, row.id),
            day: row.day.clone(),
            kind: row.movement().to_string(),
            amount: number(row.effect(), row.currency.code())?,
            amount_minor: row.effect(),
            explanation: row.about(),
            commission: row.commission_id.map(|id| id::render(Kind::Commission, id)),
            lead: row.lead_id.map(|id| id::render(Kind::Lead, id)),
            base_minor: row.base_amount,
            percent: row.rate().map(percent),
            terms: row.terms_number,
            adjustment: row.adjustment_id.map(|id| id::render(Kind::Adjustment, id)),
            payout: row.payout_id.map(|id| id::render(Kind::Payout, id)),
            payout_line: row.line_id.map(|id| id::render(Kind::PayoutLine, id)),
        })
    }
}

/// The business's zone, and now.
fn now(app: &App, caller: &Caller) -> (Zone, Instant) {
    (Zone::parse(&caller.key.row.timezone).unwrap_or_default(), app.clock.now())
}

async fn list(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    let id = path_id(Kind::Referrer, &text, "referrer")?;
    let mut conn = app.db.read().await?;
    if people::by_id(&mut conn, caller.business_id(), id).await?.is_none() {
        return Err(nothing("referrer"));
    }
    // Test data are on no account.
    let months = if caller.test() { Vec::new() } else { statements::months(&mut conn, id, now(&app, &caller)).await? };
    let data = months.iter().map(MonthOf::of).collect::<Result<_, Problem>>()?;
    Ok(Json(Months { data }).into_response())
}

async fn show(
    State(app): State<App>,
    caller: Caller,
    InPaths(text, month): InPaths,
    Asked(asked): Asked<StatementAsked>,
) -> Result<Response, Problem> {
    let referrer = path_id(Kind::Referrer, &text, "referrer")?;
    let (zone, at) = now(&app, &caller);
    let no_month = || Problem::not_found("There is no statement of such a month: YYYY-MM, up to the month of today.");
    let month = Month::parse(&month).filter(|month| *month <= Month::of(zone.day_of(at))).ok_or_else(no_month)?;
    let currency = Currency::parse(&asked.currency).map_err(|why| FieldProblem::wrong("currency", why))?;
    let wrong = || FieldProblem::wrong("after", "is not a cursor that a page of this list gave");
    let after = asked.after.map(|text| id::parse(Kind::LedgerEntry, &text).ok_or_else(wrong)).transpose()?;
    let limit = asked.limit.map_or(USUAL, |limit| limit.0);
    let mut conn = app.db.read().await?;
    if caller.test() || people::by_id(&mut conn, caller.business_id(), referrer).await?.is_none() {
        return Err(nothing("referrer"));
    }
    let s = statements::find(&mut conn, referrer, month, currency, (zone, at)).await?;
    let mut rows = statements::lines(&mut conn, referrer, currency, month, after.unwrap_or(0), limit + 1).await?;
    drop(conn);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let sums = MonthSums {
        month,
        currency,
        opening: s.opening.owed(),
        earned: s.earned(),
        paid: s.paid,
        closing: s.closing.owed(),
        is_open: s.is_open,
    };
    let answer = Statement {
        referrer: id::render(Kind::Referrer, referrer),
        sums: MonthOf::of(&sums)?,
        opening_balances: Balances::of(s.opening),
        closing_balances: Balances::of(s.closing),
        next: rows.last().filter(|_| more).map(|row| id::render(Kind::LedgerEntry, row.id)),
        lines: rows.iter().map(StatementLine::of).collect::<Result<_, _>>()?,
    };
    Ok(Json(answer).into_response())
}
