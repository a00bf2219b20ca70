//! Payments: stored events, and the decision about each.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::Caller;
use crate::api::field::{IdText, Line, OneOf, Word, number_schema};
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::{Asked, InPath, Sent};
use crate::api::v1::common::{campaigns, field_id, instant, maybe_instant, nothing, number, path_id};
use crate::api::v1::money::commissions::Reason;
use crate::api::v1::moves::rejected;
use crate::api::v1::part::{Page, Part, merged, page, place_of};
use crate::api::v1::window::{By, Sort, Sorting, Window};
use crate::app::App;
use crate::clock::Day;
use crate::engine::{Dispute, DisputedPayment};
use crate::id::{self, Kind};
use crate::object;
use crate::payments::{self as store, PaymentFilter, PaymentOrder, PaymentRow, PaymentState};

const ID: &str = "Its id: `pay_…` or the integer.";

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/payments", "listPayments", "List payments")
            .about("The newest received first; with days, by the day they were paid on. A combination of filters that no index serves looks at 10,000 payments a page: a page may have fewer than its limit, or none, and still a `next`.")
            .scope("money:read")
            .asks::<PaymentsAsked>()
            .answers::<Page<Payment>>(200, "A page of payments.", "")
            .link("getPayment", "payment", "/data/0/id")
            .link("disputePayment", "payment", "/data/0/id"),
        list_payments,
    )
    .with(
        Operation::get("/v1/payments/{payment}", "getPayment", "Read a payment")
            .about("With the decision about it, and the reason.")
            .scope("money:read")
            .in_path("payment", ID)
            .answers::<Payment>(200, "The payment.", "")
            .refuses(&[404]),
        show_payment,
    )
    .with(
        Operation::post("/v1/payments/{payment}/dispute", "disputePayment", "Mark a payment as disputed")
            .about("Its commissions are neither approved nor paid while the dispute lasts: they keep their state, and due amounts are held. A disputed payment stays disputed. A payment that was wholly refunded, or of 0, cannot be disputed: 409.")
            .once()
            .scope("money:write")
            .in_path("payment", ID)
            .takes::<Reason>(r#"{"reason": "chargeback dp_1042"}"#)
            .answers::<Payment>(200, "The payment as it is now.", "")
            .link("endDispute", "payment", "/id")
            .refuses(&[404, 409]),
        dispute,
    )
    .with(
        Operation::post("/v1/payments/{payment}/dispute/end", "endDispute", "End the dispute of a payment")
            .about("Its commissions are due or pending again, as before. A lost dispute is decided by a refund of the whole payment instead: its commissions become void, and the mark ends. An undisputed payment stays so.")
            .once()
            .scope("money:write")
            .in_path("payment", ID)
            .takes::<Reason>(r#"{"reason": "decided for us"}"#)
            .answers::<Payment>(200, "The payment as it is now.", "")
            .refuses(&[404]),
        end_dispute,
    )
}

/// The orders of a list of payments.
#[derive(Debug, Clone, Copy)]
pub enum PaymentSort {
    Record(Sort),
    /// True with a minus: the latest comes first.
    Paid(bool),
}

impl Sorting for PaymentSort {
    const ABOUT: &'static str = "By arrival, last change or day of the payment; with a minus, the newest first.";

    fn column(&self) -> (By, bool) {
        match self {
            Self::Record(sort) => sort.column(),
            Self::Paid(minus) => (By::Day, *minus),
        }
    }
}

impl Word for PaymentSort {
    const WORDS: &'static [&'static str] = &["-created", "created", "-updated", "updated", "paid", "-paid"];

    fn of(word: &str) -> Option<Self> {
        match word {
            "paid" => Some(Self::Paid(false)),
            "-paid" => Some(Self::Paid(true)),
            other => Sort::of(other).map(Self::Record),
        }
    }
}

