//! The bodies and answers of the calls about campaigns.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::amounts::Amounts;
use crate::api::field::{Clearable, Field, Kept, Line, OneOf, OneUpTo, UpTo, Word, Wrong};
use crate::api::v1::common::instant;
use crate::campaigns::rows::CampaignRow;
use crate::campaigns::{LINK_DAYS_MOST, QUALIFY_DAYS_MOST, QualifyOn, State};
use crate::id::{self, Kind};
use crate::money::{Currency, MAX_MINOR, Money};
use crate::object;

/// Whole minor units by currency: `{"USD": 2000}`.
#[derive(Debug, Clone)]
pub struct ByCurrency(pub Amounts);

impl Field for ByCurrency {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let raw = raw.ok_or(Wrong::Missing)?;
        let wrong = || Wrong::because("must be an object of whole minor units by currency, such as {\"USD\": 2000}");
        let map: BTreeMap<String, i64> = serde_json::from_str(raw).map_err(|_| wrong())?;
        let mut amounts = Amounts::default();
        for (code, minor) in map {
            let currency = Currency::parse(&code).map_err(|why| Wrong::Because(format!("has {code}, which {why}")))?;
            if !(0..=MAX_MINOR).contains(&minor) {
                return Err(Wrong::Because(format!("has {minor} {code}, which is not from 0 to {MAX_MINOR}")));
            }
            if !amounts.add(Money { minor, currency }) {
                return Err(Wrong::Because(format!("has {code} twice, or too many currencies")));
            }
        }
        Ok(Self(amounts))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": { "type": "integer", "minimum": 0, "maximum": MAX_MINOR },
        })
    }
}

impl Word for QualifyOn {
    const WORDS: &'static [&'static str] = &["payment", "sign_up", "hand"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

/// The kinds of a customer's reward, with none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomerRewardKind(pub &'static str);

impl Word for CustomerRewardKind {
    const WORDS: &'static [&'static str] = &["none", "money", "credit", "voucher"];

    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|known| **known == word).copied().map(Self)
    }
}

