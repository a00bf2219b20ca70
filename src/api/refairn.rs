//! Refairn's event API: customer-created, payment-succeeded, and in the same style payment-refunded and
//! subscription-cancelled, one event a call.
//!
//! Checks come in the order of its documents: 401 key, 400 body and fields, 404 business, 403 another key's
//! business, 404 product, 409 duplicate.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::Caller;
use super::dialect::Dialect;
use super::events::{
    self, CancelAnswer, CancelConflict, CustomerAnswer, CustomerConflict, CustomerCreated, Incoming, PaymentAnswer,
    PaymentConflict, PaymentRefunded, PaymentSucceeded, Ready, RefundAnswer, RefundConflict, SubscriptionCancelled,
};
use super::operation::{Api, Operation};
use super::problem::{FieldProblem, Problem};
use super::read::Sent;
use crate::app::App;
use crate::engine::Event;

pub fn api() -> Api {
    Api::new(Dialect::Rn, &["/api/events"])
        .with(customer_created(), one::<CustomerCreated>)
        .with(payment_succeeded(), one::<PaymentSucceeded>)
        .with(payment_refunded(), one::<PaymentRefunded>)
        .with(subscription_cancelled(), one::<SubscriptionCancelled>)
}

/// The parts that the operations of this contract share.
fn event(path: &'static str, id: &'static str, title: &'static str) -> Operation {
    Operation::post(path, id, title).scope("events:write").refuses(&[404])
}

fn customer_created() -> Operation {
    event("/api/events/customer-created", "customerCreated", "A customer signed up")
        .about("Records the customer as a lead, and who referred them. The same customer of the same product again: 409 with the ids of the first call.")
        .takes::<CustomerCreated>(r#"{"businessId": "business_123", "productId": "product_123", "customerEmail": "jane@example.com", "customerName": "Jane Smith", "referralCode": "AGENT123"}"#)
        .answers::<CustomerAnswer>(200, "Recorded.", r#"{"success": true, "leadId": "lead_abc123", "agentId": "agent_xyz456", "attribution": "first_touch", "message": "Customer recorded and attributed to agent."}"#)
        .answers::<CustomerConflict>(409, "Recorded before.", r#"{"success": false, "code": "duplicate_event", "message": "This customer was recorded before.", "leadId": "lead_abc123", "agentId": "agent_xyz456", "attribution": "first_touch"}"#)
}

fn payment_succeeded() -> Operation {
    event("/api/events/payment-succeeded", "paymentSucceeded", "A customer paid")
        .about("Records the payment, and the commission it earns. The customer is found by the e-mail address. An unknown customer is no error: the payment is stored and earns once they are known. Without an id, a second payment of the same product, customer and day answers 409 and waits in the inbox if it differs.")
        .header("idempotency-key", "An id of the event, where the body has none.")
        .takes::<PaymentSucceeded>(r#"{"businessId": "business_123", "productId": "product_123", "customerEmail": "jane@example.com", "amount": 100, "currency": "USD", "subscriptionStatus": "active", "paymentDate": "2026-06-14"}"#)
        .answers::<PaymentAnswer>(200, "Recorded.", r#"{"success": true, "commissionId": "comm_abc123", "agentId": "agent_xyz456", "commissionAmount": 20.00, "commissionStatus": "pending", "holdUntil": "2026-06-28"}"#)
        .answers::<PaymentConflict>(409, "Recorded before: the ids and amounts of the first call.", r#"{"success": false, "code": "duplicate_event", "message": "This payment was recorded before.", "paymentId": "pay_abc123", "amount": 100.00, "currency": "USD", "commissionId": "comm_abc123", "agentId": "agent_xyz456", "commissionAmount": 20.00, "commissionStatus": "pending", "holdUntil": "2026-06-28", "bodyDiffers": false}"#)
}

fn payment_refunded() -> Operation {
    event("/api/events/payment-refunded", "paymentRefunded", "Money was given back")
        .about("Takes back what the payment earned, in proportion. A refund that comes before its payment is stored and applied when the payment arrives (`parked`).")
        .takes::<PaymentRefunded>(r#"{"businessId": "business_123", "productId": "product_123", "customerEmail": "jane@example.com", "paymentDate": "2026-06-14", "amount": 40, "refundDate": "2026-06-20"}"#)
        .answers::<RefundAnswer>(200, "Recorded.", r#"{"success": true, "refundId": "refund_abc123", "paymentId": "pay_abc123", "commissionId": "comm_abc123", "agentId": "agent_xyz456", "refundedAmount": 40.00, "remainingAmount": 60.00, "currency": "USD", "commissionAmount": 12.00, "commissionStatus": "pending", "holdUntil": "2026-06-28", "parked": false, "message": "40.00 USD refunded. 60.00 USD is left of the payment."}"#)
        .answers::<RefundConflict>(409, "Recorded before: the ids and amounts of the first call.", r#"{"success": false, "code": "duplicate_event", "message": "This refund was recorded before.", "refundId": "refund_abc123", "paymentId": "pay_abc123", "commissionId": "comm_abc123", "agentId": "agent_xyz456", "refundedAmount": 40.00, "remainingAmount": 60.00, "currency": "USD", "commissionAmount": 12.00, "commissionStatus": "pending", "holdUntil": "2026-06-28", "parked": false}"#)
}

fn subscription_cancelled() -> Operation {
    event("/api/events/subscription-cancelled", "subscriptionCancelled", "A subscription ended")
        .about("Nothing further is expected of it; what was paid and earned stays. A payment of a later day makes it active again.")
        .takes::<SubscriptionCancelled>(r#"{"businessId": "business_123", "productId": "product_123", "customerEmail": "jane@example.com", "date": "2026-06-14"}"#)
        .answers::<CancelAnswer>(200, "Recorded.", r#"{"success": true, "leadId": "lead_abc123", "agentId": "agent_xyz456", "subscriptionStatus": "cancelled", "message": "Subscription cancelled. Earlier payments and commissions stay."}"#)
        .answers::<CancelConflict>(409, "Recorded before.", r#"{"success": false, "code": "duplicate_event", "message": "This cancellation was recorded before.", "leadId": "lead_abc123", "agentId": "agent_xyz456", "subscriptionStatus": "cancelled"}"#)
}

async fn one<T: Incoming>(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Sent(event): Sent<T>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let Ready { what, told } = event.ready(events::intake(&app, &caller), key).await?;
    let reply = told(app.engine.one_of(Event::new(caller.by(), what)).await?)?;
    Ok((reply.status, Json(reply.body)).into_response())
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, FieldProblem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().ok().and_then(|text| crate::text::line(text, 200).ok()).filter(|text| !text.is_empty());
    text.map(Some).ok_or(FieldProblem::wrong("Idempotency-Key", "must be 1 to 200 plain characters"))
}
