//! Adjustments: a bonus or a correction beside what a referrer earned, and the second person's word about it.

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::common::{campaign, field_id, instant, nothing, number, path_id, versioned};
use super::part::{Hits, Page, Part, page};
use super::payouts::{live, person};
use super::window::{Sort, Window};
use crate::adjustments::{self, AdjustmentRow, Decision, Filter, NewAdjustment, Refused};
use crate::api::Caller;
use crate::api::field::{IdText, Line, NumberText, OneOf, Word, number_schema};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, Sent};
use crate::app::App;
use crate::engine::payout::AdjustmentEvent;
use crate::engine::state::AdjustmentState;
use crate::id::{self, Kind};
use crate::money::{Currency, Money};
use crate::object;

const ID: &str = "Its id: `adj_…` or the integer.";

pub fn calls(api: Api) -> Api {
    let decision = |path, id, title| {
        Operation::post(path, id, title)
            .once()
            .scope("payouts:write")
            .in_path("adjustment", ID)
            .answers::<Adjustment>(200, "The adjustment as it is now.", "")
            .refuses(&[404, 409])
    };
    api.with(
        Operation::get("/v1/adjustments", "listAdjustments", "List adjustments")
            .about("The newest first. What was taken back of a paid commission is one too, of the kind `claw back`. A filter by campaign looks at 10,000 adjustments.")
            .scope("payouts:read")
            .asks::<AdjustmentsAsked>()
            .answers::<Page<Adjustment>>(200, "A page of adjustments.", "")
            .link("getAdjustment", "adjustment", "/data/0/id"),
        list,
    )
    .with(
        Operation::post("/v1/adjustments", "createAdjustment", "Add an adjustment")
            .about("Above 0 it is a bonus, below 0 a correction, and the next payout takes it. Above the limit in the settings of payouts it is `pending` until another person approves it; a key counts as the person who holds it. To undo one that counts, add another one with the opposite sign.")
            .once()
            .scope("payouts:write")
            .takes::<AdjustmentWanted>(r#"{"referrer": "agent_1024", "amount": 25.00, "currency": "USD", "reason": "spoke at our event"}"#)
            .answers::<Adjustment>(201, "The adjustment.", "")
            .link("getAdjustment", "adjustment", "/id"),
        create,
    )
    .with(
        Operation::get("/v1/adjustments/{adjustment}", "getAdjustment", "Read an adjustment")
            .scope("payouts:read")
            .in_path("adjustment", ID)
            .header("if-none-match", "The ETag of a version that the caller has: 304 if it is still the one.")
            .answers::<Adjustment>(200, "The adjustment, with its version as ETag.", "")
            .answers_nothing(304, "It is as the caller has it.")
            .refuses(&[404]),
        show,
    )
    .with(
        decision("/v1/adjustments/{adjustment}/approve", "approveAdjustment", "Approve an adjustment")
            .about("One that is `pending`, made by another person. It counts from now on. Saying it twice changes nothing."),
        approve,
    )
    .with(
        decision("/v1/adjustments/{adjustment}/refuse", "refuseAdjustment", "Refuse an adjustment")
            .about("One that is `pending`, made by another person. It never counts.")
            .takes::<RefusalReason>(r#"{"reason": "agreed with nobody"}"#),
        refuse,
    )
    .with(
        decision("/v1/adjustments/{adjustment}/withdraw", "withdrawAdjustment", "Withdraw an adjustment")
            .about("One that is `pending`, by the person who made it. It never counts."),
        withdraw,
    )
}

impl Word for AdjustmentState {
    const WORDS: &'static [&'static str] = &["pending", "posted", "refused", "withdrawn"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

object! {
    /// The filters of the adjustments.
    strict struct AdjustmentsAsked {
        /// Only of this referrer.
        referrer "referrer": Option<IdText>,
        /// Only of this campaign.
        campaign "campaign": Option<IdText>,
        /// Only in this state.
        state "state": Option<OneOf<AdjustmentState>>;
        window: Window<Sort>
    }
}

object! {
    /// The adjustment that is wanted.
    strict struct AdjustmentWanted {
        /// `agent_…` or the integer.
        referrer "referrer": IdText,
        /// One that the referrer is in; the key's or the business's default otherwise.
        campaign "campaign": Option<IdText>,
        /// In the currency's own decimals: above 0 a bonus, below 0 a correction.
        amount "amount": NumberText,
        /// ISO 4217: one that the campaign has.
        currency "currency": Line<3>,
        /// For the history and those who pay.
        reason "reason": Line<500>,
    }
}

object! {
    /// Why it is refused.
    strict struct RefusalReason {
        /// For the history and the person who made it.
        reason "reason": Line<500>,
    }
}

/// A correction of what a referrer is owed, beside what they earned.
#[derive(Serialize, JsonSchema)]
struct Adjustment {
    /// `adj_…`.
    id: String,
    /// `agent_…`.
    referrer: String,
    /// `campaign_…`.
    campaign: String,
    /// `bonus`, `correction`, or `claw back` for what was taken back of a commission that was paid.
    kind: String,
    /// `pending`, `posted` (it counts), `refused` or `withdrawn`.
    state: String,
    /// Signed, in the currency's own decimals.
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    /// In minor units.
    amount_minor: i64,
    /// ISO 4217.
    currency: String,
    /// The words of the person who made it.
    reason: Option<String>,
    /// `comm_…`: the commission that was taken back.
    commission: Option<String>,
    /// The maker; null where it was taken back automatically.
    made_by: Option<String>,
    /// The person who approved, refused or withdrew it.
    decided_by: Option<String>,
    /// Why it was refused.
    note: Option<String>,
    /// `line_…`: the line of the payout that took it.
    payout_line: Option<String>,
    created_at: String,
    updated_at: String,
}

impl Adjustment {
    fn of(row: AdjustmentRow) -> Result<Self, Problem> {
        Ok(Self {
            id: id::render(Kind::Adjustment, row.id),
            referrer: id::render(Kind::Referrer, row.referrer_id),
            campaign: id::render(Kind::Campaign, row.campaign_id),
            kind: row.kind.to_string(),
            state: row.state.to_string(),
            amount: number(row.amount, row.currency.code())?,
            amount_minor: row.amount,
            currency: row.currency.code().to_owned(),
            reason: row.reason,
            commission: row.commission_id.map(|id| id::render(Kind::Commission, id)),
            made_by: row.made_by,
            decided_by: row.decided_by,
            note: row.note,
            payout_line: row.line_id.map(|id| id::render(Kind::PayoutLine, id)),
            created_at: instant(row.created_at),
            updated_at: instant(row.updated_at),
        })
    }
}

fn refused(why: &Refused) -> Problem {
    if let Some((field, words)) = why.field() {
        return FieldProblem::wrong(field, words).into();
    }
    if *why != Refused::NotFound {
        return Problem::conflict(why.code(), why.sentence());
    }
    nothing("adjustment")
}

async fn of_caller(app: &App, caller: &Caller, text: &str) -> Result<AdjustmentRow, Problem> {
    let id = path_id(Kind::Adjustment, text, "adjustment")?;
    if caller.test() {
        return Err(nothing("adjustment"));
    }
    let row = adjustments::find(&mut app.db.read().await?, caller.business_id(), id).await?;
    row.ok_or_else(|| nothing("adjustment"))
}

fn answer(row: AdjustmentRow, headers: &HeaderMap, status: StatusCode) -> Result<Response, Problem> {
    let version = row.updated_at;
    Ok(versioned(headers, status, version, &Adjustment::of(row)?))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<AdjustmentsAsked>,
) -> Result<Response, Problem> {
    let campaign_id = match &asked.campaign {
        Some(named) => Some(campaign(&app, &caller, Some(named.0.as_str())).await?),
        None => None,
    };
    let filter = Filter {
        referrer_id: asked.referrer.map(|r| field_id(Kind::Referrer, "referrer", &r.0, "referrer")).transpose()?,
        campaign_id,
        state: asked.state.map(|state| state.0),
    };
    let part = Part::new(asked.window, &caller, app.clock.now());
    let rows: Hits<AdjustmentRow> = if caller.test() {
        Vec::new().into()
    } else {
        part.rows(&mut app.db.read().await?, adjustments::listing(caller.business_id(), filter)).await?
    };
    let rows = rows.map(|row| Ok((part.at(row.created_at, row.updated_at), row.id, Adjustment::of(row)?)))?;
    Ok(page(&uri, &part, rows, |(at, id, _)| (*at, *id), |(.., adjustment)| adjustment))
}

async fn create(
    State(app): State<App>,
    caller: Caller,
    Sent(wanted): Sent<AdjustmentWanted>,
) -> Result<Response, Problem> {
    live(&caller)?;
    let referrer_id = field_id(Kind::Referrer, "referrer", &wanted.referrer.0, "referrer")?;
    let campaign_id = campaign(&app, &caller, wanted.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let currency = Currency::parse(&wanted.currency).map_err(|why| FieldProblem::wrong("currency", why))?;
    let money = Money::signed_from_json_number(&wanted.amount.0, currency);
    let new = NewAdjustment {
        business_id: caller.business_id(),
        campaign_id,
        referrer_id,
        money: money.map_err(|why| FieldProblem::wrong("amount", why))?,
        reason: wanted.reason.0,
        person: person(&caller),
    };
    let made = adjustments::add(&app, &caller.actor, new).await?.map_err(|why| refused(&why))?;
    let row = adjustments::find(&mut app.db.read().await?, caller.business_id(), made).await?;
    answer(row.ok_or_else(|| nothing("adjustment"))?, &HeaderMap::new(), StatusCode::CREATED)
}

async fn show(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(text): InPath,
) -> Result<Response, Problem> {
    answer(of_caller(&app, &caller, &text).await?, &headers, StatusCode::OK)
}

async fn decided(
    app: &App,
    caller: &Caller,
    text: &str,
    event: AdjustmentEvent,
    reason: Option<String>,
) -> Result<Response, Problem> {
    let id = of_caller(app, caller, text).await?.id;
    let decision = Decision { business_id: caller.business_id(), id, event, person: person(caller), reason };
    adjustments::decide(app, &caller.actor, decision).await?.map_err(|why| refused(&why))?;
    answer(of_caller(app, caller, text).await?, &HeaderMap::new(), StatusCode::OK)
}

async fn approve(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    decided(&app, &caller, &text, AdjustmentEvent::Approve, None).await
}

async fn refuse(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(why): Sent<RefusalReason>,
) -> Result<Response, Problem> {
    decided(&app, &caller, &text, AdjustmentEvent::Refuse, Some(why.reason.0)).await
}

async fn withdraw(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    decided(&app, &caller, &text, AdjustmentEvent::Withdraw, None).await
}
