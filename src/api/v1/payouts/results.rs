//! The answer of a provider or a bank about a payout.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::{ID, of_caller, refused};
use crate::api::Caller;
use crate::api::field::Line;
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, SentReport};
use crate::app::App;
use crate::id::{self, Kind};
use crate::object;
use crate::payouts::results::{Change, Columns, Meaning, Reading};
use crate::payouts::{self, Answer, AnswerRow, Examined, NotRead};

/// The largest report that comes by a call.
const LARGEST: usize = 16 * 1024 * 1024;
/// Rows of an answer.
const MOST: usize = 1_000;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::post("/v1/payouts/{payout}/results", "readPayoutResults", "Read a report about a payout")
            .about("A report of PayPal or Wise as CSV, or a bank's pain.002 with `Content-Type: application/xml`, of at most 16 MiB. Rows are matched by our id of the line, else by recipient and amount. Matched rows settle their lines; every other row changes nothing and says why. Columns and statuses are recognised by their names, or named below, and remembered. A report that is sent again changes nothing.")
            .scope("payouts:write")
            .in_path("payout", ID)
            .largest(LARGEST)
            .asks::<ResultsAsked>()
            .takes_csv("Customer ID,Status,Amount,Transaction ID\nline_0d3kq7w1x5m2z,Completed,20.00,TX-1\n")
            .answers::<PayoutResults>(200, "What became of each row.", "")
            .refuses(&[404, 409]),
        read,
    )
}

object! {
    /// The way a report is read.
    strict struct ResultsAsked {
        /// Only say what would follow.
        dry_run "dry_run": Option<bool>,
        /// The column with the status.
        status "status": Option<Line<200>>,
        /// The column with our id of the line, alone or among other words.
        line "line": Option<Line<200>>,
        /// The column with the recipient's name, address or account.
        recipient "recipient": Option<Line<200>>,
        /// The column with the amount.
        amount "amount": Option<Line<200>>,
        /// The column with the currency.
        currency "currency": Option<Line<200>>,
        /// The column with the sender's own number of the transfer.
        reference "reference": Option<Line<200>>,
        /// The column with the reason of a failure.
        reason "reason": Option<Line<200>>,
        /// Statuses that mean paid, with commas between them, where they are not known.
        paid "paid": Option<Line<500>>,
        /// Statuses that mean failed.
        failed "failed": Option<Line<500>>,
        /// Statuses that mean that the money came back.
        returned "returned": Option<Line<500>>,
        /// Statuses that mean that nothing is decided.
        pending "pending": Option<Line<500>>,
        /// Statuses of rows about something else.
        ignored "ignored": Option<Line<500>>,
        /// The name of the file, for the history.
        file_name "file_name": Option<Line<200>>,
    }
}

fn text<const N: usize>(line: &Option<Line<N>>) -> Option<String> {
    line.as_ref().map(|line| line.0.clone())
}

impl ResultsAsked {
    /// The meaning of the columns, where a column or status is named.
    fn reading(&self, bytes: &[u8]) -> Result<Option<Reading>, Problem> {
        let columns = Columns {
            status: text(&self.status),
            line: text(&self.line),
            recipient: text(&self.recipient),
            amount: text(&self.amount),
            currency: text(&self.currency),
            reference: text(&self.reference),
            reason: text(&self.reason),
        };
        let statuses = [
            (Meaning::Paid, &self.paid),
            (Meaning::Failed, &self.failed),
            (Meaning::Returned, &self.returned),
            (Meaning::Pending, &self.pending),
            (Meaning::Ignored, &self.ignored),
        ];
        if payouts::is_pain002(bytes) || (columns == Columns::default() && statuses.iter().all(|(_, s)| s.is_none())) {
            return Ok(None);
        }
        let unread = |why: payouts::results::ReadError| unusable(&why.to_string());
        let mut reading = payouts::results::look(bytes, None).map_err(unread)?.proposed;
        reading.columns.take(columns);
        for (meaning, named) in statuses {
            let named = text(named).unwrap_or_default();
            for status in named.split(',').map(str::trim).filter(|status| !status.is_empty()) {
                reading.choose(status, meaning);
            }
        }
        Ok(Some(reading))
    }
}

