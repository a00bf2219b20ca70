//! Routes are declared with who may use them; one without does not build. A test walks the table.

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};

use super::form::{Posted, Takes, is_by_script};
use super::posted;
use super::session::{SignedIn, signed_in};
use super::unsent;
use crate::app::App;
use crate::users::{self, Member, Right};
use crate::web::handler::AnyHandler;
use crate::web::{Fault, layers};

/// The people who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Every signed-in person, with a business or without.
    SignedIn,
    /// Members whose role has the right.
    May(Right),
}

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
    /// True for a form that is shown again as it was typed.
    pub comes_back: bool,
}

/// A feature's routes, in the order it lists them.
#[derive(Default)]
pub struct Routes {
    table: Vec<Route>,
    router: Vec<(String, Guard, MethodRouter<App>)>,
}

/// The checks before a handler.
#[derive(Debug, Clone, Copy)]
enum Guard {
    Route(Access, Takes),
    /// A form that waits to be sent is shown by its own handler.
    Unsent(Access),
}

impl Routes {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn get<T>(self, path: &'static str, access: Access, handler: impl Handler<T, App>) -> Self {
        self.add(Method::GET, path, Guard::Route(access, Takes::Deed), get(AnyHandler::new(handler)))
    }

    /// A button, or a form with a file.
    pub fn post<T>(self, path: &'static str, access: Access, handler: impl Handler<T, App>) -> Self {
        self.add(Method::POST, path, Guard::Route(access, Takes::Deed), post(AnyHandler::new(handler)))
    }

    /// A form in which people type. Its handler shows the form again when [`Form::is_fine`](crate::web::Form) says
    /// no, so what was typed before a session ended comes back by it.
    pub fn form<T>(mut self, path: &'static str, access: Access, handler: impl Handler<T, App>) -> Self {
        let handler = AnyHandler::new(handler);
        self.router.push((format!("{}{path}", unsent::PATH), Guard::Unsent(access), get(handler.clone())));
        self.add(Method::POST, path, Guard::Route(access, Takes::Form), post(handler))
    }

    fn add(mut self, method: Method, path: &'static str, guard: Guard, handler: MethodRouter<App>) -> Self {
        if let Guard::Route(access, takes) = guard {
            self.table.push(Route { method, path, access, comes_back: takes == Takes::Form });
        }
        self.router.push((path.to_owned(), guard, handler));
        self
    }

    pub fn merge(mut self, other: Self) -> Self {
        self.table.extend(other.table);
        self.router.extend(other.router);
        self
    }

    pub fn table(&self) -> &[Route] {
        &self.table
    }

    /// The router, each route behind its guard.
    pub fn into_router(self, app: &App) -> Router<App> {
        self.router.into_iter().fold(Router::new(), |router, (path, guard, handler)| {
            let guarded = match guard {
                Guard::Route(access, takes) => {
                    handler.route_layer(middleware::from_fn_with_state((app.clone(), access, takes), guarded))
                }
                Guard::Unsent(access) => {
                    handler.route_layer(middleware::from_fn_with_state((app.clone(), access), unsent::fill))
                }
            };
            router.route(&path, guarded)
        })
    }
}

async fn guarded(
    State((app, access, takes)): State<(App, Access, Takes)>,
    mut request: Request,
    next: Next,
) -> Response {
    if access == Access::Public {
        return next.run(request).await;
    }
    let found = match signed_in(&app, request.extensions(), request.headers()).await {
        Ok(found) => found,
        Err(error) => return Fault::from(error).into_response(),
    };
    let Some(SignedIn { user, member }) = found else { return sent_to_sign_in(&app, request, takes).await };
    layers::identify(request.extensions(), || user.email.clone());
    request.extensions_mut().insert(user.clone());
    if let Some(member) = &member {
        request.extensions_mut().insert(member.clone());
    }
    match (access, member) {
        (Access::May(_), None) => Fault::NoBusiness.into_response(),
        (Access::May(right), Some(member)) => {
            if request.method() == Method::POST {
                posted::act(&app, &user, &member, right, takes, request, next).await
            } else if member.may(right) {
                next.run(request).await
            } else {
                refused(&app, &member, request.uri().path()).await
            }
        }
        _ => next.run(request).await,
    }
}

/// A page's script is told in place; a page comes back after the sign-in, and so does a form.
async fn sent_to_sign_in(app: &App, request: Request, takes: Takes) -> Response {
    if is_by_script(request.headers()) {
        return Fault::SignedOut.into_response();
    }
    if request.method() == Method::GET {
        let back = request.uri().path_and_query().map(|p| p.as_str().to_owned()).unwrap_or_default();
        return Fault::SignIn { back }.into_response();
    }
    match Posted::read(request, takes).await {
        Ok((posted, _)) => unsent::signed_out(app, posted).await,
        Err(fault) => fault.into_response(),
    }
}

/// Turns a member away. A few refusals of a person are in the audit; more would say no more.
pub(super) async fn refused(app: &App, member: &Member, path: &str) -> Response {
    if app.limits.refusal(member.user_id, app.clock.now())
        && let Err(error) = users::refused(&app.db, member, path).await
    {
        tracing::warn!(%error, "a refusal is not in the audit");
    }
    Fault::Forbidden.into_response()
}
