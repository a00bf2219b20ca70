//! Events in batches: what a checkout sends one by one in Refairn's shape, up to a thousand at a time.

use axum::Json;
use axum::extract::State;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::value::RawValue;

use super::leads::ItemError;
use crate::api::Caller;
use crate::api::events::{
    self, CustomerCreated, Incoming, PaymentRefunded, PaymentSucceeded, Ready, SubscriptionCancelled, Told,
};
use crate::api::field::{Field, Many, Wrong};
use crate::api::object::{Body, Object, Tagged};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::Sent;
use crate::app::App;
use crate::engine::{Event, What};
use crate::intake::Intake;
use crate::object;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::post("/v1/events/batch", "sendEvents", "Send many events")
            .about("Up to 1,000 events, each as Refairn's API takes it (`/api/events/…`) with its `type`, and an answer for each: the status and body it would have had alone. Payments are decided in the order of their dates, whatever their place in the batch. Events that name themselves (`eventId`) make the whole batch harmless to send again.")
            .scope("events:write")
            .once()
            .largest(4 * 1024 * 1024)
            .takes::<NewEvents>(r#"{"items": [{"type": "payment-succeeded", "businessId": "business_123", "productId": "product_123", "customerEmail": "jane@example.com", "amount": 100, "currency": "USD", "subscriptionStatus": "active", "paymentDate": "2026-06-14", "eventId": "evt_1"}]}"#)
            .answers::<EventsTaken>(200, "The outcome of each.", r#"{"items": [{"status": 200, "body": {"success": true, "commissionId": "comm_abc123", "agentId": "agent_xyz456", "commissionAmount": 20.00, "commissionStatus": "pending", "holdUntil": "2026-06-28"}, "errors": []}]}"#),
        send,
    )
}

object! {
    /// Events.
    strict struct NewEvents {
        /// Up to 1,000.
        items "items": Many<NewEvent, 1000>,
    }
}

/// One event of a batch, read alone.
#[derive(Debug, Clone)]
enum NewEvent {
    Customer(Box<CustomerCreated>),
    Payment(Box<PaymentSucceeded>),
    Refund(Box<PaymentRefunded>),
    Cancel(Box<SubscriptionCancelled>),
    Invalid(Vec<FieldProblem>),
}

const TYPES: [&str; 4] = ["customer-created", "payment-succeeded", "payment-refunded", "subscription-cancelled"];

impl Field for NewEvent {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let body = raw.and_then(|raw| Body::json(raw.as_bytes()));
        let Some(body) = body else { return Ok(Self::Invalid(vec![FieldProblem::wrong("item", "must be an object")])) };
        let kind: Option<String> = body.raw("type").and_then(|raw| serde_json::from_str(raw).ok());
        let read = match kind.as_deref() {
            Some("customer-created") => CustomerCreated::read(&body).map(|e| Self::Customer(Box::new(e))),
            Some("payment-succeeded") => PaymentSucceeded::read(&body).map(|e| Self::Payment(Box::new(e))),
            Some("payment-refunded") => PaymentRefunded::read(&body).map(|e| Self::Refund(Box::new(e))),
            Some("subscription-cancelled") => SubscriptionCancelled::read(&body).map(|e| Self::Cancel(Box::new(e))),
            None => Err(vec![FieldProblem::missing("type")]),
            Some(_) => Err(vec![FieldProblem::wrong("type", format!("must be one of {}", TYPES.join(", ")))]),
        };
        Ok(read.unwrap_or_else(Self::Invalid))
    }

    fn schema(schemas: &mut SchemaGenerator) -> Schema {
        let all = [
            schemas.subschema_for::<Tagged<CustomerCreated>>(),
            schemas.subschema_for::<Tagged<PaymentSucceeded>>(),
            schemas.subschema_for::<Tagged<PaymentRefunded>>(),
            schemas.subschema_for::<Tagged<SubscriptionCancelled>>(),
        ];
        json_schema!({ "oneOf": all })
    }
}

