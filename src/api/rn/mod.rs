//! Refairn's event API: customer-created, payment-succeeded, and in the same style payment-refunded and
//! subscription-cancelled. A file per event, with the fields it takes and the answers it gives.
//!
//! Checks come in the order its documents give: 401 key, 400 body and fields, 404 business, 403 not the
//! key's, 404 product, 409 duplicate. Answers carry the fields of its examples, in their types.

mod customer;
mod error;
mod payment;
mod refund;
mod subscription;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::routing::post;
use serde_json::value::RawValue;

pub use error::Problem;

use super::Caller;
use super::body::{Body, FieldProblem, unread};
use crate::app::App;
use crate::clock::Day;
use crate::db::DbError;
use crate::desk::Earned;
use crate::id::{self, Kind};
use crate::money::{Currency, Money};
use crate::phone::Phone;
use crate::products::ProductRow;

/// The largest event; a real one is below a kilobyte.
const LARGEST: usize = 64 * 1024;

pub fn router() -> Router<App> {
    Router::new()
        .route("/customer-created", post(customer::created))
        .route("/payment-succeeded", post(payment::succeeded))
        .route("/payment-refunded", post(refund::refunded))
        .route("/subscription-cancelled", post(subscription::cancelled))
        .layer(DefaultBodyLimit::max(LARGEST))
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "not_found", "There is no such endpoint.") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Events are sent with POST.")
        })
}

/// A call that passed 401 and the reading of its body.
struct Call {
    caller: Caller,
    body: Body,
}

async fn open(
    app: &App,
    headers: &HeaderMap,
    extensions: &Extensions,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Call, Problem> {
    let caller = Caller::of(app, headers, extensions).await?;
    let bytes = bytes.map_err(|rejection| {
        let (status, message) = unread(&rejection);
        Problem::of(status, message)
    })?;
    let kind = headers.get(header::CONTENT_TYPE).map(|v| v.to_str().unwrap_or_default().to_ascii_lowercase());
    if kind.is_some_and(|kind| !kind.contains("json")) {
        let message = "Send the event as JSON: Content-Type: application/json.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message));
    }
    let body = Body::parse(&bytes)
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "invalid_json", "The body is not a JSON object."))?;
    Ok(Call { caller, body })
}

/// 404 unknown business, 403 not the key's, 404 unknown product.
async fn place(app: &App, caller: &Caller, business: &str, product: &str) -> Result<ProductRow, Problem> {
    if business != caller.key.row.business_public_id {
        let known = crate::business::by_public_id(&mut app.db.read().await?, business).await?.is_some();
        return Err(if known {
            Problem::new(StatusCode::FORBIDDEN, "forbidden", "The API key does not belong to this businessId.")
        } else {
            Problem::new(StatusCode::NOT_FOUND, "business_not_found", "There is no business with this businessId.")
        });
    }
    if !caller.key.may("events:write") {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "This API key may not send events (scope events:write).",
        ));
    }
    app.catalogue.product(caller.business_id(), product).await?.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "product_not_found",
            "There is no product with this productId in the business.",
        )
    })
}

fn phone(body: &Body, country: &str) -> Result<Option<Phone>, FieldProblem> {
    match body.optional_line("customerPhone", 60)? {
        None => Ok(None),
        Some(text) => Phone::parse(&text, country).map(Some).map_err(|why| FieldProblem::wrong("customerPhone", why)),
    }
}

fn agent(referrer_id: Option<i64>) -> Option<String> {
    referrer_id.map(|id| id::render(Kind::Referrer, id))
}

/// A JSON number with exactly the currency's decimals.
fn number(money: Money) -> Result<Box<RawValue>, Problem> {
    RawValue::from_string(money.plain()).map_err(|e| DbError::Fault(e.to_string()).into())
}

/// What an answer says of a payment's commission; nulls and 0 where there is none.
struct Columns {
    id: Option<String>,
    agent: Option<String>,
    amount: Box<RawValue>,
    status: Option<String>,
    hold_until: Option<String>,
}

impl Columns {
    fn of(earned: Option<Earned>, currency: Currency) -> Result<Self, Problem> {
        let amount = number(earned.as_ref().map_or(Money { minor: 0, currency }, |e| e.amount))?;
        Ok(match earned {
            Some(e) => Self {
                id: Some(id::render(Kind::Commission, e.commission_id)),
                agent: agent(Some(e.referrer_id)),
                amount,
                status: Some(e.state),
                hold_until: Some(e.hold_until),
            },
            None => Self { id: None, agent: None, amount, status: None, hold_until: None },
        })
    }
}

/// A day that may be tomorrow for somebody further east, and no later.
fn date(body: &Body, name: &'static str, app: &App, caller: &Caller) -> Result<Day, FieldProblem> {
    let text = body.line(name, 40)?;
    let day = Day::parse(&text).map_err(|why| FieldProblem::wrong(name, why))?;
    let today = caller.key.zone.day_of(app.clock.now());
    if day > today.plus_days(1) {
        return Err(FieldProblem::wrong(name, format!("is in the future: today is {today} for this business")));
    }
    Ok(day)
}
