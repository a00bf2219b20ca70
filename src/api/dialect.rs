//! The error bodies of each published contract. A handler's refusal, an answer without a handler (404, 405, a
//! body too large) and a panic all end here.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json_, json};

use super::problem::{FieldProblem, Problem};
use crate::keys::KeyError;
use crate::web::layers::RequestId;

/// The contract in whose shape a call is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Refairn.
    Rn,
    /// Cashfin.
    Cf,
    /// Referral Factory.
    Rf,
    /// Our own: problem details of RFC 9457.
    Own,
}

/// The first part of the addresses of each.
const PREFIXES: [(&str, Dialect); 7] = [
    ("/api/events", Dialect::Rn),
    ("/business/lead", Dialect::Cf),
    ("/api/v1", Dialect::Rf),
    ("/api/v2", Dialect::Rf),
    ("/webhooks", Dialect::Own),
    ("/webhook", Dialect::Rf),
    ("/v1", Dialect::Own),
];

/// An error of Refairn's API.
#[derive(Serialize, JsonSchema)]
pub struct RnError {
    /// Always false.
    success: bool,
    /// A word for programs.
    code: String,
    /// The fault, with the field's name if it is about a field.
    message: String,
}

/// An error of Cashfin's API.
#[derive(Serialize, JsonSchema)]
pub struct CfError {
    /// Always false.
    success: bool,
    /// The fault, in words.
    error: String,
    /// The same, for clients that read this one.
    message: String,
    /// By field, where fields are wrong.
    #[serde(skip_serializing_if = "Map::is_empty")]
    errors: Map<String, Json_>,
    /// Seconds to wait, when there were too many calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// An error of Referral Factory's API.
#[derive(Serialize, JsonSchema)]
pub struct RfError {
    /// The status.
    code: u16,
    message: String,
    /// By field, where fields are wrong: a list of `{field, message}`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    errors: Map<String, Json_>,
}

/// A problem as RFC 9457 describes it.
#[derive(Serialize, JsonSchema)]
pub struct OwnError {
    /// The address that describes this kind of problem.
    r#type: String,
    /// The status in words.
    title: String,
    status: u16,
    /// The fault of this call.
    detail: String,
    /// A word for programs.
    code: String,
    /// The request's id, as in the header `x-request-id`.
    instance: String,
    /// The wrong fields and their faults.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<OwnFieldError>,
}

/// One field that is wrong.
#[derive(Serialize, JsonSchema)]
pub struct OwnFieldError {
    /// A JSON pointer into the body, or the name of a parameter.
    pointer: String,
    /// `missing` or `invalid`.
    code: String,
    /// The fault of the field.
    detail: String,
}

impl Dialect {
    /// The contract to which a path belongs.
    pub fn of_path(path: &str) -> Option<Self> {
        let under =
            |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        PREFIXES.iter().find(|(prefix, _)| under(prefix)).map(|(_, dialect)| *dialect)
    }

    /// The contract whose prefix an address begins with, where the slash behind it is missing.
    pub fn of_beginning(path: &str) -> Option<Self> {
        PREFIXES.iter().find(|(prefix, _)| path.starts_with(prefix)).map(|(_, dialect)| *dialect)
    }

    /// The problem in this contract's shape.
    pub fn say(self, problem: &Problem, request_id: &str) -> Response {
        let status = match self {
            Self::Rf if !problem.fields.is_empty() => StatusCode::UNPROCESSABLE_ENTITY,
            _ => problem.status,
        };
        let mut response = match self {
            Self::Rn => (status, Json(rn(problem))).into_response(),
            Self::Cf => (status, Json(cf(problem))).into_response(),
            Self::Rf => (status, Json(rf(problem, status))).into_response(),
            Self::Own => {
                let kind = [(header::CONTENT_TYPE, "application/problem+json")];
                (status, kind, Json(own(problem, request_id)).0.to_text()).into_response()
            }
        };
        let headers = response.headers_mut();
        if let Some(seconds) = problem.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    /// The body of a refusal with this status.
    pub fn example(self, status: u16) -> Json_ {
        let problem = example(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST));
        let said = match self {
            Self::Rn => serde_json::to_value(rn(&problem)),
            Self::Cf => serde_json::to_value(cf(&problem)),
            Self::Rf => serde_json::to_value(rf(&problem, problem.status)),
            Self::Own => serde_json::to_value(own(&problem, "9f2c4b7a1d3e5f60")),
        };
        said.unwrap_or_default()
    }

    /// The name of its error's schema.
    pub fn error_schema(self, schemas: &mut schemars::SchemaGenerator) -> schemars::Schema {
        match self {
            Self::Rn => schemas.subschema_for::<RnError>(),
            Self::Cf => schemas.subschema_for::<CfError>(),
            Self::Rf => schemas.subschema_for::<RfError>(),
            Self::Own => schemas.subschema_for::<OwnError>(),
        }
    }

