//! What every published contract needs: the key, the body, the caller. One file per contract.

pub mod body;
mod caller;
mod rf;
mod rn;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::app::App;

pub use caller::Caller;

/// Every API, each prefix with its own way to say what is wrong.
pub fn router() -> Router<App> {
    Router::new().nest("/api/events", rn::router()).nest("/api/v2", rf::router()).nest("/api/v1", rf::router())
}

/// What is said of a request that no handler of the API got to see, or to finish.
pub fn in_words(path: &str, status: StatusCode, message: &'static str) -> Option<Response> {
    if path.starts_with("/api/events/") {
        Some(rn::Problem::of(status, message).into_response())
    } else if path.starts_with("/api/v1/") || path.starts_with("/api/v2/") {
        Some(rf::Problem::plain(status, message).into_response())
    } else {
        None
    }
}
