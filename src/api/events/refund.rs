//! Money was given back.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Columns, Incoming, Ready, Reply, commission_not_found, name, number, refused, unexpected};
use crate::api::field::{Line, NumberText, maybe_number_schema};
use crate::api::problem::{FieldProblem, Problem};
use crate::clock::Day;
use crate::email::Email;
use crate::engine::state::RefundState;
use crate::engine::{RefundOutcome, Refunded, Rejected};
use crate::id::{self, Kind};
use crate::intake::{Intake, RawPaymentRef, RawProduct, RawRefund};
use crate::money::Currency;
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
pub struct RefundAnswer {
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
pub struct RefundConflict {
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

impl Incoming for PaymentRefunded {
    async fn ready(self, intake: Intake<'_>, _: Option<String>) -> Result<Ready, Problem> {
        let payment = payment_ref(self.payment_date, self.payment_event_id, self.commission_id)?;
        let raw = RawRefund {
            of: RawProduct { business: self.business_id.0, product: self.product_id.0 },
            email: self.customer_email,
            payment,
            amount: self.amount.map(|amount| amount.0),
            currency: self.currency.map(|currency| currency.0),
            date: self.refund_date,
            id: self.event_id.map(|id| id.0),
        };
        let refund = intake.refund(raw).await.map_err(|fault| refused(fault, DAY))?;
        Ok(Ready::new(refund, told, rejected))
    }
}

const DAY: &str = "refundDate";

/// The payment by exactly one of its three names.
fn payment_ref(
    day: Option<Day>,
    id: Option<Line<200>>,
    commission: Option<Line<200>>,
) -> Result<RawPaymentRef, FieldProblem> {
    match (day, id, commission) {
        (Some(day), None, None) => Ok(RawPaymentRef::Day(day)),
        (None, Some(id), None) => Ok(RawPaymentRef::Id(id.0)),
        (None, None, Some(commission)) => Ok(RawPaymentRef::Commission(commission.0)),
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

fn rejected(rejected: Rejected) -> Problem {
    match rejected {
        Rejected::Invalid { field, why } => FieldProblem::wrong(name(field, DAY), why).into(),
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

fn sentence(told: &Refunded) -> String {
    match (told.amount, told.left) {
        (Some(amount), Some(left)) if left.minor == 0 => {
            format!("{} refunded. Nothing is left of the payment.", amount.shown())
        }
        (Some(amount), Some(left)) => format!("{} refunded. {} is left of the payment.", amount.shown(), left.shown()),
        _ => "The payment is not known yet. The refund is stored and applied when it arrives.".to_owned(),
    }
}
