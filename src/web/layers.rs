//! The layers around every handler, in order.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use ipnet::IpNet;
use rand::RngExt;
use tower_http::compression::CompressionLayer;
use tracing::Instrument;

use super::bounds::{self, Bounds, InWords};
use crate::config::Config;

/// Layers of everything, outermost last.
pub fn all(router: Router, config: &Arc<Config>, in_words: InWords) -> Router {
    // A form with a file has fields beside it.
    let largest = config.upload_limit + 1024 * 1024;
    let bounds = Bounds { patience: config.patience, largest, in_words };
    router
        .layer(DefaultBodyLimit::max(1024 * 1024))
        .layer(middleware::from_fn_with_state(bounds, bounds::keep))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(config.clone(), around))
}

/// The caller of a request, for the log: filled in once the caller is known.
#[derive(Debug, Clone, Default)]
pub struct Identity(Arc<OnceLock<String>>);

/// Names the caller of a request for the log.
pub fn identify(extensions: &Extensions, who: impl FnOnce() -> String) {
    if let Some(Identity(cell)) = extensions.get::<Identity>() {
        let _ = cell.get_or_init(who);
    }
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
async fn around(State(config): State<Arc<Config>>, mut request: Request, next: Next) -> Response {
    let id = format!("{:016x}", rand::rng().random::<u64>());
    request.extensions_mut().insert(RequestId(id.clone()));
    let identity = Identity::default();
    request.extensions_mut().insert(identity.clone());
    let address = client_ip(request.extensions(), request.headers(), &config);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched".to_owned(), |p| p.as_str().to_owned());
    let started = std::time::Instant::now();
    let span = tracing::info_span!("request", id, %method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = started.elapsed();
    let status = response.status().as_u16();
    span.in_scope(|| tracing::info!(status, ms = format_ms(took), "answered"));
    if matches!(status, 401 | 403 | 429) {
        let who = identity.0.get().map_or("unknown", String::as_str);
        span.in_scope(|| tracing::warn!(status, address, who = ?who, "refused"));
    }
    let labels = [("method", method.as_str().to_owned()), ("route", route), ("status", status.to_string())];
    metrics::counter!("refdesk_requests_total", &labels).increment(1);
    metrics::histogram!("refdesk_request_seconds", &labels[..2]).record(took.as_secs_f64());
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    if config.is_https() {
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

/// True for a caller on this machine. A proxy on this machine calls for others: its word for whom counts where it is
/// trusted, and where it is not, nobody is local.
pub fn is_local(extensions: &Extensions, headers: &HeaderMap, config: &Config) -> bool {
    let Some(info) = extensions.get::<ConnectInfo<SocketAddr>>() else { return false };
    let peer = info.0.ip().to_canonical();
    let forwarded = ["x-forwarded-for", "x-real-ip", "forwarded", "via"].iter().any(|name| headers.contains_key(*name));
    if forwarded && !config.trusted_proxies.iter().any(|proxies| proxies.contains(&peer)) {
        return false;
    }
    caller_behind(peer, headers, &config.trusted_proxies).is_loopback()
}

/// The address that called the last of our own proxies. Each proxy appends the address of its caller, some on
/// a line of their own, so the entries are read from the right. An entry that cannot be read makes everything
/// left of it untrustworthy: then the proxy that sent it is the caller.
fn caller_behind(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let lines: Vec<&[u8]> = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
    let mut entries = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    let mut known = peer;
    while trusted.iter().any(|proxies| proxies.contains(&known))
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
        let trusted: Vec<IpNet> = ["127.0.0.1/32", "10.0.0.0/24", "fd00::1/128"].map(|net| net.parse().unwrap()).into();
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
