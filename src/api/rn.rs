//! Refairn's event API: customer-created and payment-succeeded.
//!
//! Checks come in the order its documents give: 401 key, 400 body and fields, 404 business, 403 not the
//! key's, 404 product, 409 duplicate. Answers carry the fields of its examples, in their types.

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Serialize;
use serde_json::value::RawValue;

use super::Caller;
use super::body::{Body, FieldProblem, unread};
use crate::app::App;
use crate::clock::Day;
use crate::db::DbError;
use crate::desk::{Earned, Event, Outcome, Payment, SignUp, What};
use crate::id::{self, Kind};
use crate::keys::KeyError;
use crate::money::{Currency, Money};
use crate::phone::Phone;
use crate::products::ProductRow;

/// The largest event; a real one is below a kilobyte.
const LARGEST: usize = 64 * 1024;

pub fn router() -> Router<App> {
    Router::new()
        .route("/customer-created", post(customer_created))
        .route("/payment-succeeded", post(payment_succeeded))
        .layer(DefaultBodyLimit::max(LARGEST))
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "not_found", "There is no such endpoint.") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Events are sent with POST.")
        })
}

/// An error in this dialect.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry: bool,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry: false }
    }

    /// What has no more to say than its status.
    pub fn of(status: StatusCode, message: &'static str) -> Self {
        let code = match status {
            StatusCode::PAYLOAD_TOO_LARGE => "payload_too_large",
            StatusCode::URI_TOO_LONG => "uri_too_long",
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "headers_too_large",
            StatusCode::REQUEST_TIMEOUT => "request_timeout",
            status if status.is_server_error() => "internal_error",
            _ => "invalid_json",
        };
        Self::new(status, code, message)
    }
}

