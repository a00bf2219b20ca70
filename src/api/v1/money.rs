//! Payments, the commissions they earned, and the ledger.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::common::{
    After, Limit, Page, Turn, campaigns, field_id, instant, maybe_instant, merged, nothing, number, page, path_id,
    versioned,
};
use super::store::money::{self as store, CommissionRow, EntryRow, Filter, PaymentRow};
use super::store::referrers as people;
use crate::api::Caller;
use crate::api::field::{IdText, Line, OneOf, Word, number_schema};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, Sent};
use crate::app::App;
use crate::desk::{Event, Outcome, What};
use crate::id::{self, Kind};
use crate::money::{Currency, Rate};
use crate::object;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/payments", "listPayments", "List payments")
            .about("The newest received first.")
            .scope("money:read")
            .asks::<PaymentsAsked>()
            .answers::<Page<Payment>>(200, "A page of payments.", "")
            .link("getPayment", "payment", "/data/0/id"),
        list_payments,
    )
    .with(
        Operation::get("/v1/payments/{payment}", "getPayment", "Read a payment")
            .scope("money:read")
            .in_path("payment", "Its id: `pay_…` or the integer.")
            .answers::<Payment>(200, "The payment.", "")
            .refuses(&[404]),
        show_payment,
    )
    .with(
        Operation::get("/v1/commissions", "listCommissions", "List commissions")
            .about("The newest first.")
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
        .scope("money:write")
        .in_path("commission", "Its id: `comm_…` or the integer.")
        .takes::<Reason>(r#"{"reason": "paid in advance"}"#)
        .answers::<Commission>(200, "The commission as it is now.", "")
        .refuses(&[404, 409]),
        approve,
    )
    .with(
        Operation::post("/v1/commissions/{commission}/void", "voidCommission", "Void an unpaid commission")
            .scope("money:write")
            .in_path("commission", "Its id: `comm_…` or the integer.")
            .takes::<Reason>(r#"{"reason": "fraud"}"#)
            .answers::<Commission>(200, "The commission as it is now.", "")
            .refuses(&[404, 409]),
        void,
    )
    .with(
        Operation::get("/v1/ledger", "listLedger", "Read a referrer's ledger")
            .about("Every entry in one currency, in the order they were written. The sum of an account is its balance.")
            .scope("money:read")
            .asks::<LedgerAsked>()
            .answers::<Ledger>(200, "A page of entries.", ""),
        ledger,
    )
}

object! {
    /// Which payments are asked for.
    strict struct PaymentsAsked {
        /// Rows of the page.
        limit "limit": Option<Limit>,
        /// Where it begins: `next` of the page before.
        after "after": Option<After>,
        /// Only of this lead.
        lead "lead": Option<IdText>,
        /// Only by this e-mail address.
        email "email": Option<Line<320>>,
    }
}

/// Where a commission can stand.
#[derive(Debug, Clone, Copy)]
pub struct CommissionState(&'static str);

impl Word for CommissionState {
    const WORDS: &'static [&'static str] = &["pending", "approved", "paid", "void"];

    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|known| **known == word).map(|known| Self(known))
    }
}

object! {
    /// Which commissions are asked for.
    strict struct CommissionsAsked {
        /// Rows of the page.
        limit "limit": Option<Limit>,
        /// Where it begins: `next` of the page before.
        after "after": Option<After>,
        /// Only of this campaign; of all otherwise.
        campaign "campaign": Option<IdText>,
        state "state": Option<OneOf<CommissionState>>,
        /// Only of this referrer.
        referrer "referrer": Option<IdText>,
        /// Only of this lead.
        lead "lead": Option<IdText>,
    }
}

object! {
    /// Why.
    strict struct Reason {
        /// For the audit, and for whoever asks.
        reason "reason": Line<500>,
    }
}

