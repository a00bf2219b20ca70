//! The rows behind the facts, as they are stored.

use crate::clock::Day;
use crate::engine::decision::Scope;
use crate::engine::ids::{
    BusinessId, CampaignId, CodeId, CommissionId, CustomerRewardId, EnrollmentId, InboxItemId, LeadId, LineId,
    PaymentId, ProductId, ReferrerId, RefundId, TermsId, TouchId, UserId,
};
use crate::engine::state::{
    Arrival, CampaignState, CodeKind, CodeState, CommissionKind, CommissionState, CustomerRewardCause,
    CustomerRewardKind, CustomerRewardState, Decision, DecisionReason, EnrollmentState, InboxKind, InboxState,
    QualifyOn, RecurringLimit, RefundState, SourceOrigin, Status, Subscription, TouchKind, VoidCause,
};
use crate::leads::fields::LeadFacts;
use crate::money::{Currency, Money};
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct Business {
        pub id: BusinessId,
        pub timezone: String,
        pub currency: Currency,
        /// True while any refund waits for its payment: only then are they looked for.
        pub parked: bool,
        /// True while anybody listens to messages: only then are they written.
        pub listens: bool,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Campaign {
        pub id: CampaignId,
        pub business_id: BusinessId,
        pub state: CampaignState,
        pub qualify_on: QualifyOn,
        pub qualify_least: String,
        pub qualify_days: i64,
        pub reward: String,
        pub reward_hold_days: i64,
        /// None where customers get nothing.
        pub customer_reward_kind: Option<CustomerRewardKind>,
        pub customer_reward: String,
        pub customer_reward_text: String,
        /// True where customers get something, or got it before.
        pub rewards_customers: bool,
    }
}

