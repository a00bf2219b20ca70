//! Forms that do not fit where their browser is now: another tab changed the business, the mode or the person, or
//! the form was sent already with other words in it. Nothing is stored, and the answer has a way on.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::form::{Posted, Takes};
use super::staff::{Frame, Page};
use super::unsent;
use crate::app::App;
use crate::business;
use crate::users::{Member, SignedInUser};
use crate::web::page::html_with;
use crate::web::{Fault, Stamp};

/// The user, business and mode of a browser.
pub struct Here {
    pub user: i64,
    pub business: i64,
    pub test: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    Person,
    Business,
    Mode,
}

/// The part of a form's stamp that no longer holds.
pub fn differs(here: &Here, stamp: &Stamp) -> Option<Other> {
    if here.user != stamp.user {
        Some(Other::Person)
    } else if here.business != stamp.business {
        Some(Other::Business)
    } else {
        (here.test != stamp.test).then_some(Other::Mode)
    }
}

#[derive(Template)]
#[template(path = "elsewhere.html")]
struct ElsewherePage {
    frame: Frame,
    title: &'static str,
    sentence: String,
    /// The ways on: what is filled in comes back by the first.
    ways: Vec<Way>,
}

enum Way {
    Link { url: String, label: String },
    Post { action: &'static str, field: &'static str, value: String, back: String, label: String },
}

/// The answer to a form from elsewhere.
pub async fn answer(
    app: &App,
    user: &SignedInUser,
    member: &Member,
    posted: Posted,
    stamp: &Stamp,
    other: Other,
) -> Response {
    let found = explain(app, user, member, &posted, stamp, other).await;
    let (title, sentence, back) = match found {
        Ok(found) => found,
        Err(fault) => return fault.into_response(),
    };
    shown(app, user, posted, stamp, (title, sentence), back).await
}

type Explained = (&'static str, String, Option<Way>);

async fn explain(
    app: &App,
    user: &SignedInUser,
    member: &Member,
    posted: &Posted,
    stamp: &Stamp,
    other: Other,
) -> Result<Explained, Fault> {
    let back = posted.page().unwrap_or_else(|| "/".into());
    let post = |action, field, value: String, label| Way::Post { action, field, value, back, label };
    Ok(match other {
        Other::Person => {
            let sentence = format!(
                "Another person filled this form in, and this browser is signed in as {} now. Nothing was saved.",
                user.name
            );
            ("You are somebody else now", sentence, None)
        }
        Other::Business => {
            let all = business::of_user(&mut app.db.read().await?, user.id).await?;
            let name = all.into_iter().find(|(id, _)| *id == stamp.business).map(|(_, name)| name);
            let here = &member.business_name;
            let (sentence, way) = match name {
                Some(name) => (
                    format!("This form belongs to {name}, and another tab took you to {here}. Nothing was saved."),
                    Some(post(
                        "/switch-business",
                        "business",
                        stamp.business.to_string(),
                        format!("Go back to {name}"),
                    )),
                ),
                None => (
                    format!(
                        "This form belongs to a business that you are no member of. You are in {here}. Nothing was saved."
                    ),
                    None,
                ),
            };
            ("You are in another business now", sentence, way)
        }
        Other::Mode => {
            let (title, from, to, on) = match stamp.test {
                true => ("You are in live data now", "test data", "live data", "yes"),
                false => ("You are in test data now", "live data", "test data", "no"),
            };
            let sentence = format!("This form is for {from}, and another tab took you to {to}. Nothing was saved.");
            (title, sentence, Some(post("/test-data", "on", on.to_owned(), format!("Go back to {from}"))))
        }
    })
}

/// The answer to a form that was sent before with other words in it.
pub async fn sent_already(app: &App, user: &SignedInUser, posted: Posted, stamp: &Stamp, location: &str) -> Response {
    let sentence = "This form was sent before, and acts once. What you changed since was not saved.".to_owned();
    let way = Way::Link { url: location.to_owned(), label: "See what was saved".to_owned() };
    shown(app, user, posted, stamp, ("This was sent already", sentence), Some(way)).await
}

async fn shown(
    app: &App,
    user: &SignedInUser,
    mut posted: Posted,
    stamp: &Stamp,
    (title, sentence): (&'static str, String),
    back: Option<Way>,
) -> Response {
    let keeps = posted.takes == Takes::Form && stamp.user == user.id && back.is_some();
    let kept = if keeps {
        unsent::keep(app, &posted, stamp, "Nothing was saved. Check this, and send it again.").await
    } else {
        None
    };
    let first = match (&kept, back) {
        (Some((url, _)), Some(Way::Post { label, .. })) => {
            Some(Way::Link { url: url.clone(), label: format!("{label} with what you typed") })
        }
        (_, back) => back,
    };
    let mut ways: Vec<Way> = first.into_iter().collect();
    if let (Some((url, _)), Some(Way::Link { label, .. })) = (&kept, ways.first())
        && !label.ends_with("typed")
    {
        ways.push(Way::Link { url: url.clone(), label: "Send it as a new one".to_owned() });
    }
    let frame = match Page::from_request_parts(&mut posted.parts, app).await {
        Ok(page) => page.frame("").await,
        Err(fault) => Err(fault),
    };
    let answer =
        frame.and_then(|frame| html_with(StatusCode::CONFLICT, &ElsewherePage { frame, title, sentence, ways }));
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    if let Some((_, cookie)) = kept {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
