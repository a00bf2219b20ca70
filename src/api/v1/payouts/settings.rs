//! The settings of a business's payouts.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::live;
use crate::adjustments;
use crate::amounts::Amounts;
use crate::api::Caller;
use crate::api::field::{IdText, OneOf, Word};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::Sent;
use crate::api::v1::campaigns::ByCurrency;
use crate::api::v1::common::campaign;
use crate::app::App;
use crate::id::{self, Kind};
use crate::object;
use crate::payouts::{self, Approval, Set};

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/payout-settings", "getPayoutSettings", "Read the settings of payouts")
            .scope("payouts:read")
            .answers::<Settings>(200, "The settings.", ""),
        show,
    )
    .with(
        Operation::post("/v1/payout-settings", "setPayoutSettings", "Change the settings of payouts")
            .about("What is not sent stays as it is. A least amount is a campaign's, in minor units by currency; below it, what is due is carried over to the next payout. The key has to be an owner's.")
            .once()
            .scope("payouts:write")
            .takes::<PayoutSettingsChange>(r#"{"approval": "anyone"}"#)
            .answers::<Settings>(200, "The settings as they are now.", "")
            .refuses(&[409]),
        change,
    )
}

impl Word for Approval {
    const WORDS: &'static [&'static str] = &["none", "owner", "anyone"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

object! {
    /// What changes.
    strict struct PayoutSettingsChange {
        /// `none`, `owner` (one who did not lock the payout) or `anyone` (else who may pay).
        approval "approval": Option<OneOf<Approval>>,
        /// The campaign of `minimum`.
        campaign "campaign": Option<IdText>,
        /// Whole minor units by currency: `{"USD": 5000}`.
        minimum "minimum": Option<ByCurrency>,
        /// Whole minor units by currency: an adjustment above it waits for a second person. Empty for nobody.
        adjustment_limit "adjustment_limit": Option<ByCurrency>,
    }
}

/// The settings of payouts.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PayoutSettings")]
struct Settings {
    /// `none`, `owner` or `anyone`: the people who have to agree to a locked payout.
    approval: &'static str,
    /// By campaign, the least amounts in minor units by currency.
    minimums: BTreeMap<String, BTreeMap<String, i64>>,
    /// In minor units by currency: an adjustment above it waits for a second person.
    adjustment_limit: BTreeMap<String, i64>,
}

async fn answer(app: &App, caller: &Caller) -> Result<Response, Problem> {
    let mut conn = app.db.read().await?;
    let approval = payouts::approval(&mut conn, caller.business_id()).await?.word();
    let all = payouts::minimums(&mut conn, caller.business_id()).await?;
    let adjustment_limit = adjustments::limits(&mut conn, caller.business_id()).await?.codes();
    let shown = |least: payouts::Least| {
        (id::render(Kind::Campaign, least.id), Amounts::from_json(&least.payout_minimum).codes())
    };
    Ok(Json(Settings { approval, minimums: all.into_iter().map(shown).collect(), adjustment_limit }).into_response())
}

async fn show(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    answer(&app, &caller).await
}

async fn change(
    State(app): State<App>,
    caller: Caller,
    Sent(wanted): Sent<PayoutSettingsChange>,
) -> Result<Response, Problem> {
    live(&caller)?;
    if !super::decide::is_owner(&caller) {
        return Err(Problem::forbidden("Only an owner's key changes the settings of payouts."));
    }
    let of = match (&wanted.campaign, wanted.minimum) {
        (Some(named), Some(minimum)) => Some((campaign(&app, &caller, Some(named.0.as_str())).await?, minimum.0)),
        (None, None) => None,
        (None, Some(_)) => return Err(FieldProblem::wrong("campaign", "is needed beside minimum").into()),
        (Some(_), None) => return Err(FieldProblem::wrong("minimum", "is needed beside campaign").into()),
    };
    let business_id = caller.business_id();
    if let Some(approval) = wanted.approval {
        payouts::set_approval(&app, &caller.actor, business_id, approval.0).await?;
    }
    if let Some(limits) = wanted.adjustment_limit {
        adjustments::set_limits(&app, &caller.actor, business_id, limits.0).await?;
    }
    if let Some((campaign_id, minimum)) = of
        && payouts::set_minimum(&app, &caller.actor, business_id, campaign_id, minimum).await? == Set::NotFound
    {
        return Err(FieldProblem::wrong("campaign", "is not a campaign of this business").into());
    }
    answer(&app, &caller).await
}
