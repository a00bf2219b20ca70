//! Money was given back.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Call, Columns, Problem, date, number, open, place};
use crate::api::Caller;
use crate::api::body::{Body, FieldProblem};
use crate::app::App;
use crate::clock::Day;
use crate::db::DbError;
use crate::desk::{Event, Outcome, Refund, RefundOf, Refunded, What};
use crate::email::Email;
use crate::id::{self, Kind};
use crate::money::{Currency, Money, Unpriced};

/// The answer to a refund that was recorded.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefundAnswer {
    /// Always true.
    success: bool,
    #[serde(flatten)]
    told: RefundTold,
    /// What was done, as a sentence.
    message: String,
}

/// 409: this refund was recorded before. Tells what the first call was told, as things stand now.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefundConflict {
    /// Always false.
    success: bool,
    /// `duplicate_event`, or `idempotency_mismatch` where the id came with another content.
    code: &'static str,
    /// What is wrong, as a sentence.
    message: &'static str,
    #[serde(flatten)]
    told: RefundTold,
}

/// A refund, its payment and what that earned.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefundTold {
    refund_id: String,
    /// Null while it waits for its payment.
    payment_id: Option<String>,
    /// What the payment earned; null where it earned nothing, or nothing yet.
    commission_id: Option<String>,
    /// Who earned it.
    agent_id: Option<String>,
    /// What was given back, in the payment's currency; null while it waits for its payment.
    refunded_amount: Option<Box<RawValue>>,
    /// What of the payment is left after all its refunds; null while that is not known.
    remaining_amount: Option<Box<RawValue>>,
    /// The payment's currency.
    currency: Option<&'static str>,
    /// What the commission comes to now; 0 without one, null while the payment is not known.
    commission_amount: Option<Box<RawValue>>,
    /// `pending`, `approved`, `paid` or `void`.
    commission_status: Option<String>,
    /// The last day of the hold.
    hold_until: Option<String>,
    /// Whether it waits for its payment, which is not known yet.
    parked: bool,
}

impl RefundTold {
    fn of(r: Refunded) -> Result<Self, Problem> {
        let currency = r.left.map(|left| left.currency);
        let earned = currency.map(|currency| Columns::of(r.earned, currency)).transpose()?;
        let (mut id, mut agent, mut amount, mut status, mut hold_until) = (None, None, None, None, None);
        if let Some(c) = earned {
            (id, agent, amount, status, hold_until) = (c.id, c.agent, Some(c.amount), c.status, c.hold_until);
        }
        Ok(Self {
            refund_id: id::render(Kind::Refund, r.refund_id),
            payment_id: r.payment_id.map(|id| id::render(Kind::Payment, id)),
            commission_id: id,
            agent_id: agent,
            refunded_amount: r.amount.map(number).transpose()?,
            remaining_amount: r.left.map(number).transpose()?,
            currency: currency.map(Currency::code),
            commission_amount: amount,
            commission_status: status,
            hold_until,
            parked: r.state == "parked",
        })
    }
}

/// Takes `businessId`, `productId`, `customerEmail`, `refundDate`, exactly one of `paymentDate`,
/// `paymentEventId` and `commissionId`, and optionally `amount` (all that is left without it), `currency`
/// (has to be the payment's) and `eventId`.
pub(super) async fn refunded(
    State(app): State<App>,
    headers: HeaderMap,
    extensions: Extensions,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let Call { caller, body } = open(&app, &headers, &extensions, bytes).await?;
    let business = body.line("businessId", 200)?;
    let product = body.line("productId", 200)?;
    let email = body.email("customerEmail")?;
    let of = of(&body, &app, &caller)?;
    let (amount, currency) = amount(&body)?;
    let date = date(&body, "refundDate", &app, &caller)?;
    let identity = body.optional_line("eventId", 200)?.map(|id| format!("event:{id}"));
    let product = place(&app, &caller, &business, &product).await?;
    // A commission that cannot be one of ours is as unknown as one that is not there.
    let of = of.ok_or_else(commission_not_found)?;
    let body_hash = hash(product.id, caller.test(), &email, &of, amount, currency, date);
    let refund = Refund {
        product_id: product.id,
        test: caller.test(),
        email,
        of,
        amount,
        currency,
        date,
        identity,
        body_hash,
        reason: None,
    };
    let what = What::Refund(Box::new(refund));
    let event = Event { business_id: caller.business_id(), actor: caller.actor.clone(), what };
    match app.desk.one(event).await? {
        Outcome::Refunded(told) => {
            let message = sentence(&told);
            let answer = RefundAnswer { success: true, told: RefundTold::of(told)?, message };
            Ok(Json(answer).into_response())
        }
        Outcome::RefundDuplicate { known, mismatch } => {
            let conflict = RefundConflict {
                success: false,
                code: if mismatch { "idempotency_mismatch" } else { "duplicate_event" },
                message: if mismatch {
                    "A refund with this id was recorded before, with another content."
                } else {
                    "This refund was recorded before."
                },
                told: RefundTold::of(known)?,
            };
            Ok((StatusCode::CONFLICT, Json(conflict)).into_response())
        }
        Outcome::Invalid { field, why } => Err(FieldProblem::wrong(field, why).into()),
        Outcome::NotFound => Err(commission_not_found()),
        other => Err(DbError::Fault(format!("a refund came to {other:?}")).into()),
    }
}

