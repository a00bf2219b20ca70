//! Payouts and their lines as answers show them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::field::number_schema;
use crate::api::problem::Problem;
use crate::api::v1::common::{instant, maybe_instant, number};
use crate::id::{self, Kind};
use crate::payouts::{LineRow, PayoutRow, Sum};

/// A payout: a batch of what is due in one currency by one method.
#[derive(Serialize, JsonSchema)]
pub struct Payout {
    /// `payout_…`.
    pub id: String,
    /// Counted up in the business.
    number: i64,
    /// `campaign_…`; null where it pays what is due of every campaign.
    campaign: Option<String>,
    /// ISO 4217.
    currency: String,
    /// `paypal`, `wise`, `bank` or `hand`.
    method: String,
    /// The kind of file it is for: `paypal`, `wise`, `sepa`, `csv` or `xlsx`.
    format: String,
    /// `building`, `draft`, `locking`, `locked`, `unlocking`, `approved`, `closed` or `dropped`.
    state: String,
    /// Why it came back from being locked.
    note: Option<String>,
    /// The sum of the lines that are in it, in the currency's own decimals.
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    /// In minor units.
    amount_minor: i64,
    /// The number of lines that are in it.
    line_count: i64,
    /// Tells this version of the draft from another: send it to lock what was reviewed.
    fingerprint: String,
    /// The maker.
    made_by: String,
    locked_by: Option<String>,
    approved_by: Option<String>,
    created_at: String,
    updated_at: String,
    locked_at: Option<String>,
    approved_at: Option<String>,
    /// When its file was first made.
    file_at: Option<String>,
    closed_at: Option<String>,
}

impl Payout {
    pub fn of(row: &PayoutRow) -> Result<Self, Problem> {
        Ok(Self {
            id: id::render(Kind::Payout, row.id),
            number: row.number,
            campaign: row.campaign_id.map(|id| id::render(Kind::Campaign, id)),
            currency: row.currency.code().to_owned(),
            method: row.method.to_string(),
            format: row.format.to_string(),
            state: row.state.to_string(),
            note: row.note.clone(),
            amount: number(row.amount, row.currency.code())?,
            amount_minor: row.amount,
            line_count: row.lines,
            fingerprint: row.fingerprint.clone(),
            made_by: row.made_by.clone(),
            locked_by: row.locked_by.clone(),
            approved_by: row.approved_by.clone(),
            created_at: instant(row.created_at),
            updated_at: instant(row.updated_at),
            locked_at: maybe_instant(row.locked_at),
            approved_at: maybe_instant(row.approved_at),
            file_at: maybe_instant(row.file_at),
            closed_at: maybe_instant(row.closed_at),
        })
    }
}

/// A payout with its lines: as many as one answer holds.
#[derive(Serialize, JsonSchema)]
pub struct PayoutWithLines {
    #[serde(flatten)]
    payout: Payout,
    /// How much of it is locked, paid, failed or returned.
    totals: Vec<Total>,
    /// The first 1,000 lines that are in it.
    lines: Vec<PayoutLine>,
    /// The first 1,000 that are left out, each with its reason.
    left_out: Vec<PayoutLine>,
    /// True where there are further ones: `GET /v1/payouts/{payout}/lines` pages through all.
    more: bool,
}

/// Lines of one answer.
pub const MOST: usize = 1_000;

impl PayoutWithLines {
    pub fn of(row: &PayoutRow, sums: &[Sum], mut inside: Vec<LineRow>, mut out: Vec<LineRow>) -> Result<Self, Problem> {
        let more = inside.len() > MOST || out.len() > MOST;
        inside.truncate(MOST);
        out.truncate(MOST);
        Ok(Self {
            payout: Payout::of(row)?,
            totals: sums.iter().map(|sum| Total::of(sum, row.currency.code())).collect::<Result<_, _>>()?,
            lines: inside.iter().map(PayoutLine::of).collect::<Result<_, _>>()?,
            left_out: out.iter().map(PayoutLine::of).collect::<Result<_, _>>()?,
            more,
        })
    }
}

/// The lines of one state.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PayoutTotal")]
struct Total {
    /// `out`, `in`, `locked`, `paid`, `failed` or `returned`.
    state: String,
    lines: i64,
    /// In the currency's own decimals.
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    /// In minor units.
    amount_minor: i64,
}

impl Total {
    fn of(sum: &Sum, currency: &str) -> Result<Self, Problem> {
        Ok(Self {
            state: sum.state.to_string(),
            lines: sum.lines,
            amount: number(sum.amount, currency)?,
            amount_minor: sum.amount,
        })
    }
}

/// One referrer in a payout.
#[derive(Serialize, JsonSchema)]
pub struct PayoutLine {
    /// `line_…`.
    pub id: String,
    /// `payout_…`.
    payout: String,
    /// `agent_…`.
    referrer: String,
    name: String,
    email: Option<String>,
    /// In the currency's own decimals.
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    /// In minor units.
    amount_minor: i64,
    /// ISO 4217.
    currency: String,
    /// Commissions and adjustments that the amount is the sum of.
    items: i64,
    /// `out`, `in`, `locked`, `paid`, `failed` or `returned`.
    state: String,
    /// Why they are left out: `below the minimum`, `no details`, `banned`, `disputed`, `negative balance`,
    /// `nothing is left`, `other method`, `not offered by the campaign`, `by hand` or `cannot be sent`.
    left_out: Option<String>,
    /// In minor units: the minimum that the amount is below.
    minimum_minor: Option<i64>,
    /// The day since which the oldest part is due.
    due_since: Option<String>,
    /// How they are paid, masked.
    details: Option<String>,
    /// The moment at which the details were changed, where that was shortly before the draft: see `changed_details_days` of the settings.
    details_changed_at: Option<String>,
    /// Where the last payment to them did not arrive, how it ended: `failed` or `returned`.
    last_failure: Option<String>,
    /// The day on which that was.
    last_failure_day: Option<String>,
    /// Why.
    last_failure_reason: Option<String>,
    /// Why it failed, was returned or cannot be sent.
    reason: Option<String>,
    /// The reference of the bank or provider.
    reference: Option<String>,
    /// The day on which it was paid, failed or returned.
    day: Option<String>,
}

impl PayoutLine {
    pub fn of(row: &LineRow) -> Result<Self, Problem> {
        Ok(Self {
            id: id::render(Kind::PayoutLine, row.id),
            payout: id::render(Kind::Payout, row.payout_id),
            referrer: id::render(Kind::Referrer, row.referrer_id),
            name: row.referrer.clone(),
            email: row.email.clone(),
            amount: number(row.amount, row.currency.code())?,
            amount_minor: row.amount,
            currency: row.currency.code().to_owned(),
            items: row.items,
            state: row.state.to_string(),
            left_out: row.out_reason.map(|reason| reason.to_string()),
            minimum_minor: row.minimum,
            due_since: row.since.clone(),
            details: row.details.clone(),
            details_changed_at: maybe_instant(row.details_changed_at),
            last_failure: row.failed_state.map(|state| state.to_string()),
            last_failure_day: row.failed_day.clone(),
            last_failure_reason: row.failed_reason.clone(),
            reason: row.reason.clone(),
            reference: row.reference.clone(),
            day: row.day.clone(),
        })
    }
}
