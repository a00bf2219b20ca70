//! The door for the source of web pages: calls with a publishable key, from the origins that are named with
//! it, at a human's pace. Whoever tries codes out is slowed down by what they do not find.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::noted;
use super::pace::{Buckets, Rate};
use super::problem::Problem;
use crate::app::App;
use crate::db::DbError;
use crate::keys::publishable;
use crate::web::layers;

/// One address: a customer who types, or a shop with several tills behind one.
const ADDRESS: Rate = Rate { per_minute: 60, burst: 30 };
/// One key, over all who read it.
const KEY: Rate = Rate { per_minute: 1_200, burst: 600 };
/// What a look-up that found nothing of use costs beside itself.
const MISS: i64 = 5;

/// The buckets of addresses and of publishable keys.
#[derive(Clone, Default)]
pub struct Paces {
    addresses: Buckets,
    keys: Buckets,
}

/// The publishable key of a call that was let through.
#[derive(Debug, Clone, Copy)]
pub struct PublicCaller {
    pub key_id: i64,
    pub business_id: i64,
}

/// Put into an answer that named nobody.
#[derive(Debug, Clone, Copy)]
pub struct Missed;

pub async fn admit(app: &App, mut request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).and_then(|o| o.to_str().ok()).map(str::to_owned);
    let (mut response, allowed) = match enter(app, request.headers(), request.extensions(), origin.as_deref()).await {
        Err((problem, allowed)) => (problem.into_response(), allowed),
        Ok(entered) => {
            request.extensions_mut().insert(entered.caller);
            let response = next.run(request).await;
            if response.extensions().get::<Missed>().is_some() {
                let now = app.clock.now();
                app.paces.addresses.charge(&entered.address, ADDRESS, MISS, now);
                app.paces.keys.charge(&entered.caller.key_id.to_string(), KEY, MISS, now);
            }
            (response, true)
        }
    };
    share(response.headers_mut(), origin.filter(|_| allowed));
    response
}

struct Entered {
    caller: PublicCaller,
    address: String,
}

/// Who is let in; whoever is not, with whether their page may read why.
async fn enter(
    app: &App,
    headers: &HeaderMap,
    extensions: &Extensions,
    origin: Option<&str>,
) -> Result<Entered, (Problem, bool)> {
    let address = neighbourhood(&layers::client_ip(extensions, headers, &app.config));
    let now = app.clock.now();
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
    let paced =
        |buckets: &Buckets, who: &str, rate| buckets.take(who, rate, now).map_err(|wait| (slower(wait), allowed));
    paced(&app.paces.addresses, &address, ADDRESS)?;
    let Some(key) = key else { return Err((refused(text), allowed)) };
    if let Some(known) = extensions.get::<noted::Known>() {
        known.is_browser(key.id, key.business_id);
    }
    if !allowed {
        let message = "This publishable key may not be used on this page: its origin is not named with the key.";
        return Err((Problem::new(StatusCode::FORBIDDEN, "origin_not_allowed", message), false));
    }
    paced(&app.paces.keys, &key.id.to_string(), KEY)?;
    Ok(Entered { caller: PublicCaller { key_id: key.id, business_id: key.business_id }, address })
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

fn slower(wait: u64) -> Problem {
    let message = format!("Too many look-ups. Try again in {wait} s.");
    Problem { retry_after: Some(wait), ..Problem::of(StatusCode::TOO_MANY_REQUESTS, message) }
}

/// An address as far as it names somebody: who has an IPv6 address has 2^64 of them.
fn neighbourhood(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(six)) => format!("{:x?}", &six.segments()[..4]),
        _ => address.to_owned(),
    }
}

/// Lets the page of this origin read the answer.
fn share(headers: &mut HeaderMap, origin: Option<String>) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Some(origin) = origin.and_then(|o| HeaderValue::from_str(&o).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let exposed = HeaderValue::from_static("retry-after, x-request-id");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

/// What a browser asks before it sends a key. It does not say which, so any key's origin will do here; the
/// call itself is held against its own.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_bucket() {
        assert_eq!(neighbourhood("2001:db8:1:2:3::4"), neighbourhood("2001:db8:1:2::9"));
        assert_ne!(neighbourhood("2001:db8:1:2::9"), neighbourhood("2001:db8:1:3::9"));
        assert_eq!(neighbourhood("192.0.2.1"), "192.0.2.1");
    }
}
