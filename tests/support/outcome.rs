//! The outcome of an event, flat and with plain ids, as tests speak of it.

use refdesk::engine::{
    self, AcceptOutcome, AddLeadOutcome, CancelOutcome, Change as _, Changed, ClaimRefusal, Decided, Dispute,
    DisputedPayment, Earned, Field, PaymentOutcome, Qualified, RefundOutcome, Refunded, Rejected, SignUpOutcome, What,
};
use refdesk::money::Money;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    SignedUp {
        lead_id: i64,
        referrer_id: Option<i64>,
        known: bool,
        refused: Option<ClaimRefusal>,
    },
    SignUpDuplicate {
        lead_id: i64,
        referrer_id: Option<i64>,
    },
    LeadAdded {
        lead_id: i64,
        referrer_id: Option<i64>,
        refused: Option<ClaimRefusal>,
        duplicate_of: Option<i64>,
    },
    LeadKnown {
        lead_id: i64,
        attributed: bool,
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
        mismatch: bool,
    },
    SubscriptionCancelled {
        lead_id: Option<i64>,
        status: String,
    },
    CancellationDuplicate {
        lead_id: i64,
        mismatch: bool,
    },
    Qualification {
        lead_id: i64,
        changed: Changed,
    },
    /// The id of the row that the event named.
    Done {
        id: i64,
        changed: bool,
    },
    Refused {
        why: String,
    },
    Invalid {
        field: Field,
        why: String,
    },
    NotFound,
    Stale,
}

impl Outcome {
    pub fn of(what: &What, decided: Decided<engine::Outcome>) -> Self {
        match decided {
            Ok(outcome) => Self::of_accepted(what, outcome),
            Err(Rejected::Refused(refusal)) => Self::Refused { why: refusal.sentence() },
            Err(Rejected::Invalid { field, why }) => Self::Invalid { field, why },
            Err(Rejected::NotFound) => Self::NotFound,
            Err(Rejected::Stale) => Self::Stale,
        }
    }

    fn of_accepted(what: &What, outcome: engine::Outcome) -> Self {
        use engine::Outcome as O;
        match outcome {
            O::SignUp(SignUpOutcome::Recorded { lead_id, referrer_id, known, refused }) => {
                Self::SignedUp { lead_id: lead_id.0, referrer_id: referrer_id.map(|id| id.0), known, refused }
            }
            O::SignUp(SignUpOutcome::Duplicate { lead_id, referrer_id }) => {
                Self::SignUpDuplicate { lead_id: lead_id.0, referrer_id: referrer_id.map(|id| id.0) }
            }
            O::AddLead(AddLeadOutcome::Added { lead_id, referrer_id, refused, duplicate_of }) => Self::LeadAdded {
                lead_id: lead_id.0,
                referrer_id: referrer_id.map(|id| id.0),
                refused,
                duplicate_of: duplicate_of.map(|id| id.0),
            },
            O::AddLead(AddLeadOutcome::Known { lead_id, attributed, .. }) => {
                Self::LeadKnown { lead_id: lead_id.0, attributed }
            }
            O::Payment(payment) | O::AcceptPayment(AcceptOutcome::Payment(payment)) => Self::of_payment(payment),
            O::Refund(RefundOutcome::Recorded(refunded)) => Self::Refunded(refunded),
            O::Refund(RefundOutcome::Duplicate { known, mismatch }) => Self::RefundDuplicate { known, mismatch },
            O::RefundTo(done) => Self::Done { id: done.payment_id().0, changed: done.changed() },
            O::CancelSubscription(CancelOutcome::Recorded { lead_id, status, .. }) => {
                Self::SubscriptionCancelled { lead_id: lead_id.map(|id| id.0), status: status.word().to_owned() }
            }
            O::CancelSubscription(CancelOutcome::Duplicate { lead_id, mismatch, .. }) => {
                Self::CancellationDuplicate { lead_id: lead_id.0, mismatch }
            }
            O::Qualify(Qualified { lead_id, changed }) | O::QualifyBy(Qualified { lead_id, changed }) => {
                let changed = if changed { Changed::Yes } else { Changed::Already };
                Self::Qualification { lead_id: lead_id.0, changed }
            }
            O::AcceptPayment(AcceptOutcome::Closed) => Self::Done { id: named(what), changed: false },
            O::SetStatus(done)
            | O::EditLead(done)
            | O::AmendLead(done)
            | O::Reattribute(done)
            | O::PayBack(done)
            | O::Approve(done)
            | O::Void(done)
            | O::Dispute(done)
            | O::Merge(done)
            | O::Archive(done)
            | O::FindSelfReferral(done)
            | O::Dismiss(done)
            | O::Reopen(done)
            | O::SettleItem(done) => Self::Done { id: named(what), changed: done.changed },
        }
    }

    fn of_payment(payment: PaymentOutcome) -> Self {
        match payment {
            PaymentOutcome::Recorded { payment_id, lead_id, earned, warning } => Self::PaymentRecorded {
                payment_id: payment_id.0,
                lead_id: lead_id.map(|id| id.0),
                earned,
                warning: warning.map(engine::Warning::sentence),
            },
            PaymentOutcome::Duplicate { payment_id, amount, earned, body_differs, mismatch } => {
                Self::PaymentDuplicate { payment_id: payment_id.0, amount, earned, body_differs, mismatch }
            }
        }
    }
}

/// The row that an event names.
fn named(what: &What) -> i64 {
    match what {
        What::SetStatus(e) => e.lead_id.0,
        What::EditLead(e) => e.lead_id.0,
        What::AmendLead(e) => e.lead_id.0,
        What::Reattribute(e) => e.lead_id.0,
        What::PayBack(e) => e.lead_id.0,
        What::Qualify(e) => e.lead_id.0,
        What::Approve(e) => e.commission_id.0,
        What::Void(e) => e.commission_id.0,
        What::Dispute(Dispute { payment: DisputedPayment::Id(id), .. }) => id.0,
        What::Merge(e) => e.into.0,
        What::Archive(e) => e.lead_id.0,
        What::FindSelfReferral(e) => e.lead_id.0,
        What::Dismiss(e) => e.item_id.0,
        What::Reopen(e) => e.item_id.0,
        What::AcceptPayment(e) => e.item_id.0,
        What::SettleItem(e) => e.item_id.0,
        other => panic!("names no row: {other:?}"),
    }
}
