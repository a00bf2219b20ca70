//! What happens to every request before and after its handler, in order.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use rand::RngExt;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tracing::Instrument;

use super::bounds::{self, Bounds, InWords};
use super::error::{Said, error_page};
use super::{Fault, Frame, Page};
use crate::app::App;
use crate::config::Config;

/// Layers of the pages: cross-site requests are refused by Fetch Metadata and Origin, then the session.
pub fn pages(router: Router<App>, app: &App) -> Router<App> {
    let csrf = match CsrfLayer::new().add_trusted_origin(&app.config.public_url) {
        Ok(layer) => layer,
        // A public address with a path is no origin; same-origin requests still pass.
        Err(_) => CsrfLayer::new(),
    };
    router
        .fallback(|| async { Fault::NotFound })
        .method_not_allowed_fallback(|| async {
            error_page(
                StatusCode::METHOD_NOT_ALLOWED,
                "Not that way",
                "This address does not take that kind of request.".into(),
            )
        })
        .layer(middleware::from_fn_with_state(app.clone(), framed))
        .layer(super::session::layer(app))
        .layer(csrf)
        .layer(middleware::from_fn(private))
}

/// Whoever is signed in and asked for what is not there, or not for them, keeps the navigation.
async fn framed(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let asked = parts.clone();
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let status = response.status();
    if !status.is_client_error() {
        return response;
    }
    if !is_html(&response) {
        response = in_words(status);
    }
    let Some(said) = response.extensions().get::<Said>().cloned() else { return response };
    match frame_of(&app, asked).await.and_then(|frame| said.framed(response.status(), frame)) {
        Some(text) => (response.status(), Html(text)).into_response(),
        None => response,
    }
}

/// The frame of who asks. A database that does not answer just now is no reason for another error.
async fn frame_of(app: &App, mut asked: Parts) -> Option<Frame> {
    // What a page fetches for itself has no use for one, and would take its messages.
    if asked.headers.get("sec-fetch-dest").is_some_and(|to| to != "document") {
        return None;
    }
    let signed_in = super::session::signed_in(app, &asked.extensions, &asked.headers).await.ok()??;
    asked.extensions.insert(signed_in.member?);
    let page = Page::from_request_parts(&mut asked, app).await.ok()?;
    let mut frame = page.frame("").await.ok()?;
    if asked.method != Method::GET {
        // Whoever switches the theme here comes back to a page that can be asked for.
        frame.path = "/".into();
    }
    Some(frame)
}

