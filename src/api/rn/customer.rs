//! A customer signed up.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{Call, Problem, agent, open, phone, place};
use crate::app::App;
use crate::db::DbError;
use crate::desk::{Event, Outcome, SignUp, What};
use crate::id::{self, Kind};

/// The answer to a sign-up that was recorded.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomerAnswer {
    /// Always true.
    success: bool,
    /// The lead this customer is.
    lead_id: String,
    /// Who referred them; null when nobody counts.
    agent_id: Option<String>,
    /// Always `first_touch`.
    attribution: &'static str,
    /// What was done, as a sentence.
    message: String,
}

/// 409: this sign-up was recorded before.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomerConflict {
    /// Always false.
    success: bool,
    /// Always `duplicate_event`.
    code: &'static str,
    /// What is wrong, as a sentence.
    message: &'static str,
    /// The lead of the first call.
    lead_id: String,
    /// Who referred them by now.
    agent_id: Option<String>,
    /// Always `first_touch`.
    attribution: &'static str,
}

pub(super) async fn created(
    State(app): State<App>,
    headers: HeaderMap,
    extensions: Extensions,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let Call { caller, body } = open(&app, &headers, &extensions, bytes).await?;
    let business = body.line("businessId", 200)?;
    let product = body.line("productId", 200)?;
    let email = body.email("customerEmail")?;
    let name = body.line("customerName", 200)?;
    let code = body.optional_line("referralCode", 200)?;
    let phone = phone(&body, &caller.key.row.country)?;
    let product = place(&app, &caller, &business, &product).await?;
    let sign_up = SignUp { product_id: product.id, test: caller.test(), email, name, phone, code };
    let event = Event { business_id: caller.business_id(), actor: caller.actor.clone(), what: What::SignUp(sign_up) };
    match app.desk.one(event).await? {
        Outcome::SignedUp { lead_id, referrer_id, refused, .. } => {
            let message = match (referrer_id, refused) {
                (Some(_), _) => "Customer recorded and attributed to agent.".to_owned(),
                (None, Some(why)) => format!("Customer recorded without attribution: {}.", why.sentence()),
                (None, None) => "Customer recorded without attribution.".to_owned(),
            };
            let lead_id = id::render(Kind::Lead, lead_id);
            let answer = CustomerAnswer {
                success: true,
                lead_id,
                agent_id: agent(referrer_id),
                attribution: "first_touch",
                message,
            };
            Ok(Json(answer).into_response())
        }
        Outcome::SignUpDuplicate { lead_id, referrer_id } => {
            let conflict = CustomerConflict {
                success: false,
                code: "duplicate_event",
                message: "This customer was recorded before.",
                lead_id: id::render(Kind::Lead, lead_id),
                agent_id: agent(referrer_id),
                attribution: "first_touch",
            };
            Ok((StatusCode::CONFLICT, Json(conflict)).into_response())
        }
        other => Err(DbError::Fault(format!("a sign-up came to {other:?}")).into()),
    }
}
