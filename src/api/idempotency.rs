//! The same call twice, recognised by its `Idempotency-Key`: for 72 hours the second one gets the first one's
//! answer and does nothing.
//!
//! A call is marked as begun before it is done, so of many at once one is done and the others are asked to
//! come back. A refused call did nothing and is forgotten. When a program died between doing a call and
//! storing its answer, the outcome is unknown: a repeat is told so, and the call is never done twice.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Caller;
use super::problem::{FieldProblem, Problem};
use super::read::unread;
use crate::app::App;
use crate::db::DbResult;
use crate::id;
use crate::stored_answers::{self, NewAnswer};

/// How long a call may run before its outcome is in doubt.
const WORKED_ON_SECONDS: i64 = 60;
/// Headers of an answer that are repeated.
const TOLD: [HeaderName; 3] = [header::CONTENT_TYPE, header::ETAG, header::LOCATION];

/// Runs a call, or repeats its earlier answer.
pub async fn once(app: &App, caller: &Caller, largest: usize, request: Request, next: Next) -> Response {
    let Some(value) = request.headers().get("idempotency-key") else { return next.run(request).await };
    let text = value.to_str().ok().and_then(|t| crate::text::line(t, 200).ok()).filter(|t| !t.is_empty());
    let Some(text) = text else {
        return Problem::from(FieldProblem::wrong("Idempotency-Key", "must be 1 to 200 plain characters"))
            .into_response();
    };
    let (parts, body) = request.into_parts();
    let bytes = match to_bytes(body, largest).await {
        Ok(bytes) => bytes,
        Err(error) => return unread(&error).into_response(),
    };
    let address = parts.uri.path_and_query().map(|p| p.as_str()).unwrap_or_default();
    let fingerprint = fingerprint(parts.method.as_str(), address, &bytes);
    match begin(app, caller.key.row.id, &text, &fingerprint).await {
        Ok(Begun::Here) => {}
        Ok(Begun::Kept(response)) => return response,
        Ok(Begun::Refused(problem)) => return problem.into_response(),
        Err(error) => return Problem::from(error).into_response(),
    }
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    end(app, caller.key.row.id, text, response).await
}

fn fingerprint(method: &str, address: &str, body: &Bytes) -> String {
    id::sha256_hex(&format!("{method} {address}\n{}", String::from_utf8_lossy(body)))
}

enum Begun {
    Here,
    Kept(Response),
    Refused(Problem),
}

async fn begin(app: &App, key_id: i64, text: &str, fingerprint: &str) -> DbResult<Begun> {
    let now = app.clock.now();
    let call = (key_id, text.to_owned(), fingerprint.to_owned());
    let known = app.db.write(vec![], call, stored_answers::begin).await?;
    let Some(known) = known else { return Ok(Begun::Here) };
    if known.fingerprint != fingerprint {
        let message = "Another call had this Idempotency-Key. Use a new one for a new call.";
        return Ok(Begun::Refused(Problem::conflict("idempotency_mismatch", message)));
    }
    let Some(status) = known.status else {
        let begun = crate::clock::Instant::from_micros(known.begun_at);
        return Ok(Begun::Refused(if begun.plus_seconds(WORKED_ON_SECONDS) > now {
            let message = "This call is being worked on. Ask again in a moment.";
            Problem { retry_after: Some(1), ..Problem::conflict("in_progress", message) }
        } else {
            let message = "This call was begun and its end is not known. Look whether it was done; use a new Idempotency-Key to do it.";
            Problem::conflict("in_doubt", message)
        }));
    };
    let status = u16::try_from(status).ok().and_then(|s| StatusCode::from_u16(s).ok()).unwrap_or(StatusCode::OK);
    let mut response = (status, known.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for line in known.headers.lines() {
        if let Some((name, value)) = line.split_once(": ")
            && let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value))
        {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(Begun::Kept(response))
}

/// Stores the answer of a call, or forgets a refused call.
async fn end(app: &App, key_id: i64, text: String, response: Response) -> Response {
    if !response.status().is_success() {
        // A server's fault may have come after the deed: the call stays begun, and in doubt.
        if response.status().is_client_error() {
            let forgotten = app.db.write(vec![], (key_id, text), stored_answers::forget);
            if let Err(error) = forgotten.await {
                tracing::warn!(%error, "a refused call stays begun");
            }
        }
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Problem::of(StatusCode::INTERNAL_SERVER_ERROR, "Something broke here.").into_response();
    };
    let told = TOLD.iter().filter_map(|name| Some(format!("{name}: {}", parts.headers.get(name)?.to_str().ok()?)));
    let headers = told.collect::<Vec<_>>().join("\n");
    let status = i64::from(parts.status.as_u16());
    let answer = NewAnswer { key_id, text, status, headers, body: String::from_utf8_lossy(&bytes).into_owned() };
    let written = app.db.write(vec![], answer, stored_answers::keep);
    if let Err(error) = written.await {
        // It was done, and that is what the caller hears.
        tracing::warn!(%error, "an answer was not kept");
    }
    Response::from_parts(parts, Body::from(bytes))
}