object! {
    /// Whose ledger is asked for.
    strict struct LedgerAsked {
        /// `agent_…` or the integer.
        referrer "referrer": IdText,
        /// ISO 4217.
        currency "currency": Line<3>,
        /// Rows of the page.
        limit "limit": Option<Limit>,
        /// Where it begins: `next` of the page before.
        after "after": Option<Line<40>>,
    }
}

/// A payment.
#[derive(Serialize, JsonSchema)]
struct Payment {
    /// `pay_…`.
    id: String,
    /// `campaign_…`.
    campaign: String,
    /// `product_…`.
    product: String,
    test: bool,
    /// `lead_…`; null while nobody is known by its e-mail address.
    lead: Option<String>,
    email: String,
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    amount_minor: i64,
    currency: String,
    subscription_status: String,
    payment_date: String,
    /// The event's own id, where it had one.
    event_id: Option<String>,
    /// `earned`, `nothing` or `waiting`.
    decision: String,
    /// Why.
    decision_why: String,
    disputed_at: Option<String>,
    received_at: String,
}

impl Payment {
    fn of(row: PaymentRow) -> Result<Self, Problem> {
        let event_id = ["event:", "invoice:", "key:"].iter().find_map(|kind| row.identity.strip_prefix(kind));
        Ok(Self {
            id: id::render(Kind::Payment, row.id),
            campaign: id::render(Kind::Campaign, row.campaign_id),
            test: row.test,
            lead: row.lead_id.map(|id| id::render(Kind::Lead, id)),
            amount: number(row.amount, &row.currency)?,
            amount_minor: row.amount,
            event_id: event_id.map(str::to_owned),
            product: row.product,
            email: row.email,
            currency: row.currency,
            subscription_status: row.subscription_status,
            payment_date: row.payment_date,
            decision: row.decision,
            decision_why: row.decision_why,
            disputed_at: maybe_instant(row.disputed_at),
            received_at: instant(row.received_at),
        })
    }
}

