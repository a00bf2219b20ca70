//! What every published contract needs: the key, the body, the caller. One file per contract.

pub mod body;
mod caller;
mod rf;
mod rn;

use axum::Router;

use crate::app::App;

pub use caller::Caller;

/// Every API, each prefix with its own way to say what is wrong.
pub fn router() -> Router<App> {
    Router::new().nest("/api/events", rn::router()).nest("/api/v2", rf::router()).nest("/api/v1", rf::router())
}
