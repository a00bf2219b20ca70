//! Commissions of payments and qualifications, and the decisions of staff about them.

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::Caller;
use crate::api::field::{IdText, Line, OneOf, Word, number_schema};
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::{Asked, InPath, Sent};
use crate::api::v1::common::{campaigns, field_id, instant, nothing, number, path_id, versioned};
use crate::api::v1::moves::rejected;
use crate::api::v1::part::{Hits, Page, Part, merged, page, place_of};
use crate::api::v1::window::{By, Sort, Sorting, Window};
use crate::app::App;
use crate::commissions::rows::{self as store, CommissionRow, Filter};
use crate::engine::{Approve, Event, Void, What};
use crate::id::{self, Kind};
use crate::money::Rate;
use crate::object;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/commissions", "listCommissions", "List commissions")
            .about("The newest first, or by the last day of their hold. A combination of filters that no index serves looks at 10,000 commissions.")
            .scope("money:read")
            .asks::<CommissionsAsked>()
            .answers::<Page<Commission>>(200, "A page of commissions.", "")
            .link("getCommission", "commission", "/data/0/id")
            .link("approveCommission", "commission", "/data/0/id")
            .link("voidCommission", "commission", "/data/0/id"),
        list_commissions,
    )
    .with(
        Operation::get("/v1/commissions/{commission}", "getCommission", "Read a commission")
            .about("With what it was computed from.")
            .scope("money:read")
            .in_path("commission", "Its id: `comm_…` or the integer.")
            .header("if-none-match", "The ETag of a version that the caller has: 304 if it is still the one.")
            .answers::<Commission>(200, "The commission, with its version as ETag.", "")
            .answers_nothing(304, "It is as the caller has it.")
            .refuses(&[404]),
        show_commission,
    )
    .with(
        Operation::post(
            "/v1/commissions/{commission}/approve",
            "approveCommission",
            "Approve a commission before its hold is over",
        )
        .about("It is due at once, before the end of its hold, so a reason is required.")
        .once()
        .scope("money:write")
        .in_path("commission", "Its id: `comm_…` or the integer.")
        .takes::<Reason>(r#"{"reason": "paid in advance"}"#)
        .answers::<Commission>(200, "The commission as it is now.", "")
        .refuses(&[404, 409]),
        approve,
    )
    .with(
        Operation::post("/v1/commissions/{commission}/void", "voidCommission", "Void an unpaid commission")
            .about("It is taken off what the referrer is owed, and stays to be read with its reason.")
            .once()
            .scope("money:write")
            .in_path("commission", "Its id: `comm_…` or the integer.")
            .takes::<Reason>(r#"{"reason": "fraud"}"#)
            .answers::<Commission>(200, "The commission as it is now.", "")
            .refuses(&[404, 409]),
        void,
    )
}

/// The states of a commission.
#[derive(Debug, Clone, Copy)]
pub struct CommissionState(&'static str);

impl Word for CommissionState {
    const WORDS: &'static [&'static str] = &["pending", "approved", "paid", "void"];

    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|known| **known == word).map(|known| Self(known))
    }
}

/// The kinds of commission.
#[derive(Debug, Clone, Copy)]
pub struct CommissionKind(&'static str);

impl Word for CommissionKind {
    const WORDS: &'static [&'static str] = &["referral", "recurring", "reward"];

    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|known| **known == word).map(|known| Self(known))
    }
}

/// The orders of a list of commissions.
#[derive(Debug, Clone, Copy)]
pub enum CommissionSort {
    Record(Sort),
    /// True with a minus: the latest comes first.
    Hold(bool),
}

impl Sorting for CommissionSort {
    const ABOUT: &'static str = "By making, last change or last day of the hold; with a minus, the newest first.";

    fn column(&self) -> (By, bool) {
        match self {
            Self::Record(sort) => sort.column(),
            Self::Hold(minus) => (By::Day, *minus),
        }
    }
}

impl Word for CommissionSort {
    const WORDS: &'static [&'static str] = &["-created", "created", "-updated", "updated", "hold", "-hold"];

    fn of(word: &str) -> Option<Self> {
        match word {
            "hold" => Some(Self::Hold(false)),
            "-hold" => Some(Self::Hold(true)),
            other => Sort::of(other).map(Self::Record),
        }
    }
}

object! {
    /// The filters of the commissions.
    strict struct CommissionsAsked {
        /// Only of this campaign; of all otherwise.
        campaign "campaign": Option<IdText>,
        /// Only in this state.
        state "state": Option<OneOf<CommissionState>>,
        /// Only of this referrer.
        referrer "referrer": Option<IdText>,
        /// Only of this lead.
        lead "lead": Option<IdText>,
        /// Only of this kind.
        kind "kind": Option<OneOf<CommissionKind>>;
        window: Window<CommissionSort>
    }
}

object! {
    /// Why.
    strict pub struct Reason {
        /// For the history.
        reason "reason": Line<500>,
    }
}

