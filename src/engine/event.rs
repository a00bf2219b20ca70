//! What can happen, and what came of it. Events are complete when they get here: parsed, with ids
//! of this business only. Outcomes are values, never errors: one bad item does not fail a slice.

use std::sync::Arc;

use crate::actor::Actor;
use crate::clock::Day;
use crate::email::Email;
use crate::money::{Currency, Money, Unpriced};
use crate::phone::Phone;

/// One thing that happened in one business.
#[derive(Debug, Clone)]
pub struct Event {
    pub business_id: i64,
    pub actor: Arc<Actor>,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    SignUp(SignUp),
    AddLead(Box<AddLead>),
    Payment(Payment),
    Refund(Box<Refund>),
    CancelSubscription(CancelSubscription),
    /// Sets or clears `qualified_at`.
    Qualify {
        lead_id: i64,
        qualified: bool,
        reason: Option<String>,
    },
    /// The same for the primary lead of an address, whichever it is by then; none that is archived.
    QualifyBy {
        campaign_id: i64,
        test: bool,
        email: Email,
        qualified: bool,
    },
    SetStatus {
        lead_id: i64,
        status: Status,
    },
    EditLead {
        lead_id: i64,
        contact: Box<Contact>,
        active: bool,
        /// When it was last changed as the editor saw it; none takes it as it is.
        seen: Option<i64>,
    },
    /// Some facts of a lead, whatever the others are by then: a program that knows only these.
    AmendLead {
        lead_id: i64,
        name: Option<String>,
        email: Option<Email>,
    },
    /// Staff decide who referred a lead; `to` is an enrollment, `None` takes the attribution away.
    Reattribute {
        lead_id: i64,
        to: Option<i64>,
        code_id: Option<i64>,
        reason: String,
        pay_back: bool,
    },
    /// Staff let a lead's waiting payments (and its qualification) earn.
    PayBack {
        lead_id: i64,
    },
    /// The hold is over (`reason` none) or staff approve earlier.
    Approve {
        commission_id: i64,
        reason: Option<String>,
    },
    Void {
        commission_id: i64,
        reason: String,
    },
    /// Marks a payment as disputed, or takes the mark off.
    Dispute {
        payment_id: i64,
        disputed: bool,
        reason: String,
    },
    /// A duplicate becomes part of its primary.
    Merge {
        lead_id: i64,
        into: i64,
    },
    Archive {
        lead_id: i64,
        archived: bool,
    },
    /// Something about a lead, done only while it is as it was seen: it was last changed then.
    IfUnchanged {
        lead_id: i64,
        seen: i64,
        by: Box<What>,
    },
    Dismiss {
        item_id: i64,
    },
    /// A dismissed item waits for a person again.
    Reopen {
        item_id: i64,
    },
    /// A "possible second payment" was one.
    AcceptPayment {
        item_id: i64,
    },
    /// What a person decided about an inbox item, and the item's end, in one: done only while the item
    /// is open, and the item stays open when the rules refuse it.
    Settle {
        item_id: i64,
        by: Box<What>,
        outcome: String,
    },
}

impl What {
    pub fn refund(&self) -> Option<&Refund> {
        match self {
            Self::Refund(refund) => Some(refund),
            Self::Settle { by, .. } | Self::IfUnchanged { by, .. } => by.refund(),
            _ => None,
        }
    }

    /// The payment that is named by its own id, to be refunded or disputed.
    pub fn payment_id(&self) -> Option<i64> {
        match self {
            Self::Dispute { payment_id, .. } => Some(*payment_id),
            Self::Settle { by, .. } | Self::IfUnchanged { by, .. } => by.payment_id(),
            _ => match self.refund()?.of {
                RefundOf::Payment(id) => Some(id),
                _ => None,
            },
        }
    }
}

/// RN customer-created.
#[derive(Debug, Clone)]
pub struct SignUp {
    pub product_id: i64,
    pub test: bool,
    pub email: Email,
    pub name: String,
    pub phone: Option<Phone>,
    pub code: Option<String>,
}

/// RN payment-succeeded.
#[derive(Debug, Clone)]
pub struct Payment {
    pub product_id: i64,
    pub test: bool,
    pub email: Email,
    pub phone: Option<Phone>,
    pub amount: Money,
    pub subscription_status: String,
    pub date: Day,
    /// `event:…`, `invoice:…` or `key:…`; none means product, e-mail and date decide.
    pub identity: Option<String>,
    /// SHA-256 over the parsed fields: tells a retry from a second payment.
    pub body_hash: String,
}

