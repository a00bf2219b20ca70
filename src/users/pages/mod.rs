//! Signing in and out, and one's own account.

mod account;
mod prove;

pub use prove::{Deed, prove};

use askama::Template;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use tower_sessions::Session;

use super::throttle::{self, Attempt, Trial};
use super::{SignedIn, SignedInUser, sign_in as sign_ins};
use super::{delay, store};
use crate::app::App;
use crate::email;
use crate::query::pairs;
use crate::shell::{Access, Routes, browser, session};
use crate::web::page::{BareFrame, html_with, own_path};
use crate::web::{Fault, Form, PageResult, html, layers};

pub fn routes() -> Routes {
    Routes::new()
        .get("/sign-in", Access::Public, show_sign_in)
        .post("/sign-in", Access::Public, sign_in)
        .post("/sign-out", Access::SignedIn, sign_out)
        .post("/account/theme", Access::SignedIn, set_theme)
        .merge(account::routes())
}

#[derive(Template)]
#[template(path = "users/sign_in.html")]
struct SignInPage {
    frame: BareFrame,
    form: Form,
}

async fn show_sign_in(State(app): State<App>, session: Session, OriginalUri(uri): OriginalUri) -> PageResult {
    if crate::business::none_yet(&mut app.db.read().await?).await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    let back = pairs(uri.query().unwrap_or_default());
    let back = back.iter().find(|(k, _)| k == "back").map_or("/", |(_, v)| own_path(v, "/"));
    html(&SignInPage { frame: BareFrame::of(&session).await?, form: Form::filled(&[("back", back)]) })
}

/// The same sentence for every mistake, so that it never shows which addresses have an account.
const WRONG: &str = "Wrong e-mail or password.";

/// After a hundred failures in a row. Refdesk sends no e-mail, so people are the other way.
const CLOSED: &str = "There were 100 wrong passwords in a row for this account. Sign in from a browser that you used before, or ask the person who runs Refdesk to reset the password: refdesk user reset-password.";

async fn sign_in(
    State(app): State<App>,
    session: Session,
    extensions: axum::http::Extensions,
    headers: HeaderMap,
    mut form: Form,
) -> PageResult {
    let ip = layers::client_ip(&extensions, &headers, &app.config);
    let key = email::key_of(form.value("email")).unwrap_or_else(|| form.value("email").trim().to_lowercase());
    let password = form.value("password").to_owned();
    form.set("password", "");
    layers::identify(&extensions, || key.clone());
    let token = browser::token(&headers, &app.config);
    let trial = Trial::of(&mut app.db.read().await?, key, &ip, token.as_deref()).await?;
    let (permit, user) = match throttle::permit(&app, &app.passwords, &trial).await? {
        Attempt::Now(permit) => (permit, store::by_email(&mut app.db.read().await?, &trial.email_key).await?),
        Attempt::In(wait) => return too_many(form, &format!("Too many attempts. Try again in {wait} seconds."), wait),
        Attempt::Closed => return too_many(form, CLOSED, delay::FORGET_SECONDS),
        Attempt::Later => return Err(Fault::Unavailable("too many sign in at once".into())),
    };
    let hash = user.as_ref().map(|u| u.password_hash.clone());
    let fits = app.passwords.verify(&permit, password, hash).await;
    let Some(user) = user.as_ref().filter(|_| fits) else {
        // The permit is given back once this failure is stored.
        sign_ins::failed(&app, &trial, user.map(|user| user.id)).await?;
        tracing::warn!(address = ip, who = ?trial.email_key, "a sign-in failed");
        form.fail("email", WRONG);
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &SignInPage { frame: BareFrame::new(), form });
    };
    let token = token.unwrap_or_else(|| crate::id::new_token(&mut rand::rng()));
    let cookie = browser::cookie(&token, &app.config)?;
    let signed_in = SignedIn { user_id: user.id, name: user.name.clone(), browser_token: token };
    sign_ins::succeeded(&app, &trial, signed_in).await?;
    session::start(&session, user.id, &ip, &headers).await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(form.back("/"))).into_response())
}

fn too_many(mut form: Form, why: &str, wait: i64) -> PageResult {
    form.fail("email", why);
    let mut response = html_with(StatusCode::TOO_MANY_REQUESTS, &SignInPage { frame: BareFrame::new(), form })?;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    Ok(response)
}

async fn sign_out(
    State(app): State<App>,
    axum::Extension(user): axum::Extension<SignedInUser>,
    extensions: axum::http::Extensions,
    headers: HeaderMap,
    session: Session,
) -> PageResult {
    session.flush().await?;
    let ip = layers::client_ip(&extensions, &headers, &app.config);
    if let Err(error) = sign_ins::left(&app, user.id, &user.name, &ip).await {
        tracing::warn!(%error, "a sign-out is not in the audit");
    }
    let mut response = Redirect::to("/sign-in").into_response();
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    Ok(response)
}

async fn set_theme(
    State(app): State<App>,
    axum::Extension(user): axum::Extension<crate::users::SignedInUser>,
    form: Form,
) -> PageResult {
    let theme = ["auto", "light", "dark"].into_iter().find(|t| *t == form.value("theme")).unwrap_or("auto");
    store::set_theme(&app.db, user.id, theme.to_owned()).await?;
    Ok(Redirect::to(form.back("/account")).into_response())
}