impl Word for PaymentState {
    const WORDS: &'static [&'static str] = &["earned", "nothing", "waiting", "disputed", "refunded"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

object! {
    /// The filters of the payments.
    strict struct PaymentsAsked {
        /// Only of this campaign; of all otherwise.
        campaign "campaign": Option<IdText>,
        /// Only of this lead.
        lead "lead": Option<IdText>,
        /// Only by this e-mail address.
        email "email": Option<Line<320>>,
        /// Only disputed payments, or only the others.
        disputed "disputed": Option<bool>,
        /// Only the one with this id of its own: an event's, an invoice's or an idempotency key.
        event_id "event_id": Option<Line<200>>,
        /// Only the one known by this name of any kind: those of `names`.
        name "name": Option<Line<200>>,
        /// Only of the leads of this referrer.
        referrer "referrer": Option<IdText>,
        /// Only those in this state: their decision, `disputed`, or `refunded`, in part or as a whole.
        state "state": Option<OneOf<PaymentState>>,
        /// Only those paid on this day.
        payment_date "payment_date": Option<Day>,
        /// Only those paid on this day or later. With days, the list is in the order of the days they were paid on.
        paid_since "paid_since": Option<Day>,
        /// Only those paid before this day.
        paid_before "paid_before": Option<Day>;
        window: Window<PaymentSort>
    }
}

/// A payment.
#[derive(Serialize, JsonSchema)]
struct Payment {
    /// `pay_…`.
    id: String,
    /// `campaign_…`.
    campaign: String,
    /// `product_…`.
    product: String,
    /// True for test data.
    test: bool,
    /// `lead_…`; null while no lead has the e-mail address.
    lead: Option<String>,
    /// The customer, as the event named them.
    email: String,
    /// In the currency's own decimals.
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    /// In minor units.
    amount_minor: i64,
    /// ISO 4217.
    currency: String,
    /// `active`, `trialing`, `past_due` or `cancelled`.
    subscription_status: String,
    /// The business's day it was paid on.
    payment_date: String,
    /// The event's own id, where it had one.
    event_id: Option<String>,
    /// Everything it is known by: a refund names it by any of these.
    names: Vec<Name>,
    /// `earned`, `nothing` or `waiting`.
    decision: String,
    /// Why.
    decision_why: String,
    /// The refunded amount, in the currency's own decimals.
    #[schemars(schema_with = "number_schema")]
    refunded: Box<RawValue>,
    /// Set while it is disputed.
    disputed_at: Option<String>,
    /// When the event arrived.
    received_at: String,
    /// When it last changed: by a refund, a dispute, a decision or a repeat.
    updated_at: String,
}

/// A name of a payment.
#[derive(Serialize, JsonSchema)]
struct Name {
    /// `event`, `invoice`, `charge`, `intent` or `key`.
    kind: &'static str,
    /// The id.
    id: String,
}

impl Payment {
    fn of(row: PaymentRow) -> Result<Self, Problem> {
        Ok(Self {
            event_id: row.event_id(),
            names: row.names().into_iter().map(|name| Name { kind: name.kind.word(), id: name.text }).collect(),
            id: id::render(Kind::Payment, row.id),
            campaign: id::render(Kind::Campaign, row.campaign_id),
            test: row.test,
            lead: row.lead_id.map(|id| id::render(Kind::Lead, id)),
            amount: number(row.amount, &row.currency)?,
            amount_minor: row.amount,
            refunded: number(row.refunded, &row.currency)?,
            product: row.product,
            email: row.email,
            currency: row.currency,
            subscription_status: row.subscription_status,
            payment_date: row.payment_date,
            decision: row.decision,
            decision_why: row.decision_why,
            disputed_at: maybe_instant(row.disputed_at),
            received_at: instant(row.received_at),
            updated_at: instant(row.updated_at),
        })
    }
}

async fn list_payments(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<PaymentsAsked>,
) -> Result<Response, Problem> {
    let named = asked.campaign.as_ref().map(|c| c.0.as_str());
    let campaigns = campaigns(&app, &caller, named).await?;
    let by_day = asked.payment_date.or(asked.paid_since).or(asked.paid_before).is_some();
    let window = if by_day { asked.window.usually_by_day() } else { asked.window };
    let part = Part::new(window, &caller, app.clock.now()).made("received_at");
    let filter = PaymentFilter {
        order: match (part.is_by_day(), part.by_changes()) {
            (true, _) => PaymentOrder::Paid,
            (_, true) => PaymentOrder::Updated,
            _ => PaymentOrder::Received,
        },
        event_id: asked.event_id.map(|id| id.0),
        name: asked.name.map(|name| name.0),
        referrer_id: asked.referrer.map(|r| field_id(Kind::Referrer, "referrer", &r.0, "referrer")).transpose()?,
        state: asked.state.map(|state| state.0),
        paid_since: asked.payment_date.max(asked.paid_since),
        paid_before: [asked.payment_date.map(|day| day.plus_days(1)), asked.paid_before].into_iter().flatten().min(),
        test: caller.test(),
        campaign_id: campaigns.first().copied().filter(|_| named.is_some()),
        lead_id: asked.lead.map(|l| field_id(Kind::Lead, "lead", &l.0, "lead")).transpose()?,
        disputed: asked.disputed,
    };
    let key = |row: &PaymentRow| match part.is_by_day() {
        true => (place_of(&row.payment_date), row.id),
        false => (part.at(row.received_at, row.updated_at), row.id),
    };
    let mut conn = app.db.read().await?;
    let rows = match asked.email {
        Some(email) => {
            // A text that is no address matches no lead.
            let email_key = crate::email::key_of(&email).unwrap_or_default();
            let list = |campaign| store::payments_by(caller.business_id(), campaign, &email_key, &filter);
            merged(&mut conn, &part, &campaigns, key, list).await?
        }
        None => part.rows(&mut conn, store::payments(caller.business_id(), &filter)).await?,
    };
    let rows = rows.map(|row| Ok((key(&row), Payment::of(row)?)))?;
    Ok(page(&uri, &part, rows, |(key, _)| *key, |(_, payment)| payment))
}

async fn payment(app: &App, caller: &Caller, id: i64) -> Result<PaymentRow, Problem> {
    let row = store::payment(&mut app.db.read().await?, caller.business_id(), caller.test(), id).await?;
    row.ok_or_else(|| nothing("payment"))
}

async fn show_payment(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<Payment>, Problem> {
    let id = path_id(Kind::Payment, &text, "payment")?;
    Ok(Json(Payment::of(payment(&app, &caller, id).await?)?))
}

async fn mark(app: &App, caller: &Caller, text: &str, disputed: bool, why: Reason) -> Result<Json<Payment>, Problem> {
    let id = path_id(Kind::Payment, text, "payment")?;
    payment(app, caller, id).await?;
    let dispute = Dispute { payment: DisputedPayment::Id(id.into()), disputed, reason: why.reason.0 };
    let decided = app.engine.one(caller.by(), dispute).await?;
    decided.map_err(|why| rejected(why, || nothing("payment")))?;
    Ok(Json(Payment::of(payment(app, caller, id).await?)?))
}

async fn dispute(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(why): Sent<Reason>,
) -> Result<Json<Payment>, Problem> {
    mark(&app, &caller, &text, true, why).await
}

async fn end_dispute(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(why): Sent<Reason>,
) -> Result<Json<Payment>, Problem> {
    mark(&app, &caller, &text, false, why).await
}
