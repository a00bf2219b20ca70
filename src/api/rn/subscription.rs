//! A subscription ended.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{Call, Problem, agent, date, open, place};
use crate::app::App;
use crate::db::DbError;
use crate::desk::{CancelSubscription, Event, Outcome, What, paid_on};
use crate::id::{self, Kind};

/// The answer to a cancellation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelAnswer {
    /// Always true.
    success: bool,
    /// The lead this customer is; null when nobody has that address, and nothing was kept.
    lead_id: Option<String>,
    /// Who referred them.
    agent_id: Option<String>,
    /// `cancelled`, unless a payment of a later day stands.
    subscription_status: String,
    /// What was done, as a sentence.
    message: &'static str,
}

/// 409: this cancellation was recorded before.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelConflict {
    /// Always false.
    success: bool,
    /// `duplicate_event`, or `idempotency_mismatch` where the id came with another content.
    code: &'static str,
    /// What is wrong, as a sentence.
    message: &'static str,
    /// The lead of the first call.
    lead_id: String,
    /// Who referred them.
    agent_id: Option<String>,
    /// How the subscription is by now.
    subscription_status: String,
}

/// Takes `businessId`, `productId`, `customerEmail`, `date`, and optionally `eventId`.
pub(super) async fn cancelled(
    State(app): State<App>,
    headers: HeaderMap,
    extensions: Extensions,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let Call { caller, body } = open(&app, &headers, &extensions, bytes).await?;
    let business = body.line("businessId", 200)?;
    let product = body.line("productId", 200)?;
    let email = body.email("customerEmail")?;
    let date = date(&body, "date", &app, &caller)?;
    let event_id = body.optional_line("eventId", 200)?;
    let product = place(&app, &caller, &business, &product).await?;
    let by_day = paid_on(product.id, email.key(), &date.to_string());
    let cancel = CancelSubscription {
        product_id: product.id,
        test: caller.test(),
        body_hash: id::sha256_hex(&format!("{by_day}|{}", caller.test())),
        identity: event_id.map_or(by_day, |id| format!("event:{id}")),
        email,
        date,
    };
    let what = What::CancelSubscription(cancel);
    let event = Event { business_id: caller.business_id(), actor: caller.actor.clone(), what };
    match app.desk.one(event).await? {
        Outcome::SubscriptionCancelled { lead_id, referrer_id, status } => {
            let message = match lead_id {
                None => "Nobody with this address is known here; nothing changed.",
                Some(_) if status == "cancelled" => "Subscription cancelled. What was paid and earned stays.",
                Some(_) => "A payment of a later day stands, so the subscription goes on.",
            };
            let answer = CancelAnswer {
                success: true,
                lead_id: lead_id.map(|id| id::render(Kind::Lead, id)),
                agent_id: agent(referrer_id),
                subscription_status: status,
                message,
            };
            Ok(Json(answer).into_response())
        }
        Outcome::CancellationDuplicate { lead_id, referrer_id, status, mismatch } => {
            let conflict = CancelConflict {
                success: false,
                code: if mismatch { "idempotency_mismatch" } else { "duplicate_event" },
                message: if mismatch {
                    "A cancellation with this id was recorded before, with another content."
                } else {
                    "This cancellation was recorded before."
                },
                lead_id: id::render(Kind::Lead, lead_id),
                agent_id: agent(referrer_id),
                subscription_status: status,
            };
            Ok((StatusCode::CONFLICT, Json(conflict)).into_response())
        }
        other => Err(DbError::Fault(format!("a cancellation came to {other:?}")).into()),
    }
}