/// A commission, with what it was computed from.
#[derive(Serialize, JsonSchema)]
struct Commission {
    /// `comm_…`.
    id: String,
    /// `campaign_…`.
    campaign: String,
    /// True for test data, which is never owed.
    test: bool,
    /// `referral` (first payment), `recurring` or `reward` (qualification).
    kind: String,
    /// `pay_…`; null for a reward.
    payment: Option<String>,
    /// `lead_…`.
    lead: String,
    /// `agent_…`.
    referrer: String,
    /// In the currency's own decimals.
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    /// In minor units.
    amount_minor: i64,
    /// ISO 4217.
    currency: String,
    /// The amount to which the rate was applied.
    #[schemars(schema_with = "number_schema")]
    base_amount: Box<RawValue>,
    /// In percent, as text; null where it is flat.
    percent: Option<String>,
    /// The version of the terms; null for a reward.
    terms: Option<i64>,
    /// Days for which it stays pending.
    hold_days: i64,
    /// The last day of the hold.
    hold_until: String,
    /// `pending`, `approved`, `paid` or `void`.
    state: String,
    /// Why it was approved early, voided or taken back.
    reason: Option<String>,
    /// When it was earned.
    created_at: String,
    /// When its state or amount last changed.
    updated_at: String,
}

impl Commission {
    fn of(row: CommissionRow) -> Result<Self, Problem> {
        Ok(Self {
            id: id::render(Kind::Commission, row.id),
            campaign: id::render(Kind::Campaign, row.campaign_id),
            test: row.test,
            kind: row.kind,
            payment: row.payment_id.map(|id| id::render(Kind::Payment, id)),
            lead: id::render(Kind::Lead, row.lead_id),
            referrer: id::render(Kind::Referrer, row.referrer_id),
            amount: number(row.amount, &row.currency)?,
            amount_minor: row.amount,
            base_amount: number(row.base_amount, &row.currency)?,
            percent: row
                .rate
                .and_then(Rate::from_units)
                .map(|rate| rate.shown().trim_end_matches('%').trim().to_owned()),
            terms: row.terms_number,
            hold_days: row.hold_days,
            hold_until: row.hold_until,
            state: row.state,
            reason: row.reason,
            created_at: instant(row.created_at),
            updated_at: instant(row.updated_at),
            currency: row.currency,
        })
    }
}

async fn list_commissions(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<CommissionsAsked>,
) -> Result<Response, Problem> {
    let campaigns = campaigns(&app, &caller, asked.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let part = Part::new(asked.window, &caller, app.clock.now());
    let filter = Filter {
        test: caller.test(),
        state: asked.state.map(|s| s.0.0),
        kind: asked.kind.map(|k| k.0.0),
        referrer_id: asked.referrer.map(|r| field_id(Kind::Referrer, "referrer", &r.0, "referrer")).transpose()?,
        lead_id: asked.lead.map(|l| field_id(Kind::Lead, "lead", &l.0, "lead")).transpose()?,
        by_changes: part.by_changes(),
    };
    let mut conn = app.db.read().await?;
    if part.is_by_day() {
        // Their index is by state as well.
        let states = filter.state.map_or(CommissionState::WORDS.to_vec(), |state| vec![state]);
        let lists: Vec<(i64, &str)> = campaigns.iter().flat_map(|c| states.iter().map(|state| (*c, *state))).collect();
        let key = |row: &CommissionRow| (place_of(&row.hold_until), row.id);
        let list = |(campaign, state)| store::commissions_by_hold(campaign, state, &filter);
        let rows = merged(&mut conn, &part, &lists, key, list).await?;
        return shown(&uri, &part, rows, key);
    }
    let key = |row: &CommissionRow| (part.at(row.created_at, row.updated_at), row.id);
    let rows = merged(&mut conn, &part, &campaigns, key, |campaign| store::commissions(campaign, &filter)).await?;
    shown(&uri, &part, rows, key)
}

fn shown(
    uri: &Uri,
    part: &Part,
    rows: Hits<CommissionRow>,
    key: impl Fn(&CommissionRow) -> (i64, i64),
) -> Result<Response, Problem> {
    let rows = rows.map(|row| Ok((key(&row), Commission::of(row)?)))?;
    Ok(page(uri, part, rows, |(key, _)| *key, |(_, commission)| commission))
}

async fn commission(app: &App, caller: &Caller, id: i64) -> Result<CommissionRow, Problem> {
    let row = store::commission(&mut app.db.read().await?, caller.business_id(), caller.test(), id).await?;
    row.ok_or_else(|| nothing("commission"))
}

async fn show_commission(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(text): InPath,
) -> Result<Response, Problem> {
    let row = commission(&app, &caller, path_id(Kind::Commission, &text, "commission")?).await?;
    let version = row.updated_at;
    Ok(versioned(&headers, StatusCode::OK, version, &Commission::of(row)?))
}

async fn decide(app: &App, caller: &Caller, id: i64, what: impl Into<What>) -> Result<Response, Problem> {
    commission(app, caller, id).await?;
    let decided = app.engine.one_of(Event::new(caller.by(), what)).await?;
    decided.map_err(|why| rejected(why, || nothing("commission")))?;
    let row = commission(app, caller, id).await?;
    let version = row.updated_at;
    Ok(versioned(&HeaderMap::new(), StatusCode::OK, version, &Commission::of(row)?))
}

async fn approve(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(why): Sent<Reason>,
) -> Result<Response, Problem> {
    let id = path_id(Kind::Commission, &text, "commission")?;
    decide(&app, &caller, id, Approve { commission_id: id.into(), reason: Some(why.reason.0) }).await
}

async fn void(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(why): Sent<Reason>,
) -> Result<Response, Problem> {
    let id = path_id(Kind::Commission, &text, "commission")?;
    decide(&app, &caller, id, Void { commission_id: id.into(), reason: why.reason.0 }).await
}
