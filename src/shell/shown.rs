//! Pages that answer a form, kept to be shown by a GET.

use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::form::SHOWN;
use super::routes::{Access, Routes};
use crate::app::App;
use crate::kept;
use crate::users::SignedInUser;
use crate::web::page::ShownOnce;
use crate::web::{Fault, PageResult};

pub fn routes() -> Routes {
    Routes::new().get("/shown/{token}", Access::SignedIn, show)
}

/// Keeps an answer that is a page, and leads to it. Where it cannot be kept, it is shown as it is.
pub async fn instead(app: &App, user_id: i64, response: Response) -> Response {
    let answers = [StatusCode::OK, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY];
    let is_page = response.headers().get(header::CONTENT_TYPE).is_some_and(|k| k.as_bytes().starts_with(b"text/html"));
    if !is_page || !answers.contains(&response.status()) {
        return response;
    }
    let once = response.extensions().get::<ShownOnce>().is_some();
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Fault::Ours("a page could not be read".into()).into_response();
    };
    let text = format!("{} {}\n{}", parts.status.as_u16(), u8::from(once), String::from_utf8_lossy(&bytes));
    match kept::keep(&app.db, user_id, &text).await {
        Ok(Some(token)) => Redirect::to(&format!("{SHOWN}{token}")).into_response(),
        Ok(None) => Response::from_parts(parts, Body::from(bytes)),
        Err(error) => {
            tracing::warn!(%error, "a page that answers a form was not kept");
            Response::from_parts(parts, Body::from(bytes))
        }
    }
}

async fn show(
    State(app): State<App>,
    axum::Extension(user): axum::Extension<SignedInUser>,
    Path(token): Path<String>,
) -> PageResult {
    let found = kept::find(&mut app.db.read().await?, user.id, &token, app.clock.now()).await?;
    let over =
        || Fault::Over("This page was shown once, or is more than an hour old. Open the page it came from again.");
    let text = found.ok_or_else(over)?;
    let (head, page) = text.split_once('\n').ok_or_else(over)?;
    let (status, once) = head.split_once(' ').ok_or_else(over)?;
    if once == "1" {
        kept::forget(&app.db, user.id, &token).await?;
    }
    let status = status.parse().ok().and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::OK);
    Ok((status, Html(page.to_owned())).into_response())
}
