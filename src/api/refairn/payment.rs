//! A customer paid.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Columns, Incoming, Ready, Reply, event, not_ahead, number, phone, place, scope, unexpected};
use crate::api::Caller;
use crate::api::field::{Line, NumberText, OneOf, Word, number_schema};
use crate::api::operation::Operation;
use crate::api::problem::{FieldProblem, Problem};
use crate::app::App;
use crate::clock::Day;
use crate::email::Email;
use crate::engine::{NameKind, Names, Payment, PaymentName, PaymentOutcome, Subscription, Warning};
use crate::id::{self, Kind};
use crate::money::{Currency, Money};
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
struct PaymentAnswer {
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
struct PaymentConflict {
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

pub(super) fn operation() -> Operation {
    event("/api/events/payment-succeeded", "paymentSucceeded", "A customer paid")
        .about("Records the payment, and the commission it earns. The customer is found by the e-mail address. An unknown customer is no error: the payment is stored and earns once they are known. Without an id, a second payment of the same product, customer and day answers 409 and waits in the inbox if it differs.")
        .header("idempotency-key", "An id of the event, where the body has none.")
        .takes::<PaymentSucceeded>(r#"{"businessId": "business_123", "productId": "product_123", "customerEmail": "jane@example.com", "amount": 100, "currency": "USD", "subscriptionStatus": "active", "paymentDate": "2026-06-14"}"#)
        .answers::<PaymentAnswer>(200, "Recorded.", r#"{"success": true, "commissionId": "comm_abc123", "agentId": "agent_xyz456", "commissionAmount": 20.00, "commissionStatus": "pending", "holdUntil": "2026-06-28"}"#)
        .answers::<PaymentConflict>(409, "Recorded before: the ids and amounts of the first call.", r#"{"success": false, "code": "duplicate_event", "message": "This payment was recorded before.", "paymentId": "pay_abc123", "amount": 100.00, "currency": "USD", "commissionId": "comm_abc123", "agentId": "agent_xyz456", "commissionAmount": 20.00, "commissionStatus": "pending", "holdUntil": "2026-06-28", "bodyDiffers": false}"#)
}

impl Incoming for PaymentSucceeded {
    async fn ready(self, app: &App, caller: &Caller, key: Option<String>) -> Result<Ready, Problem> {
        let currency = Currency::parse(&self.currency).map_err(|why| FieldProblem::wrong("currency", why))?;
        let amount = Money::from_json_number(&self.amount.0, currency);
        let amount = amount.map_err(|why| FieldProblem::wrong("amount", why))?;
        let date = not_ahead(self.payment_date, "paymentDate", app, caller)?;
        let phone = phone(self.customer_phone.as_deref(), caller)?;
        let event = self.event_id.map(|id| PaymentName::new(NameKind::Event, id.0));
        let invoice = self.invoice_id.map(|id| PaymentName::new(NameKind::Invoice, id.0));
        let key = key.filter(|_| event.is_none() && invoice.is_none());
        let key = key.map(|key| PaymentName::new(NameKind::Key, key));
        let product = place(app, caller, &self.business_id, &self.product_id).await?;
        let (email, status) = (self.customer_email, self.subscription_status.0.0);
        let hashed = format!(
            "{}|{}|{}|{}|{}|{status}|{date}",
            product.id,
            email.key(),
            amount.minor,
            currency.code(),
            caller.test()
        );
        let payment = Payment {
            of: scope(&product, caller),
            email,
            phone,
            amount,
            subscription_status: status,
            date,
            names: Names::first_decides([event, invoice, key].into_iter().flatten()),
            body_hash: id::sha256_hex(&hashed),
        };
        Ok(Ready::new(payment, move |outcome| told(outcome, currency), unexpected))
    }
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
