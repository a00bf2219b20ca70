//! Every state, decision, reason, account and kind that the engine knows, each with the word it is stored
//! and shown by.

use crate::words;

words! {
    /// The progress of a lead.
    pub enum Status {
        New = "new",
        Contacted = "contacted",
        Qualified = "qualified",
        Converted = "converted",
        Lost = "lost",
    }
}

words! {
    /// The kind of evidence that links a lead to a referrer.
    pub enum TouchKind {
        Click = "click",
        Code = "code",
        Verbal = "verbal",
        Event = "event",
        Import = "import",
        Staff = "staff",
    }
}

impl TouchKind {
    /// The source that figures count a lead under: an event carries a code.
    pub fn arrival(self) -> Arrival {
        match self {
            Self::Click => Arrival::Link,
            Self::Code | Self::Event => Arrival::Code,
            Self::Verbal => Arrival::Verbal,
            Self::Import => Arrival::Upload,
            Self::Staff => Arrival::Staff,
        }
    }
}

words! {
    /// By which way an attributed lead came.
    pub enum Arrival {
        Link = "link",
        Code = "code",
        Verbal = "verbal",
        Upload = "upload",
        Staff = "staff",
    }
}

words! {
    /// By which surface a lead was made.
    pub enum SourceOrigin {
        Api = "api",
        Dashboard = "dashboard",
    }
}

words! {
    pub enum CampaignState {
        Draft = "draft",
        Live = "live",
        Paused = "paused",
        Ended = "ended",
    }
}

words! {
    /// When a campaign qualifies a lead by itself.
    pub enum QualifyOn {
        Hand = "hand",
        SignUp = "sign_up",
        Payment = "payment",
    }
}

words! {
    /// The bound of the recurring rate.
    pub enum RecurringLimit {
        None = "none",
        Months = "months",
        Payments = "payments",
    }
}

words! {
    pub enum EnrollmentState {
        Active = "active",
        Paused = "paused",
        Banned = "banned",
    }
}

words! {
    /// A generated code is read with its look-alikes repaired; a custom one as it is spelled.
    pub enum CodeKind {
        Generated = "generated",
        Custom = "custom",
    }
}

words! {
    pub enum CodeState {
        Active = "active",
        Alias = "alias",
        Retired = "retired",
    }
}

words! {
    /// The decision about a payment's commission.
    pub enum Decision {
        Waiting = "waiting",
        Earned = "earned",
        Nothing = "nothing",
    }
}

words! {
    /// Why a payment was decided as it was.
    pub enum DecisionReason {
        NoLead = "no lead with this address yet",
        BeforeItsAddress = "it came before its lead had this address",
        NoReferrer = "the lead has no referrer",
        ReferrerBanned = "the referrer is banned",
        CampaignDraft = "the campaign is a draft",
        NoTerms = "the product has no terms",
        TestProduct = "test product",
        AmountZero = "the amount is 0",
        RecurringLimit = "the recurring limit is reached",
        NoFlatAmount = "the terms name no flat amount in this currency",
        ReferralRate = "referral rate",
        RecurringRate = "recurring rate",
        EarnsNothing = "the rate earns nothing on this amount",
    }
}

words! {
    /// The state of a subscription.
    pub enum Subscription {
        Active = "active",
        Trialing = "trialing",
        PastDue = "past_due",
        Cancelled = "cancelled",
    }
}

words! {
    /// The kind of event that earns a commission.
    pub enum CommissionKind {
        Referral = "referral",
        Recurring = "recurring",
        Reward = "reward",
    }
}

words! {
    pub enum CommissionState {
        Pending = "pending",
        Approved = "approved",
        Paid = "paid",
        Void = "void",
    }
}

words! {
    /// Why a commission is void. What staff voided stays void, whatever words they gave; only the program's
    /// own causes let one come back.
    pub enum VoidCause {
        /// The whole payment was given back.
        Refunded = "refunded",
        /// Its lead went to another referrer.
        Reattributed = "re-attributed",
        /// The referrer turned out to be the lead.
        SelfReferral = "self-referral",
        /// The lead's qualification was taken back.
        Unqualified = "unqualified",
        Staff = "staff",
    }
}

impl VoidCause {
    /// True when it went with its lead's attribution, and comes back with the next one.
    pub fn went_with_attribution(self) -> bool {
        matches!(self, Self::Reattributed | Self::SelfReferral)
    }
}

words! {
    /// The kind of a referred customer's reward.
    pub enum CustomerRewardKind {
        Money = "money",
        Credit = "credit",
        Voucher = "voucher",
    }
}

words! {
    /// The progress of a customer's reward.
    pub enum CustomerRewardState {
        Due = "due",
        Given = "given",
        Void = "void",
        /// Its lead does not count any more, after it was given.
        Reversed = "reversed",
    }
}