/// The outcome of one event.
#[derive(Serialize, JsonSchema)]
struct EventTaken {
    /// The status it would have had alone.
    status: u16,
    /// The body it would have had alone.
    #[schemars(schema_with = "crate::api::field::object_schema")]
    body: Box<RawValue>,
    /// The fault of the field.
    errors: Vec<ItemError>,
}

/// The outcome of each event.
#[derive(Serialize, JsonSchema)]
struct EventsTaken {
    /// In the order of what was sent.
    items: Vec<EventTaken>,
}

impl EventTaken {
    fn refused(problem: &Problem) -> Result<Self, Problem> {
        #[derive(Serialize)]
        struct Refusal<'p> {
            success: bool,
            code: &'static str,
            message: &'p str,
        }
        let body = Refusal { success: false, code: problem.code, message: &problem.message };
        let body = serde_json::value::to_raw_value(&body).map_err(|why| crate::db::DbError::Fault(why.to_string()))?;
        Ok(Self { status: problem.status.as_u16(), body, errors: ItemError::all(&problem.fields) })
    }
}

async fn ready(event: NewEvent, intake: Intake<'_>) -> Result<Ready, Problem> {
    match event {
        NewEvent::Customer(event) => event.ready(intake, None).await,
        NewEvent::Payment(event) => event.ready(intake, None).await,
        NewEvent::Refund(event) => event.ready(intake, None).await,
        NewEvent::Cancel(event) => event.ready(intake, None).await,
        NewEvent::Invalid(problems) => Err(Problem::invalid(problems)),
    }
}

async fn send(
    State(app): State<App>,
    caller: Caller,
    Sent(new): Sent<NewEvents>,
) -> Result<Json<EventsTaken>, Problem> {
    let mut items: Vec<Option<EventTaken>> = Vec::with_capacity(new.items.0.len());
    let (mut whats, mut tells): (Vec<What>, Vec<(usize, Told)>) = (Vec::new(), Vec::new());
    let intake = events::intake(&app, &caller);
    for (at, event) in new.items.0.into_iter().enumerate() {
        items.push(match ready(event, intake).await {
            Ok(Ready { what, told }) => {
                whats.push(what);
                tells.push((at, told));
                None
            }
            // While the database is away every item fails alike, through no fault of its own.
            Err(problem) if problem.status.is_server_error() => return Err(problem),
            Err(problem) => Some(EventTaken::refused(&problem)?),
        });
    }
    let order = by_date(&whats);
    let mut whats: Vec<Option<What>> = whats.into_iter().map(Some).collect();
    let event = |what: What| Event::new(caller.by(), what);
    let events: Vec<Event> = order.iter().filter_map(|at| whats[*at].take()).map(event).collect();
    let outcomes = app.engine.slice(events).await?;
    let mut tells: Vec<Option<(usize, Told)>> = tells.into_iter().map(Some).collect();
    for (at, outcome) in order.into_iter().zip(outcomes) {
        let Some((place, told)) = tells[at].take() else { continue };
        items[place] = Some(match told(outcome) {
            Ok(reply) => EventTaken { status: reply.status.as_u16(), body: reply.body, errors: Vec::new() },
            Err(problem) if problem.status.is_server_error() => return Err(problem),
            Err(problem) => EventTaken::refused(&problem)?,
        });
    }
    Ok(Json(EventsTaken { items: items.into_iter().flatten().collect() }))
}

/// The order in which events are decided: as sent, but payments swap positions among themselves so that they
/// come by (paymentDate, position).
fn by_date(whats: &[What]) -> Vec<usize> {
    let day = |at: usize| match &whats[at] {
        What::Payment(payment) => Some(payment.date),
        _ => None,
    };
    let places: Vec<usize> = (0..whats.len()).filter(|at| day(*at).is_some()).collect();
    let mut sorted = places.clone();
    sorted.sort_by_key(|at| (day(*at), *at));
    let mut order: Vec<usize> = (0..whats.len()).collect();
    for (place, at) in places.into_iter().zip(sorted) {
        order[place] = at;
    }
    order
}