/// Pages are for one person; no cache keeps them. A refusal of the framework's is put into words.
async fn private(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status().is_client_error() && !is_html(&response) {
        response = in_words(response.status());
    }
    // Handlers answer with pages; this is the session that could not be stored.
    if response.status().is_server_error() && !is_html(&response) {
        response = Fault::InDoubt("the session was not stored".into()).into_response();
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn is_html(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn in_words(status: StatusCode) -> Response {
    match status {
        StatusCode::FORBIDDEN => error_page(
            status,
            "Not from there",
            "That came from another site, so nothing was done. Open the page here and try again.".into(),
        ),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Fault::TooLarge("That is more than this address takes.".into()).into_response()
        }
        // An address that cannot be read, as with letters where a number belongs.
        _ => Fault::NotFound.into_response(),
    }
}

/// Layers of everything, outermost last.
pub fn all(router: Router, app: &App, in_words: InWords) -> Router {
    let bounds = Bounds { patience: app.config.patience, in_words };
    router
        .layer(DefaultBodyLimit::max(1024 * 1024))
        .layer(middleware::from_fn_with_state(bounds, bounds::keep))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(app.clone(), around))
}

/// The id of a request, as its answer and the log carry it.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// Request id, log line, metrics, security headers; on every answer, errors included.
async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = format!("{:016x}", rand::rng().random::<u64>());
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched".to_owned(), |p| p.as_str().to_owned());
    let started = std::time::Instant::now();
    let span = tracing::info_span!("request", id, %method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = started.elapsed();
    let status = response.status().as_u16();
    span.in_scope(|| tracing::info!(status, ms = format_ms(took), "answered"));
    let labels = [("method", method.as_str().to_owned()), ("route", route), ("status", status.to_string())];
    metrics::counter!("refdesk_requests_total", &labels).increment(1);
    metrics::histogram!("refdesk_request_seconds", &labels[..2]).record(took.as_secs_f64());
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    if app.config.is_https() {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", value);
    }
    response
}

fn format_ms(took: Duration) -> String {
    format!("{}.{:03}", took.as_millis(), took.as_micros() % 1000)
}

/// The address of the caller; X-Forwarded-For is believed only when a trusted proxy sent it.
pub fn client_ip(extensions: &Extensions, headers: &HeaderMap, config: &Config) -> String {
    match extensions.get::<ConnectInfo<SocketAddr>>() {
        Some(info) => caller_behind(info.0.ip().to_canonical(), headers, &config.trusted_proxies).to_string(),
        None => String::from("unknown"),
    }
}

/// Who called the last of our own proxies. Each proxy adds whom it was called by at the end, some on a line
/// of their own, so the entries are read from the right. What stands before an entry that cannot be read is
/// anybody's word: the proxy that brought it is all that is known then.
fn caller_behind(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let lines: Vec<&[u8]> = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
    let mut entries = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    let mut known = peer;
    while trusted.contains(&known)
        && let Some(entry) = entries.next()
        && let Some(before) = forwarded_ip(entry)
    {
        known = before;
    }
    known
}

/// An address as proxies write it: alone, with a port, in brackets.
fn forwarded_ip(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|at| at.ip()))?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(peer: &str, lines: &[&str]) -> String {
        let trusted: Vec<IpAddr> = ["127.0.0.1", "10.0.0.1", "fd00::1"].map(|ip| ip.parse().unwrap()).into();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        caller_behind(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_s_word_is_not_believed() {
        assert_eq!(caller("203.0.113.9", &["1.2.3.4"]), "203.0.113.9");
        assert_eq!(caller("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(caller("127.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(caller("127.0.0.1", &["6.6.6.6, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(caller("127.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.1"]), "1.2.3.4");
    }

    #[test]
    fn a_line_that_a_proxy_adds_counts_before_what_the_caller_sent() {
        assert_eq!(caller("127.0.0.1", &["6.6.6.6", "1.2.3.4"]), "1.2.3.4");
        assert_eq!(caller("127.0.0.1", &["6.6.6.6, 7.7.7.7", "1.2.3.4, 10.0.0.1"]), "1.2.3.4");
        assert_eq!(caller("127.0.0.1", &["1.2.3.4", "10.0.0.1"]), "1.2.3.4");
    }

    #[test]
    fn ports_and_brackets_are_read() {
        assert_eq!(caller("127.0.0.1", &["6.6.6.6, 1.2.3.4:5678"]), "1.2.3.4");
        assert_eq!(caller("127.0.0.1", &["6.6.6.6, [2001:db8::7]:443"]), "2001:db8::7");
        assert_eq!(caller("127.0.0.1", &["[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(caller("127.0.0.1", &["1.2.3.4, [fd00::1]:80, ::ffff:10.0.0.1"]), "1.2.3.4");
    }

    #[test]
    fn nothing_before_an_entry_that_cannot_be_read_is_believed() {
        for nonsense in ["unknown", "_hidden", "1.2.3.4.5", "", "1.2.3.4:port", "\u{e9}"] {
            assert_eq!(caller("127.0.0.1", &[&format!("6.6.6.6, {nonsense}")]), "127.0.0.1", "{nonsense}");
            assert_eq!(caller("127.0.0.1", &[&format!("6.6.6.6, {nonsense}, 10.0.0.1")]), "10.0.0.1", "{nonsense}");
        }
    }
}