words! {
    /// Why a customer's reward is void. What staff voided stays void.
    pub enum CustomerRewardCause {
        /// The lead's qualification was taken back.
        Unqualified = "unqualified",
        /// The lead has no referrer any more.
        NotReferred = "not referred",
        Staff = "staff",
    }
}

words! {
    /// A balance of a referrer in one currency.
    pub enum Account {
        Held = "held",
        Due = "due",
        /// In a locked payout.
        Paying = "paying",
        Paid = "paid",
    }
}

words! {
    /// The reason for a ledger entry.
    pub enum EntryKind {
        Created = "created",
        Approved = "approved",
        Voided = "voided",
        Restored = "restored",
        Refunded = "refunded",
        ClawedBack = "clawed back",
        Disputed = "disputed",
        DisputeEnded = "dispute ended",
        Adjusted = "adjusted",
        Locked = "locked",
        Unlocked = "unlocked",
        Paid = "paid",
        Failed = "failed",
        Returned = "returned",
    }
}

words! {
    /// The kind of a correction of what a referrer is owed.
    pub enum AdjustmentKind {
        /// Of a commission that a payout had taken already.
        ClawBack = "claw back",
        Bonus = "bonus",
        Correction = "correction",
    }
}

words! {
    pub enum AdjustmentState {
        /// A second person has to approve it.
        Pending = "pending",
        /// It is on the ledger.
        Posted = "posted",
        Refused = "refused",
        Withdrawn = "withdrawn",
    }
}

words! {
    /// The progress of a payout.
    pub enum PayoutState {
        /// Its lines are still being found.
        Building = "building",
        Draft = "draft",
        /// Its lines are being taken off what is due, some at a time.
        Locking = "locking",
        Locked = "locked",
        /// Its lines are being given back.
        Unlocking = "unlocking",
        /// A second person agreed.
        Approved = "approved",
        Closed = "closed",
        Dropped = "dropped",
    }
}

words! {
    /// The progress of a referrer's line in a payout.
    pub enum LineState {
        /// Left out, for a reason.
        Out = "out",
        In = "in",
        Locked = "locked",
        Paid = "paid",
        Failed = "failed",
        /// Paid, and sent back.
        Returned = "returned",
    }
}

words! {
    pub enum RefundState {
        Parked = "parked",
        Applied = "applied",
        Refused = "refused",
    }
}

words! {
    pub enum InboxState {
        Open = "open",
        Accepted = "accepted",
        Dismissed = "dismissed",
    }
}

words! {
    /// The kinds of inbox items. The first eight are claims that do not count, for the reason they name.
    pub enum InboxKind {
        UnknownCode = "unknown_code",
        /// A person who recorded it did not find the referrer.
        Unnamed = "unnamed",
        RetiredCode = "retired_code",
        OtherCampaign = "other_campaign",
        Paused = "paused",
        Banned = "banned",
        Archived = "archived",
        CampaignNotLive = "campaign_not_live",
        SelfReferral = "self_referral",
        /// A code came when its lead was known already.
        LateClaim = "late_claim",
        SecondPayment = "second_payment",
        OlderPayments = "older_payments",
        NoFlatAmount = "no_flat_amount",
        RefundUnfit = "refund_unfit",
        /// A reward for a lead of which staff voided what another referrer earned.
        RewardInDoubt = "reward_in_doubt",
    }
}

words! {
    /// Why a claim does not count.
    pub enum ClaimRefusal {
        UnknownCode = "unknown_code",
        /// A person who recorded it did not find the referrer.
        Unnamed = "unnamed",
        RetiredCode = "retired_code",
        OtherCampaign = "other_campaign",
        Paused = "paused",
        Banned = "banned",
        Archived = "archived",
        CampaignNotLive = "campaign_not_live",
        SelfReferral = "self_referral",
    }
}

impl ClaimRefusal {
    /// The sentence people read.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::UnknownCode => "no code of this business reads like that",
            Self::Unnamed => "the referrer was not found",
            Self::RetiredCode => "the code is retired",
            Self::OtherCampaign => "the code belongs to another campaign, and its referrer is not enrolled in this one",
            Self::Paused => "the referrer is paused",
            Self::Banned => "the referrer is banned",
            Self::Archived => "the referrer is archived",
            Self::CampaignNotLive => "the campaign takes no new referrals",
            Self::SelfReferral => "the referrer and the lead are the same person",
        }
    }

    /// The inbox item that asks a person about it.
    pub fn inbox_kind(self) -> InboxKind {
        match self {
            Self::UnknownCode => InboxKind::UnknownCode,
            Self::Unnamed => InboxKind::Unnamed,
            Self::RetiredCode => InboxKind::RetiredCode,
            Self::OtherCampaign => InboxKind::OtherCampaign,
            Self::Paused => InboxKind::Paused,
            Self::Banned => InboxKind::Banned,
            Self::Archived => InboxKind::Archived,
            Self::CampaignNotLive => InboxKind::CampaignNotLive,
            Self::SelfReferral => InboxKind::SelfReferral,
        }
    }
}
