//! What every published contract needs: the table of calls ([`operation`]), who calls ([`guard`]), what
//! they send ([`object`], [`field`], [`read`]), how each contract says what is wrong ([`dialect`]), and the
//! document made from it all ([`document`]). One file or folder a contract.

pub mod body;
mod caller;
mod cf;
pub mod dialect;
pub mod document;
pub mod field;
mod guard;
pub mod limits;
pub mod object;
pub mod operation;
pub mod problem;
pub mod read;
mod rf;
mod rn;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::Response;

use crate::app::App;
use dialect::Dialect;
use operation::Api;
use problem::Problem;

pub use caller::Caller;

/// Every call of every contract.
pub fn apis() -> Vec<Api> {
    vec![cf::api()]
}

/// Every API, each prefix with its own way to say what is wrong.
pub fn router(app: &App) -> Router<App> {
    let guarded = |router: Router<App>, dialect: Dialect| {
        router
            .route_layer(middleware::from_fn_with_state((app.clone(), dialect), guard::gate))
            .layer(middleware::from_fn_with_state(dialect, dialect::speak))
    };
    let router = Router::new()
        .nest("/api/events", guarded(rn::router(), Dialect::Rn))
        .nest("/api/v2", guarded(rf::router(), Dialect::Rf))
        .nest("/api/v1", guarded(rf::router(), Dialect::Rf));
    apis().into_iter().fold(router, |router, api| router.merge(api.into_router(app)))
}

/// What is said of a request that no handler of the API got to see, or to finish.
pub fn in_words(path: &str, status: StatusCode, message: &'static str) -> Option<Response> {
    Some(Dialect::of_path(path)?.say(&Problem::of(status, message), ""))
}
