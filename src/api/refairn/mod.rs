//! Refairn's event API: customer-created, payment-succeeded, and in the same style payment-refunded and
//! subscription-cancelled. A file per event, with the fields it takes and the answers it gives.
//!
//! Checks come in the order of its documents: 401 key, 400 body and fields, 404 business, 403 another key's
//! business, 404 product, 409 duplicate. Answers carry the fields of its examples, in their types.
//!
//! An event is made [`Ready`] and then applied: alone here, in batches by `/v1/events/batch`.

mod customer;
mod payment;
mod refund;
mod subscription;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;

pub use customer::CustomerCreated;
pub use payment::PaymentSucceeded;
pub use refund::PaymentRefunded;
pub use subscription::SubscriptionCancelled;

use super::Caller;
use super::dialect::Dialect;
use super::object::Object;
use super::operation::{Api, Operation};
use super::problem::{FieldProblem, Problem};
use super::read::Sent;
use crate::app::App;
use crate::clock::Day;
use crate::db::DbError;
use crate::engine::ids::ReferrerId;
use crate::engine::{Decided, Earned, Event, Kind as EventKind, Outcome, ProductScope, Rejected, What};
use crate::id::{self, Kind};
use crate::money::{Currency, Money};
use crate::phone::Phone;
use crate::products::ProductRow;

pub fn api() -> Api {
    Api::new(Dialect::Rn, &["/api/events"])
        .with(customer::operation(), one::<CustomerCreated>)
        .with(payment::operation(), one::<PaymentSucceeded>)
        .with(refund::operation(), one::<PaymentRefunded>)
        .with(subscription::operation(), one::<SubscriptionCancelled>)
}

/// The parts that the operations of this contract share.
fn event(path: &'static str, id: &'static str, title: &'static str) -> Operation {
    Operation::post(path, id, title).scope("events:write").refuses(&[404])
}

/// An event that was read, checked and placed, and the rendering of its outcome.
pub struct Ready {
    pub what: What,
    pub told: Told,
}

pub type Told = Box<dyn FnOnce(Decided<Outcome>) -> Result<Reply, Problem> + Send>;

impl Ready {
    /// An event of one kind, with how its outcome is told, and what the rules reject.
    fn new<E: EventKind + 'static>(
        event: E,
        told: impl FnOnce(E::Outcome) -> Result<Reply, Problem> + Send + 'static,
        rejected: fn(Rejected) -> Problem,
    ) -> Self {
        let told = move |decided: Decided<Outcome>| {
            let outcome = decided.map_err(rejected)?;
            told(E::of(outcome).ok_or_else(|| DbError::Fault("an event came to another kind's outcome".into()))?)
        };
        Self { what: event.into(), told: Box::new(told) }
    }
}

/// An event that the rules reject only where a product was taken away meanwhile, which nothing does.
fn unexpected(rejected: Rejected) -> Problem {
    DbError::Fault(format!("an event was rejected: {rejected:?}")).into()
}

/// An answer of this contract.
pub struct Reply {
    pub status: StatusCode,
    pub body: Box<RawValue>,
}

impl Reply {
    fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::new(StatusCode::OK, body)
    }

    fn conflict(body: &impl Serialize) -> Result<Self, Problem> {
        Self::new(StatusCode::CONFLICT, body)
    }

    fn new(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::value::to_raw_value(body).map_err(|why| DbError::Fault(why.to_string()))?;
        Ok(Self { status, body })
    }
}

/// An event as it is sent.
pub trait Incoming: Object + Send {
    /// `key` is the `Idempotency-Key` header, which names an event that has no id of its own.
    fn ready(
        self,
        app: &App,
        caller: &Caller,
        key: Option<String>,
    ) -> impl Future<Output = Result<Ready, Problem>> + Send;
}

async fn one<T: Incoming>(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Sent(event): Sent<T>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let Ready { what, told } = event.ready(&app, &caller, key).await?;
    let reply = told(app.engine.one_of(Event::new(caller.by(), what)).await?)?;
    Ok((reply.status, Json(reply.body)).into_response())
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, FieldProblem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().ok().and_then(|text| crate::text::line(text, 200).ok()).filter(|text| !text.is_empty());
    text.map(Some).ok_or(FieldProblem::wrong("Idempotency-Key", "must be 1 to 200 plain characters"))
}

/// 404 unknown business, 403 another key's business, 404 unknown product.
async fn place(app: &App, caller: &Caller, business: &str, product: &str) -> Result<ProductRow, Problem> {
    let not_found = |code, message: &str| Problem::new(StatusCode::NOT_FOUND, code, message);
    if business != caller.key.row.business_public_id {
        let known = crate::business::by_public_id(&mut app.db.read().await?, business).await?.is_some();
        return Err(if known {
            Problem::forbidden("The API key does not belong to this businessId.")
        } else {
            not_found("business_not_found", "There is no business with this businessId.")
        });
    }
    let product = app.catalogue.product(caller.business_id(), product).await?;
    product.ok_or_else(|| not_found("product_not_found", "There is no product with this productId in the business."))
}

/// The product with its campaign; a row is test when the key or the product is.
fn scope(product: &ProductRow, caller: &Caller) -> ProductScope {
    ProductScope::new(product.id, product.campaign_id, caller.test() || product.test)
}

fn phone(text: Option<&str>, caller: &Caller) -> Result<Option<Phone>, FieldProblem> {
    let phone = text.map(|text| Phone::parse(text, &caller.key.row.country)).transpose();
    phone.map_err(|why| FieldProblem::wrong("customerPhone", why))
}

fn agent(referrer_id: Option<ReferrerId>) -> Option<String> {
    referrer_id.map(|id| id::render(Kind::Referrer, id.0))
}

/// A JSON number with exactly the currency's decimals.
fn number(money: Money) -> Result<Box<RawValue>, Problem> {
    RawValue::from_string(money.plain()).map_err(|e| DbError::Fault(e.to_string()).into())
}

/// A payment's commission in an answer; nulls and 0 where there is none.
struct Columns {
    id: Option<String>,
    agent: Option<String>,
    amount: Box<RawValue>,
    status: Option<String>,
    hold_until: Option<String>,
}

impl Columns {
    fn of(earned: Option<Earned>, currency: Currency) -> Result<Self, Problem> {
        let amount = number(earned.as_ref().map_or(Money { minor: 0, currency }, |e| e.amount))?;
        Ok(match earned {
            Some(e) => Self {
                id: Some(id::render(Kind::Commission, e.commission_id.0)),
                agent: agent(Some(e.referrer_id)),
                amount,
                status: Some(e.state.word().to_owned()),
                hold_until: Some(e.hold_until.to_string()),
            },
            None => Self { id: None, agent: None, amount, status: None, hold_until: None },
        })
    }
}

/// A day that may be tomorrow further east, and no later.
fn not_ahead(day: Day, name: &'static str, app: &App, caller: &Caller) -> Result<Day, FieldProblem> {
    let today = caller.key.zone.day_of(app.clock.now());
    if day > today.plus_days(1) {
        return Err(FieldProblem::wrong(name, format!("is in the future: today is {today} for this business")));
    }
    Ok(day)
}