fn commission_not_found() -> Problem {
    let message = "There is no commission with this commissionId in the business.";
    Problem::new(StatusCode::NOT_FOUND, "commission_not_found", message)
}

fn sentence(told: &Refunded) -> String {
    match (told.amount, told.left) {
        (Some(amount), Some(left)) if left.minor == 0 => {
            format!("{} refunded. Nothing is left of the payment.", amount.shown())
        }
        (Some(amount), Some(left)) => format!("{} refunded. {} is left of the payment.", amount.shown(), left.shown()),
        _ => "The payment is not known yet. The refund is kept and applied when it arrives.".to_owned(),
    }
}

/// What the payment is named by, exactly one of three; none is a commission that nobody can have.
fn of(body: &Body, app: &App, caller: &Caller) -> Result<Option<RefundOf>, FieldProblem> {
    let day = body.optional_line("paymentDate", 40)?;
    let event = body.optional_line("paymentEventId", 200)?;
    let commission = body.optional_line("commissionId", 200)?;
    match (day, event, commission) {
        (Some(_), None, None) => Ok(Some(RefundOf::Date(date(body, "paymentDate", app, caller)?))),
        (None, Some(id), None) => Ok(Some(RefundOf::Event(id))),
        (None, None, Some(text)) => Ok(id::parse(Kind::Commission, &text).map(RefundOf::Commission)),
        (None, None, None) => Err(FieldProblem {
            message: "is required, or paymentEventId or commissionId in its place".into(),
            ..FieldProblem::missing("paymentDate")
        }),
        (day, _, commission) => {
            let extra = if day.is_none() || commission.is_none() { "paymentEventId" } else { "commissionId" };
            Err(FieldProblem::wrong(
                extra,
                "is one name too many: give exactly one of paymentDate, paymentEventId and commissionId",
            ))
        }
    }
}

/// The amount, read from the text of the JSON; in which currency it is may only be known with the payment.
fn amount(body: &Body) -> Result<(Option<Unpriced>, Option<Currency>), FieldProblem> {
    let currency = body.optional_line("currency", 20)?;
    let currency = currency.map(|code| Currency::parse(&code)).transpose();
    let currency = currency.map_err(|why| FieldProblem::wrong("currency", why))?;
    let amount = match (body.raw("amount"), currency) {
        (None, _) => None,
        (Some(raw), None) => Some(Unpriced::from_json_number(raw)),
        (Some(raw), Some(currency)) => Some(Money::from_json_number(raw, currency).map(Unpriced::of)),
    };
    let amount = amount.transpose().map_err(|why| FieldProblem::wrong("amount", why))?;
    if amount.is_some_and(|amount| amount.units() == 0) {
        return Err(FieldProblem::wrong("amount", "must be more than 0"));
    }
    Ok((amount, currency))
}

fn hash(
    product_id: i64,
    test: bool,
    email: &Email,
    of: &RefundOf,
    amount: Option<Unpriced>,
    currency: Option<Currency>,
    date: Day,
) -> String {
    let name = of.name(product_id, email.key());
    let amount = amount.map_or("all".to_owned(), Unpriced::plain);
    let currency = currency.map_or("", Currency::code);
    id::sha256_hex(&format!("{product_id}|{}|{name}|{amount}|{currency}|{date}|{test}", email.key()))
}
