//! Records every call of a known key for the log of calls: request and answer, without the secrets in them.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;

use super::dialect::Dialect;
use super::problem::Problem;
use crate::app::App;
use crate::calls::Call;
use crate::query::{encode, pairs};
use crate::web::layers::{self, RequestId};

/// The key of the call. Put into the request before the key is looked at, filled once it is known.
#[derive(Debug, Clone, Default)]
pub struct Known(Arc<OnceLock<Who>>);

#[derive(Debug, Clone, Copy)]
struct Who {
    key_id: i64,
    business_id: i64,
    /// The caller is a customer's browser: its address stays private.
    browser: bool,
}

impl Known {
    pub fn is(&self, key_id: i64, business_id: i64) {
        let _ = self.0.set(Who { key_id, business_id, browser: false });
    }

    pub fn is_browser(&self, key_id: i64, business_id: i64) {
        let _ = self.0.set(Who { key_id, business_id, browser: true });
    }
}

/// Parameters of lists, which hold no secrets.
const HARMLESS: [&str; 11] =
    ["page", "limit", "per_page", "after", "status", "source", "state", "campaign", "campaign_id", "kind", "active"];
/// The longest texts that are stored.
const LONGEST: usize = 500;
/// An error of ours is far smaller.
const LARGEST_ERROR: usize = 16 * 1024;

pub async fn record(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let known = Known::default();
    request.extensions_mut().insert(known.clone());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let id = request.extensions().get::<RequestId>().cloned();
    let address = layers::client_ip(request.extensions(), request.headers(), &app.config);
    let key = request.headers().get(header::AUTHORIZATION).cloned();
    let started = Instant::now();
    let response = next.run(request).await;
    if matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
        identify(&app, &known, key).await;
    }
    let Some(who) = known.0.get().copied() else { return response };
    let micros = i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX);
    let status = response.status().as_u16();
    let failed = status >= 400;
    let (response, why) = if failed { why(response).await } else { (response, None) };
    let (code, message) = why.unzip();
    app.calls.note(who.key_id, failed, || {
        let route = route.as_ref().map_or("", |r| r.as_str()).to_owned();
        Call {
            business_id: who.business_id,
            key_id: who.key_id,
            at: app.clock.now(),
            contract: word(Dialect::of_path(uri.path())),
            method: method.to_string(),
            path: shown(&route, &uri),
            route,
            status,
            micros,
            request_id: id.map(|id| id.0).unwrap_or_default(),
            code,
            message,
            address: if who.browser { String::new() } else { address },
        }
    });
    response
}

/// An unknown address authenticates no caller, yet its caller looks for the call in the log.
async fn identify(app: &App, known: &Known, key: Option<HeaderValue>) {
    let (None, Some(key)) = (known.0.get(), key) else { return };
    if let Ok(key) = app.keys.of(key.to_str().ok()).await {
        known.is(key.row.id, key.row.business_id);
    }
}

fn word(dialect: Option<Dialect>) -> &'static str {
    match dialect {
        Some(Dialect::Rn) => "rn",
        Some(Dialect::Cf) => "cf",
        Some(Dialect::Rf) => "rf",
        Some(Dialect::Own) | None => "own",
    }
}

/// The words of a refusal: from the problem it was made of, else from its body.
async fn why(response: Response) -> (Response, Option<(String, String)>) {
    if let Some(problem) = response.extensions().get::<Problem>() {
        let sentences: Vec<String> = problem.fields.iter().map(|f| f.sentence()).collect();
        let message = if sentences.is_empty() { problem.message.clone() } else { sentences.join(" ") };
        let why = (problem.code.to_owned(), masked(&message));
        return (response, Some(why));
    }
    if response.body().size_hint().exact().is_none_or(|size| size > LARGEST_ERROR as u64) {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, LARGEST_ERROR).await else {
        return (Response::from_parts(parts, Body::empty()), None);
    };
    let said: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    let why = said.map(|said| {
        let text = |name: &str| said[name].as_str().map(str::to_owned);
        let message = text("message").or(text("detail")).or(text("error")).unwrap_or_default();
        (text("code").unwrap_or_default(), masked(&message))
    });
    (Response::from_parts(parts, Body::from(bytes)), why)
}

/// The called address without its secrets.
fn shown(route: &str, uri: &Uri) -> String {
    let webhook = route.starts_with("/webhook/");
    let hidden: Vec<bool> =
        route.split('/').enumerate().map(|(n, part)| part == "{token}" || (webhook && n == 2)).collect();
    let part = |(n, part): (usize, &str)| {
        if hidden.get(n).copied().unwrap_or_default() { "{token}".to_owned() } else { masked(part) }
    };
    let mut path = uri.path().split('/').enumerate().map(part).collect::<Vec<_>>().join("/");
    let query: Vec<String> = pairs(uri.query().unwrap_or_default())
        .into_iter()
        .filter(|(name, _)| HARMLESS.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}={}", encode(&value)))
        .collect();
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    masked(&path)
}

/// A text without keys, and without the names of e-mail addresses: "j…@example.com".
pub fn masked(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || "._%+-@".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() && out.len() < LONGEST {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        out.push_str(&masked_word(word));
        let next = after.chars().next();
        out.extend(next);
        rest = &after[next.map_or(0, char::len_utf8)..];
    }
    if out.len() > LONGEST {
        let cut = (0..=LONGEST).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
        out.truncate(cut);
        out.push('\u{2026}');
    }
    out
}

fn masked_word(word: &str) -> String {
    if let Some(at) = word.find("rk_") {
        let kind: String = word[at..].split('_').take(2).collect::<Vec<_>>().join("_");
        return format!("{}{kind}_\u{2026}", &word[..at]);
    }
    let name_and_host = word.split_once('@').or_else(|| word.split_once("%40"));
    match name_and_host {
        Some((name, host)) if !name.is_empty() && host.contains('.') => {
            let first: String = name.chars().take(1).collect();
            format!("{first}\u{2026}@{host}")
        }
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_people_are_left_out() {
        for (route, uri, expected) in [
            ("/webhook/{token}/qualify", "/webhook/s3cr3t/qualify", "/webhook/{token}/qualify"),
            ("/api/v2/users/{id}", "/api/v2/users/jane.doe@example.com", "/api/v2/users/j\u{2026}@example.com"),
            ("/api/v2/users/{id}", "/api/v2/users/jane%40example.com", "/api/v2/users/j\u{2026}@example.com"),
            (
                "/business/lead/list",
                "/business/lead/list?page=2&api_key=abc&search=jane&status=new",
                "/business/lead/list?page=2&status=new",
            ),
            ("/v1/codes/{text}", "/v1/codes/KILO-74M", "/v1/codes/KILO-74M"),
        ] {
            assert_eq!(shown(route, &uri.parse().unwrap()), expected);
        }
        assert_eq!(
            masked("The key rk_live_abc123 of jane@x.example."),
            "The key rk_live_\u{2026} of j\u{2026}@x.example."
        );
        assert!(masked(&"é".repeat(2_000)).len() < LONGEST + 10);
    }
}
