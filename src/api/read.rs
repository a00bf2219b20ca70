//! The parts of a call that handlers take: caller, body, query, path. Each refuses with a [`Problem`], which
//! the contract turns into its own shape.

use std::error::Error;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Path, RawQuery, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::LengthLimitError;

use super::caller::Caller;
use super::doubled::doubled_key;
use super::object::{Body, Object};
use super::operation::Operation;
use super::problem::{FieldProblem, Problem};
use crate::app::App;
use crate::web::bounds;

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        // The guard put it there; a call without one has no handler that asks.
        let broken = || Problem::of(StatusCode::INTERNAL_SERVER_ERROR, "Something broke here.");
        parts.extensions.get::<Self>().cloned().ok_or_else(broken)
    }
}

/// The body of a call, read.
pub struct Sent<T>(pub T);

impl<T: Object> FromRequest<App> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let SentBody(body) = SentBody::from_request(request, app).await?;
        T::read(&body).map(Self).map_err(Problem::invalid)
    }
}

/// The body of a call that may come without one.
pub struct SentIfAny<T>(pub T);

impl<T: Object> FromRequest<App> for SentIfAny<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (kind, bytes) = whole(request, app).await?;
        let body = if bytes.is_empty() { Body::text([]) } else { body_of(kind.as_deref(), &bytes, false)? };
        T::read(&body).map(Self).map_err(Problem::invalid)
    }
}

/// The kinds of files that are read.
const FILES: [&str; 5] =
    ["text/csv", "text/tab-separated-values", "application/x-ndjson", "application/jsonl", "application/json-lines"];

const REPORTS: [&str; 4] = ["text/csv", "text/tab-separated-values", "application/xml", "text/xml"];

/// A file of rows: `Content-Type: text/csv`, or JSON lines.
pub struct SentCsv(pub Bytes);

impl FromRequest<App> for SentCsv {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (kind, bytes) = whole(request, app).await?;
        if !kind.as_deref().is_some_and(|kind| FILES.contains(&kind)) {
            let message = "Send the file as it is: Content-Type: text/csv, or application/x-ndjson for JSON lines.";
            return Err(Problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        Ok(Self(bytes))
    }
}

/// A report about a payout: a table, or a bank's XML.
pub struct SentReport(pub Bytes);

impl FromRequest<App> for SentReport {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (kind, bytes) = whole(request, app).await?;
        if !kind.as_deref().is_some_and(|kind| REPORTS.contains(&kind)) {
            let message = "Send the report as it is: Content-Type: text/csv, or application/xml for a bank's pain.002.";
            return Err(Problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        Ok(Self(bytes))
    }
}

/// The body of a call as its fields.
pub struct SentBody(pub Body);

impl FromRequest<App> for SentBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let form = request.extensions().get::<Arc<Operation>>().and_then(|o| o.takes.as_ref()).is_some_and(|t| t.form);
        let parts = request.headers().get(header::CONTENT_TYPE).cloned();
        let (kind, bytes) = whole(request, app).await?;
        match (kind.as_deref(), parts) {
            (Some("multipart/form-data"), Some(parts)) if form => fields_of(parts, bytes).await.map(Self),
            (kind, _) => body_of(kind, &bytes, form).map(Self),
        }
    }
}

/// A body read to its end, with its kind.
async fn whole(request: Request, app: &App) -> Result<(Option<String>, Bytes), Problem> {
    let kind = content_type(request.headers());
    let bytes = Bytes::from_request(request, app).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => unread(&rejection),
    })?;
    Ok((kind, bytes))
}

/// The fields of a body of this kind.
fn body_of(kind: Option<&str>, bytes: &Bytes, form: bool) -> Result<Body, Problem> {
    match kind {
        // Without a content type the body counts as a form where the call takes forms.
        None if form && !bytes.trim_ascii_start().starts_with(b"{") => return pairs(bytes),
        None => {}
        Some(kind) if is_json(kind) => {}
        Some("application/x-www-form-urlencoded") if form => return pairs(bytes),
        Some(_) => {
            let message = if form {
                "Send the body as a form or as JSON: Content-Type: application/x-www-form-urlencoded or application/json."
            } else {
                "Send the body as JSON: Content-Type: application/json."
            };
            return Err(Problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let message = "The body is UTF-16, by its byte order mark. Send it in UTF-8.";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_json", message));
    }
    // Some programs begin their text with a byte order mark.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let body = Body::json(text).ok_or_else(Problem::invalid_json)?;
    match doubled_key(text) {
        Some(key) => Err(FieldProblem::wrong(key, "is there twice").into()),
        None => Ok(body),
    }
}

/// The fields of a form in parts, as PHP sends an array.
async fn fields_of(kind: HeaderValue, bytes: Bytes) -> Result<Body, Problem> {
    let mut request = Request::new(axum::body::Body::from(bytes));
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| no_form())?;
    let mut fields = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|_| no_form())? {
        let name = part.name().unwrap_or_default().to_owned();
        fields.push((name, part.text().await.map_err(|_| no_form())?));
    }
    Ok(Body::text(fields))
}

fn no_form() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_form", "The body is not a form that can be read.")
}

/// Why a body could not be read to its end.
pub fn unread(error: &(dyn Error + 'static)) -> Problem {
    let chain = std::iter::successors(Some(error), |e: &&(dyn Error + 'static)| Error::source(*e));
    if chain.into_iter().any(|e| e.is::<LengthLimitError>()) {
        too_large()
    } else if bounds::is_slow(error) {
        Problem::of(StatusCode::REQUEST_TIMEOUT, "The body came too slowly.")
    } else {
        Problem::of(StatusCode::BAD_REQUEST, "The body broke off.")
    }
}

pub fn too_large() -> Problem {
    Problem::of(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large.")
}

/// The kind of the body, without its parameters.
fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn is_json(kind: &str) -> bool {
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")) || kind == "text/json"
}

fn pairs(bytes: &[u8]) -> Result<Body, Problem> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes).map_err(|_| no_form())?;
    Ok(Body::text(pairs))
}

/// The query of a call, read.
pub struct Asked<T>(pub T);

impl<T: Object> FromRequestParts<App> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let RawQuery(query) = RawQuery::from_request_parts(parts, app).await.unwrap_or(RawQuery(None));
        let body = pairs(query.unwrap_or_default().as_bytes())?;
        T::read(&body).map(Self).map_err(Problem::invalid)
    }
}

/// The two parameters in the path, as text.
pub struct InPaths(pub String, pub String);

impl FromRequestParts<App> for InPaths {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let unreadable = || FieldProblem::wrong("path", "cannot be read");
        let both = Path::<(String, String)>::from_request_parts(parts, app).await;
        let Path((first, second)) = both.map_err(|_| unreadable())?;
        if first.contains('\0') || second.contains('\0') {
            return Err(unreadable().into());
        }
        Ok(Self(first, second))
    }
}

/// The one parameter in the path, as text.
pub struct InPath(pub String);

impl FromRequestParts<App> for InPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let unreadable = || FieldProblem::wrong("path", "cannot be read");
        let Path(text) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| unreadable())?;
        if text.contains('\0') {
            return Err(unreadable().into());
        }
        Ok(Self(text))
    }
}
