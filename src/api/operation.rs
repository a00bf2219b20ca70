//! The table of every call: its address, its scope, what it takes and what it answers. The router and the
//! published document are both made from it, so they always agree.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, OriginalUri};
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::middleware;
use axum::routing::{MethodFilter, MethodRouter, any, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::dialect::{Dialect, speak};
use super::guard;
use super::object::{Described, Object};
use super::problem::Problem;
use super::public;
use crate::app::App;
use crate::web::handler::AnyHandler;

/// The keys that may make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A key with this scope.
    Scope(&'static str),
    /// Any key that is good.
    AnyKey,
    /// A publishable key, from a page of one of its origins.
    Publishable,
    /// Without a key: the address itself is the secret, or there is none.
    Open,
}

/// The largest body of an ordinary call, in bytes.
const LARGEST: usize = 64 * 1024;

/// The body of a call.
#[derive(Clone)]
pub struct Takes {
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// JSON, or the text of a file.
    pub example: &'static str,
    /// True when a form is taken as well.
    pub form: bool,
    /// A file of rows instead of JSON.
    pub csv: bool,
    pub required: bool,
}

/// One of the answers of a call.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub about: &'static str,
    pub kind: &'static str,
    pub schema: Option<fn(&mut SchemaGenerator) -> Schema>,
    pub example: Option<&'static str>,
    /// (operation, parameter, pointer into the answer): what can be called with what it says.
    pub links: Vec<(&'static str, &'static str, &'static str)>,
}

/// One call.
#[derive(Clone)]
pub struct Operation {
    pub dialect: Dialect,
    pub method: Method,
    pub path: &'static str,
    /// Its name among all calls.
    pub id: &'static str,
    /// A few words.
    pub title: &'static str,
    /// The purpose, in Markdown.
    pub about: &'static str,
    pub access: Access,
    /// Bytes.
    pub largest: usize,
    /// Parameters in the path, with what they are.
    pub path_parameters: Vec<(&'static str, &'static str)>,
    pub query: Option<fn(&mut SchemaGenerator) -> Vec<Described>>,
    /// Headers it reads, with what they do.
    pub headers: Vec<(&'static str, &'static str)>,
    /// True when an `Idempotency-Key` makes the same call again harmless.
    pub once: bool,
    pub takes: Option<Takes>,
    pub answers: Vec<Answer>,
    /// Statuses of its refusals, beside those of every call of its kind.
    pub refuses: Vec<u16>,
}

impl Operation {
    fn new(method: Method, path: &'static str, id: &'static str, title: &'static str) -> Self {
        Self {
            dialect: Dialect::Own,
            method,
            path,
            id,
            title,
            about: "",
            access: Access::AnyKey,
            largest: LARGEST,
            path_parameters: Vec::new(),
            query: None,
            headers: Vec::new(),
            once: false,
            takes: None,
            answers: Vec::new(),
            refuses: Vec::new(),
        }
    }

    pub fn get(path: &'static str, id: &'static str, title: &'static str) -> Self {
        Self::new(Method::GET, path, id, title)
    }

    pub fn post(path: &'static str, id: &'static str, title: &'static str) -> Self {
        Self::new(Method::POST, path, id, title)
    }

    pub fn put(path: &'static str, id: &'static str, title: &'static str) -> Self {
        Self::new(Method::PUT, path, id, title)
    }

    pub fn patch(path: &'static str, id: &'static str, title: &'static str) -> Self {
        Self::new(Method::PATCH, path, id, title)
    }

    pub fn delete(path: &'static str, id: &'static str, title: &'static str) -> Self {
        Self::new(Method::DELETE, path, id, title)
    }

    pub fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// The scope a key needs.
    pub fn scope(mut self, scope: &'static str) -> Self {
        self.access = Access::Scope(scope);
        self
    }

    pub fn publishable(mut self) -> Self {
        self.access = Access::Publishable;
        self
    }

    pub fn open(mut self) -> Self {
        self.access = Access::Open;
        self
    }

    /// The largest body, in bytes.
    pub fn largest(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    pub fn in_path(mut self, name: &'static str, about: &'static str) -> Self {
        self.path_parameters.push((name, about));
        self
    }

    pub fn asks<Q: Object>(mut self) -> Self {
        self.query = Some(Q::described);
        self
    }

    pub fn header(mut self, name: &'static str, about: &'static str) -> Self {
        self.headers.push((name, about));
        self
    }

    /// The same call again, with the same `Idempotency-Key`, is answered what the first one was.
    pub fn once(mut self) -> Self {
        self.once = true;
        self.refuses.push(409);
        self.header("idempotency-key", "1 to 200 characters of your own. The same call again with the same one does nothing and is answered what the first one was, for 72 hours; with another body: 409.")
    }

    pub fn takes<B: Object>(mut self, example: &'static str) -> Self {
        let schema: fn(&mut SchemaGenerator) -> Schema = |schemas| schemas.subschema_for::<B>();
        self.takes = Some(Takes { schema, example, form: false, csv: false, required: true });
        self
    }

    /// As [`Self::takes`], and no body at all says the same as an empty object.
    pub fn may_take<B: Object>(self, example: &'static str) -> Self {
        let mut this = self.takes::<B>(example);
        this.takes = this.takes.map(|takes| Takes { required: false, ..takes });
        this
    }

    /// A file of rows, as it is.
    pub fn takes_csv(mut self, example: &'static str) -> Self {
        let schema: fn(&mut SchemaGenerator) -> Schema =
            |_| schemars::json_schema!({ "type": "string", "minLength": 1 });
        self.takes = Some(Takes { schema, example, form: false, csv: true, required: true });
        self
    }

    /// As [`Self::takes`], as a form as well.
    pub fn takes_form<B: Object>(self, example: &'static str) -> Self {
        let mut this = self.takes::<B>(example);
        this.takes = this.takes.map(|takes| Takes { form: true, ..takes });
        this
    }

    pub fn answers<A: JsonSchema>(self, status: u16, about: &'static str, example: &'static str) -> Self {
        self.answers_kind::<A>(status, about, "application/json", example)
    }

    pub fn answers_kind<A: JsonSchema>(
        mut self,
        status: u16,
        about: &'static str,
        kind: &'static str,
        example: &'static str,
    ) -> Self {
        let example = Some(example).filter(|text| !text.is_empty());
        let schema: fn(&mut SchemaGenerator) -> Schema = |schemas| schemas.subschema_for::<A>();
        self.answers.push(Answer { status, about, kind, schema: Some(schema), example, links: Vec::new() });
        self
    }

    /// An answer without a body.
    pub fn answers_nothing(mut self, status: u16, about: &'static str) -> Self {
        self.answers.push(Answer { status, about, kind: "", schema: None, example: None, links: Vec::new() });
        self
    }

    /// A value of the last answer can be a parameter of another call.
    pub fn link(mut self, operation: &'static str, parameter: &'static str, pointer: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.links.push((operation, parameter, pointer));
        }
        self
    }

    /// Statuses of refusals that belong to this call: 404, 409.
    pub fn refuses(mut self, statuses: &[u16]) -> Self {
        self.refuses.extend(statuses);
        self
    }
}

/// The refusal of an address that no call has.
pub type Refuse = fn(&str) -> Problem;

/// The calls of one contract.
pub struct Api {
    dialect: Dialect,
    /// The prefix of its addresses, for unknown ones.
    prefixes: Vec<&'static str>,
    calls: Vec<(Arc<Operation>, MethodRouter<App>)>,
}

impl Api {
    pub fn new(dialect: Dialect, prefixes: &[&'static str]) -> Self {
        Self { dialect, prefixes: prefixes.to_vec(), calls: Vec::new() }
    }

    /// Adds a call and what answers it.
    pub fn with<T>(self, operation: Operation, handler: impl Handler<T, App>) -> Self {
        self.with_any(operation, AnyHandler::new(handler))
    }

    fn with_any(mut self, operation: Operation, handler: AnyHandler<App>) -> Self {
        let method = MethodFilter::try_from(operation.method.clone()).unwrap_or(MethodFilter::POST);
        let operation = Operation { dialect: self.dialect, ..operation };
        self.calls.push((Arc::new(operation), on(method, handler)));
        self
    }

    pub fn merge(mut self, other: Self) -> Self {
        self.calls.extend(other.calls);
        self
    }

    pub fn operations(&self) -> impl Iterator<Item = &Arc<Operation>> {
        self.calls.iter().map(|(operation, _)| operation)
    }

    /// The router, each call behind its guard, everything that leads nowhere answered in the contract's words.
    pub fn into_router(self, app: &App, refuse: Refuse) -> Router<App> {
        let dialect = self.dialect;
        let mut router = Router::new();
        let mut methods: Vec<String> = self.operations().map(|o| o.method.to_string()).collect();
        methods.sort();
        methods.dedup();
        for (operation, handler) in self.calls {
            let (path, largest, access) = (operation.path, operation.largest, operation.access);
            let mut guarded = handler
                .layer(DefaultBodyLimit::max(largest))
                .route_layer(middleware::from_fn_with_state((app.clone(), operation), guard::admit));
            if access == Access::Publishable {
                guarded = guarded.options(public::preflight);
            }
            router = router.route(path, guarded);
        }
        // One sentence on how to make the calls helps most when all of them are alike.
        let message = match methods.len() {
            1 => format!("Calls of this API are sent with {}.", methods.join("")),
            _ => "This endpoint does not take that method: the header Allow says which it does.".to_owned(),
        };
        router = router.method_not_allowed_fallback(move || {
            let problem = Problem::of(StatusCode::METHOD_NOT_ALLOWED, message.clone());
            async move { problem }
        });
        for prefix in self.prefixes {
            let nowhere = any(async move |OriginalUri(uri): OriginalUri| refuse(uri.path()));
            router = router
                .route(prefix, nowhere.clone())
                .route(&format!("{prefix}/"), nowhere.clone())
                .route(&format!("{prefix}/{{*rest}}"), nowhere);
        }
        router.layer(middleware::from_fn_with_state(dialect, speak))
    }
}