#[derive(Serialize)]
struct ProblemBody<'p> {
    success: bool,
    code: &'static str,
    message: &'p str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody { success: false, code: self.code, message: &self.message };
        let mut response = (self.status, Json(body)).into_response();
        if self.retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<FieldProblem> for Problem {
    fn from(problem: FieldProblem) -> Self {
        let code = if problem.missing { "missing_field" } else { "invalid_field" };
        Self::new(StatusCode::BAD_REQUEST, code, problem.sentence())
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Missing => Self::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "An API key is required: Authorization: Bearer YOUR_API_KEY.",
            ),
            KeyError::Unknown => Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "The API key is not valid."),
            KeyError::Unavailable(error) => error.into(),
        }
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Fault(why) => {
                tracing::error!(why, "an event failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal_error",
                    "Something broke here; nothing was stored.",
                )
            }
            DbError::Unavailable(why) | DbError::Lost(why) => {
                tracing::warn!(why, "an event was not served");
                let message = "The desk cannot store this just now; nothing was stored. Send it again.";
                Self { retry: true, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message) }
            }
            DbError::InDoubt(why) => {
                tracing::warn!(why, "the database went away in a commit");
                let message = "The desk lost its database while it stored this. Send it again: it counts once.";
                Self { retry: true, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message) }
            }
        }
    }
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomerAnswer {
    success: bool,
    lead_id: String,
    agent_id: Option<String>,
    attribution: &'static str,
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomerConflict {
    success: bool,
    code: &'static str,
    message: &'static str,
    lead_id: String,
    agent_id: Option<String>,
    attribution: &'static str,
}

async fn customer_created(
    State(app): State<App>,
    headers: HeaderMap,
    extensions: Extensions,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let Call { caller, body } = open(&app, &headers, &extensions, bytes).await?;
    let business = body.line("businessId", 200)?;
    let product = body.line("productId", 200)?;
    let email = body.email("customerEmail")?;
    let name = body.line("customerName", 200)?;
    let code = body.optional_line("referralCode", 200)?;
    let phone = phone(&body, &caller.key.row.country)?;
    let product = place(&app, &caller, &business, &product).await?;
    let sign_up = SignUp { product_id: product.id, test: caller.test(), email, name, phone, code };
    let event = Event { business_id: caller.business_id(), actor: caller.actor.clone(), what: What::SignUp(sign_up) };
    match app.desk.one(event).await? {
        Outcome::SignedUp { lead_id, referrer_id, refused, .. } => {
            let message = match (referrer_id, refused) {
                (Some(_), _) => "Customer recorded and attributed to agent.".to_owned(),
                (None, Some(why)) => format!("Customer recorded without attribution: {}.", why.sentence()),
                (None, None) => "Customer recorded without attribution.".to_owned(),
            };
            let lead_id = id::render(Kind::Lead, lead_id);
            let answer = CustomerAnswer {
                success: true,
                lead_id,
                agent_id: agent(referrer_id),
                attribution: "first_touch",
                message,
            };
            Ok(Json(answer).into_response())
        }
        Outcome::SignUpDuplicate { lead_id, referrer_id } => {
            let conflict = CustomerConflict {
                success: false,
                code: "duplicate_event",
                message: "This customer was recorded before.",
                lead_id: id::render(Kind::Lead, lead_id),
                agent_id: agent(referrer_id),
                attribution: "first_touch",
            };
            Ok((StatusCode::CONFLICT, Json(conflict)).into_response())
        }
        other => Err(DbError::Fault(format!("a sign-up came to {other:?}")).into()),
    }
}

/// A JSON number with exactly the currency's decimals.
fn number(money: Money) -> Result<Box<RawValue>, Problem> {
    RawValue::from_string(money.plain()).map_err(|e| DbError::Fault(e.to_string()).into())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PaymentAnswer {
    success: bool,
    commission_id: Option<String>,
    agent_id: Option<String>,
    commission_amount: Box<RawValue>,
    commission_status: Option<String>,
    hold_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PaymentConflict {
    success: bool,
    code: &'static str,
    message: &'static str,
    payment_id: String,
    amount: Box<RawValue>,
    currency: &'static str,
    commission_id: Option<String>,
    agent_id: Option<String>,
    commission_amount: Box<RawValue>,
    commission_status: Option<String>,
    hold_until: Option<String>,
    body_differs: bool,
}

async fn payment_succeeded(
    State(app): State<App>,
    headers: HeaderMap,
    extensions: Extensions,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let Call { caller, body } = open(&app, &headers, &extensions, bytes).await?;
    let business = body.line("businessId", 200)?;
    let product = body.line("productId", 200)?;
    let email = body.email("customerEmail")?;
    let amount = body.raw("amount").ok_or(FieldProblem::missing("amount"))?;
    let currency = body.line("currency", 20)?;
    let currency = Currency::parse(&currency).map_err(|why| FieldProblem::wrong("currency", why))?;
    let amount = Money::from_json_number(amount, currency).map_err(|why| FieldProblem::wrong("amount", why))?;
    let status = subscription_status(&body)?;
    let date = body.line("paymentDate", 40)?;
    let date = Day::parse(&date).map_err(|why| FieldProblem::wrong("paymentDate", why))?;
    let today = caller.key.zone.day_of(app.clock.now());
    if date > today.plus_days(1) {
        return Err(FieldProblem::wrong(
            "paymentDate",
            format!("is in the future: today is {today} for this business"),
        )
        .into());
    }
    let phone = phone(&body, &caller.key.row.country)?;
    let identity = identity(&body, &headers)?;
    let product = place(&app, &caller, &business, &product).await?;
    let hashed = format!(
        "{}|{}|{}|{}|{}|{status}|{date}",
        product.id,
        email.key(),
        amount.minor,
        currency.code(),
        caller.test()
    );
    let payment = Payment {
        product_id: product.id,
        test: caller.test(),
        email,
        phone,
        amount,
        subscription_status: status.to_owned(),
        date,
        identity,
        body_hash: id::sha256_hex(&hashed),
    };
    let event = Event { business_id: caller.business_id(), actor: caller.actor.clone(), what: What::Payment(payment) };
    match app.desk.one(event).await? {
        Outcome::PaymentRecorded { earned, warning, .. } => {
            let c = Columns::of(earned, currency)?;
            let answer = PaymentAnswer {
                success: true,
                commission_id: c.id,
                agent_id: c.agent,
                commission_amount: c.amount,
                commission_status: c.status,
                hold_until: c.hold_until,
                warning,
            };
            Ok(Json(answer).into_response())
        }
        Outcome::PaymentDuplicate { payment_id, amount, earned, body_differs, mismatch } => {
            let c = Columns::of(earned, amount.currency)?;
            let conflict = PaymentConflict {
                success: false,
                code: if mismatch { "idempotency_mismatch" } else { "duplicate_event" },
                message: if mismatch {
                    "A payment with this id was recorded before, with another content."
                } else {
                    "This payment was recorded before."
                },
                payment_id: id::render(Kind::Payment, payment_id),
                amount: number(amount)?,
                currency: amount.currency.code(),
                commission_id: c.id,
                agent_id: c.agent,
                commission_amount: c.amount,
                commission_status: c.status,
                hold_until: c.hold_until,
                body_differs,
            };
            Ok((StatusCode::CONFLICT, Json(conflict)).into_response())
        }
        other => Err(DbError::Fault(format!("a payment came to {other:?}")).into()),
    }
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

fn subscription_status(body: &Body) -> Result<&'static str, FieldProblem> {
    let text = body.line("subscriptionStatus", 40)?;
    match text.as_str() {
        "active" => Ok("active"),
        "trialing" => Ok("trialing"),
        "past_due" => Ok("past_due"),
        "cancelled" | "canceled" => Ok("cancelled"),
        _ => Err(FieldProblem::wrong("subscriptionStatus", "must be one of active, trialing, past_due, cancelled")),
    }
}

/// The payment's own identity: `eventId`, else `invoiceId`, else the Idempotency-Key header.
fn identity(body: &Body, headers: &HeaderMap) -> Result<Option<String>, FieldProblem> {
    if let Some(id) = body.optional_line("eventId", 200)? {
        return Ok(Some(format!("event:{id}")));
    }
    if let Some(id) = body.optional_line("invoiceId", 200)? {
        return Ok(Some(format!("invoice:{id}")));
    }
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().ok().and_then(|text| crate::text::line(text, 200).ok()).filter(|text| !text.is_empty());
    let text = text.ok_or(FieldProblem::wrong("Idempotency-Key", "must be 1 to 200 plain characters"))?;
    Ok(Some(format!("key:{text}")))
}
