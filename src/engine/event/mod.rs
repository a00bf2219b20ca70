//! The events, a file per kind: its data, its subjects, its decision, and its outcome.
//!
//! Events are complete when they get here: parsed, with ids of this business only, and with product, campaign
//! and mode settled. Outcomes are values, never errors: one bad item does not fail a slice.
//!
//! A new kind is a file here and a line in [`events!`].

mod add_lead;
mod approve;
mod archive;
mod cancel_subscription;
mod dispute;
mod edit_lead;
mod find_self_referral;
mod inbox;
mod merge;
mod pay_back;
mod payment;
mod qualify;
mod reattribute;
mod refund;
mod refund_to;
mod set_status;
mod settle_item;
mod sign_up;
mod void;

pub use add_lead::{AddLead, AddLeadOutcome};
pub use approve::Approve;
pub use archive::Archive;
pub use cancel_subscription::{CancelOutcome, CancelSubscription};
pub use dispute::{Dispute, DisputedPayment};
pub use edit_lead::{AmendLead, EditLead};
pub use find_self_referral::FindSelfReferral;
pub use inbox::{AcceptOutcome, AcceptPayment, Dismiss, Reopen};
pub use merge::Merge;
pub use pay_back::PayBack;
pub use payment::{Payment, PaymentOutcome};
pub use qualify::{Qualified, Qualify, QualifyBy};
pub use reattribute::Reattribute;
pub use refund::{Refund, RefundOutcome, Refunded};
pub use refund_to::{RefundTo, RefundToOutcome};
pub use set_status::SetStatus;
pub use settle_item::SettleItem;
pub use sign_up::{SignUp, SignUpOutcome};
pub use void::Void;

use serde::{Deserialize, Serialize};

use super::decision::{By, Decided, Done, Rejected, Seen};
use super::ids::{BusinessId, LeadId};
use super::rule::{Change, Rule};
use super::subjects::Subjects;
use super::work::Work;

/// A kind of event as the engine's callers see it.
pub trait Kind: Rule + Into<What> {
    /// The outcome of this kind; none for that of another.
    fn of(outcome: Outcome) -> Option<Self::Outcome>;
}

impl Outcome {
    /// The lead that was added or qualified.
    pub fn lead_id(&self) -> Option<LeadId> {
        match self {
            Self::AddLead(outcome) => Some(outcome.lead_id()),
            Self::Qualify(done) | Self::QualifyBy(done) => Some(done.lead_id),
            _ => None,
        }
    }
}

macro_rules! events {
    ($($kind:ident -> $outcome:ty),+ $(,)?) => {
        /// One thing that can happen.
        #[derive(Debug, Clone)]
        pub enum What {
            $($kind($kind)),+
        }

        /// The outcome of one event.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Outcome {
            $($kind($outcome)),+
        }

        impl What {
            pub fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
                match self {
                    $(Self::$kind(event) => event.subjects(business_id, about)),+
                }
            }

            pub fn decide(&self, work: &mut Work, by: &By) -> Decided<Outcome> {
                match self {
                    $(Self::$kind(event) => event.decide(work, by).map(Outcome::$kind)),+
                }
            }
        }

        impl Change for Outcome {
            fn changed(&self) -> bool {
                match self {
                    $(Self::$kind(outcome) => outcome.changed()),+
                }
            }
        }

        $(
            impl From<$kind> for What {
                fn from(event: $kind) -> Self {
                    Self::$kind(event)
                }
            }

            impl Kind for $kind {
                fn of(outcome: Outcome) -> Option<$outcome> {
                    if let Outcome::$kind(outcome) = outcome { Some(outcome) } else { None }
                }
            }
        )+
    };
}

events! {
    SignUp -> SignUpOutcome,
    AddLead -> AddLeadOutcome,
    Payment -> PaymentOutcome,
    Refund -> RefundOutcome,
    RefundTo -> RefundToOutcome,
    CancelSubscription -> CancelOutcome,
    Qualify -> Qualified,
    QualifyBy -> Qualified,
    SetStatus -> Done,
    EditLead -> Done,
    AmendLead -> Done,
    Reattribute -> Done,
    PayBack -> Done,
    Approve -> Done,
    Void -> Done,
    Dispute -> Done,
    Merge -> Done,
    Archive -> Done,
    FindSelfReferral -> Done,
    Dismiss -> Done,
    Reopen -> Done,
    AcceptPayment -> AcceptOutcome,
    SettleItem -> Done,
}

/// One thing that happened in one business.
#[derive(Debug, Clone)]
pub struct Event {
    pub by: By,
    pub what: What,
    /// Decided only while this lead is as it was seen.
    pub unchanged: Option<Seen>,
}

impl Event {
    pub fn new(by: By, what: impl Into<What>) -> Self {
        Self { by, what: what.into(), unchanged: None }
    }

    /// To be decided only while the lead is as it was seen.
    pub fn if_unchanged(mut self, seen: Option<Seen>) -> Self {
        self.unchanged = seen;
        self
    }

    pub fn subjects(&self, about: &mut Subjects) {
        about.businesses.insert(self.by.business_id);
        self.what.subjects(self.by.business_id, about);
    }

    /// Decides on the facts as the events before it left them.
    pub fn decide(&self, work: &mut Work) -> Decided<Outcome> {
        if let Some(seen) = self.unchanged {
            let lead = work.facts.lead(&self.by, seen.lead_id);
            if lead.is_ok_and(|lead| lead.updated_at != seen.updated_at) {
                return Err(Rejected::Stale);
            }
        }
        self.what.decide(work, &self.by)
    }
}

/// Everything that a slice is about.
pub fn subjects(events: &[Event]) -> Subjects {
    let mut about = Subjects::default();
    events.iter().for_each(|event| event.subjects(&mut about));
    about
}
