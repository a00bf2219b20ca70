//! A customer paid.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Call, Columns, Problem, date, number, open, phone, place};
use crate::api::body::{Body, FieldProblem};
use crate::app::App;
use crate::db::DbError;
use crate::desk::{Event, Outcome, Payment, What};
use crate::id::{self, Kind};
use crate::money::{Currency, Money};

/// The answer to a payment that was recorded.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PaymentAnswer {
    /// Always true.
    success: bool,
    /// What it earned; null where it earned nothing, or nothing yet.
    commission_id: Option<String>,
    /// Who earned it.
    agent_id: Option<String>,
    /// In the payment's currency, with its decimals; 0 without a commission.
    commission_amount: Box<RawValue>,
    /// `pending`, unless refunds of it came before it did.
    commission_status: Option<String>,
    /// The last day of the hold, YYYY-MM-DD.
    hold_until: Option<String>,
    /// Why it earned nothing where it should have.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

/// 409: this payment was recorded before. Tells what the first call was told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PaymentConflict {
    /// Always false.
    success: bool,
    /// `duplicate_event`, or `idempotency_mismatch` where the id came with another content.
    code: &'static str,
    /// What is wrong, as a sentence.
    message: &'static str,
    /// The payment of the first call.
    payment_id: String,
    /// Its amount, which may not be this call's.
    amount: Box<RawValue>,
    /// Its currency.
    currency: &'static str,
    /// What it earned.
    commission_id: Option<String>,
    /// Who earned it.
    agent_id: Option<String>,
    /// What that comes to by now.
    commission_amount: Box<RawValue>,
    /// How it stands by now.
    commission_status: Option<String>,
    /// The last day of the hold.
    hold_until: Option<String>,
    /// Whether this call said something else than the first.
    body_differs: bool,
}

pub(super) async fn succeeded(
    State(app): State<App>,
    headers: HeaderMap,
    extensions: Extensions,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let Call { caller, body } = open(&app, &headers, &extensions, bytes).await?;
    let business = body.line("businessId", 200)?;
    let product = body.line("productId", 200)?;
    let email = body.email("customerEmail")?;
    let amount = body.raw("amount").ok_or(FieldProblem::missing("amount"))?;
    let currency = body.line("currency", 20)?;
    let currency = Currency::parse(&currency).map_err(|why| FieldProblem::wrong("currency", why))?;
    let amount = Money::from_json_number(amount, currency).map_err(|why| FieldProblem::wrong("amount", why))?;
    let status = subscription_status(&body)?;
    let date = date(&body, "paymentDate", &app, &caller)?;
    let phone = phone(&body, &caller.key.row.country)?;
    let identity = identity(&body, &headers)?;
    let product = place(&app, &caller, &business, &product).await?;
    let hashed = format!(
        "{}|{}|{}|{}|{}|{status}|{date}",
        product.id,
        email.key(),
        amount.minor,
        currency.code(),
        caller.test()
    );
    let payment = Payment {
        product_id: product.id,
        test: caller.test(),
        email,
        phone,
        amount,
        subscription_status: status.to_owned(),
        date,
        identity,
        body_hash: id::sha256_hex(&hashed),
    };
    let event = Event { business_id: caller.business_id(), actor: caller.actor.clone(), what: What::Payment(payment) };
    match app.desk.one(event).await? {
        Outcome::PaymentRecorded { earned, warning, .. } => {
            let c = Columns::of(earned, currency)?;
            let answer = PaymentAnswer {
                success: true,
                commission_id: c.id,
                agent_id: c.agent,
                commission_amount: c.amount,
                commission_status: c.status,
                hold_until: c.hold_until,
                warning,
            };
            Ok(Json(answer).into_response())
        }
        Outcome::PaymentDuplicate { payment_id, amount, earned, body_differs, mismatch } => {
            let c = Columns::of(earned, amount.currency)?;
            let conflict = PaymentConflict {
                success: false,
                code: if mismatch { "idempotency_mismatch" } else { "duplicate_event" },
                message: if mismatch {
                    "A payment with this id was recorded before, with another content."
                } else {
                    "This payment was recorded before."
                },
                payment_id: id::render(Kind::Payment, payment_id),
                amount: number(amount)?,
                currency: amount.currency.code(),
                commission_id: c.id,
                agent_id: c.agent,
                commission_amount: c.amount,
                commission_status: c.status,
                hold_until: c.hold_until,
                body_differs,
            };
            Ok((StatusCode::CONFLICT, Json(conflict)).into_response())
        }
        other => Err(DbError::Fault(format!("a payment came to {other:?}")).into()),
    }
}

fn subscription_status(body: &Body) -> Result<&'static str, FieldProblem> {
    let text = body.line("subscriptionStatus", 40)?;
    match text.as_str() {
        "active" => Ok("active"),
        "trialing" => Ok("trialing"),
        "past_due" => Ok("past_due"),
        "cancelled" | "canceled" => Ok("cancelled"),
        _ => Err(FieldProblem::wrong("subscriptionStatus", "must be one of active, trialing, past_due, cancelled")),
    }
}

/// The payment's own identity: `eventId`, else `invoiceId`, else the Idempotency-Key header.
fn identity(body: &Body, headers: &HeaderMap) -> Result<Option<String>, FieldProblem> {
    if let Some(id) = body.optional_line("eventId", 200)? {
        return Ok(Some(format!("event:{id}")));
    }
    if let Some(id) = body.optional_line("invoiceId", 200)? {
        return Ok(Some(format!("invoice:{id}")));
    }
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().ok().and_then(|text| crate::text::line(text, 200).ok()).filter(|text| !text.is_empty());
    let text = text.ok_or(FieldProblem::wrong("Idempotency-Key", "must be 1 to 200 plain characters"))?;
    Ok(Some(format!("key:{text}")))
}
