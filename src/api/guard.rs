//! Authenticates a call: the key, the address it is used from, its limit, then its scope.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::caller::Caller;
use super::dialect::Dialect;
use super::idempotency;
use super::operation::{Access, Operation};
use super::problem::Problem;
use super::standing;
use super::{packed, public, read};
use crate::app::App;
use crate::keys::KeyError;
use crate::limits::{Rate, Standing};
use crate::web::{bounds, layers};

/// Lets an allowed call through, with its [`Caller`] and its [`Operation`] in the request.
pub async fn admit(
    State((app, operation)): State<(App, Arc<Operation>)>,
    mut request: Request,
    next: Next,
) -> Response {
    if operation.access == Access::Publishable {
        request.extensions_mut().insert(operation);
        return public::admit(&app, request, next).await;
    }
    let (dialect, once, largest) = (operation.dialect, operation.once, operation.largest);
    let (mut standing, mut known) = (None, None);
    if operation.access != Access::Open {
        let entered = enter(&app, dialect, request.headers(), request.extensions()).await;
        standing = entered.standing;
        match entered.caller.and_then(|caller| in_scope(&operation, caller)) {
            Ok(caller) => {
                request.extensions_mut().insert(caller.clone());
                known = Some(caller);
            }
            Err(problem) => return with_standing(problem.into_response(), &app, dialect, standing),
        }
    }
    request.extensions_mut().insert(operation);
    let request = match fitting(request, largest).await {
        Ok(request) => request,
        Err(problem) => return with_standing(unfit(problem), &app, dialect, standing),
    };
    let response = match known.filter(|_| once) {
        Some(caller) => idempotency::once(&app, &caller, largest, request, next).await,
        None => next.run(request).await,
    };
    with_standing(response, &app, dialect, standing)
}

/// The request with a plain body, unless its body is larger than the call takes by its own word.
async fn fitting(request: Request, largest: usize) -> Result<Request, Problem> {
    if bounds::declared(request.headers()) > largest as u64 {
        return Err(read::too_large());
    }
    packed::unpacked(request, largest).await
}

fn unfit(problem: Problem) -> Response {
    let names_encodings = problem.status == StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let mut response = problem.into_response();
    if names_encodings {
        response.headers_mut().insert(header::ACCEPT_ENCODING, packed::READ);
    }
    response
}

/// The caller, and the remaining calls of the key.
struct Entered {
    caller: Result<Caller, Problem>,
    standing: Option<Standing>,
}

async fn enter(app: &App, dialect: Dialect, headers: &HeaderMap, extensions: &Extensions) -> Entered {
    let ip = layers::client_ip(extensions, headers, &app.config).parse().ok();
    let caller = match Caller::of(app, headers, extensions).await {
        Ok(caller) => caller,
        Err(error) => return Entered { caller: Err(refused(app, error, ip)), standing: None },
    };
    // A refused address uses nothing of the limit up.
    if !caller.key.networks.allow(ip) {
        let problem = Problem::forbidden("This API key may not be used from this address.");
        return Entered { caller: Err(problem), standing: None };
    }
    let rate = rate(app, dialect, caller.key.row.per_minute);
    let standing = rate.map(|rate| app.limits.call(caller.key.row.id, rate, app.clock.now()));
    // Cashfin's programs read the headers of a limit in every answer.
    let standing = standing.or_else(|| (dialect == Dialect::Cf).then_some(Standing::NO_LIMIT));
    let caller = match standing.filter(|standing| !standing.allowed) {
        None => Ok(caller),
        Some(standing) => {
            let message = format!("This API key may make {} calls a minute, and has made them.", standing.limit);
            Err(too_many(&message, standing))
        }
    };
    Entered { caller, standing }
}

/// The rate at which a key may call: its own limit, else the limit of our own API. On another contract a key without
/// a limit has none, since its programs expect none.
fn rate(app: &App, dialect: Dialect, own: Option<i64>) -> Option<Rate> {
    let usual = (dialect == Dialect::Own).then_some(app.config.calls_per_minute).filter(|calls| *calls > 0);
    own.or(usual).map(Rate::a_minute)
}

/// A bad key, and one too many from the same address.
fn refused(app: &App, error: KeyError, ip: Option<IpAddr>) -> Problem {
    if let KeyError::Unavailable(_) = error {
        return error.into();
    }
    let standing = app.limits.bad_key(ip, app.clock.now());
    if standing.allowed {
        return error.into();
    }
    too_many("Too many calls with a key that is not valid came from this address.", standing)
}

fn too_many(message: &str, standing: Standing) -> Problem {
    let wait = u64::try_from(standing.wait).unwrap_or(1).max(1);
    Problem { retry_after: Some(wait), ..Problem::of(StatusCode::TOO_MANY_REQUESTS, message) }
}

fn in_scope(operation: &Operation, caller: Caller) -> Result<Caller, Problem> {
    match operation.access {
        Access::Scope(scope) if !caller.key.may(scope) => {
            Err(Problem::forbidden(format!("This API key may not do that: it lacks the scope {scope}.")))
        }
        _ => Ok(caller),
    }
}

fn with_standing(mut response: Response, app: &App, dialect: Dialect, standing: Option<Standing>) -> Response {
    if let Some(standing) = standing {
        standing::put(response.headers_mut(), dialect, standing, app.clock.now());
    }
    response
}
