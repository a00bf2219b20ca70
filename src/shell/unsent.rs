//! A form that did not act, kept for its browser: its session had ended, or it came from another business.
//!
//! It is found by a token in a cookie and offered under `/unsent`, followed by the address that it was sent to. There
//! the form's own handler shows it, filled as it was, and nothing is done until it is sent again.

use axum::body::Body;
use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use super::browser;
use super::form::{Posted, Takes};
use super::routes::Access;
use super::session;
use crate::app::App;
use crate::db::DbResult;
use crate::kept::{self, KEPT_SECONDS};
use crate::query::{pairs, url};
use crate::users;
use crate::web::form::Unsent;
use crate::web::{Fault, Stamp, flash};

pub const PATH: &str = "/unsent";

/// Fields that no form keeps.
const SECRET: [&str; 7] = ["password", "current", "new", "again", "api_key", "secret", "webhook_secret"];

#[derive(Serialize, Deserialize)]
struct Kept {
    address: String,
    text: String,
    stamp: String,
    why: String,
}

fn cookie_name(app: &App) -> &'static str {
    if app.config.is_https() { "__Host-refdesk-unsent" } else { "refdesk-unsent" }
}

fn cookie(app: &App, token: &str, seconds: i64) -> Option<HeaderValue> {
    let secure = if app.config.is_https() { "; Secure" } else { "" };
    let name = cookie_name(app);
    format!("{name}={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}{secure}").parse().ok()
}

pub fn token_of(app: &App, headers: &HeaderMap) -> Option<String> {
    let name = cookie_name(app);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let found = lines.flat_map(|line| line.split("; ")).filter_map(|pair| pair.split_once('='));
    found.filter(|(key, _)| *key == name).map(|(_, token)| token.to_owned()).next()
}

/// Keeps a form for the user of its stamp. Gives the address that shows it, and the cookie that finds it.
pub async fn keep(app: &App, posted: &Posted, stamp: &Stamp, why: &str) -> Option<(String, HeaderValue)> {
    let text = String::from_utf8_lossy(posted.text.as_deref()?).into_owned();
    let fields = pairs(&text);
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).filter(|(k, _)| !SECRET.contains(k)).collect();
    let kept = Kept {
        address: posted.address().to_owned(),
        text: url("", &fields).trim_start_matches('?').to_owned(),
        stamp: stamp.text(),
        why: why.to_owned(),
    };
    let kept = serde_json::to_string(&kept).ok()?;
    let token = kept::keep(&app.db, stamp.user, &kept).await.map_err(|error| {
        tracing::warn!(%error, "a form was not kept");
    });
    let token = token.ok()??;
    Some((format!("{PATH}{}", posted.address()), cookie(app, &token, KEPT_SECONDS)?))
}

