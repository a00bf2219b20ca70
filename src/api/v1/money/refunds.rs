//! Refunds: what was given back of payments, and what still waits for its payment.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::Caller;
use crate::api::field::{IdText, Line, OneOf, Word, maybe_number_schema};
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::{Asked, InPath};
use crate::api::v1::common::{field_id, instant, maybe_instant, nothing, number, path_id};
use crate::api::v1::part::{Hits, Page, Part, page};
use crate::api::v1::window::Window;
use crate::app::App;
use crate::id::{self, Kind};
use crate::money::{Currency, Unpriced};
use crate::object;
use crate::payments::{self as store, RefundFilter, RefundRow};

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/refunds", "listRefunds", "List refunds")
            .about("The newest received first. They are sent as events: `POST /v1/events/batch` or `/api/events/payment-refunded`.")
            .scope("money:read")
            .asks::<RefundsAsked>()
            .answers::<Page<Refund>>(200, "A page of refunds.", "")
            .link("getRefund", "refund", "/data/0/id"),
        list,
    )
    .with(
        Operation::get("/v1/refunds/{refund}", "getRefund", "Read a refund")
            .about("With its payment, where that is known.")
            .scope("money:read")
            .in_path("refund", "Its id: `refund_…` or the integer.")
            .answers::<Refund>(200, "The refund.", "")
            .refuses(&[404]),
        show,
    )
}

/// The states of a refund.
#[derive(Debug, Clone, Copy)]
pub struct RefundState(&'static str);

impl Word for RefundState {
    const WORDS: &'static [&'static str] = &["applied", "parked", "refused"];

    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|known| **known == word).map(|known| Self(known))
    }
}

object! {
    /// The filters of the refunds.
    strict struct RefundsAsked {
        /// Only of this payment: `pay_…` or the integer.
        payment "payment": Option<IdText>,
        /// Only of payments of this lead.
        lead "lead": Option<IdText>,
        /// Only to this e-mail address.
        email "email": Option<Line<320>>,
        /// Only in this state.
        state "state": Option<OneOf<RefundState>>;
        window: Window
    }
}

/// A refund: money given back on a payment.
#[derive(Serialize, JsonSchema)]
struct Refund {
    /// `refund_…`.
    id: String,
    /// `campaign_…`.
    campaign: String,
    /// `product_…`.
    product: String,
    /// True for test data.
    test: bool,
    /// `applied`, `parked` (its payment is not known yet) or `refused` (it did not fit its payment).
    state: String,
    /// Why it was refused.
    why_refused: Option<String>,
    /// `pay_…`; null while it is parked.
    payment: Option<String>,
    /// `lead_…`; null while no lead has the e-mail address.
    lead: Option<String>,
    /// The customer, as the event named them.
    email: String,
    /// The refunded amount, in the currency's own decimals; below 0 where a payment provider says that a refund did not
    /// reach the customer, and the payment has its amount again. Null unless it was applied.
    #[schemars(schema_with = "maybe_number_schema")]
    amount: Option<Box<RawValue>>,
    /// The same in minor units.
    amount_minor: Option<i64>,
    /// The amount that the event asked for; null for the whole rest.
    #[schemars(schema_with = "maybe_number_schema")]
    asked_amount: Option<Box<RawValue>>,
    /// ISO 4217; null while it is unknown.
    currency: Option<String>,
    /// The business's day it was given back on.
    refund_date: String,
    /// The event's own id, where it had one.
    event_id: Option<String>,
    /// When the event arrived.
    received_at: String,
    /// When it was applied or refused; null while it is parked.
    decided_at: Option<String>,
}

impl Refund {
    fn of(row: RefundRow) -> Result<Self, Problem> {
        let in_currency = |minor: i64| row.currency.as_deref().map(|currency| number(minor, currency)).transpose();
        let asked = row.asked.map(|units| asked(units, row.currency.as_deref()));
        Ok(Self {
            id: id::render(Kind::Refund, row.id),
            campaign: id::render(Kind::Campaign, row.campaign_id),
            test: row.test,
            payment: row.payment_id.map(|id| id::render(Kind::Payment, id)),
            lead: row.lead_id.map(|id| id::render(Kind::Lead, id)),
            amount: row.amount.map(in_currency).transpose()?.flatten(),
            amount_minor: row.amount,
            asked_amount: asked.and_then(|text| RawValue::from_string(text).ok()),
            event_id: row.identity.strip_prefix("event:").map(str::to_owned),
            product: row.product,
            state: row.state,
            why_refused: row.why,
            email: row.email,
            currency: row.currency,
            refund_date: row.refund_date,
            received_at: instant(row.received_at),
            decided_at: maybe_instant(row.decided_at),
        })
    }
}

/// The requested amount, with the currency's decimals once they are known.
fn asked(units: i64, currency: Option<&str>) -> String {
    let asked = Unpriced::from_units(units);
    let money = currency.and_then(|code| asked.in_currency(Currency::parse(code).ok()?).ok());
    money.map_or_else(|| asked.plain(), |money| money.plain())
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<RefundsAsked>,
) -> Result<Response, Problem> {
    let filter = RefundFilter {
        test: caller.test(),
        payment_id: asked.payment.map(|p| field_id(Kind::Payment, "payment", &p.0, "payment")).transpose()?,
        lead_id: asked.lead.map(|l| field_id(Kind::Lead, "lead", &l.0, "lead")).transpose()?,
        email_key: asked.email.map(|e| crate::email::key_of(&e).unwrap_or_default()),
        state: asked.state.map(|s| s.0.0),
    };
    let part = Part::new(asked.window, &caller, app.clock.now()).made("received_at");
    let list = store::refunds(caller.business_id(), &filter);
    let rows: Hits<RefundRow> = part.rows(&mut app.db.read().await?, list).await?;
    let rows = rows.map(|row| Ok(((part.at(row.received_at, row.updated_at), row.id), Refund::of(row)?)))?;
    Ok(page(&uri, &part, rows, |(key, _)| *key, |(_, refund)| refund))
}

async fn show(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<Refund>, Problem> {
    let id = path_id(Kind::Refund, &text, "refund")?;
    let row = store::refund(&mut app.db.read().await?, caller.business_id(), caller.test(), id).await?;
    Ok(Json(Refund::of(row.ok_or_else(|| nothing("refund"))?)?))
}
