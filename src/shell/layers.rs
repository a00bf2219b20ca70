//! The layers of staff's pages: cross-site requests are refused, the session is read, errors keep the frame.

use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use tower_http::csrf::CsrfLayer;

use super::session;
use super::staff::{Frame, Page};
use crate::app::App;
use crate::web::Fault;
use crate::web::error::{Said, error_page};

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
        .layer(session::layer(app))
        .layer(csrf)
        .layer(middleware::from_fn(private))
}

/// A signed-in person who asks for a missing or forbidden page keeps the navigation.
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
    match frame_of(&app, asked).await.and_then(|frame| framed_page(response.status(), said, frame)) {
        Some(text) => (response.status(), Html(text)).into_response(),
        None => response,
    }
}

/// The frame of the signed-in person. When the database does not answer, the error page goes without one.
async fn frame_of(app: &App, mut asked: Parts) -> Option<Frame> {
    // Requests made by a page's script show no flashes, and must not use them up.
    if asked.headers.get("sec-fetch-dest").is_some_and(|to| to != "document") {
        return None;
    }
    let signed_in = session::signed_in(app, &asked.extensions, &asked.headers).await.ok()??;
    asked.extensions.insert(signed_in.member?);
    let page = Page::from_request_parts(&mut asked, app).await.ok()?;
    let mut frame = page.frame("").await.ok()?;
    if asked.method != Method::GET {
        // Switching the theme here leads back to a page that can be loaded again.
        frame.path = "/".into();
    }
    Some(frame)
}

/// Pages are for one person, so no cache may store them. Refusals of the framework are put into words.
async fn private(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status().is_client_error() && !is_html(&response) {
        response = in_words(response.status());
    }
    // Handlers answer with pages; this error is the session that could not be stored.
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
            "That came from another site, so nothing was done. Open the page here and try again. If this is the address that people use, start Refdesk with it: --public-url.".into(),
        ),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Fault::TooLarge("That is more than this address takes.".into()).into_response()
        }
        // An address that cannot be read, as with letters where a number belongs.
        _ => Fault::NotFound.into_response(),
    }
}

#[derive(Template)]
#[template(path = "error_framed.html")]
struct FramedErrorPage {
    frame: Frame,
    code: u16,
    title: &'static str,
    sentence: String,
}

/// The same words, in the frame of a signed-in person.
fn framed_page(status: StatusCode, said: Said, frame: Frame) -> Option<String> {
    let Said { title, sentence } = said;
    FramedErrorPage { frame, code: status.as_u16(), title, sentence }.render().ok()
}