fn unusable(why: &str) -> Problem {
    FieldProblem::wrong("file", format!("cannot be used: {}", why.trim_end_matches('.'))).into()
}

/// The outcome of a report.
#[derive(Serialize, JsonSchema)]
struct PayoutResults {
    /// True where nothing was changed, only looked at.
    dry_run: bool,
    /// Rows by verdict: `matched`, `unmatched`, `doubled`, `differs`, `already_so`, `pending`, `refused`.
    counts: BTreeMap<&'static str, usize>,
    /// The first 1,000 rows.
    rows: Vec<ResultRow>,
    /// The first 1,000 rows that say nothing.
    unread: Vec<UnreadRow>,
    /// Open lines of the payout that the report does not name.
    unnamed: usize,
    /// True where there are further rows.
    more: bool,
}

/// A row of a report.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PayoutResultRow")]
struct ResultRow {
    /// The number of its first line in the file; 0 for a status that stands for the whole file.
    row: u64,
    /// `matched`, `unmatched`, `doubled`, `differs`, `already_so`, `pending` or `refused`.
    verdict: &'static str,
    /// `line_…`: the line it is about.
    line: Option<String>,
    /// `paid`, `failed` or `returned`, of a matched row.
    change: Option<&'static str>,
    /// The sender's own number of the transfer.
    reference: Option<String>,
    message: String,
}

/// A row that says nothing.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PayoutResultUnread")]
struct UnreadRow {
    row: u64,
    message: String,
}

impl ResultRow {
    fn of(row: &AnswerRow) -> Self {
        let judged = &row.judged;
        Self {
            row: judged.at,
            verdict: judged.verdict.word(),
            line: row.line.as_ref().map(|line| id::render(Kind::PayoutLine, line.id)),
            change: judged.change.as_ref().map(|change| match change {
                Change::Paid => "paid",
                Change::Failed(_) => "failed",
                Change::Returned(_) => "returned",
            }),
            reference: Some(judged.reference.clone()).filter(|reference| !reference.is_empty()),
            message: judged.sentence.clone(),
        }
    }
}

impl PayoutResults {
    fn of(examined: &Examined, dry_run: bool) -> Self {
        let unread = examined.unread.iter().take(MOST);
        Self {
            dry_run,
            counts: examined.counts(),
            rows: examined.rows.iter().take(MOST).map(ResultRow::of).collect(),
            unread: unread.map(|row| UnreadRow { row: row.at, message: row.reason.clone() }).collect(),
            unnamed: examined.unnamed,
            more: examined.rows.len() > MOST || examined.unread.len() > MOST,
        }
    }
}

async fn read(
    State(app): State<App>,
    caller: Caller,
    InPath(path): InPath,
    Asked(asked): Asked<ResultsAsked>,
    SentReport(bytes): SentReport,
) -> Result<Response, Problem> {
    let id = of_caller(&app, &caller, &path).await?.id;
    let dry_run = asked.dry_run.unwrap_or(false);
    let answer = Answer {
        file_name: text(&asked.file_name).unwrap_or_else(|| "report".to_owned()),
        reading: asked.reading(&bytes)?,
        bytes: Arc::new(bytes.to_vec()),
    };
    let examined = if dry_run {
        payouts::examine(&app, caller.business_id(), id, &answer).await?.map(|(examined, _)| examined)
    } else {
        payouts::apply(&app, &caller.actor, caller.business_id(), id, &answer).await?
    };
    let examined = examined.map_err(|why| match why {
        NotRead::Refused(why) => refused(&why),
        NotRead::File(why) => unusable(&why.to_string()),
    })?;
    Ok(Json(PayoutResults::of(&examined, dry_run)).into_response())
}
