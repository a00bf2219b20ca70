//! What is wrong, in this dialect: `{success: false, code, message}`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::api::body::FieldProblem;
use crate::db::DbError;
use crate::keys::KeyError;

/// An error in this dialect.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry: bool,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry: false }
    }

    /// What has no more to say than its status.
    pub fn of(status: StatusCode, message: &'static str) -> Self {
        let code = match status {
            StatusCode::PAYLOAD_TOO_LARGE => "payload_too_large",
            StatusCode::URI_TOO_LONG => "uri_too_long",
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "headers_too_large",
            StatusCode::REQUEST_TIMEOUT => "request_timeout",
            status if status.is_server_error() => "internal_error",
            _ => "invalid_json",
        };
        Self::new(status, code, message)
    }
}

/// The body of an error.
#[derive(Serialize)]
struct ProblemBody<'p> {
    /// Always false.
    success: bool,
    /// What is wrong, as one word for programs.
    code: &'static str,
    /// What is wrong, as a sentence for people; names the field where it is about one.
    message: &'p str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody { success: false, code: self.code, message: &self.message };
        let mut response = (self.status, Json(body)).into_response();
        if self.retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<FieldProblem> for Problem {
    fn from(problem: FieldProblem) -> Self {
        let code = if problem.missing { "missing_field" } else { "invalid_field" };
        Self::new(StatusCode::BAD_REQUEST, code, problem.sentence())
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Missing => Self::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "An API key is required: Authorization: Bearer YOUR_API_KEY.",
            ),
            KeyError::Unknown => Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "The API key is not valid."),
            KeyError::Unavailable(error) => error.into(),
        }
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Fault(why) => {
                tracing::error!(why, "an event failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal_error",
                    "Something broke here; nothing was stored.",
                )
            }
            DbError::Unavailable(why) | DbError::Lost(why) => {
                tracing::warn!(why, "an event was not served");
                let message = "The desk cannot store this just now; nothing was stored. Send it again.";
                Self { retry: true, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message) }
            }
            DbError::InDoubt(why) => {
                tracing::warn!(why, "the database went away in a commit");
                let message = "The desk lost its database while it stored this. Send it again: it counts once.";
                Self { retry: true, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message) }
            }
        }
    }
}
