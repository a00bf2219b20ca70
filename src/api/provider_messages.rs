//! The addresses that payment providers send their messages to. Their form is the provider's, so they are no part of the
//! document; refusals are problems of RFC 9457, which a provider shows to whoever looks why a message failed.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router, extract::Request};
use serde_json::json;

use super::dialect::Dialect;
use super::problem::Problem;
use super::read;
use crate::app::App;
use crate::providers::Provider;
use crate::providers::receive::{Received, receive, too_large};
use crate::web::layers::RequestId;

/// The largest message: events of providers have some kilobytes.
const LARGEST: usize = 512 << 10;

pub fn router() -> Router<App> {
    let take = post(take).layer(DefaultBodyLimit::max(LARGEST)).layer(middleware::from_fn(in_words));
    Router::new().route("/webhooks/{provider}/{business}", take)
}

/// Refusals in the shape of our own contract.
async fn in_words(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let response = next.run(request).await;
    match response.extensions().get::<Problem>() {
        Some(problem) => Dialect::Own.say(problem, &id),
        None => response,
    }
}

async fn take(
    State(app): State<App>,
    Path((provider, business)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let Some(provider) = Provider::parse(&provider) else {
        return Err(Problem::not_found("There is no such payment provider."));
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            too_large(&app, provider, &business, header, LARGEST).await?;
            return Err(read::too_large());
        }
        Err(rejection) => return Err(read::unread(&rejection)),
    };
    match receive(&app, provider, &business, header, &body).await? {
        Received::Taken { again } => Ok(Json(json!({ "received": true, "duplicate": again })).into_response()),
        Received::UnknownBusiness => Err(Problem::not_found("There is no such business.")),
        Received::NotConnected => {
            Err(Problem::not_found(format!("No account of {} is connected to this business.", provider.title())))
        }
        Received::Refused(why) => Err(Problem::new(StatusCode::BAD_REQUEST, "bad_signature", why.to_string())),
        Received::Unreadable(why) => Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_json", why)),
        Received::Locked(why) => {
            tracing::error!(why, "messages of payment providers cannot be taken in");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again later."))
        }
    }
}