/// A commission, with what it was computed from.
#[derive(Serialize, JsonSchema)]
struct Commission {
    /// `comm_…`.
    id: String,
    /// `campaign_…`.
    campaign: String,
    test: bool,
    /// `referral` (first payment), `recurring` or `reward` (qualification).
    kind: String,
    /// `pay_…`; null for a reward.
    payment: Option<String>,
    /// `lead_…`.
    lead: String,
    /// `agent_…`.
    referrer: String,
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    amount_minor: i64,
    currency: String,
    /// What the rate was applied to.
    #[schemars(schema_with = "number_schema")]
    base_amount: Box<RawValue>,
    /// In percent, as text; null where it is flat.
    percent: Option<String>,
    /// The version of the terms; null for a reward.
    terms: Option<i64>,
    hold_days: i64,
    /// The last day of the hold.
    hold_until: String,
    /// `pending`, `approved`, `paid` or `void`.
    state: String,
    reason: Option<String>,
    created_at: String,
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

/// One signed amount on a referrer's account; never changed.
#[derive(Serialize, JsonSchema)]
struct Entry {
    /// `entry_…`.
    id: String,
    /// `agent_…`.
    referrer: String,
    currency: String,
    /// `held`, `due` or `paid`.
    account: String,
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    amount_minor: i64,
    /// What it is for.
    kind: String,
    /// `comm_…`.
    commission: Option<String>,
    /// The business's day.
    day: String,
    at: String,
}

/// A page of a ledger.
#[derive(Serialize, JsonSchema)]
struct Ledger {
    data: Vec<Entry>,
    /// The `after` of the next call; null on the last page.
    next: Option<String>,
}

async fn list_payments(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<PaymentsAsked>,
) -> Result<Response, Problem> {
    let lead = asked.lead.map(|l| field_id(Kind::Lead, "lead", &l.0, "lead")).transpose()?;
    let email = asked.email.map(|e| crate::email::key_of(&e).unwrap_or_default());
    let turn = Turn::new(asked.limit, asked.after);
    let list = store::payments(caller.business_id(), caller.test(), lead, email.as_deref());
    let rows: Vec<PaymentRow> = turn.rows(&mut app.db.read().await?, list).await?;
    let rows = rows.into_iter().map(|row| Ok(((row.received_at, row.id), Payment::of(row)?)));
    let rows = rows.collect::<Result<Vec<_>, Problem>>()?;
    Ok(page(&uri, &turn, rows, |(key, _)| *key, |(_, payment)| payment))
}

async fn show_payment(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<Payment>, Problem> {
    let id = path_id(Kind::Payment, &text, "payment")?;
    let row = store::payment(&mut app.db.read().await?, caller.business_id(), caller.test(), id).await?;
    Ok(Json(Payment::of(row.ok_or_else(|| nothing("payment"))?)?))
}

async fn list_commissions(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<CommissionsAsked>,
) -> Result<Response, Problem> {
    let campaigns = campaigns(&app, &caller, asked.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let filter = Filter {
        test: caller.test(),
        state: asked.state.map(|s| s.0.0),
        referrer_id: asked.referrer.map(|r| field_id(Kind::Referrer, "referrer", &r.0, "referrer")).transpose()?,
        lead_id: asked.lead.map(|l| field_id(Kind::Lead, "lead", &l.0, "lead")).transpose()?,
    };
    let turn = Turn::new(asked.limit, asked.after);
    let key = |row: &CommissionRow| (row.created_at, row.id);
    let list = |campaign| store::commissions(campaign, &filter);
    let rows = merged(&mut app.db.read().await?, &turn, &campaigns, key, list).await?;
    let rows =
        rows.into_iter().map(|row| Ok((key(&row), Commission::of(row)?))).collect::<Result<Vec<_>, Problem>>()?;
    Ok(page(&uri, &turn, rows, |(key, _)| *key, |(_, commission)| commission))
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

async fn decide(app: &App, caller: &Caller, id: i64, what: What) -> Result<Response, Problem> {
    commission(app, caller, id).await?;
    let event = Event { business_id: caller.business_id(), actor: caller.actor.clone(), what };
    match app.desk.one(event).await? {
        Outcome::Done { .. } => {}
        Outcome::Refused { why } => return Err(Problem::conflict("refused", why)),
        Outcome::NotFound => return Err(nothing("commission")),
        other => return Err(crate::db::DbError::Fault(format!("a decision came to {other:?}")).into()),
    }
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
    decide(&app, &caller, id, What::Approve { commission_id: id, reason: Some(why.reason.0) }).await
}

async fn void(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(why): Sent<Reason>,
) -> Result<Response, Problem> {
    let id = path_id(Kind::Commission, &text, "commission")?;
    decide(&app, &caller, id, What::Void { commission_id: id, reason: why.reason.0 }).await
}

async fn ledger(State(app): State<App>, caller: Caller, Asked(asked): Asked<LedgerAsked>) -> Result<Response, Problem> {
    let referrer = field_id(Kind::Referrer, "referrer", &asked.referrer.0, "referrer")?;
    let currency = Currency::parse(&asked.currency).map_err(|why| FieldProblem::wrong("currency", why))?;
    let wrong = || FieldProblem::wrong("after", "is not a cursor that a page of this list gave");
    let after = asked.after.map(|text| id::parse(Kind::LedgerEntry, &text).ok_or_else(wrong)).transpose()?;
    let limit = Turn::new(asked.limit, None).limit;
    let mut conn = app.db.read().await?;
    if people::by_id(&mut conn, caller.business_id(), referrer).await?.is_none() {
        return Err(FieldProblem::wrong("referrer", "is not a referrer of this business").into());
    }
    // Test data are on nobody's account.
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
            day: row.day,
            at: instant(row.at),
        })
    };
    let data = rows.into_iter().map(entry).collect::<Result<_, Problem>>()?;
    Ok(Json(Ledger { data, next }).into_response())
}
