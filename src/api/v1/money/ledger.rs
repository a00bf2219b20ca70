//! The ledger: every amount on a referrer's accounts.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::Caller;
use crate::api::field::{IdText, Line, number_schema};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::Asked;
use crate::api::v1::common::{field_id, instant, number};
use crate::api::v1::window::{Limit, USUAL};
use crate::app::App;
use crate::commissions::rows::{self as store, EntryRow};
use crate::id::{self, Kind};
use crate::money::Currency;
use crate::object;
use crate::referrers::rows as people;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/ledger", "listLedger", "Read a referrer's ledger")
            .about("Every entry in one currency, in the order they were written. The sum of an account is its balance.")
            .scope("money:read")
            .asks::<LedgerAsked>()
            .answers::<Ledger>(200, "A page of entries.", ""),
        ledger,
    )
}

object! {
    /// The referrer of the ledger.
    strict struct LedgerAsked {
        /// `agent_…` or the integer.
        referrer "referrer": IdText,
        /// ISO 4217.
        currency "currency": Line<3>,
        /// Rows of the page.
        limit "limit": Option<Limit>,
        /// The start of the page: `next` of the page before.
        after "after": Option<Line<40>>,
    }
}

/// One signed amount on a referrer's account; never changed.
#[derive(Serialize, JsonSchema)]
struct Entry {
    /// `entry_…`.
    id: String,
    /// `agent_…`.
    referrer: String,
    /// ISO 4217.
    currency: String,
    /// `held`, `due`, `paying` (in a locked payout) or `paid`.
    account: String,
    /// Signed, in the currency's own decimals.
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    /// In minor units.
    amount_minor: i64,
    /// The kind of entry: `earned`, `approved`, `voided` …
    kind: String,
    /// `comm_…`.
    commission: Option<String>,
    /// `adj_…`.
    adjustment: Option<String>,
    /// `line_…`: the line of the payout that moved it.
    payout_line: Option<String>,
    /// The business's day.
    day: String,
    /// When it was written.
    at: String,
}

/// A page of a ledger.
#[derive(Serialize, JsonSchema)]
struct Ledger {
    /// In the order they were written.
    data: Vec<Entry>,
    /// The `after` of the next call; null on the last page.
    next: Option<String>,
}

async fn ledger(State(app): State<App>, caller: Caller, Asked(asked): Asked<LedgerAsked>) -> Result<Response, Problem> {
    let referrer = field_id(Kind::Referrer, "referrer", &asked.referrer.0, "referrer")?;
    let currency = Currency::parse(&asked.currency).map_err(|why| FieldProblem::wrong("currency", why))?;
    let wrong = || FieldProblem::wrong("after", "is not a cursor that a page of this list gave");
    let after = asked.after.map(|text| id::parse(Kind::LedgerEntry, &text).ok_or_else(wrong)).transpose()?;
    let limit = asked.limit.map_or(USUAL, |limit| limit.0);
    let mut conn = app.db.read().await?;
    if people::by_id(&mut conn, caller.business_id(), referrer).await?.is_none() {
        return Err(FieldProblem::wrong("referrer", "is not a referrer of this business").into());
    }
    // Test data are on no account.
    let mut rows = if caller.test() {
        Vec::new()
    } else {
        store::entries(&mut conn, caller.business_id(), referrer, currency.code(), after.unwrap_or(0), limit + 1)
            .await?
    };
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| id::render(Kind::LedgerEntry, row.id));
    let entry = |row: EntryRow| {
        Ok(Entry {
            id: id::render(Kind::LedgerEntry, row.id),
            referrer: id::render(Kind::Referrer, row.referrer_id),
            amount: number(row.amount, &row.currency)?,
            amount_minor: row.amount,
            currency: row.currency,
            account: row.account,
            kind: row.kind,
            commission: row.commission_id.map(|id| id::render(Kind::Commission, id)),
            adjustment: row.adjustment_id.map(|id| id::render(Kind::Adjustment, id)),
            payout_line: row.line_id.map(|id| id::render(Kind::PayoutLine, id)),
            day: row.day,
            at: instant(row.at),
        })
    };
    let data = rows.into_iter().map(entry).collect::<Result<_, Problem>>()?;
    Ok(Json(Ledger { data, next }).into_response())
}
