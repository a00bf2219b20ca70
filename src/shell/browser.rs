//! The cookie by which an account knows a browser. It signs nobody in. A stranger's wrong passwords do not keep a
//! person out of a browser that is known, and only such a browser may leave a form for the person.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::app::App;
use crate::config::Config;
use crate::db::DbResult;
use crate::id;
use crate::users;
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

/// Remembers the browser of a person whose session begins without a sign-in, and gives the cookie for it.
pub async fn remember(app: &App, headers: &HeaderMap, user_id: i64) -> Result<HeaderValue, Fault> {
    let token = token(headers, &app.config).unwrap_or_else(|| id::new_token(&mut rand::rng()));
    users::remember_browser(&app.db, user_id, &token).await?;
    cookie(&token, &app.config)
}

/// True when the person signed in from this browser before.
pub async fn is_of(app: &App, headers: &HeaderMap, user_id: i64) -> DbResult<bool> {
    let Some(token) = token(headers, &app.config) else { return Ok(false) };
    users::knows_browser(&mut app.db.read().await?, user_id, &token).await
}
