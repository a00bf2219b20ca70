//! The password is asked again before a deed that a person at a screen left open must not do.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::super::throttle::{self, Attempt, Trial};
use super::super::{self as users, store};
use crate::email;
use crate::shell::{Frame, Page, session};
use crate::web::page::html_with;
use crate::web::{Fault, Form};

/// The deed, as its page describes it.
pub struct Deed {
    /// The place of its page in the navigation.
    pub place: &'static str,
    pub title: String,
    pub sentence: String,
    /// The address that does it, and the one that leaves it.
    pub action: String,
    pub cancel: &'static str,
    pub button: &'static str,
    /// The fields that say what is done.
    pub fields: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "users/prove.html")]
struct ProvePage {
    frame: Frame,
    form: Form,
    deed: Deed,
}

/// Nothing where the form has the password of the signed-in person; else the page that asks for it.
pub async fn prove(page: &Page, form: &mut Form, deed: Deed) -> Result<Option<Response>, Fault> {
    let password = form.value("current").to_owned();
    form.set("current", "");
    if password.is_empty() {
        return ask(page, form, deed, StatusCode::OK).await;
    }
    let member = &page.member;
    let here = page.session.id().map(|id| session::hash(&id)).unwrap_or_default();
    let trial = Trial::signed_in(email::key_of(&member.email).unwrap_or_default(), &member.ip, &here);
    let permit = match throttle::permit(&page.app, &page.app.passwords, &trial).await? {
        Attempt::Now(permit) => permit,
        Attempt::In(wait) => {
            form.fail("current", format!("Too many attempts. Try again in {wait} seconds."));
            return ask(page, form, deed, StatusCode::TOO_MANY_REQUESTS).await;
        }
        Attempt::Closed => {
            form.fail("current", "Too many wrong passwords in a row. Sign out, and sign in again.");
            return ask(page, form, deed, StatusCode::TOO_MANY_REQUESTS).await;
        }
        Attempt::Later => return Err(Fault::Unavailable("too many passwords are checked at once".into())),
    };
    let user = store::by_id(&mut page.read().await?, member.user_id).await?.ok_or(Fault::NotFound)?;
    if page.app.passwords.verify(&permit, password, Some(user.password_hash)).await {
        return Ok(None);
    }
    users::failed(&page.app, &trial, Some(member.user_id)).await?;
    form.fail("current", "That is not your current password.");
    ask(page, form, deed, StatusCode::UNPROCESSABLE_ENTITY).await
}

async fn ask(page: &Page, form: &Form, deed: Deed, status: StatusCode) -> Result<Option<Response>, Fault> {
    html_with(status, &ProvePage { frame: page.frame(deed.place).await?, form: form.clone(), deed }).map(Some)
}
