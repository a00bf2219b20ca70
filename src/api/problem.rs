//! Why a call was refused: one type for every contract. Each says it in its own shape
//! ([`Dialect`](super::dialect::Dialect)); a handler knows only what is wrong.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::db::DbError;
use crate::keys::KeyError;

/// The answer when a constraint refuses a row on every try.
const TAKEN: &str = "Another record already has a value of this one; nothing was stored.";

/// The fault of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Its name; inside another one's with a point: `referrer.value`.
    pub field: Cow<'static, str>,
    /// A sentence without the field's name: "is required", "must be a string".
    pub message: String,
    pub missing: bool,
}

impl FieldProblem {
    pub fn missing(field: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), message: "is required".into(), missing: true }
    }

    pub fn wrong(field: impl Into<Cow<'static, str>>, message: impl std::fmt::Display) -> Self {
        Self { field: field.into(), message: message.to_string(), missing: false }
    }

    /// "customerEmail is required."
    pub fn sentence(&self) -> String {
        format!("{} {}.", self.field, self.message)
    }

    /// The same problem of a field inside another.
    pub fn within(self, outer: &str) -> Self {
        Self { field: format!("{outer}.{}", self.field).into(), ..self }
    }
}

/// A refusal. Turned into a response it carries itself along, and the contract's layer gives it a body.
#[derive(Debug, Clone)]
pub struct Problem {
    pub status: StatusCode,
    /// A word for programs: "unauthorized", "invalid_field".
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    pub fields: Vec<FieldProblem>,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), fields: Vec::new(), retry_after: None }
    }

    /// Fields that are missing or wrong; never empty.
    pub fn invalid(fields: Vec<FieldProblem>) -> Self {
        let missing = fields.first().is_some_and(|f| f.missing);
        let code = if missing { "missing_field" } else { "invalid_field" };
        let message = fields.first().map(FieldProblem::sentence).unwrap_or_default();
        Self { fields, ..Self::new(StatusCode::BAD_REQUEST, code, message) }
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// A problem without more to say than its status.
    pub fn of(status: StatusCode, message: impl Into<String>) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
            StatusCode::PAYLOAD_TOO_LARGE => "payload_too_large",
            StatusCode::URI_TOO_LONG => "uri_too_long",
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "headers_too_large",
            StatusCode::REQUEST_TIMEOUT => "request_timeout",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
            StatusCode::TOO_MANY_REQUESTS => "rate_limited",
            status if status.is_server_error() => "internal_error",
            _ => "bad_request",
        };
        Self::new(status, code, message)
    }

    pub fn invalid_json() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_json", "The body is not a JSON object.")
    }
}

impl From<FieldProblem> for Problem {
    fn from(problem: FieldProblem) -> Self {
        Self::invalid(vec![problem])
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let unauthorized = |message| Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message);
        match error {
            KeyError::Missing => unauthorized("An API key is required: Authorization: Bearer YOUR_API_KEY."),
            KeyError::Unknown => unauthorized("The API key is not valid."),
            KeyError::Unavailable(error) => error.into(),
        }
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        let unavailable = |message: &str| Self {
            retry_after: Some(2),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
        };
        match &error {
            DbError::Stopped(_) | DbError::Fault(_) => {
                tracing::error!(%error, "a call failed");
                Self::of(StatusCode::INTERNAL_SERVER_ERROR, "Something broke here; nothing was stored.")
            }
            DbError::Taken(why) => {
                tracing::warn!(why, "a call conflicts with a stored row");
                Self::new(StatusCode::CONFLICT, "conflict", TAKEN)
            }
            DbError::Unavailable(why) | DbError::Lost(why) => {
                tracing::warn!(why, "a call was not served");
                unavailable("Refdesk cannot do this just now; nothing was stored. Send it again.")
            }
            DbError::InDoubt(why) => {
                tracing::warn!(why, "the database went away in a commit");
                unavailable(
                    "Refdesk lost its database while it stored this. Check whether it was stored, or send it again with the same id: it counts once.",
                )
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
