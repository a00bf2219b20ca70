//! Routes are declared with who may use them; one without does not build. A test walks the table.

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};

use super::session::signed_in;
use crate::app::App;
use crate::users::Right;
use crate::web::Fault;
use crate::web::handler::AnyHandler;

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
}

/// A feature's routes, in the order it lists them.
#[derive(Default)]
pub struct Routes {
    table: Vec<Route>,
    router: Vec<(&'static str, Access, MethodRouter<App>)>,
}

impl Routes {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn get<T>(self, path: &'static str, access: Access, handler: impl Handler<T, App>) -> Self {
        self.add(Method::GET, path, access, get(AnyHandler::new(handler)))
    }

    pub fn post<T>(self, path: &'static str, access: Access, handler: impl Handler<T, App>) -> Self {
        self.add(Method::POST, path, access, post(AnyHandler::new(handler)))
    }

    fn add(mut self, method: Method, path: &'static str, access: Access, handler: MethodRouter<App>) -> Self {
        self.table.push(Route { method, path, access });
        self.router.push((path, access, handler));
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
        self.router.into_iter().fold(Router::new(), |router, (path, access, handler)| {
            let guarded = handler.route_layer(middleware::from_fn_with_state((app.clone(), access), guard));
            router.route(path, guarded)
        })
    }
}

async fn guard(State((app, access)): State<(App, Access)>, mut request: Request, next: Next) -> Response {
    if access == Access::Public {
        return next.run(request).await;
    }
    let back = if request.method() == Method::GET {
        request.uri().path_and_query().map(|p| p.as_str().to_owned()).unwrap_or_default()
    } else {
        String::new()
    };
    let found = match signed_in(&app, request.extensions(), request.headers()).await {
        Ok(found) => found,
        Err(error) => return Fault::from(error).into_response(),
    };
    let Some(signed_in) = found else { return Fault::SignIn { back }.into_response() };
    match (access, signed_in.member) {
        (Access::May(right), Some(member)) if member.may(right) => {
            request.extensions_mut().insert(member);
        }
        (Access::May(_), Some(_)) => return Fault::Forbidden.into_response(),
        (Access::May(_), None) => return Fault::NoBusiness.into_response(),
        (_, member) => {
            if let Some(member) = member {
                request.extensions_mut().insert(member);
            }
        }
    }
    request.extensions_mut().insert(signed_in.user);
    next.run(request).await
}
