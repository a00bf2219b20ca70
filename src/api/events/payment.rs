//! A customer paid.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Columns, Incoming, Ready, Reply, number, refused, unexpected};
use crate::api::field::{Line, NumberText, OneOf, Word, number_schema};
use crate::api::problem::Problem;
use crate::clock::Day;
use crate::email::Email;
use crate::engine::{NameKind, Names, PaymentName, PaymentOutcome, Subscription, Warning};
use crate::id::{self, Kind};
use crate::intake::{Intake, RawPayment, RawProduct};
use crate::money::Currency;
use crate::object;

object! {
    /// A customer paid.
    pub struct PaymentSucceeded {
        /// Your business.
        business_id "businessId": Line<200>,
        /// The product that was paid for.
        product_id "productId": Line<200>,
        /// The address of the customer-created event.
        customer_email "customerEmail": Email,
        /// In the currency's standard unit: 29.99. With no more decimals than the currency has.
        amount "amount": NumberText,
        /// ISO 4217.
        currency "currency": Line<20>,
        /// The state of the subscription after this payment.
        subscription_status "subscriptionStatus": OneOf<Status>,
        /// The day it was confirmed, in the business's time zone; at most a day ahead.
        payment_date "paymentDate": Day,
        /// The event's own id: then only that decides whether it is a repeat.
        event_id "eventId": Option<Line<200>>,
        /// As `eventId`, where there is none. Beside an `eventId` it only finds the payment: a refund may name it.
        invoice_id "invoiceId": Option<Line<200>>,
        /// Beyond Refairn's: who is known by phone only is found by it.
        customer_phone "customerPhone": Option<Line<60>>,
    }
}

/// The states of a subscription.
#[derive(Debug, Clone, Copy)]
pub struct Status(Subscription);

impl Word for Status {
    const WORDS: &'static [&'static str] = &["active", "trialing", "past_due", "cancelled", "canceled"];

    fn of(word: &str) -> Option<Self> {
        Subscription::parse(if word == "canceled" { "cancelled" } else { word }).map(Self)
    }
}

/// The answer to a payment that was recorded.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentAnswer {
    /// Always true.
    success: bool,
    /// The commission; null where the payment earned nothing, or nothing yet.
    commission_id: Option<String>,
    /// The referrer who earned it.
    agent_id: Option<String>,
    /// In the payment's currency, with its decimals; 0 without a commission.
    #[schemars(schema_with = "number_schema")]
    commission_amount: Box<RawValue>,
    /// `pending`, unless refunds of it came before it did.
    commission_status: Option<String>,
    /// The last day of the hold, YYYY-MM-DD.
    hold_until: Option<String>,
    /// Why it earned nothing where it should have.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

/// 409: this payment was recorded before. Repeats the answer of the first call.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentConflict {
    /// Always false.
    success: bool,
    /// `duplicate_event`, or `idempotency_mismatch` where the id came with another content.
    code: &'static str,
    /// The fault, as a sentence.
    message: &'static str,
    /// The payment of the first call.
    payment_id: String,
    /// The recorded amount, which may differ from this call's.
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    /// Its currency.
    currency: &'static str,
    /// The commission of the recorded payment.
    commission_id: Option<String>,
    /// The referrer who earned it.
    agent_id: Option<String>,
    /// The commission as it was decided, before any refund.
    #[schemars(schema_with = "number_schema")]
    commission_amount: Box<RawValue>,
    /// The commission's state at that time: `pending`, or `void` where the whole was refunded before.
    commission_status: Option<String>,
    /// The last day of the hold.
    hold_until: Option<String>,
    /// True when this call differs from the first.
    body_differs: bool,
}

impl Incoming for PaymentSucceeded {
    async fn ready(self, intake: Intake<'_>, key: Option<String>) -> Result<Ready, Problem> {
        let raw = RawPayment {
            names: names(self.event_id, self.invoice_id, key),
            of: RawProduct { business: self.business_id.0, product: self.product_id.0 },
            email: self.customer_email,
            phone: self.customer_phone.map(|phone| phone.0),
            amount: self.amount.0,
            currency: self.currency.0,
            subscription_status: self.subscription_status.0.0,
            date: self.payment_date,
        };
        let payment = intake.payment(raw).await.map_err(|fault| refused(fault, "paymentDate"))?;
        let currency = payment.amount.currency;
        Ok(Ready::new(payment, move |outcome| told(outcome, currency), unexpected))
    }
}

/// The event's id decides, else the invoice's, else the key of the call. A key is a name only where there is no
/// other: it names a call, and the payment has better ones.
fn names(event: Option<Line<200>>, invoice: Option<Line<200>>, key: Option<String>) -> Names {
    let event = event.map(|id| PaymentName::new(NameKind::Event, id.0));
    let invoice = invoice.map(|id| PaymentName::new(NameKind::Invoice, id.0));
    let key = key.filter(|_| event.is_none() && invoice.is_none());
    let key = key.map(|key| PaymentName::new(NameKind::Key, key));
    Names::first_decides([event, invoice, key].into_iter().flatten())
}

fn told(outcome: PaymentOutcome, currency: Currency) -> Result<Reply, Problem> {
    match outcome {
        PaymentOutcome::Recorded { earned, warning, .. } => {
            let c = Columns::of(earned, currency)?;
            Reply::ok(&PaymentAnswer {
                success: true,
                commission_id: c.id,
                agent_id: c.agent,
                commission_amount: c.amount,
                commission_status: c.status,
                hold_until: c.hold_until,
                warning: warning.map(Warning::sentence),
            })
        }
        PaymentOutcome::Duplicate { payment_id, amount, earned, body_differs, mismatch } => {
            let c = Columns::of(earned, amount.currency)?;
            Reply::conflict(&PaymentConflict {
                success: false,
                code: if mismatch { "idempotency_mismatch" } else { "duplicate_event" },
                message: if mismatch {
                    "A payment with this id was recorded before, with another content."
                } else {
                    "This payment was recorded before."
                },
                payment_id: id::render(Kind::Payment, payment_id.0),
                amount: number(amount)?,
                currency: amount.currency.code(),
                commission_id: c.id,
                agent_id: c.agent,
                commission_amount: c.amount,
                commission_status: c.status,
                hold_until: c.hold_until,
                body_differs,
            })
        }
    }
}