impl Campaign {
    /// True when it pays for qualifications.
    pub fn rewards(&self) -> bool {
        !matches!(self.reward.trim(), "" | "{}")
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Product {
        pub id: ProductId,
        pub business_id: BusinessId,
        pub campaign_id: CampaignId,
        pub test: bool,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Terms {
        pub id: TermsId,
        pub product_id: ProductId,
        pub number: i64,
        pub valid_from: Day,
        pub referral_rate: Option<i64>,
        pub referral_flat: Option<String>,
        pub recurring_rate: Option<i64>,
        pub recurring_flat: Option<String>,
        pub recurring_limit: RecurringLimit,
        pub recurring_count: i64,
        pub hold_days: i64,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Code {
        pub id: CodeId,
        pub business_id: BusinessId,
        pub enrollment_id: EnrollmentId,
        pub campaign_id: CampaignId,
        pub referrer_id: ReferrerId,
        pub lookup: String,
        pub repaired: String,
        pub kind: CodeKind,
        pub state: CodeState,
    }
}

row! {
    /// An enrollment with what its referrer is reached by.
    #[derive(Debug, Clone)]
    pub struct Enrollment {
        pub id: EnrollmentId,
        pub business_id: BusinessId,
        pub campaign_id: CampaignId,
        pub referrer_id: ReferrerId,
        pub state: EnrollmentState,
        pub archived: bool,
        pub email_key: Option<String>,
        pub phone_key: Option<String>,
    }
}

impl Enrollment {
    pub fn is_banned(&self) -> bool {
        self.state == EnrollmentState::Banned
    }

    /// Same normalised e-mail address or phone number: nobody refers themselves.
    pub fn is_same_person(&self, lead: &Lead) -> bool {
        (lead.email_key.is_some() && lead.email_key == self.email_key)
            || (lead.phone_key.is_some() && lead.phone_key == self.phone_key)
    }
}

row! {
    #[derive(Debug, Clone, PartialEq)]
    pub struct Lead {
        pub id: LeadId,
        pub business_id: BusinessId,
        pub campaign_id: CampaignId,
        pub test: bool,
        pub name: String,
        pub email: Option<String>,
        pub email_key: Option<String>,
        pub phone: Option<String>,
        pub phone_key: Option<String>,
        pub source_origin: SourceOrigin,
        pub status: Status,
        pub status_before: Option<Status>,
        pub active: bool,
        pub duplicate_of: Option<LeadId>,
        pub qualified_at: Option<i64>,
        pub converted_at: Option<i64>,
        pub arrival: Option<Arrival>,
        pub referrer_id: Option<ReferrerId>,
        pub enrollment_id: Option<EnrollmentId>,
        pub code_id: Option<CodeId>,
        pub touch_id: Option<TouchId>,
        pub rule_fired: bool,
        pub recorded_by: Option<UserId>,
        pub external_id: Option<String>,
        pub meta: String,
        pub created_at: i64,
        pub updated_at: i64,
        pub archived_at: Option<i64>;
        pub facts: LeadFacts
    }
}

impl Lead {
    pub fn scope(&self) -> Scope {
        Scope { campaign_id: self.campaign_id, test: self.test }
    }

    /// True when another state of this lead differs in its progress alone, as events change it.
    pub fn only_progressed(&self, to: &Self) -> bool {
        let progressed = Self {
            status: to.status,
            status_before: to.status_before,
            qualified_at: to.qualified_at,
            converted_at: to.converted_at,
            rule_fired: to.rule_fired,
            updated_at: to.updated_at,
            ..self.clone()
        };
        progressed == *to
    }

    /// The contacts that the person locks of this lead are taken on.
    pub fn contact_keys(&self) -> impl Iterator<Item = &str> {
        self.email_key.as_deref().into_iter().chain(self.phone_key.as_deref())
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct SignedUp {
        pub id: i64,
        pub business_id: BusinessId,
        pub product_id: ProductId,
        pub test: bool,
        pub email_key: String,
        pub lead_id: LeadId,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Paid {
        pub id: PaymentId,
        pub business_id: BusinessId,
        pub campaign_id: CampaignId,
        pub product_id: ProductId,
        pub test: bool,
        pub lead_id: Option<LeadId>,
        pub email: String,
        pub email_key: String,
        pub amount: i64,
        pub currency: Currency,
        pub subscription_status: Subscription,
        pub payment_date: Day,
        pub body_hash: String,
        pub decision: Decision,
        pub decision_why: DecisionReason,
        pub repeats: i64,
        pub disputed_at: Option<i64>,
        pub refunded: i64,
        pub received_at: i64,
    }
}

impl Paid {
    pub fn left(&self) -> i64 {
        self.amount - self.refunded
    }

    pub fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency }
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct RefundRow {
        pub id: RefundId,
        pub business_id: BusinessId,
        pub campaign_id: CampaignId,
        pub product_id: ProductId,
        pub test: bool,
        pub email: String,
        pub email_key: String,
        pub payment_id: Option<PaymentId>,
        pub asked: Option<i64>,
        pub amount: Option<i64>,
        pub currency: Option<Currency>,
        pub refund_date: Day,
        pub identity: String,
        pub body_hash: String,
        pub state: RefundState,
        pub why: Option<String>,
        pub received_at: i64,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Cancelled {
        pub id: i64,
        pub business_id: BusinessId,
        pub product_id: ProductId,
        pub test: bool,
        pub lead_id: LeadId,
        pub day: Day,
        pub identity: String,
        pub body_hash: String,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Purchase {
        pub lead_id: LeadId,
        pub product_id: ProductId,
        pub first_payment_id: Option<PaymentId>,
        pub first_payment_date: Option<Day>,
        pub decided: i64,
        pub subscription_status: Subscription,
        pub paid_on: Option<Day>,
        pub cancelled_on: Option<Day>,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Commission {
        pub id: CommissionId,
        pub business_id: BusinessId,
        pub campaign_id: CampaignId,
        pub test: bool,
        pub kind: CommissionKind,
        pub product_id: Option<ProductId>,
        pub payment_id: Option<PaymentId>,
        pub lead_id: LeadId,
        pub referrer_id: ReferrerId,
        pub enrollment_id: EnrollmentId,
        pub terms_id: Option<TermsId>,
        pub terms_number: Option<i64>,
        pub rate: Option<i64>,
        pub flat: Option<i64>,
        pub base_amount: i64,
        pub amount: i64,
        pub currency: Currency,
        pub hold_days: i64,
        pub hold_until: Day,
        pub state: CommissionState,
        pub void_cause: Option<VoidCause>,
        /// Words of a person.
        pub reason: Option<String>,
        pub released: bool,
        pub reversed_at: Option<i64>,
        pub taken_back: i64,
        pub line_id: Option<LineId>,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

impl Commission {
    /// True while its amount may change and it may be void.
    pub fn is_unpaid(&self) -> bool {
        self.is_owed() && !self.is_committed()
    }

    /// True while its amount is held or due: it is not void, and no payout has it.
    pub fn is_owed(&self) -> bool {
        matches!(self.state, CommissionState::Pending | CommissionState::Approved) && self.line_id.is_none()
    }

    /// True from the payout that took it on: its amount stands, and corrections are adjustments. A payout that
    /// failed gives it back, but what was taken back of it meanwhile stays an adjustment.
    pub fn is_committed(&self) -> bool {
        self.line_id.is_some() || self.taken_back > 0 || self.reversed_at.is_some()
    }

    pub fn is_void(&self) -> bool {
        self.state == CommissionState::Void
    }

    /// Its amount by now.
    pub fn money(&self) -> Money {
        Money { minor: self.amount - self.taken_back, currency: self.currency }
    }
}

row! {
    /// The reward of a referred customer: at most one a lead, ever.
    #[derive(Debug, Clone)]
    pub struct CustomerReward {
        pub id: CustomerRewardId,
        pub business_id: BusinessId,
        pub campaign_id: CampaignId,
        pub test: bool,
        pub lead_id: LeadId,
        pub kind: CustomerRewardKind,
        pub amount: Option<i64>,
        pub currency: Option<Currency>,
        pub words: Option<String>,
        pub hold_until: Day,
        pub state: CustomerRewardState,
        pub void_cause: Option<CustomerRewardCause>,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

impl CustomerReward {
    /// True where staff gave it, also one that was reversed since, or voided it: another lead's reward would undo that.
    pub fn is_decided(&self) -> bool {
        match self.state {
            CustomerRewardState::Given | CustomerRewardState::Reversed => true,
            CustomerRewardState::Due => false,
            CustomerRewardState::Void => self.void_cause == Some(CustomerRewardCause::Staff),
        }
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct InboxItem {
        pub id: InboxItemId,
        pub business_id: BusinessId,
        pub campaign_id: Option<CampaignId>,
        pub kind: InboxKind,
        pub state: InboxState,
        pub cause: String,
        pub detail: String,
        pub lead_id: Option<LeadId>,
        pub payment_id: Option<PaymentId>,
        pub referrer_id: Option<ReferrerId>,
        pub touch_id: Option<TouchId>,
    }
}

row! {
    /// A touch that no rule refused. Without an enrollment staff decided that nobody referred the lead.
    #[derive(Debug, Clone)]
    pub struct Touched {
        pub id: TouchId,
        pub lead_id: LeadId,
        pub kind: TouchKind,
        pub at: i64,
        pub enrollment_id: Option<EnrollmentId>,
        pub code_id: Option<CodeId>,
    }
}
