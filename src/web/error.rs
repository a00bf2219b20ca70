//! Why a page could not be shown, in words for its reader. Causes are logged with the request's id and never
//! shown.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::page::BareFrame;
use crate::db::DbError;
use crate::query::encode;

pub type PageResult = Result<Response, Fault>;

#[derive(Debug)]
pub enum Fault {
    NotFound,
    /// The role lacks the right.
    Forbidden,
    /// A lead that this person may not see, because another one recorded it.
    Colleague,
    /// The visitor is not signed in; `back` is the page they asked for.
    SignIn {
        back: String,
    },
    /// A page's script asks for a visitor who is not signed in.
    SignedOut,
    /// The address names a campaign that the business does not have.
    NoCampaign,
    /// Signed in, but member of no business.
    NoBusiness,
    /// The request makes no sense; the sentence says why.
    Bad(String),
    /// The page was there for a while; the sentence says what to do.
    Over(&'static str),
    TooLarge(String),
    /// Another row has what this one asked for; the text is for the log.
    Taken(String),
    /// The body did not arrive in time.
    Slow,
    /// The database is full, locked or gone; come back.
    Unavailable(String),
    /// The database went away while it stored; it may have.
    InDoubt(String),
    /// Only some of many decisions were made; the sentence says how many.
    Partly(String),
    /// A fault of ours; the text is for the log.
    Ours(String),
}

impl From<DbError> for Fault {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(why) | DbError::Lost(why) => Self::Unavailable(why),
            DbError::Taken(why) => Self::Taken(why),
            DbError::InDoubt(why) => Self::InDoubt(why),
            DbError::Stopped(_) => Self::Ours(error.to_string()),
            DbError::Fault(why) => Self::Ours(why),
        }
    }
}

impl Fault {
    /// The result of many decisions that ended early: `said` tells of those done, and `left` counts the rest.
    pub fn partly(error: DbError, said: &str, left: usize) -> Self {
        tracing::warn!(%error, left, "not all of many decisions were made");
        let rest = match error {
            DbError::InDoubt(_) => "Then the database became unavailable. Check the others before you continue.",
            _ => "It ended there, and the others are as they were. Choose them again in a moment.",
        };
        let left = if left == 1 { "1 was left".to_owned() } else { format!("{left} were left") };
        Self::Partly(format!("{said} {left}. {rest}"))
    }
}

impl From<askama::Error> for Fault {
    fn from(error: askama::Error) -> Self {
        Self::Ours(error.to_string())
    }
}

impl From<tower_sessions::session::Error> for Fault {
    fn from(error: tower_sessions::session::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: BareFrame,
    code: u16,
    title: &'static str,
    sentence: String,
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let is_undone = matches!(self, Self::Unavailable(_));
        let (status, title, sentence) = match self {
            Self::SignIn { back } => {
                let target = if back.is_empty() || back == "/" {
                    "/sign-in".to_owned()
                } else {
                    format!("/sign-in?back={}", encode(&back))
                };
                return Redirect::to(&target).into_response();
            }
            Self::NoBusiness => return Redirect::to("/no-business").into_response(),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "Nothing here",
                "There is no such page, or it belongs to another business.".to_owned(),
            ),
            Self::SignedOut => {
                (StatusCode::UNAUTHORIZED, "You were signed out", "Sign in, and do it again.".to_owned())
            }
            Self::NoCampaign => (
                StatusCode::NOT_FOUND,
                "No such campaign",
                "This address names a campaign that this business does not have. It may belong to another business of yours: switch to that one, and open the address again.".to_owned(),
            ),
            Self::Over(why) => (StatusCode::NOT_FOUND, "No longer here", why.to_owned()),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "Not for your role",
                "Your role in this business does not include this page. An owner can change that.".to_owned(),
            ),
            Self::Colleague => (
                StatusCode::NOT_FOUND,
                "Recorded by a colleague",
                "You see the leads that you recorded. Another person or program recorded this one: ask them, or marketing.".to_owned(),
            ),
            Self::Bad(why) => (StatusCode::BAD_REQUEST, "That cannot be done", why),
            Self::Slow => {
                let sentence = "It took too long to arrive, so nothing was done. Try again.".to_owned();
                (StatusCode::REQUEST_TIMEOUT, "Too slow", sentence)
            }
            Self::TooLarge(why) => (StatusCode::PAYLOAD_TOO_LARGE, "Too large", why),
            Self::Taken(why) => {
                tracing::warn!(why, "a page conflicts with a stored row");
                let sentence = "Another record already has this value, so nothing was changed. Look for it, then change one of the two.";
                (StatusCode::CONFLICT, "Already in use", sentence.to_owned())
            }
            Self::Unavailable(why) => {
                tracing::warn!(why, "the database did not serve");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "Not just now",
                    "The database is not answering or has no room. Nothing was changed; try again in a moment."
                        .to_owned(),
                )
            }
            Self::InDoubt(why) => {
                tracing::warn!(why, "the database went away in a commit");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "Not just now",
                    "The database went away while it stored this. Look whether it is there before you try again."
                        .to_owned(),
                )
            }
            Self::Partly(sentence) => (StatusCode::SERVICE_UNAVAILABLE, "Only a part was done", sentence),
            Self::Ours(why) => {
                tracing::error!(why, "a page failed");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something broke here",
                    "Nothing was changed. The log has the details under this request's id.".to_owned(),
                )
            }
        };
        let mut response = error_page(status, title, sentence);
        if is_undone {
            response.extensions_mut().insert(Undone);
        }
        response
    }
}

/// Marks the answer to a request that stored nothing, and may be sent again at once.
#[derive(Debug, Clone, Copy)]
pub struct Undone;

/// The words of an error page, beside the answer for the layer that can frame them.
#[derive(Debug, Clone)]
pub struct Said {
    pub title: &'static str,
    pub sentence: String,
}

/// The page of an error; also what the panic handler shows.
pub fn error_page(status: StatusCode, title: &'static str, sentence: String) -> Response {
    let said = Said { title, sentence: sentence.clone() };
    let page = ErrorPage { frame: BareFrame::new(), code: status.as_u16(), title, sentence };
    let mut response = match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => (status, title).into_response(),
    };
    response.extensions_mut().insert(said);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}
