//! The cookie by which an account knows a browser. It signs nobody in: it only keeps a stranger's wrong passwords from
//! keeping the person out.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::config::Config;
use crate::web::Fault;

/// A year.
const SECONDS: i64 = 365 * 86_400;

fn name(config: &Config) -> &'static str {
    if config.is_https() { "__Host-refdesk_browser" } else { "refdesk_browser" }
}

/// The token that the browser sent.
pub fn token(headers: &HeaderMap, config: &Config) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(key, _)| *key == name(config)).map(|(_, value)| value.to_owned());
    found.filter(|token| {
        (16..=100).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    })
}

pub fn cookie(token: &str, config: &Config) -> Result<HeaderValue, Fault> {
    let secure = if config.is_https() { "; Secure" } else { "" };
    let text = format!("{}={token}; Path=/; Max-Age={SECONDS}; HttpOnly; SameSite=Lax{secure}", name(config));
    HeaderValue::from_str(&text).map_err(|why| Fault::Ours(why.to_string()))
}