impl Payment {
    /// What it is known by when only its day is named.
    pub fn day_name(&self) -> String {
        paid_on(self.product_id, self.email.key(), &self.date.to_string())
    }
}

/// RN payment-refunded, and the form on a lead's page.
#[derive(Debug, Clone)]
pub struct Refund {
    pub product_id: i64,
    pub test: bool,
    pub email: Email,
    pub of: RefundOf,
    /// None is all that is left.
    pub amount: Option<Unpriced>,
    /// Where it is given, it has to be the payment's.
    pub currency: Option<Currency>,
    pub date: Day,
    /// `event:…`; none means payment, date and amount decide.
    pub identity: Option<String>,
    /// SHA-256 over the parsed fields.
    pub body_hash: String,
    /// Why staff gave it back.
    pub reason: Option<String>,
}

/// What a refund names its payment by.
#[derive(Debug, Clone)]
pub enum RefundOf {
    Date(Day),
    /// The payment's `eventId`, else its `invoiceId`.
    Event(String),
    Commission(i64),
    Payment(i64),
}

impl RefundOf {
    /// The name a refund waits under for its payment.
    pub fn name(&self, product_id: i64, email_key: &str) -> String {
        match self {
            Self::Date(day) => paid_on(product_id, email_key, &day.to_string()),
            Self::Event(id) => format!("event:{id}"),
            Self::Commission(id) => format!("commission:{id}"),
            Self::Payment(id) => format!("payment:{id}"),
        }
    }
}

/// The name of a person's payments of one product and day; a payment's identity when it has no other.
pub fn paid_on(product_id: i64, email_key: &str, date: &str) -> String {
    format!("date:{product_id}|{email_key}|{date}")
}

/// RN subscription-cancelled.
#[derive(Debug, Clone)]
pub struct CancelSubscription {
    pub product_id: i64,
    pub test: bool,
    pub email: Email,
    pub date: Day,
    /// `event:…`, or product, e-mail address and date.
    pub identity: String,
    pub body_hash: String,
}

/// How a person is reached, and what a lead's form says of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    pub name: String,
    /// As written; CF accepts any text here.
    pub email: Option<String>,
    /// Normalised, when the text is an address.
    pub email_key: Option<String>,
    pub phone: Option<String>,
    pub phone_key: Option<String>,
    pub company: Option<String>,
    pub jobtitle: Option<String>,
    pub industry: Option<String>,
    pub website: Option<String>,
    pub request: Option<String>,
    pub budget: Option<String>,
    pub country: Option<String>,
    pub region: Option<String>,
    pub address: Option<String>,
    pub source: Option<String>,
}

/// A lead that came by another way than an event.
#[derive(Debug, Clone)]
pub struct AddLead {
    pub campaign_id: i64,
    pub test: bool,
    pub contact: Contact,
    pub status: Status,
    /// `api` or `dashboard`.
    pub source_origin: &'static str,
    pub claim: Option<Claim>,
    pub recorded_by: Option<i64>,
    /// CF: a repeat becomes a row of its own, linked as a duplicate.
    pub repeats_allowed: bool,
    /// Qualify it in the same step (an upload of converted customers does).
    pub qualify: bool,
}

/// Evidence that somebody referred a lead.
#[derive(Debug, Clone)]
pub struct Claim {
    pub kind: TouchKind,
    pub by: ClaimBy,
}

#[derive(Debug, Clone)]
pub enum ClaimBy {
    Code(String),
    Enrollment(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TouchKind {
    Click,
    Code,
    Verbal,
    Event,
    Import,
    Staff,
}

impl TouchKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Code => "code",
            Self::Verbal => "verbal",
            Self::Event => "event",
            Self::Import => "import",
            Self::Staff => "staff",
        }
    }

    /// The way of arrival that figures count: an event carries a code.
    pub fn arrival(self) -> &'static str {
        match self {
            Self::Click => "link",
            Self::Code | Self::Event => "code",
            Self::Verbal => "verbal",
            Self::Import => "upload",
            Self::Staff => "staff",
        }
    }
}

/// A lead's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    New,
    Contacted,
    Qualified,
    Converted,
    Lost,
}

