//! Money was given back.

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Columns, Incoming, Ready, Reply, event, not_ahead, number, place, scope, unexpected};
use crate::api::Caller;
use crate::api::field::{Line, NumberText, maybe_number_schema};
use crate::api::operation::Operation;
use crate::api::problem::{FieldProblem, Problem};
use crate::app::App;
use crate::clock::Day;
use crate::email::Email;
use crate::engine::state::RefundState;
use crate::engine::{PaymentRef, ProductScope, Refund, RefundOutcome, Refunded, Rejected};
use crate::id::{self, Kind};
use crate::money::{Currency, Money, Unpriced};
use crate::object;

object! {
    /// Money of a payment was given back. The payment is named by exactly one of `paymentDate`, `paymentEventId`
    /// and `commissionId`.
    pub struct PaymentRefunded {
        /// Your business.
        business_id "businessId": Line<200>,
        /// The product that was paid for.
        product_id "productId": Line<200>,
        /// The address of the payment.
        customer_email "customerEmail": Email,
        /// The payment's day.
        payment_date "paymentDate": Option<Day>,
        /// Any id of the payment: its `eventId` or `invoiceId`, or that of its charge or payment intent.
        payment_event_id "paymentEventId": Option<Line<200>>,
        /// The commission of the payment: `comm_…`.
        commission_id "commissionId": Option<Line<200>>,
        /// In the payment's currency; all that is left of it otherwise.
        amount "amount": Option<NumberText>,
        /// ISO 4217; has to be the payment's.
        currency "currency": Option<Line<20>>,
        /// The day it was given back, in the business's time zone; at most a day ahead.
        refund_date "refundDate": Day,
        /// The refund's own id; without one a second refund of the same payment, day and amount is a repeat.
        event_id "eventId": Option<Line<200>>,
    }
}

/// The answer to a refund that was recorded.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RefundAnswer {
    /// Always true.
    success: bool,
    #[serde(flatten)]
    told: RefundTold,
    /// The result, as a sentence.
    message: String,
}

/// 409: this refund was recorded before. Repeats the first answer, with the present amounts.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RefundConflict {
    /// Always false.
    success: bool,
    /// `duplicate_event`, or `idempotency_mismatch` where the id came with another content.
    code: &'static str,
    /// The fault, as a sentence.
    message: &'static str,
    #[serde(flatten)]
    told: RefundTold,
}

/// A refund, its payment and what that earned.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RefundTold {
    refund_id: String,
    /// Null while it waits for its payment.
    payment_id: Option<String>,
    /// The commission of the payment; null where it earned nothing, or nothing yet.
    commission_id: Option<String>,
    /// The referrer who earned it.
    agent_id: Option<String>,
    /// The refunded amount, in the payment's currency; null while it waits for its payment.
    #[schemars(schema_with = "maybe_number_schema")]
    refunded_amount: Option<Box<RawValue>>,
    /// The rest of the payment after all its refunds; null while that is unknown.
    #[schemars(schema_with = "maybe_number_schema")]
    remaining_amount: Option<Box<RawValue>>,
    /// The payment's currency.
    currency: Option<&'static str>,
    /// The present amount of the commission; 0 without one, null while the payment is unknown.
    #[schemars(schema_with = "maybe_number_schema")]
    commission_amount: Option<Box<RawValue>>,
    /// `pending`, `approved`, `paid` or `void`.
    commission_status: Option<String>,
    /// The last day of the hold.
    hold_until: Option<String>,
    /// True while it waits for its payment, which is not known yet.
    parked: bool,
}

impl RefundTold {
    fn of(r: Refunded) -> Result<Self, Problem> {
        let currency = r.left.map(|left| left.currency);
        let earned = currency.map(|currency| Columns::of(r.earned, currency)).transpose()?;
        let (mut id, mut agent, mut amount, mut status, mut hold_until) = (None, None, None, None, None);
        if let Some(c) = earned {
            (id, agent, amount, status, hold_until) = (c.id, c.agent, Some(c.amount), c.status, c.hold_until);
        }
        Ok(Self {
            refund_id: id::render(Kind::Refund, r.refund_id.0),
            payment_id: r.payment_id.map(|id| id::render(Kind::Payment, id.0)),
            commission_id: id,
            agent_id: agent,
            refunded_amount: r.amount.map(number).transpose()?,
            remaining_amount: r.left.map(number).transpose()?,
            currency: currency.map(Currency::code),
            commission_amount: amount,
            commission_status: status,
            hold_until,
            parked: r.state == RefundState::Parked,
        })
    }
}

