//! Traces: why a commission, a lead, a line of a payout or a balance is as it is.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::common::{instant, maybe_instant, nothing, path_id};
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::{InPath, InPaths};
use crate::app::App;
use crate::commissions::rows as commissions;
use crate::engine::state::Account;
use crate::id::{self, Kind};
use crate::leads::rows as leads;
use crate::money::Currency;
use crate::payouts;
use crate::trace::{self, Reader, Thing};

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
    .with(
        Operation::get(
            "/v1/referrers/{referrer}/balances/{currency}/trace",
            "traceBalance",
            "Why is a balance as it is?",
        )
        .about("The sums of the entries by account and kind, which add up to the balance, the newest 50 entries, and what stands between it and money. `GET /v1/ledger` has all entries. 404 where the referrer has no entry in the currency.")
        .scope("money:read")
        .in_path("referrer", "Their id: `agent_…` or the integer.")
        .in_path("currency", "ISO 4217.")
        .answers::<BalanceTrace>(200, "The trace.", "")
        .refuses(&[404]),
        of_balance,
    )
}

/// Why a balance is as it is.
#[derive(Serialize, JsonSchema)]
struct BalanceTrace {
    /// The balance, in words.
    title: String,
    /// `due`, `held`, `paying`, `paid` (nothing is owed) or `negative`.
    state: String,
    /// The balance as it is now, in a sentence.
    outcome: String,
    /// ISO 4217.
    currency: String,
    /// Earned and not paid yet, in minor units: `held`, `due` and `paying` together.
    owed_minor: i64,
    /// The four accounts.
    accounts: Vec<AccountSum>,
    /// The newest entries, the newest first.
    entries: Vec<BalanceEntry>,
    /// The number of all entries.
    entry_count: i64,
    /// The obstacles between the balance and money, a sentence each.
    needed: Vec<String>,
}

/// An account with the sums that make its balance.
#[derive(Serialize, JsonSchema)]
struct AccountSum {
    /// `held`, `due`, `paying` or `paid`.
    account: String,
    /// In minor units.
    amount_minor: i64,
    /// By kind of entry; they add up to the amount.
    parts: Vec<AccountPart>,
}

/// The entries of one kind on an account.
#[derive(Serialize, JsonSchema)]
struct AccountPart {
    /// As in `GET /v1/ledger`.
    kind: String,
    /// Signed, in minor units.
    amount_minor: i64,
}

/// An entry of a balance.
#[derive(Serialize, JsonSchema)]
struct BalanceEntry {
    /// `entry_…`.
    id: String,
    /// As in `GET /v1/ledger`.
    kind: String,
    /// `held`, `due`, `paying` or `paid`.
    account: String,
    /// Signed, in minor units.
    amount_minor: i64,
    /// The business's day.
    day: String,
    /// The moment it was written.
    at: String,
    /// The event, in words.
    title: String,
    /// The lead, the payout or the reason, in words.
    text: String,
    /// The id of what has a trace of its own, or of the adjustment: `comm_…`, `line_…` or `adj_…`.
    about: Option<String>,
}

impl BalanceTrace {
    fn of(t: trace::BalanceTrace) -> Self {
        let part = |at: usize| {
            let parts = t.parts.iter().filter_map(move |part| Some((part.kind, *part.sums.get(at)?)));
            let parts = parts.filter(|(_, minor)| *minor != 0);
            parts.map(|(kind, amount_minor)| AccountPart { kind: kind.to_string(), amount_minor }).collect()
        };
        let account = |(at, account): (usize, &Account)| AccountSum {
            account: account.to_string(),
            amount_minor: t.of(*account),
            parts: part(at),
        };
        let about = |entry: &trace::BalanceEntry| match entry.thing {
            Some(Thing::PayoutLine(id)) => Some(id::render(Kind::PayoutLine, id)),
            Some(Thing::Commission(id)) => Some(id::render(Kind::Commission, id)),
            _ => entry.adjustment_id.map(|id| id::render(Kind::Adjustment, id)),
        };
        let entry = |entry: &trace::BalanceEntry| BalanceEntry {
            id: id::render(Kind::LedgerEntry, entry.id),
            kind: entry.kind.to_string(),
            account: entry.account.to_string(),
            amount_minor: entry.amount.minor,
            day: entry.day.clone(),
            at: instant(entry.at),
            title: entry.title.to_owned(),
            text: entry.about.clone(),
            about: about(entry),
        };
        Self {
            accounts: Account::ALL.iter().enumerate().map(account).collect(),
            entries: t.newest.iter().map(entry).collect(),
            state: t.state.to_owned(),
            currency: t.currency.code().to_owned(),
            owed_minor: t.owed.minor,
            entry_count: t.entries,
            title: t.title,
            outcome: t.outcome,
            needed: t.needed,
        }
    }
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

async fn of_balance(
    State(app): State<App>,
    caller: Caller,
    InPaths(referrer, currency): InPaths,
) -> Result<Response, Problem> {
    let id = path_id(Kind::Referrer, &referrer, "referrer")?;
    let currency = Currency::parse(&currency).map_err(|_| nothing("balance"))?;
    // Test data are on no balance.
    let found = match caller.test() {
        true => None,
        false => trace::balance(&mut app.db.read().await?, caller.business_id(), id, currency, Reader::Staff).await?,
    };
    Ok(Json(BalanceTrace::of(found.ok_or_else(|| nothing("balance"))?)).into_response())
}
