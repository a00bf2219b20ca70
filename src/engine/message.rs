//! Messages to the outside, as a type. A message is written only for a business that somebody listens to.

use serde_json::{Value as Json, json};

use super::ids::{BusinessId, CommissionId, LeadId, PaymentId, ProductId, ReferrerId, RefundId};
use super::state::{CommissionState, VoidCause};
use crate::clock::Day;
use crate::money::Money;

/// Something to report, about one row of a business.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: i64,
    pub business_id: BusinessId,
    pub test: bool,
    pub news: News,
}

/// The kinds of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    LeadCreated {
        lead_id: LeadId,
        name: String,
    },
    LeadQualified {
        lead_id: LeadId,
    },
    LeadUnqualified {
        lead_id: LeadId,
    },
    LeadAttributed {
        lead_id: LeadId,
        referrer_id: Option<ReferrerId>,
    },
    SubscriptionCancelled {
        lead_id: LeadId,
        product_id: ProductId,
        day: Day,
    },
    CommissionCreated {
        commission_id: CommissionId,
        amount: Money,
        referrer_id: ReferrerId,
        lead_id: LeadId,
        hold_until: Day,
    },
    CommissionApproved {
        commission_id: CommissionId,
        amount: Money,
        referrer_id: ReferrerId,
    },
    CommissionVoided {
        commission_id: CommissionId,
        cause: VoidCause,
        reason: Option<String>,
    },
    CommissionRefunded {
        commission_id: CommissionId,
        amount: Money,
        state: CommissionState,
    },
    PaymentRefunded {
        payment_id: PaymentId,
        refund_id: RefundId,
        amount: Money,
        left: Money,
        day: Day,
    },
    /// A refund did not reach the customer, and its amount is a part of the payment again.
    PaymentRefundFailed {
        payment_id: PaymentId,
        refund_id: RefundId,
        amount: Money,
        left: Money,
        day: Day,
    },
    PaymentDisputed {
        payment_id: PaymentId,
        amount: Money,
        reason: String,
    },
    PaymentDisputeEnded {
        payment_id: PaymentId,
        amount: Money,
        reason: String,
        lost: bool,
    },
}

impl News {
    /// The word that listeners choose by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LeadCreated { .. } => "lead.created",
            Self::LeadQualified { .. } => "lead.qualified",
            Self::LeadUnqualified { .. } => "lead.unqualified",
            Self::LeadAttributed { .. } => "lead.attributed",
            Self::SubscriptionCancelled { .. } => "subscription.cancelled",
            Self::CommissionCreated { .. } => "commission.created",
            Self::CommissionApproved { .. } => "commission.approved",
            Self::CommissionVoided { .. } => "commission.voided",
            Self::CommissionRefunded { .. } => "commission.refunded",
            Self::PaymentRefunded { .. } => "payment.refunded",
            Self::PaymentRefundFailed { .. } => "payment.refund_failed",
            Self::PaymentDisputed { .. } => "payment.disputed",
            Self::PaymentDisputeEnded { .. } => "payment.dispute_ended",
        }
    }

    /// The row it is about.
    pub fn subject(&self) -> i64 {
        match self {
            Self::LeadCreated { lead_id, .. }
            | Self::LeadQualified { lead_id }
            | Self::LeadUnqualified { lead_id }
            | Self::LeadAttributed { lead_id, .. }
            | Self::SubscriptionCancelled { lead_id, .. } => lead_id.0,
            Self::CommissionCreated { commission_id, .. }
            | Self::CommissionApproved { commission_id, .. }
            | Self::CommissionVoided { commission_id, .. }
            | Self::CommissionRefunded { commission_id, .. } => commission_id.0,
            Self::PaymentRefunded { payment_id, .. }
            | Self::PaymentRefundFailed { payment_id, .. }
            | Self::PaymentDisputed { payment_id, .. }
            | Self::PaymentDisputeEnded { payment_id, .. } => payment_id.0,
        }
    }

    /// The rest of what it says.
    pub fn payload(&self) -> Json {
        match self {
            Self::LeadCreated { name, .. } => json!({ "name": name }),
            Self::LeadQualified { .. } | Self::LeadUnqualified { .. } => json!({}),
            Self::LeadAttributed { referrer_id, .. } => json!({ "referrer": referrer_id }),
            Self::SubscriptionCancelled { product_id, day, .. } => {
                json!({ "date": day.to_string(), "product": product_id })
            }
            Self::CommissionCreated { amount, referrer_id, lead_id, hold_until, .. } => json!({
                "amount": amount.shown(), "referrer": referrer_id, "lead": lead_id, "hold_until": hold_until.to_string(),
            }),
            Self::CommissionApproved { amount, referrer_id, .. } => {
                json!({ "amount": amount.shown(), "referrer": referrer_id })
            }
            Self::CommissionVoided { cause, reason, .. } => json!({ "cause": cause, "reason": reason }),
            Self::CommissionRefunded { amount, state, .. } => json!({ "state": state, "amount": amount.shown() }),
            Self::PaymentRefunded { refund_id, amount, left, day, .. }
            | Self::PaymentRefundFailed { refund_id, amount, left, day, .. } => {
                json!({ "refund": refund_id, "amount": amount.shown(), "left": left.shown(), "date": day.to_string() })
            }
            Self::PaymentDisputed { amount, reason, .. } => json!({ "amount": amount.shown(), "reason": reason }),
            Self::PaymentDisputeEnded { amount, reason, lost, .. } => {
                json!({ "amount": amount.shown(), "reason": reason, "lost": lost })
            }
        }
    }
}