pub(super) fn operation() -> Operation {
    event("/api/events/payment-refunded", "paymentRefunded", "Money was given back")
        .about("Takes back what the payment earned, in proportion. A refund that comes before its payment is stored and applied when the payment arrives (`parked`).")
        .takes::<PaymentRefunded>(r#"{"businessId": "business_123", "productId": "product_123", "customerEmail": "jane@example.com", "paymentDate": "2026-06-14", "amount": 40, "refundDate": "2026-06-20"}"#)
        .answers::<RefundAnswer>(200, "Recorded.", r#"{"success": true, "refundId": "refund_abc123", "paymentId": "pay_abc123", "commissionId": "comm_abc123", "agentId": "agent_xyz456", "refundedAmount": 40.00, "remainingAmount": 60.00, "currency": "USD", "commissionAmount": 12.00, "commissionStatus": "pending", "holdUntil": "2026-06-28", "parked": false, "message": "40.00 USD refunded. 60.00 USD is left of the payment."}"#)
        .answers::<RefundConflict>(409, "Recorded before: the ids and amounts of the first call.", r#"{"success": false, "code": "duplicate_event", "message": "This refund was recorded before.", "refundId": "refund_abc123", "paymentId": "pay_abc123", "commissionId": "comm_abc123", "agentId": "agent_xyz456", "refundedAmount": 40.00, "remainingAmount": 60.00, "currency": "USD", "commissionAmount": 12.00, "commissionStatus": "pending", "holdUntil": "2026-06-28", "parked": false}"#)
}

impl Incoming for PaymentRefunded {
    async fn ready(self, app: &App, caller: &Caller, _: Option<String>) -> Result<Ready, Problem> {
        let payment = self.payment(app, caller)?;
        let (amount, currency) = self.amount()?;
        let date = not_ahead(self.refund_date, "refundDate", app, caller)?;
        let product = place(app, caller, &self.business_id, &self.product_id).await?;
        // An impossible commission id is answered as an unknown one.
        let payment = payment.ok_or_else(commission_not_found)?;
        let scope = scope(&product, caller);
        let email = self.customer_email;
        let body_hash = hash(scope, caller.test(), &email, &payment, amount, currency, date);
        let refund = Refund {
            of: scope,
            email,
            payment,
            amount,
            currency,
            date,
            identity: self.event_id.map(|id| format!("event:{}", id.0)),
            body_hash,
            reason: None,
        };
        Ok(Ready::new(refund, told, rejected))
    }
}

fn rejected(rejected: Rejected) -> Problem {
    match rejected {
        Rejected::Invalid { field, why } => FieldProblem::wrong(field, why).into(),
        Rejected::NotFound => commission_not_found(),
        other => unexpected(other),
    }
}

fn told(outcome: RefundOutcome) -> Result<Reply, Problem> {
    match outcome {
        RefundOutcome::Recorded(told) => {
            let message = sentence(&told);
            Reply::ok(&RefundAnswer { success: true, told: RefundTold::of(told)?, message })
        }
        RefundOutcome::Duplicate { known, mismatch } => Reply::conflict(&RefundConflict {
            success: false,
            code: if mismatch { "idempotency_mismatch" } else { "duplicate_event" },
            message: if mismatch {
                "A refund with this id was recorded before, with another content."
            } else {
                "This refund was recorded before."
            },
            told: RefundTold::of(known)?,
        }),
    }
}

fn commission_not_found() -> Problem {
    let message = "There is no commission with this commissionId in the business.";
    Problem::new(StatusCode::NOT_FOUND, "commission_not_found", message)
}

fn sentence(told: &Refunded) -> String {
    match (told.amount, told.left) {
        (Some(amount), Some(left)) if left.minor == 0 => {
            format!("{} refunded. Nothing is left of the payment.", amount.shown())
        }
        (Some(amount), Some(left)) => format!("{} refunded. {} is left of the payment.", amount.shown(), left.shown()),
        _ => "The payment is not known yet. The refund is stored and applied when it arrives.".to_owned(),
    }
}

impl PaymentRefunded {
    /// The payment by exactly one of its three names; without one, by an impossible commission id.
    fn payment(&self, app: &App, caller: &Caller) -> Result<Option<PaymentRef>, FieldProblem> {
        match (self.payment_date, &self.payment_event_id, &self.commission_id) {
            (Some(day), None, None) => Ok(Some(PaymentRef::Day(not_ahead(day, "paymentDate", app, caller)?))),
            (None, Some(id), None) => Ok(Some(PaymentRef::id(id))),
            (None, None, Some(text)) => {
                Ok(id::parse(Kind::Commission, text).map(|id| PaymentRef::Commission(id.into())))
            }
            (None, None, None) => Err(FieldProblem {
                message: "is required, or paymentEventId or commissionId in its place".into(),
                ..FieldProblem::missing("paymentDate")
            }),
            (day, _, commission) => {
                let extra = if day.is_none() || commission.is_none() { "paymentEventId" } else { "commissionId" };
                Err(FieldProblem::wrong(
                    extra,
                    "is one name too many: give exactly one of paymentDate, paymentEventId and commissionId",
                ))
            }
        }
    }

    /// The amount, read from the text of the JSON; in which currency it is may only be known with the payment.
    fn amount(&self) -> Result<(Option<Unpriced>, Option<Currency>), FieldProblem> {
        let currency = self.currency.as_deref().map(Currency::parse).transpose();
        let currency = currency.map_err(|why| FieldProblem::wrong("currency", why))?;
        let amount = match (&self.amount, currency) {
            (None, _) => None,
            (Some(raw), None) => Some(Unpriced::from_json_number(&raw.0)),
            (Some(raw), Some(currency)) => Some(Money::from_json_number(&raw.0, currency).map(Unpriced::of)),
        };
        let amount = amount.transpose().map_err(|why| FieldProblem::wrong("amount", why))?;
        if amount.is_some_and(|amount| amount.units() == 0) {
            return Err(FieldProblem::wrong("amount", "must be more than 0"));
        }
        Ok((amount, currency))
    }
}

fn hash(
    scope: ProductScope,
    test: bool,
    email: &Email,
    payment: &PaymentRef,
    amount: Option<Unpriced>,
    currency: Option<Currency>,
    date: Day,
) -> String {
    let product_id = scope.product_id;
    let name = payment.text(product_id, email.key());
    let amount = amount.map_or("all".to_owned(), Unpriced::plain);
    let currency = currency.map_or("", Currency::code);
    id::sha256_hex(&format!("{product_id}|{}|{name}|{amount}|{currency}|{date}|{test}", email.key()))
}
