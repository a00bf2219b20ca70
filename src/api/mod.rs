//! The parts that every published contract needs: the table of calls ([`operation`]), the key's guard
//! ([`guard`]), what calls send ([`object`], [`field`], [`read`]), error bodies ([`dialect`]), and the
//! document made from it all ([`document`]). One file or folder a contract.

mod call_log;
mod caller;
mod cashfin;
pub mod dialect;
pub mod docs;
pub mod document;
mod doubled;
mod events;
mod facts;
pub mod field;
mod guard;
mod idempotency;
pub mod kinds;
pub mod object;
pub mod operation;
mod packed;
pub mod problem;
mod provider_messages;
pub mod public;
pub mod read;
mod refairn;
mod referral_factory;
pub mod signpost;
mod standing;
pub mod trial;
pub mod v1;

use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::Response;

use crate::app::App;
use dialect::Dialect;
use operation::Api;
use problem::Problem;
use signpost::{Signpost, Strays};

pub use caller::Caller;

/// Every call of every contract.
pub fn apis() -> Vec<Api> {
    vec![v1::api(), refairn::api(), cashfin::api(), referral_factory::api()]
}

/// The document of all calls, as served at an address.
pub fn openapi(public_url: &str) -> serde_json::Value {
    let apis = apis();
    let operations: Vec<_> = apis.iter().flat_map(|api| api.operations()).cloned().collect();
    document::document(operations.iter().map(AsRef::as_ref), public_url)
}

/// The addresses of all calls.
static SIGNPOST: LazyLock<Signpost> = LazyLock::new(|| Signpost::of(&apis()));

/// Answers programs that ask for an address that no route has.
pub fn strays(app: &App) -> Strays {
    Strays::new(&SIGNPOST, app)
}

/// Every API, each prefix with its own way to say what is wrong.
pub fn router(app: &App) -> Router<App> {
    let router = apis()
        .into_iter()
        .fold(Router::new(), |router, api| router.merge(api.into_router(app, |path| SIGNPOST.refuse(path))));
    let router = router.layer(middleware::from_fn_with_state(app.clone(), call_log::record));
    let router = router.merge(provider_messages::router());
    let router = router.layer(middleware::map_response(private));
    router.route("/openapi.json", axum::routing::get(docs::pages::document))
}

/// Answers are about people: no cache may store them.
async fn private(mut response: Response) -> Response {
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The answer to a request that no handler of the API saw, or finished.
pub fn in_words(path: &str, status: StatusCode, message: &'static str) -> Option<Response> {
    Some(Dialect::of_path(path)?.say(&Problem::of(status, message), ""))
}
