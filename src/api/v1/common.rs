//! Parts that the resources share: ids, instants, money, versions.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::Caller;
use crate::api::problem::{FieldProblem, Problem};
use crate::app::App;
use crate::clock::Instant;
use crate::db::{DbError, DbResult};
use crate::id::{self, Kind};
use crate::money::{Currency, Money};
use crate::search::Needle;

/// The searched text of a list, as the pages read it.
pub fn needle(caller: &Caller, q: Option<&str>) -> Result<Needle, FieldProblem> {
    let needle = Needle::words(q.unwrap_or_default(), &caller.key.row.country);
    needle.map_err(|why| FieldProblem::wrong("q", why))
}

/// An id in either form.
pub fn id_of(kind: Kind, text: &str) -> Option<i64> {
    id::parse(kind, text).or_else(|| text.parse().ok().filter(|id| (0..id::ID_LIMIT).contains(id)))
}

/// The id of a path.
pub fn path_id(kind: Kind, text: &str, what: &str) -> Result<i64, Problem> {
    id_of(kind, text).ok_or_else(|| nothing(what))
}

pub fn nothing(what: &str) -> Problem {
    Problem::not_found(format!("There is no {what} with this id."))
}

/// The id in a field; ids of another business are unknown.
pub fn field_id(kind: Kind, name: &'static str, text: &str, what: &str) -> Result<i64, FieldProblem> {
    id_of(kind, text).ok_or_else(|| FieldProblem::wrong(name, format!("is not the id of a {what}")))
}

/// A campaign that a call names, else the key's own or the business's default.
pub async fn campaign(app: &App, caller: &Caller, named: Option<&str>) -> Result<i64, Problem> {
    let wrong = || Problem::from(FieldProblem::wrong("campaign", "is not a campaign of this business"));
    let id = match named {
        Some(text) => id_of(Kind::Campaign, text),
        None => caller.key.campaign(),
    };
    let id = id.ok_or_else(wrong)?;
    let known = campaigns_of(app, caller).await?;
    if known.contains(&id) { Ok(id) } else { Err(wrong()) }
}

/// The campaigns a list is about: the one that is named, else all.
pub async fn campaigns(app: &App, caller: &Caller, named: Option<&str>) -> Result<Vec<i64>, Problem> {
    match named {
        Some(_) => Ok(vec![campaign(app, caller, named).await?]),
        None => Ok(campaigns_of(app, caller).await?),
    }
}

async fn campaigns_of(app: &App, caller: &Caller) -> DbResult<Vec<i64>> {
    let all = crate::campaigns::choices(&mut app.db.read().await?, caller.business_id()).await?;
    Ok(all.into_iter().map(|c| c.id).collect())
}

/// An instant as RFC 3339 in UTC, to the millisecond.
pub fn instant(micros: i64) -> String {
    Instant::from_micros(micros).to_rfc3339_millis()
}

pub fn maybe_instant(micros: Option<i64>) -> Option<String> {
    micros.map(instant)
}

/// Money as a JSON number with the currency's decimals.
pub fn number(minor: i64, currency: &str) -> Result<Box<RawValue>, Problem> {
    let fault = |why: String| Problem::from(DbError::Fault(why));
    let currency = Currency::parse(currency).map_err(|_| fault(format!("a stored currency is {currency}")))?;
    let text = Money { minor, currency }.plain();
    RawValue::from_string(text).map_err(|why| fault(why.to_string()))
}

/// A row's version as an ETag: when it was last changed.
pub fn etag(updated_at: i64) -> String {
    format!("\"{updated_at:x}\"")
}

/// One resource with its version; 304 where the caller has it already.
pub fn versioned<T: Serialize>(headers: &HeaderMap, status: StatusCode, updated_at: i64, body: &T) -> Response {
    let tag = etag(updated_at);
    let has = |value: &HeaderValue| {
        value.to_str().is_ok_and(|list| {
            list.split(',').any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*")
        })
    };
    let mut response = if status == StatusCode::OK && headers.get(header::IF_NONE_MATCH).is_some_and(has) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        (status, Json(body)).into_response()
    };
    if let Ok(value) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// The version that an update is meant for, if it says one; `*` is any.
pub fn expected(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version =
        text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).and_then(|t| i64::from_str_radix(t, 16).ok());
    version.map(Some).ok_or_else(stale)
}

pub fn stale() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "changed_meanwhile",
        "It has changed since it was read. Read it again.",
    )
}