/// The answer to a form whose session has ended: it is kept, and the sign-in says so. Anybody can write a stamp, so
/// the person has to know the browser: a stranger stores nothing, and drives out nothing that is kept.
pub async fn signed_out(app: &App, posted: Posted) -> Response {
    let page = posted.page().unwrap_or_default();
    let Some(stamp) = posted.stamp() else { return Fault::SignIn { back: page }.into_response() };
    let may_keep = match posted.takes {
        Takes::Form => browser::is_of(app, &posted.parts.headers, stamp.user).await,
        Takes::Deed => Ok(false),
    };
    let kept = match may_keep {
        Ok(true) => keep(app, &posted, &stamp, SIGNED_OUT).await,
        Ok(false) => None,
        Err(error) => return Fault::from(error).into_response(),
    };
    let (back, words) = match &kept {
        Some((address, _)) => (address.clone(), "You were signed out. Sign in, and what you typed comes back."),
        None if posted.text.is_none() => {
            (page, "You were signed out, so the file was not uploaded. Sign in, and choose it again.")
        }
        None => (page, "You were signed out, so nothing was done. Sign in, and do it again."),
    };
    if let Some(session) = posted.parts.extensions.get::<Session>()
        && let Err(fault) = flash::flash_on(session, flash::Flash::info(words)).await
    {
        return fault.into_response();
    }
    let mut response = Fault::SignIn { back }.into_response();
    if let Some((_, cookie)) = kept {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// A form was sent: if it is the one that was kept, it is forgotten.
pub async fn sent(app: &App, user_id: i64, token: &str, address: &str, mut response: Response) -> Response {
    match forget(app, user_id, token, address).await {
        Ok(true) => {
            if let Some(over) = cookie(app, "", 0) {
                response.headers_mut().append(header::SET_COOKIE, over);
            }
        }
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, "a form that was sent stays kept"),
    }
    response
}

async fn forget(app: &App, user_id: i64, token: &str, address: &str) -> DbResult<bool> {
    let found = kept::find(&mut app.db.read().await?, user_id, token, app.clock.now()).await?;
    let kept = found.and_then(|text| serde_json::from_str::<Kept>(&text).ok());
    let is_sent = kept.is_some_and(|kept| kept.address == address);
    if is_sent {
        kept::forget(&app.db, user_id, token).await?;
    }
    Ok(is_sent)
}

const SIGNED_OUT: &str = "You were signed out before this was sent, so nothing was saved. Check it, and send it again.";

/// Shows a kept form by its own handler, in the business and mode it was filled for.
pub async fn fill(State((app, access)): State<(App, Access)>, request: Request, next: Next) -> Response {
    let asked = request.uri().path_and_query().map(|p| p.as_str().to_owned()).unwrap_or_default();
    match filled(&app, access, request, &asked).await {
        Ok(Some(request)) => {
            let mut response = next.run(request).await;
            if response.status() == StatusCode::UNPROCESSABLE_ENTITY {
                *response.status_mut() = StatusCode::OK;
            }
            response
        }
        Ok(None) => {
            Fault::Over("Nothing is waiting to be sent here. What is typed is kept for an hour.").into_response()
        }
        Err(fault) => fault.into_response(),
    }
}

async fn filled(app: &App, access: Access, request: Request, asked: &str) -> Result<Option<Request>, Fault> {
    let (mut parts, _) = request.into_parts();
    let back = || Fault::SignIn { back: asked.to_owned() };
    let signed_in = session::signed_in(app, &parts.extensions, &parts.headers).await?.ok_or_else(back)?;
    let user = signed_in.user;
    let Some(token) = token_of(app, &parts.headers) else { return Ok(None) };
    let text = kept::find(&mut app.db.read().await?, user.id, &token, app.clock.now()).await?;
    let Some(kept) = text.and_then(|text| serde_json::from_str::<Kept>(&text).ok()) else { return Ok(None) };
    let Some(stamp) = Stamp::parse(&kept.stamp) else { return Ok(None) };
    let uri: Option<Uri> = kept.address.parse().ok();
    let Some(uri) = uri.filter(|_| asked.strip_prefix(PATH) == Some(kept.address.as_str())) else { return Ok(None) };
    let ip = crate::web::layers::client_ip(&parts.extensions, &parts.headers, &app.config);
    let member = users::member(&mut app.db.read().await?, user.id, Some(stamp.business), ip).await?;
    let Some(member) = member.filter(|member| member.business_id == stamp.business) else { return Ok(None) };
    if !matches!(access, Access::May(right) if member.may(right)) {
        return Err(Fault::Forbidden);
    }
    if let Some(session) = parts.extensions.get::<Session>() {
        session.insert("business", stamp.business).await?;
        session.insert("test", stamp.test).await?;
    }
    parts.method = Method::POST;
    parts.uri = uri.clone();
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    parts.headers.insert(header::CONTENT_TYPE, kind);
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.extensions.insert(OriginalUri(uri));
    parts.extensions.insert(Unsent(kept.why));
    parts.extensions.insert(stamp);
    parts.extensions.insert(member);
    parts.extensions.insert(user);
    Ok(Some(Request::from_parts(parts, Body::from(kept.text))))
}
