//! The same call twice, recognised by its `Idempotency-Key`: for 72 hours the second one gets the first one's
//! answer and does nothing.
//!
//! The outcome of a call is stored in the transaction of its write, so both exist or neither. When a program ended
//! before it answered, a repeated call runs again, its writes get their stored outcomes, and the answer is made of
//! them. A refused call is forgotten.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use super::Caller;
use super::problem::{FieldProblem, Problem};
use super::read::unread;
use crate::actor::{Actor, OnceCall};
use crate::app::App;
use crate::db::DbError;
use crate::id;
use crate::stored_answers::{self, NewAnswer, StoredAnswer};

/// Headers of an answer that are repeated.
const REPEATED: [HeaderName; 3] = [header::CONTENT_TYPE, header::ETAG, header::LOCATION];

/// Runs a call, or repeats its earlier answer.
pub async fn once(app: &App, caller: &Caller, largest: usize, request: Request, next: Next) -> Response {
    let Some(value) = request.headers().get("idempotency-key") else { return next.run(request).await };
    let text = value.to_str().ok().and_then(|t| crate::text::line(t, 200).ok()).filter(|t| !t.is_empty());
    let Some(text) = text else {
        return Problem::from(FieldProblem::wrong("Idempotency-Key", "must be 1 to 200 plain characters"))
            .into_response();
    };
    let (mut parts, body) = request.into_parts();
    let bytes = match to_bytes(body, largest).await {
        Ok(bytes) => bytes,
        Err(error) => return unread(&error).into_response(),
    };
    let address = parts.uri.path_and_query().map(|p| p.as_str()).unwrap_or_default();
    let fingerprint = fingerprint(parts.method.as_str(), address, &bytes);
    let Some(held) = app.in_flight.hold(caller.key.row.id, &text) else {
        let message = "This call is being worked on. Ask again in a moment.";
        return Problem { retry_after: Some(1), ..Problem::conflict("in_progress", message) }.into_response();
    };
    let earlier = match earlier(app, caller.key.row.id, &text, &fingerprint).await {
        Ok(earlier) => earlier,
        Err(problem) => return problem.into_response(),
    };
    let repeated = earlier.is_some();
    if let Some(response) = earlier.and_then(again) {
        return response;
    }
    let call = Arc::new(OnceCall::new(caller.key.row.id, text, fingerprint, repeated));
    let actor = Arc::new(Actor { call: Some(call.clone()), ..(*caller.actor).clone() });
    parts.extensions.insert(Caller { actor, ..caller.clone() });
    let (app, request) = (app.clone(), Request::from_parts(parts, Body::from(bytes)));
    // On its own, so that a caller who hangs up finds the answer when it calls again.
    let done = tokio::spawn(
        async move {
            let response = next.run(request).await;
            let response = end(&app, &call, response).await;
            drop(held);
            response
        }
        .in_current_span(),
    );
    done.await.unwrap_or_else(|error| Problem::from(DbError::Fault(error.to_string())).into_response())
}

fn fingerprint(method: &str, address: &str, body: &Bytes) -> String {
    id::sha256_hex(&format!("{method} {address}\n{}", String::from_utf8_lossy(body)))
}

/// The same call before, if it came.
async fn earlier(app: &App, key_id: i64, text: &str, fingerprint: &str) -> Result<Option<StoredAnswer>, Problem> {
    let known = stored_answers::find(&mut app.db.read().await?, key_id, text).await?;
    let Some(known) = known else { return Ok(None) };
    if known.fingerprint != fingerprint {
        let message = "Another call had this Idempotency-Key. Use a new one for a new call.";
        return Err(Problem::conflict("idempotency_mismatch", message));
    }
    Ok(Some(known))
}

/// The answer that was given, if it was.
fn again(known: StoredAnswer) -> Option<Response> {
    let status = u16::try_from(known.status?).ok().and_then(|s| StatusCode::from_u16(s).ok());
    let mut response = (status.unwrap_or(StatusCode::OK), known.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for line in known.headers.lines() {
        if let Some((name, value)) = line.split_once(": ")
            && let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value))
        {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    Some(response)
}

/// Stores the answer of a call, or forgets a refused call. After a server's fault the outcomes of the writes that
/// were made stay.
async fn end(app: &App, call: &OnceCall, response: Response) -> Response {
    if !response.status().is_success() {
        if response.status().is_client_error() && call.has_written() {
            let forgotten = app.db.write(vec![], (call.key_id, call.text.clone()), stored_answers::forget);
            if let Err(error) = forgotten.await {
                tracing::warn!(%error, "a refused call stays stored");
            }
        }
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Problem::of(StatusCode::INTERNAL_SERVER_ERROR, "Something broke here.").into_response();
    };
    let header = |name: &HeaderName| Some(format!("{name}: {}", parts.headers.get(name)?.to_str().ok()?));
    let answer = NewAnswer {
        key_id: call.key_id,
        text: call.text.clone(),
        fingerprint: call.fingerprint.clone(),
        status: i64::from(parts.status.as_u16()),
        headers: REPEATED.iter().filter_map(header).collect::<Vec<_>>().join("\n"),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    };
    let written = app.db.write(vec![], answer, stored_answers::keep);
    if let Err(error) = written.await {
        // It was done: a repeated call makes the answer of the stored outcomes.
        tracing::warn!(%error, "an answer was not stored");
    }
    Response::from_parts(parts, Body::from(bytes))
}