impl Status {
    pub const ALL: [Self; 5] = [Self::New, Self::Contacted, Self::Qualified, Self::Converted, Self::Lost];

    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Contacted => "contacted",
            Self::Qualified => "qualified",
            Self::Converted => "converted",
            Self::Lost => "lost",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// What came of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    SignedUp {
        lead_id: i64,
        referrer_id: Option<i64>,
        known: bool,
        refused: Option<Refusal>,
    },
    /// The same sign-up was accepted before.
    SignUpDuplicate {
        lead_id: i64,
        referrer_id: Option<i64>,
    },
    LeadAdded {
        lead_id: i64,
        referrer_id: Option<i64>,
        refused: Option<Refusal>,
        duplicate_of: Option<i64>,
    },
    /// The person was there already; `completed` when their address is known only now, `attributed` when
    /// this claim now counts.
    LeadKnown {
        lead_id: i64,
        referrer_id: Option<i64>,
        completed: bool,
        attributed: bool,
        qualified: Changed,
        refused: Option<Refusal>,
    },
    PaymentRecorded {
        payment_id: i64,
        lead_id: Option<i64>,
        earned: Option<Earned>,
        warning: Option<String>,
    },
    PaymentDuplicate {
        payment_id: i64,
        amount: Money,
        earned: Option<Earned>,
        body_differs: bool,
        mismatch: bool,
    },
    Refunded(Refunded),
    RefundDuplicate {
        known: Refunded,
        /// The same id came with another content.
        mismatch: bool,
    },
    /// A field does not fit what is known; nothing was stored.
    Invalid {
        field: &'static str,
        why: String,
    },
    /// `lead_id` none: nobody has that address, so nothing changed.
    SubscriptionCancelled {
        lead_id: Option<i64>,
        referrer_id: Option<i64>,
        /// How the subscription is now: a later payment stands.
        status: String,
    },
    CancellationDuplicate {
        lead_id: i64,
        referrer_id: Option<i64>,
        status: String,
        mismatch: bool,
    },
    Qualification {
        lead_id: i64,
        changed: Changed,
    },
    Done {
        id: i64,
        changed: bool,
    },
    /// The rules do not allow it; the sentence is for people.
    Refused {
        why: String,
    },
    /// No such row in this business.
    NotFound,
    /// Somebody else has changed it since it was read.
    Stale,
}

/// Whether a toggle did anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    Yes,
    Already,
    /// Nothing was asked for.
    No,
}

/// A refund, as its answer tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refunded {
    pub refund_id: i64,
    /// `parked`, `applied` or `refused`.
    pub state: String,
    pub payment_id: Option<i64>,
    /// What was given back; none unless it was applied.
    pub amount: Option<Money>,
    /// What is left of the payment, where that is known.
    pub left: Option<Money>,
    pub earned: Option<Earned>,
}

/// The commission behind a payment, as the answer tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earned {
    pub commission_id: i64,
    pub referrer_id: i64,
    pub amount: Money,
    pub state: String,
    pub hold_until: String,
}

/// Why a claim does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    UnknownCode,
    RetiredCode,
    OtherCampaign,
    Paused,
    Banned,
    Archived,
    CampaignNotLive,
    SelfReferral,
}

impl Refusal {
    pub fn word(self) -> &'static str {
        match self {
            Self::UnknownCode => "unknown_code",
            Self::RetiredCode => "retired_code",
            Self::OtherCampaign => "other_campaign",
            Self::Paused => "paused",
            Self::Banned => "banned",
            Self::Archived => "archived",
            Self::CampaignNotLive => "campaign_not_live",
            Self::SelfReferral => "self_referral",
        }
    }

    /// The sentence people read.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::UnknownCode => "no code of this business reads like that",
            Self::RetiredCode => "the code is retired",
            Self::OtherCampaign => "the code belongs to another campaign, and its referrer is not enrolled in this one",
            Self::Paused => "the referrer is paused",
            Self::Banned => "the referrer is banned",
            Self::Archived => "the referrer is archived",
            Self::CampaignNotLive => "the campaign takes no new referrals",
            Self::SelfReferral => "the referrer and the lead are the same person",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        [
            Self::UnknownCode,
            Self::RetiredCode,
            Self::OtherCampaign,
            Self::Paused,
            Self::Banned,
            Self::Archived,
            Self::CampaignNotLive,
            Self::SelfReferral,
        ]
        .into_iter()
        .find(|r| r.word() == word)
    }
}
