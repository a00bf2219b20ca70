//! Referral Factory's API: users. A user without a referrer is a referrer here; with one, a lead.

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Serialize;
use serde_json::{Map, Value as Json_, json};

use super::Caller;
use super::body::{Body, FieldProblem, unread};
use crate::app::App;
use crate::clock::Zone;
use crate::db::DbError;
use crate::keys::KeyError;
use crate::links;
use crate::referrers::{self, AddReferrer, Added};

pub fn router() -> Router<App> {
    Router::new()
        .route("/users", post(create_user))
        .fallback(|| async { Problem::plain(StatusCode::NOT_FOUND, "There is no such endpoint.") })
        .method_not_allowed_fallback(|| async {
            Problem::plain(StatusCode::METHOD_NOT_ALLOWED, "This endpoint does not take that method.")
        })
}

/// An error in this dialect: `{code, message}`, and `errors` by field for 422.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    message: String,
    fields: Vec<FieldProblem>,
}

impl Problem {
    pub fn plain(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), fields: Vec::new() }
    }
}

impl From<FieldProblem> for Problem {
    fn from(problem: FieldProblem) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            message: "The given data was invalid.".into(),
            fields: vec![problem],
        }
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Unavailable(error) => error.into(),
            KeyError::Missing | KeyError::Unknown => {
                Self::plain(StatusCode::UNAUTHORIZED, "Unauthorized: the API key is missing or not valid.")
            }
        }
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Fault(why) => {
                tracing::error!(why, "a call failed");
                Self::plain(StatusCode::INTERNAL_SERVER_ERROR, "Something broke here; nothing was stored.")
            }
            DbError::Unavailable(why) | DbError::Lost(why) => {
                tracing::warn!(why, "a call was not served");
                Self::plain(StatusCode::SERVICE_UNAVAILABLE, "The desk cannot store this just now; nothing was stored.")
            }
            DbError::InDoubt(why) => {
                tracing::warn!(why, "the database went away in a commit");
                let message = "The desk lost its database while it stored this. Look for it before you send it again.";
                Self::plain(StatusCode::SERVICE_UNAVAILABLE, message)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({ "code": self.status.as_u16(), "message": self.message });
        if !self.fields.is_empty() {
            let mut errors = Map::new();
            for problem in &self.fields {
                let one = json!({ "field": problem.field, "message": problem.sentence() });
                if let Some(all) = errors.entry(problem.field).or_insert_with(|| json!([])).as_array_mut() {
                    all.push(one);
                }
            }
            body["errors"] = Json_::Object(errors);
        }
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// A user as this dialect shows one.
#[derive(Serialize)]
struct User {
    id: i64,
    campaign_id: i64,
    referrer_id: Option<i64>,
    code: Option<String>,
    url: Option<String>,
    qr: Option<Json_>,
    first_name: String,
    email: Option<String>,
    source: &'static str,
    r#type: &'static str,
    signed_up_at: String,
    qualified_at: Option<String>,
    meta: Vec<Json_>,
}

/// The campaign a call names: its integer or `campaign_…`, else the key's.
async fn campaign(app: &App, caller: &Caller, body: &Body) -> Result<i64, Problem> {
    let named = match body.raw("campaign_id") {
        None => caller.key.campaign(),
        Some(raw) => {
            let text = raw.trim_matches('"');
            text.parse().ok().or_else(|| crate::id::parse(crate::id::Kind::Campaign, text))
        }
    };
    let unknown = || Problem::from(FieldProblem::wrong("campaign_id", "is not a campaign of this business"));
    let id = named.ok_or_else(unknown)?;
    let all = crate::campaigns::choices(&mut app.db.read().await?, caller.business_id()).await?;
    all.iter().any(|c| c.id == id).then_some(id).ok_or_else(unknown)
}

async fn create_user(
    State(app): State<App>,
    headers: HeaderMap,
    extensions: Extensions,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let caller = Caller::of(&app, &headers, &extensions).await?;
    if !caller.key.may("referrers:write") {
        return Err(Problem::plain(
            StatusCode::FORBIDDEN,
            "This API key may not add referrers (scope referrers:write).",
        ));
    }
    let bytes = bytes.map_err(|rejection| {
        let (status, message) = unread(&rejection);
        Problem::plain(status, message)
    })?;
    let body =
        Body::parse(&bytes).ok_or_else(|| Problem::plain(StatusCode::BAD_REQUEST, "The body is not a JSON object."))?;
    let campaign_id = campaign(&app, &caller, &body).await?;
    let first_name = body.line("first_name", 120)?;
    let email = body.email("email")?;
    if body.raw("referrer").is_some() || body.raw("referrer_code").is_some() {
        return Err(FieldProblem::wrong(
            "referrer",
            "names a lead's referrer; leads come in by events, pages and uploads",
        )
        .into());
    }
    let new = AddReferrer {
        business_id: caller.business_id(),
        campaign_id,
        name: first_name.clone(),
        email: Some(email.clone()),
        phone: None,
        company: None,
        generate: true,
    };
    let (id, code) = match referrers::add(&app, &caller.actor, new).await? {
        Added::New { referrer_id, code, .. } | Added::Known { referrer_id, enrolled: true, code, .. } => {
            (referrer_id, code)
        }
        Added::Known { .. } => {
            return Err(FieldProblem::wrong("email", "has already been taken in this campaign").into());
        }
    };
    let zone: Zone = caller.key.zone;
    let url = match &code {
        Some(code) => {
            links::of_code(&mut app.db.read().await?, &app.config.public_url, caller.business_id(), code).await?
        }
        None => None,
    };
    let user = User {
        id,
        campaign_id,
        referrer_id: None,
        qr: url
            .as_ref()
            .map(|url| json!({ "src": format!("{url}/qr.svg"), "download": format!("{url}/qr.svg?download") })),
        code,
        url,
        first_name,
        email: Some(email.text().to_owned()),
        source: "Api",
        r#type: "person_referring",
        signed_up_at: zone.day_of(app.clock.now()).to_string(),
        qualified_at: None,
        meta: Vec::new(),
    };
    Ok((StatusCode::CREATED, Json(json!({ "data": user }))).into_response())
}
