//! The rewards of referred customers: what they get for being qualified, and whether they have it.

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::common::{campaign, field_id, instant, maybe_instant, nothing, number, path_id, versioned};
use super::part::{Hits, Page, Part, page};
use super::window::{Sort, Window};
use crate::api::Caller;
use crate::api::field::{IdText, Line, OneOf, Word, maybe_number_schema};
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::{Asked, InPath, Sent, SentIfAny};
use crate::app::App;
use crate::customer_rewards::{self, Act, CustomerRewardRow, Filter, Refused, Wish};
use crate::engine::state::CustomerRewardState;
use crate::id::{self, Kind};
use crate::object;

const ID: &str = "Its id: `reward_…` or the integer.";

pub fn calls(api: Api) -> Api {
    let decision = |path, id, title| {
        Operation::post(path, id, title)
            .once()
            .scope("money:write")
            .in_path("reward", ID)
            .answers::<CustomerReward>(200, "The reward as it is now.", "")
            .refuses(&[404, 409])
    };
    api.with(
        Operation::get("/v1/customer-rewards", "listCustomerRewards", "List customers' rewards")
            .about("The newest first. A filter by state without a campaign, or by campaign without a state, looks at 10,000 of them, and so does every filter in the order of changes.")
            .scope("money:read")
            .asks::<CustomerRewardsAsked>()
            .answers::<Page<CustomerReward>>(200, "A page of customers' rewards.", "")
            .link("getCustomerReward", "reward", "/data/0/id"),
        list,
    )
    .with(
        Operation::get("/v1/customer-rewards/{reward}", "getCustomerReward", "Read a customer's reward")
            .scope("money:read")
            .in_path("reward", ID)
            .header("if-none-match", "The ETag of a version that the caller has: 304 if it is still the one.")
            .answers::<CustomerReward>(200, "The reward, with its version as ETag.", "")
            .answers_nothing(304, "It is as the caller has it.")
            .refuses(&[404]),
        show,
    )
    .with(
        decision("/v1/customer-rewards/{reward}/given", "giveCustomerReward", "Say that a customer has their reward")
            .about("One that is `due`. While it is held, only for a reason. Saying it twice changes nothing.")
            .may_take::<EarlyReason>(r#"{"reason": "promised on the phone"}"#),
        give,
    )
    .with(
        decision("/v1/customer-rewards/{reward}/not-given", "takeBackCustomerReward", "Say that it was not given")
            .about("One that was said to be given by mistake: it is `due` again."),
        take_back,
    )
    .with(
        decision("/v1/customer-rewards/{reward}/void", "voidCustomerReward", "Void a customer's reward")
            .about("One that is `due`. It stays void, whatever comes later.")
            .takes::<VoidReason>(r#"{"reason": "the same person twice"}"#),
        void,
    )
}

impl Word for CustomerRewardState {
    const WORDS: &'static [&'static str] = &["due", "given", "void", "reversed"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

object! {
    /// The filters of customers' rewards.
    strict struct CustomerRewardsAsked {
        /// Only of this campaign.
        campaign "campaign": Option<IdText>,
        /// Only of this lead.
        lead "lead": Option<IdText>,
        /// Only in this state.
        state "state": Option<OneOf<CustomerRewardState>>;
        window: Window<Sort>
    }
}

object! {
    /// Why it is given before its hold is over.
    strict struct EarlyReason {
        /// For the history.
        reason "reason": Option<Line<300>>,
    }
}

object! {
    /// Why the customer does not get it.
    strict struct VoidReason {
        /// For the history.
        reason "reason": Line<300>,
    }
}

/// The reward of a referred customer for being qualified.
#[derive(Serialize, JsonSchema)]
struct CustomerReward {
    /// `reward_…`.
    id: String,
    /// `lead_…`: the customer.
    lead: String,
    /// `campaign_…`.
    campaign: String,
    /// `agent_…`: the customer's referrer today.
    referrer: Option<String>,
    /// `money`, `credit` or `voucher`.
    kind: String,
    /// In the currency's own decimals; null for a voucher.
    #[schemars(schema_with = "maybe_number_schema")]
    amount: Option<Box<RawValue>>,
    /// In minor units; null for a voucher.
    amount_minor: Option<i64>,
    /// ISO 4217; null for a voucher.
    currency: Option<String>,
    /// The words of a voucher.
    text: Option<String>,
    /// `due`, `given`, `void`, or `reversed` where the customer was no longer qualified or referred after it was given.
    state: String,
    /// The last day on which it is held.
    hold_until: String,
    /// Why it is void or reversed: `unqualified`, `not referred`, or `staff`.
    cause: Option<String>,
    /// The words of the person who decided.
    reason: Option<String>,
    given_at: Option<String>,
    given_by: Option<String>,
    test: bool,
    created_at: String,
    updated_at: String,
}

impl CustomerReward {
    fn of(row: CustomerRewardRow) -> Result<Self, Problem> {
        Ok(Self {
            id: id::render(Kind::CustomerReward, row.id),
            lead: id::render(Kind::Lead, row.lead_id),
            campaign: id::render(Kind::Campaign, row.campaign_id),
            referrer: row.referrer_id.map(|id| id::render(Kind::Referrer, id)),
            kind: row.kind.to_string(),
            amount: row.money().map(|money| number(money.minor, money.currency.code())).transpose()?,
            amount_minor: row.amount,
            currency: row.currency.map(|currency| currency.code().to_owned()),
            text: row.words,
            state: row.state.to_string(),
            hold_until: row.hold_until,
            cause: row.void_cause.map(|cause| cause.to_string()),
            reason: row.reason,
            given_at: maybe_instant(row.given_at),
            given_by: row.given_by,
            test: row.test,
            created_at: instant(row.created_at),
            updated_at: instant(row.updated_at),
        })
    }
}

async fn of_caller(app: &App, caller: &Caller, text: &str) -> Result<CustomerRewardRow, Problem> {
    let what = "reward of a customer";
    let id = path_id(Kind::CustomerReward, text, what)?;
    let row = customer_rewards::find(&mut app.db.read().await?, caller.business_id(), id).await?;
    row.filter(|row| row.test == caller.test()).ok_or_else(|| nothing(what))
}

fn answer(row: CustomerRewardRow, headers: &HeaderMap) -> Result<Response, Problem> {
    let version = row.updated_at;
    Ok(versioned(headers, StatusCode::OK, version, &CustomerReward::of(row)?))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<CustomerRewardsAsked>,
) -> Result<Response, Problem> {
    let campaign_id = match &asked.campaign {
        Some(named) => Some(campaign(&app, &caller, Some(named.0.as_str())).await?),
        None => None,
    };
    let part = Part::new(asked.window, &caller, app.clock.now());
    let filter = Filter {
        campaign_id,
        lead_id: asked.lead.map(|lead| field_id(Kind::Lead, "lead", &lead.0, "lead")).transpose()?,
        state: asked.state.map(|state| state.0),
        by_changes: part.by_changes(),
    };
    let listing = customer_rewards::listing(caller.business_id(), caller.test(), filter);
    let rows: Hits<CustomerRewardRow> = part.rows(&mut app.db.read().await?, listing).await?;
    let rows = rows.map(|row| Ok((part.at(row.created_at, row.updated_at), row.id, CustomerReward::of(row)?)))?;
    Ok(page(&uri, &part, rows, |(at, id, _)| (*at, *id), |(.., reward)| reward))
}

async fn show(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(text): InPath,
) -> Result<Response, Problem> {
    answer(of_caller(&app, &caller, &text).await?, &headers)
}

async fn decided(app: &App, caller: &Caller, text: &str, act: Act) -> Result<Response, Problem> {
    let row = of_caller(app, caller, text).await?;
    let today = caller.key.zone.day_of(app.clock.now());
    let wish = Wish { business_id: caller.business_id(), ids: vec![row.id], act, today };
    let tally = customer_rewards::decide(app, &caller.actor, wish).await?;
    if let Some((_, why)) = tally.refused.into_iter().next() {
        return Err(refused(&why));
    }
    answer(of_caller(app, caller, text).await?, &HeaderMap::new())
}

fn refused(why: &Refused) -> Problem {
    Problem::conflict(why.code(), why.sentence())
}

async fn give(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    SentIfAny(why): SentIfAny<EarlyReason>,
) -> Result<Response, Problem> {
    decided(&app, &caller, &text, Act::Give { early: why.reason.map(|reason| reason.0) }).await
}

async fn take_back(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    decided(&app, &caller, &text, Act::TakeBack).await
}

async fn void(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(why): Sent<VoidReason>,
) -> Result<Response, Problem> {
    decided(&app, &caller, &text, Act::Void { reason: why.reason.0 }).await
}
