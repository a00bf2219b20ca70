//! The parts that every event has: in whose name it happens, and how it is answered.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::{BusinessId, CampaignId, CommissionId, LeadId, ProductId, ReferrerId, UserId};
use super::state::{CommissionState, Status};
use crate::actor::Actor;
use crate::clock::Day;
use crate::id::{self, Kind};
use crate::money::Money;

/// In which business something happens, and who does it.
#[derive(Debug, Clone)]
pub struct By {
    pub business_id: BusinessId,
    pub actor: Arc<Actor>,
}

impl By {
    pub fn new(business_id: i64, actor: &Arc<Actor>) -> Self {
        Self { business_id: BusinessId(business_id), actor: actor.clone() }
    }

    /// The person of staff, where it is one.
    pub fn user(&self) -> Option<UserId> {
        self.actor.user().map(UserId)
    }
}

/// The world a lead is known in: one campaign, live or test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    pub campaign_id: CampaignId,
    pub test: bool,
}

impl Scope {
    pub fn new(campaign_id: i64, test: bool) -> Self {
        Self { campaign_id: CampaignId(campaign_id), test }
    }
}

/// One e-mail address or phone number as one campaign and mode sees it.
pub type Contactable = (Scope, String);

/// A product with its campaign and mode, which never change: settled where an event enters and carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductScope {
    pub product_id: ProductId,
    pub scope: Scope,
}

impl ProductScope {
    /// A row is test when the key or the product is.
    pub fn new(product_id: i64, campaign_id: i64, test: bool) -> Self {
        let scope = Scope { campaign_id: CampaignId(campaign_id), test };
        Self { product_id: ProductId(product_id), scope }
    }
}

/// A lead as somebody saw it: when it was last changed, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub lead_id: LeadId,
    pub updated_at: i64,
}

/// A field of an event. Each contract, file and page has a name of its own for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field {
    Product,
    Email,
    Phone,
    Amount,
    Currency,
    /// The day on which it happened.
    Day,
    /// The day of the payment that a refund is of.
    PaymentDay,
    /// The commission of the payment that a refund is of.
    Commission,
}

impl Field {
    /// For people, and for a surface that has no name of its own.
    pub fn words(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Email => "e-mail address",
            Self::Phone => "phone number",
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::Day => "day",
            Self::PaymentDay => "day of the payment",
            Self::Commission => "commission",
        }
    }
}

/// The answer to an event: what it came to, or why it changed nothing.
pub type Decided<T> = Result<T, Rejected>;

/// Why an event changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rejected {
    /// No such row in this business.
    NotFound,
    /// The rules do not allow it.
    Refused(Refusal),
    /// A field does not fit what is known.
    Invalid { field: Field, why: String },
    /// Somebody else has changed it since it was read.
    Stale,
}

/// The refusals of the rules, each with a code for programs and a sentence for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// A decision needs more rows than one transaction looks at.
    TooMuch,
    DuplicateQualified,
    DuplicateAttributed,
    /// The lead that has the address.
    EmailTaken(LeadId),
    /// The lead that has the external id, or that has another one.
    ExternalIdTaken(LeadId),
    NotMergeable,
    MergeOtherWay,
    BothHaveMoney,
    NoReferrer,
    /// The lead has another referrer by now, or its reward was decided otherwise.
    NoRewardDue,
    ReferrerBanned,
    ReferrerArchived,
    SelfReferral,
    CampaignDraft,
    PaymentDisputed,
    /// A commission of this state cannot be approved.
    CommissionIs(CommissionState),
    CommissionPaid,
    CommissionInPayout,
    NothingPaid,
    WhollyRefunded,
    ItemAccepted,
    ItemWithoutPayment,
    /// Another call had its `Idempotency-Key`.
    AnotherCall,
}