impl Word for State {
    const WORDS: &'static [&'static str] = &["draft", "live", "paused", "ended"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

object! {
    /// A campaign to make.
    strict pub struct NewCampaign {
        /// The name.
        name "name": Line<120>,
        /// When a referral counts; at the first `payment` otherwise.
        qualify_on "qualify_on": Option<OneOf<QualifyOn>>,
        /// The least first payment that qualifies, in minor units by currency; any otherwise.
        qualify_least "qualify_least": Option<ByCurrency>,
        /// Days after the lead in which that payment has to come; 0, for any time, otherwise.
        qualify_days "qualify_days": Option<UpTo<QUALIFY_DAYS_MOST>>,
        /// The reward for a qualification, in minor units by currency; empty for none.
        reward "reward": Option<ByCurrency>,
        /// Days for which a reward stays pending; 14 otherwise.
        reward_hold_days "reward_hold_days": Option<UpTo<3650>>,
        /// The reward of a referred customer who is qualified; nothing otherwise.
        customer_reward_kind "customer_reward_kind": Option<OneOf<CustomerRewardKind>>,
        /// The amount of `money` or `credit`, in minor units by currency: one.
        customer_reward "customer_reward": Option<ByCurrency>,
        /// The words of a `voucher`.
        customer_reward_text "customer_reward_text": Option<Line<200>>,
        /// The target of links: an address on the web.
        destination "destination": Option<Line<2000>>,
        /// Days for which a customer's browser keeps the code of a link; 90 otherwise.
        link_days "link_days": Option<OneUpTo<LINK_DAYS_MOST>>,
        /// A sentence for customers: what they get by being referred.
        offer "offer": Option<Line<200>>,
    }
}

object! {
    /// Changes to a campaign. A missing field stays.
    strict pub struct CampaignChange {
        /// The name.
        name "name": Kept<Line<120>>,
        /// When a referral counts.
        qualify_on "qualify_on": Kept<OneOf<QualifyOn>>,
        /// The least first payment that qualifies, in minor units by currency; `{}` for any.
        qualify_least "qualify_least": Kept<ByCurrency>,
        /// Days after the lead in which that payment has to come; 0 for any time.
        qualify_days "qualify_days": Kept<UpTo<QUALIFY_DAYS_MOST>>,
        /// The reward for a qualification, in minor units by currency; `{}` for none.
        reward "reward": Kept<ByCurrency>,
        /// Days for which a reward stays pending.
        reward_hold_days "reward_hold_days": Kept<UpTo<3650>>,
        /// The reward of a referred customer who is qualified.
        customer_reward_kind "customer_reward_kind": Kept<OneOf<CustomerRewardKind>>,
        /// The amount of `money` or `credit`, in minor units by currency: one.
        customer_reward "customer_reward": Kept<ByCurrency>,
        /// The words of a `voucher`.
        customer_reward_text "customer_reward_text": Option<Clearable<200>>,
        /// The target of links: an address on the web.
        destination "destination": Option<Clearable<2000>>,
        /// Days for which a customer's browser keeps the code of a link.
        link_days "link_days": Kept<OneUpTo<LINK_DAYS_MOST>>,
        /// A sentence for customers: what they get by being referred.
        offer "offer": Option<Clearable<200>>,
    }
}

object! {
    /// The state of a campaign.
    strict pub struct CampaignStanding {
        /// `live`, `paused` or `ended`; nothing becomes a draft again.
        state "state": OneOf<State>,
    }
}

/// A referral programme.
#[derive(Serialize, JsonSchema)]
pub struct Campaign {
    /// `campaign_…`.
    id: String,
    /// The integer behind it, as Referral Factory's API has it.
    number: i64,
    /// The name.
    name: String,
    /// `draft`, `live`, `paused` or `ended`.
    state: String,
    /// When a referral counts: by `hand`, at `sign_up`, or at a `payment`.
    qualify_on: String,
    /// The least first payment that qualifies, in minor units by currency; empty for any.
    qualify_least: BTreeMap<String, i64>,
    /// Days after the lead in which that payment has to come; 0 for any time.
    qualify_days: i64,
    /// The reward for a qualification, in minor units by currency; empty for none.
    reward: BTreeMap<String, i64>,
    /// Days for which a reward stays pending, and a customer's is held.
    reward_hold_days: i64,
    /// The reward of a referred customer who is qualified: `none`, `money`, `credit` or a `voucher`.
    customer_reward_kind: String,
    /// The amount of `money` or `credit`, in minor units by currency; empty otherwise.
    customer_reward: BTreeMap<String, i64>,
    /// The words of a `voucher`; empty otherwise.
    customer_reward_text: String,
    /// The target of links; empty until it is set.
    destination: String,
    /// Days for which a customer's browser keeps the code of a link.
    link_days: i64,
    /// A sentence for customers: what they get by being referred; empty for none.
    offer: String,
    /// When it was made.
    created_at: String,
    /// When its settings or its state last changed.
    updated_at: String,
}

impl Campaign {
    pub fn of(row: CampaignRow) -> Self {
        Self {
            id: id::render(Kind::Campaign, row.id),
            number: row.id,
            name: row.name,
            state: row.state,
            qualify_on: row.qualify_on,
            qualify_least: Amounts::from_json(&row.qualify_least).codes(),
            qualify_days: row.qualify_days,
            reward: Amounts::from_json(&row.reward).codes(),
            reward_hold_days: row.reward_hold_days,
            customer_reward_kind: row.customer_reward_kind,
            customer_reward: Amounts::from_json(&row.customer_reward).codes(),
            customer_reward_text: row.customer_reward_text,
            destination: row.destination,
            link_days: row.link_days,
            offer: row.offer,
            created_at: instant(row.created_at),
            updated_at: instant(row.updated_at),
        }
    }
}