    pub fn error_type(self) -> &'static str {
        if self == Self::Own { "application/problem+json" } else { "application/json" }
    }

    /// The status of a call with a field that is missing or wrong.
    pub fn invalid(self) -> u16 {
        if self == Self::Rf { 422 } else { 400 }
    }
}

impl OwnError {
    fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A problem as it is met with this status.
fn example(status: StatusCode) -> Problem {
    let code = |code, message: &str| Problem::new(status, code, message);
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            Problem { status, ..Problem::invalid(vec![FieldProblem::missing("name")]) }
        }
        StatusCode::UNAUTHORIZED => KeyError::Unknown.into(),
        StatusCode::FORBIDDEN => code("forbidden", "This API key may not do that: it lacks the scope leads:write."),
        StatusCode::NOT_FOUND => Problem::not_found("There is no lead with this id."),
        StatusCode::REQUEST_TIMEOUT => Problem::of(status, "The body came too slowly."),
        StatusCode::CONFLICT => code("refused", "It is paid already."),
        StatusCode::PRECONDITION_FAILED => {
            code("changed_meanwhile", "It has changed since it was read. Read it again.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => Problem::of(status, "The body is too large."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::of(status, "Send the body as JSON: Content-Type: application/json.")
        }
        StatusCode::TOO_MANY_REQUESTS => {
            Problem { retry_after: Some(2), ..Problem::of(status, "Too many calls: wait 2 seconds.") }
        }
        StatusCode::SERVICE_UNAVAILABLE => Problem {
            retry_after: Some(2),
            ..code("unavailable", "Refdesk cannot do this just now; nothing was stored. Send it again.")
        },
        _ => Problem::of(status, "Something broke here; nothing was stored."),
    }
}

fn rn(problem: &Problem) -> RnError {
    RnError { success: false, code: problem.code.to_owned(), message: problem.message.clone() }
}

/// The very text that clients of the original have seen for a lead without a name.
const CF_NAME_MISSING: &str =
    "Key: 'ApiLeadRequest.Name' Error:Field validation for 'Name' failed on the 'required' tag";

fn cf(problem: &Problem) -> CfError {
    let text = |field: &str, missing: bool, sentence: String| {
        if missing && field == "name" { CF_NAME_MISSING.to_owned() } else { sentence }
    };
    let errors = problem.fields.iter().map(|f| (f.field.to_string(), json!(text(&f.field, f.missing, f.sentence()))));
    let errors: Map<String, Json_> = errors.collect();
    let error = match problem.fields.first() {
        Some(f) => text(&f.field, f.missing, f.sentence()),
        None if problem.status == StatusCode::UNAUTHORIZED => "Unauthorized access!".to_owned(),
        None => problem.message.clone(),
    };
    let retry_after = problem.retry_after.filter(|_| problem.status == StatusCode::TOO_MANY_REQUESTS);
    CfError { success: false, message: error.clone(), error, errors, retry_after }
}

fn rf(problem: &Problem, status: StatusCode) -> RfError {
    let mut errors = Map::new();
    for f in &problem.fields {
        let one = json!({ "field": f.field, "message": f.sentence() });
        if let Some(all) = errors.entry(f.field.to_string()).or_insert_with(|| json!([])).as_array_mut() {
            all.push(one);
        }
    }
    let message = if errors.is_empty() { &problem.message } else { "The given data was invalid." };
    RfError { code: status.as_u16(), message: message.to_owned(), errors }
}

fn own(problem: &Problem, request_id: &str) -> OwnError {
    let pointer = |field: &str| format!("/{}", field.replace('~', "~0").replace('/', "~1").replace('.', "/"));
    OwnError {
        r#type: format!("/docs#problem-{}", problem.code.replace('_', "-")),
        title: problem.status.canonical_reason().unwrap_or("Problem").to_owned(),
        status: problem.status.as_u16(),
        detail: problem.message.clone(),
        code: problem.code.to_owned(),
        instance: request_id.to_owned(),
        errors: problem
            .fields
            .iter()
            .map(|f| OwnFieldError {
                pointer: pointer(&f.field),
                code: if f.missing { "missing" } else { "invalid" }.to_owned(),
                detail: f.sentence(),
            })
            .collect(),
    }
}

/// Gives every refusal of a contract its body.
pub async fn speak(State(dialect): State<Dialect>, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let mut said = dialect.say(&problem, &id);
    // Headers of the framework or a layer stay: Allow, the limits of the key.
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            said.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    *said.extensions_mut() = std::mem::take(response.extensions_mut());
    said.extensions_mut().insert(problem);
    said
}
