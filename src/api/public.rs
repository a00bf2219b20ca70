//! The guard for calls from the source of web pages: with a publishable key, from the origins named with it,
//! at a human's pace. Callers who try codes out are slowed down by their misses.

use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::call_log;
use super::dialect::Dialect;
use super::problem::Problem;
use super::standing;
use crate::app::App;
use crate::db::DbError;
use crate::keys::publishable;
use crate::limits::Standing;
use crate::web::layers;

/// The extra charge of a look-up that found no usable code.
const MISS: i64 = 5;

/// The publishable key of a call that was let through.
#[derive(Debug, Clone, Copy)]
pub struct PublicCaller {
    pub key_id: i64,
    pub business_id: i64,
}

/// Marks an answer that found no referrer.
#[derive(Debug, Clone, Copy)]
pub struct Missed;

pub async fn admit(app: &App, mut request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).and_then(|o| o.to_str().ok()).map(str::to_owned);
    let from = layers::client_ip(request.extensions(), request.headers(), &app.config).parse().ok();
    let now = app.clock.now();
    let mut standing = app.limits.reader(from, now);
    let (mut response, allowed) =
        match enter(app, request.headers(), request.extensions(), origin.as_deref(), &mut standing).await {
            Err((problem, allowed)) => (problem.into_response(), allowed),
            Ok(caller) => {
                request.extensions_mut().insert(caller);
                let response = next.run(request).await;
                if response.extensions().get::<Missed>().is_some() {
                    app.limits.miss(from, caller.key_id, MISS, now);
                }
                (response, true)
            }
        };
    standing::put(response.headers_mut(), Dialect::Own, standing, now);
    share(response.headers_mut(), origin.filter(|_| allowed));
    response
}

/// The key of an allowed call; a refusal says whether its page may read the reason. An exhausted limit is
/// checked first.
async fn enter(
    app: &App,
    headers: &HeaderMap,
    extensions: &Extensions,
    origin: Option<&str>,
    standing: &mut Standing,
) -> Result<PublicCaller, (Problem, bool)> {
    let failed = |error: DbError| (Problem::from(error), false);
    let mut conn = app.db.read().await.map_err(failed)?;
    let text = bearer(headers).unwrap_or_default();
    let key = publishable::publishable(&mut conn, text).await.map_err(failed)?;
    let allowed = match (&key, origin) {
        (Some(key), Some(origin)) => publishable::allows(&mut conn, key.id, origin).await.map_err(failed)?,
        (_, None) => true,
        _ => false,
    };
    drop(conn);
    if !standing.allowed {
        return Err((slower(*standing), allowed));
    }
    let Some(key) = key else { return Err((refused(text), allowed)) };
    if let Some(known) = extensions.get::<call_log::Known>() {
        known.is_browser(key.id, key.business_id);
    }
    if !allowed {
        let message = "This publishable key may not be used on this page: its origin is not named with the key.";
        return Err((Problem::new(StatusCode::FORBIDDEN, "origin_not_allowed", message), false));
    }
    let of_key = app.limits.publishable(key.id, app.clock.now());
    if of_key.left < standing.left || !of_key.allowed {
        *standing = of_key;
    }
    if of_key.allowed {
        Ok(PublicCaller { key_id: key.id, business_id: key.business_id })
    } else {
        Err((slower(of_key), allowed))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, text) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| text.trim())
}

fn refused(text: &str) -> Problem {
    let message = if text.starts_with("rk_live_") || text.starts_with("rk_test_") {
        "This is a secret key. In the source of a page it can be read by everybody: revoke it, and use a publishable key here."
    } else {
        "A publishable key is required: Authorization: Bearer rk_pub_…"
    };
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
}

fn slower(standing: Standing) -> Problem {
    let wait = u64::try_from(standing.wait).unwrap_or(1).max(1);
    let message = format!("Too many look-ups. Try again in {wait} s.");
    Problem { retry_after: Some(wait), ..Problem::of(StatusCode::TOO_MANY_REQUESTS, message) }
}

/// Lets the page of this origin read the answer.
fn share(headers: &mut HeaderMap, origin: Option<String>) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Some(origin) = origin.and_then(|o| HeaderValue::from_str(&o).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let exposed = HeaderValue::from_static("ratelimit, ratelimit-policy, retry-after, x-request-id");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

/// A browser's preflight request. It does not name the key, so the origin of any key will do; the call itself
/// is checked against its own.
pub async fn preflight(State(app): State<App>, headers: HeaderMap) -> Response {
    let origin = headers.get(header::ORIGIN).and_then(|o| o.to_str().ok()).map(str::to_owned);
    let known = match &origin {
        Some(origin) => is_known(&app, origin).await.unwrap_or(false),
        None => false,
    };
    let mut response = StatusCode::NO_CONTENT.into_response();
    let answer = response.headers_mut();
    share(answer, origin.filter(|_| known));
    if known {
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET"));
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization"));
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

async fn is_known(app: &App, origin: &str) -> Result<bool, DbError> {
    publishable::is_known_origin(&mut app.db.read().await?, origin).await
}
