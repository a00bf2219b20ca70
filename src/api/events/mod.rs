//! The events that two contracts take and answer alike: Refairn's calls take one, `/v1/events/batch` takes many.
//! A file per event, with its fields and its answers.
//!
//! An event is made [`Ready`], applied, and its outcome becomes a [`Reply`].

mod customer;
mod payment;
mod refund;
mod subscription;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;

pub use customer::{CustomerAnswer, CustomerConflict, CustomerCreated};
pub use payment::{PaymentAnswer, PaymentConflict, PaymentSucceeded};
pub use refund::{PaymentRefunded, RefundAnswer, RefundConflict};
pub use subscription::{CancelAnswer, CancelConflict, SubscriptionCancelled};

use super::Caller;
use super::object::Object;
use super::problem::{FieldProblem, Problem};
use crate::app::App;
use crate::db::DbError;
use crate::engine::ids::ReferrerId;
use crate::engine::{Decided, Earned, Field, Kind as EventKind, Outcome, Rejected, What};
use crate::id::{self, Kind};
use crate::intake::{Fault, Intake, Sender};
use crate::money::{Currency, Money};

/// An event that was read, checked and placed, and the rendering of its outcome.
pub struct Ready {
    pub what: What,
    pub told: Told,
}

pub type Told = Box<dyn FnOnce(Decided<Outcome>) -> Result<Reply, Problem> + Send>;

impl Ready {
    /// An event of one kind, with the rendering of its outcome and of what the rules reject.
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

/// The status and the body of an answer.
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
    fn ready(self, intake: Intake<'_>, key: Option<String>) -> impl Future<Output = Result<Ready, Problem>> + Send;
}

/// The way in for the events of a caller.
pub fn intake<'i>(app: &'i App, caller: &'i Caller) -> Intake<'i> {
    let row = &caller.key.row;
    let sender = Sender {
        business_id: row.business_id,
        business: &row.business_public_id,
        zone: caller.key.zone,
        country: &row.country,
        test: row.test,
    };
    Intake { db: &app.db, catalogue: &app.catalogue, now: app.clock.now(), sender }
}

/// 400 a field, 404 unknown business, 403 another key's business, 404 unknown product. The event's own day has
/// a name in each event.
fn refused(fault: Fault, day: &'static str) -> Problem {
    let not_found = |code, message: &str| Problem::new(StatusCode::NOT_FOUND, code, message);
    match fault {
        Fault::Field { field, why } => FieldProblem::wrong(name(field, day), why).into(),
        Fault::UnknownBusiness => not_found("business_not_found", "There is no business with this businessId."),
        Fault::OtherBusiness => Problem::forbidden("The API key does not belong to this businessId."),
        Fault::UnknownProduct => {
            not_found("product_not_found", "There is no product with this productId in the business.")
        }
        Fault::UnknownCommission => commission_not_found(),
        Fault::Failed(error) => error.into(),
    }
}

fn commission_not_found() -> Problem {
    let message = "There is no commission with this commissionId in the business.";
    Problem::new(StatusCode::NOT_FOUND, "commission_not_found", message)
}

/// A field as these contracts name it.
fn name(field: Field, day: &'static str) -> &'static str {
    match field {
        Field::Product => "productId",
        Field::Email => "customerEmail",
        Field::Phone => "customerPhone",
        Field::Amount => "amount",
        Field::Currency => "currency",
        Field::Day => day,
        Field::PaymentDay => "paymentDate",
        Field::Commission => "commissionId",
    }
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
