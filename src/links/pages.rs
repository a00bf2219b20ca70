//! The answer of a link. It opens no session and stores only the count of visits.

use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::{Followed, LinkPath, Refers};
use crate::app::App;
use crate::id::{self, Kind};
use crate::query::{decode, encode, pairs};
use crate::shell::{Access, Routes};
use crate::spelling;
use crate::web::page::{BareFrame, html_with};
use crate::web::{Fault, PageResult, html};

pub fn routes() -> Routes {
    Routes::new()
        .get("/r/{code}", Access::Public, follow)
        .get("/r/{code}/", Access::Public, follow)
        .get("/r/{code}/qr.svg", Access::Public, qr)
        .get("/r/{code}/qr.png", Access::Public, qr)
        .get("/r/{campaign}/{code}", Access::Public, follow_in)
        .get("/r/{campaign}/{code}/", Access::Public, follow_in)
        .get("/r/{campaign}/{code}/qr.svg", Access::Public, qr_in)
        .get("/r/{campaign}/{code}/qr.png", Access::Public, qr_in)
}

/// The cookie of a code in a visitor's browser: Refairn's name, which a customer's site reads, and our own.
const SITES_COOKIE: &str = "refairn_code";
const OWN_COOKIE: &str = "refdesk_code";

/// A path that is no text is an unknown code.
type One = Result<Path<String>, PathRejection>;
type Two = Result<Path<(String, String)>, PathRejection>;

fn link_path(path: One) -> LinkPath {
    LinkPath { campaign_id: None, code: typed(&path.map(|p| p.0).unwrap_or_default()).0 }
}

fn link_path_in(path: Two) -> LinkPath {
    let (campaign, code) = path.map(|p| p.0).unwrap_or_default();
    let campaign_id = campaign.parse().ok().or_else(|| id::parse(Kind::Campaign, &campaign));
    // No business has the id 0.
    LinkPath { campaign_id: Some(campaign_id.unwrap_or(0)), code: typed(&code).0 }
}

/// The code of a path, and the query that a mail program stuck to it without a question mark: no code has an `&`.
/// Some programs write a space as a plus.
fn typed(path: &str) -> (String, &str) {
    let (code, stuck) = path.split_once(['&', '?']).unwrap_or((path, ""));
    (code.replace('+', " "), stuck)
}

/// The pairs that go on to the destination: the query of the link, and what stuck to its code.
fn passed(uri: &Uri) -> Vec<(String, String)> {
    let last = decode(uri.path().rsplit('/').next().unwrap_or_default());
    let mut passed = pairs(typed(&last).1);
    passed.extend(pairs(uri.query().unwrap_or_default()));
    passed
}

async fn follow(
    State(app): State<App>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    path: One,
) -> PageResult {
    answer(&app, &method, &headers, link_path(path), &passed(&uri)).await
}

async fn follow_in(
    State(app): State<App>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    path: Two,
) -> PageResult {
    answer(&app, &method, &headers, link_path_in(path), &passed(&uri)).await
}

#[derive(Template)]
#[template(path = "links/code.html")]
struct CodePage {
    frame: BareFrame,
    business: String,
    /// Empty for a referrer without a name.
    referrer: String,
    offer: String,
    code: String,
    spoken: String,
}

#[derive(Template)]
#[template(path = "links/unknown.html")]
struct UnknownPage {
    frame: BareFrame,
}

async fn answer(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    path: LinkPath,
    passed: &[(String, String)],
) -> PageResult {
    let earlier = cookie(headers, OWN_COOKIE);
    let mut conn = app.db.read().await?;
    let followed = super::follow(&mut conn, app.clock.now(), &path, earlier.as_deref()).await?;
    drop(conn);
    if let Some(click) = &followed.click
        && method == Method::GET
        && super::is_person(text(headers, header::USER_AGENT.as_str()), &purpose(headers))
    {
        app.clicks.count(click);
    }
    let mut response = shown(&followed, passed)?;
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(refers) = followed.refers.filter(|r| !r.keeps_earlier) {
        for cookie in cookies(app, &refers, &followed.destination) {
            let cookie = HeaderValue::from_str(&cookie).map_err(|e| Fault::Ours(e.to_string()))?;
            out.append(header::SET_COOKIE, cookie);
        }
    }
    Ok(response)
}

fn shown(followed: &Followed, passed: &[(String, String)]) -> PageResult {
    let destination = super::with_query(&followed.destination, passed);
    match &followed.refers {
        Some(Refers { code, .. }) if !followed.destination.is_empty() => {
            redirect(&super::with_code(&destination, code))
        }
        Some(Refers { code, business, referrer, offer, .. }) => html(&CodePage {
            frame: BareFrame::new(),
            business: business.clone(),
            referrer: referrer.clone(),
            offer: offer.clone(),
            spoken: spelling::spelled(code),
            code: code.clone(),
        }),
        None if !followed.destination.is_empty() => redirect(&destination),
        None => html_with(StatusCode::NOT_FOUND, &UnknownPage { frame: BareFrame::new() }),
    }
}

fn redirect(to: &str) -> PageResult {
    // A stored target is printable ASCII, so this cannot fail.
    let to = HeaderValue::from_str(to).map_err(|e| Fault::Ours(e.to_string()))?;
    Ok((StatusCode::FOUND, [(header::LOCATION, to)]).into_response())
}

/// The code for the customer's site, on the domain it shares with Refdesk, and for ourselves.
fn cookies(app: &App, refers: &Refers, destination: &str) -> [String; 2] {
    let secure = if app.config.is_https() { "; Secure" } else { "" };
    let seconds = refers.days * 24 * 3600;
    let value = format!("{}; Path=/; Max-Age={seconds}; SameSite=Lax{secure}", encode(&refers.code));
    let domain = super::cookie_domain(&app.config.public_url, destination);
    let domain = domain.map(|d| format!("; Domain={d}")).unwrap_or_default();
    [format!("{SITES_COOKIE}={value}{domain}"), format!("{OWN_COOKIE}={value}; HttpOnly")]
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Headers by which browsers mark a request ahead of a click.
fn purpose(headers: &HeaderMap) -> String {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"].map(|name| text(headers, name)).join(" ")
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| decode(value))
}

async fn qr(State(app): State<App>, OriginalUri(uri): OriginalUri, path: One) -> PageResult {
    picture(&app, link_path(path), &uri).await
}

async fn qr_in(State(app): State<App>, OriginalUri(uri): OriginalUri, path: Two) -> PageResult {
    picture(&app, link_path_in(path), &uri).await
}

async fn picture(app: &App, path: LinkPath, uri: &Uri) -> PageResult {
    let found = super::qr_address(&mut app.db.read().await?, &app.config.public_url, &path).await?;
    let (address, code) = found.ok_or(Fault::NotFound)?;
    let is_png = uri.path().ends_with(".png");
    let (kind, body) = if is_png {
        ("image/png", super::png(&address).map_err(|e| Fault::Ours(e.to_string()))?)
    } else {
        ("image/svg+xml", super::svg(&address, super::MARGIN).into_bytes())
    };
    let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    // It is made to be shown on other sites.
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    if pairs(uri.query().unwrap_or_default()).iter().any(|(name, _)| name == "download") {
        save_as(&mut response, &code, if is_png { "png" } else { "svg" });
    }
    Ok(response)
}

fn save_as(response: &mut Response, code: &str, ending: &str) {
    let plain: String = code.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"qr-{plain}.{ending}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
}