impl Refusal {
    pub fn code(self) -> &'static str {
        match self {
            Self::TooMuch => "too_much",
            Self::DuplicateQualified => "duplicate_qualified",
            Self::DuplicateAttributed => "duplicate_attributed",
            Self::EmailTaken(_) => "email_taken",
            Self::ExternalIdTaken(_) => "external_id_taken",
            Self::NotMergeable => "not_mergeable",
            Self::MergeOtherWay => "merge_other_way",
            Self::BothHaveMoney => "both_have_money",
            Self::NoReferrer => "no_referrer",
            Self::NoRewardDue => "no_reward_due",
            Self::ReferrerBanned => "referrer_banned",
            Self::ReferrerArchived => "referrer_archived",
            Self::SelfReferral => "self_referral",
            Self::CampaignDraft => "campaign_draft",
            Self::PaymentDisputed => "payment_disputed",
            Self::CommissionIs(_) => "commission_state",
            Self::CommissionPaid => "commission_paid",
            Self::CommissionInPayout => "commission_in_payout",
            Self::NothingPaid => "nothing_paid",
            Self::WhollyRefunded => "wholly_refunded",
            Self::ItemAccepted => "item_accepted",
            Self::ItemWithoutPayment => "item_without_payment",
            Self::AnotherCall => "idempotency_mismatch",
        }
    }

    /// The sentence people read.
    pub fn sentence(self) -> String {
        let fixed = match self {
            Self::CommissionIs(state) => return format!("It is {state} already."),
            Self::EmailTaken(holder) => {
                let holder = id::render(Kind::Lead, holder.0);
                return format!("Another lead of this campaign has that e-mail address: {holder}.");
            }
            Self::ExternalIdTaken(holder) => {
                let holder = id::render(Kind::Lead, holder.0);
                return format!(
                    "The external id is another lead's, or the lead of this person has another one: {holder}."
                );
            }
            Self::TooMuch => "More payments or commissions hang on this than can be decided at once.",
            Self::DuplicateQualified => "A duplicate cannot be qualified; its primary lead can.",
            Self::DuplicateAttributed => "A duplicate holds no attribution; merge it or change its primary lead.",
            Self::NotMergeable => {
                "These two cannot be merged: they are not in one campaign, or the other is a duplicate itself."
            }
            Self::MergeOtherWay => {
                "The lead to merge has sign-ups, payments or commissions of its own; merge the other way round."
            }
            Self::BothHaveMoney => {
                "Both leads have sign-ups, payments or commissions, so they stay apart. What was decided for each stays as it is."
            }
            Self::NoReferrer => "The lead has no referrer who could earn.",
            Self::NoRewardDue => {
                "No reward is due any more: the lead has another referrer by now, does not count, or its reward was decided."
            }
            Self::ReferrerBanned => "That referrer is banned.",
            Self::ReferrerArchived => "That referrer is archived.",
            Self::SelfReferral => "Nobody can refer themselves.",
            Self::CampaignDraft => "The campaign is a draft, which takes test data only. It has to be live first.",
            Self::PaymentDisputed => "The payment is disputed; decide the dispute first.",
            Self::CommissionPaid => "It was paid; a refund of the payment takes it back.",
            Self::CommissionInPayout => {
                "A payout has taken it on. Undo that payout first, or correct it with an adjustment."
            }
            Self::NothingPaid => "Nothing was paid, so there is nothing to dispute.",
            Self::WhollyRefunded => "The payment was wholly refunded: nothing of it is left to dispute.",
            Self::ItemAccepted => "The item was accepted; what was done stays.",
            Self::ItemWithoutPayment => "The item does not hold a payment.",
            Self::AnotherCall => "Another call had this Idempotency-Key. Use a new one for a new call.",
        };
        fixed.to_owned()
    }
}

impl From<Refusal> for Rejected {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The answer of an event that either changes one thing or finds it as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub changed: bool,
}

impl Done {
    pub const CHANGED: Self = Self { changed: true };
    pub const ALREADY: Self = Self { changed: false };
}

/// The effect of a qualification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Changed {
    Yes,
    Already,
    /// Nothing was asked for.
    No,
}

/// The commission behind a payment, as the answer reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earned {
    pub commission_id: CommissionId,
    pub referrer_id: ReferrerId,
    pub amount: Money,
    pub state: CommissionState,
    pub hold_until: Day,
}

/// The statuses that a qualification lifts, and that its end returns to.
pub fn is_before_qualified(status: Status) -> bool {
    matches!(status, Status::New | Status::Contacted | Status::Lost)
}
