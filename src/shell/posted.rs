//! Forms that staff send: each acts in the business, mode and campaign it was drawn in, and it acts once.
//!
//! A form brings its [`Stamp`] in a hidden field; an upload, whose body is not read here, brings it in its address.
//! An answer that is a page, as a question or a form with errors, is kept and shown by a GET, so that neither the
//! browser's back nor a reload sends the form again.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tower_sessions::Session;

use super::elsewhere::{self, Here};
use super::form::{Posted, Takes};
use super::once::{self, Begun, End};
use super::routes::refused;
use super::{shown, unsent};
use crate::app::App;
use crate::users::{Member, Right, SignedInUser};
use crate::web::Fault;

/// Lets a member's form act: here, and once.
pub async fn act(
    app: &App,
    user: &SignedInUser,
    member: &Member,
    right: Right,
    takes: Takes,
    request: Request,
    next: Next,
) -> Response {
    let (posted, body) = match Posted::read(request, takes).await {
        Ok(read) => read,
        Err(fault) => return fault.into_response(),
    };
    let test = match posted.parts.extensions.get::<Session>() {
        Some(session) => session.get::<bool>("test").await,
        None => Ok(None),
    };
    let test = match test {
        Ok(test) => test.unwrap_or(false),
        Err(error) => return Fault::from(error).into_response(),
    };
    let Some(stamp) = posted.stamp() else {
        if !member.may(right) {
            return refused(app, member, posted.parts.uri.path()).await;
        }
        return Fault::Bad("This page is from before. Open it again, and send the form from there.".into())
            .into_response();
    };
    let here = Here { user: user.id, business: member.business_id, test };
    if let Some(other) = elsewhere::differs(&here, &stamp) {
        return elsewhere::answer(app, user, member, posted, &stamp, other).await;
    }
    if !member.may(right) {
        return refused(app, member, posted.parts.uri.path()).await;
    }
    let by_script = posted.is_by_script();
    let call = match once::begin(app, &posted, &stamp).await {
        Ok(Begun::Here(call)) => call,
        Ok(Begun::Done(location)) => return Redirect::to(&location).into_response(),
        Ok(Begun::Another(location)) => return elsewhere::sent_already(app, user, posted, &stamp, &location).await,
        Ok(Begun::Unknown) => {
            return Fault::InDoubt("a form was begun and its end is not known".into()).into_response();
        }
        Err(error) => return Fault::from(error).into_response(),
    };
    let address = posted.address().to_owned();
    let Posted { mut parts, .. } = posted;
    parts.extensions.insert(Member { call: Some(call.clone()), ..member.clone() });
    let kept = unsent::token_of(app, &parts.headers);
    parts.extensions.insert(stamp);
    let response = next.run(Request::from_parts(parts, body)).await;
    // A form with errors and a question did nothing, wherever their pages are shown.
    let did_nothing = response.status().is_client_error();
    let response = if by_script { response } else { shown::instead(app, user.id, response).await };
    once::end(app, &call, if did_nothing { End::Nothing } else { End::of(&response) }).await;
    match kept.filter(|_| response.status() == StatusCode::SEE_OTHER) {
        Some(token) => unsent::sent(app, user.id, &token, &address, response).await,
        None => response,
    }
}
