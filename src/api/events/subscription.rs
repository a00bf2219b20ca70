//! A subscription ended.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Incoming, Ready, Reply, agent, refused, unexpected};
use crate::api::field::Line;
use crate::api::problem::Problem;
use crate::clock::Day;
use crate::email::Email;
use crate::engine::{CancelOutcome, Subscription};
use crate::id::{self, Kind};
use crate::intake::{Intake, RawCancel, RawProduct};
use crate::object;

object! {
    /// A customer's subscription ended.
    pub struct SubscriptionCancelled {
        /// Your business.
        business_id "businessId": Line<200>,
        /// The product of the subscription.
        product_id "productId": Line<200>,
        /// The address of the customer-created event.
        customer_email "customerEmail": Email,
        /// The day it ended, in the business's time zone; at most a day ahead.
        date "date": Day,
        /// The event's own id; without one a second cancellation of the same day is a repeat.
        event_id "eventId": Option<Line<200>>,
    }
}

/// The answer to a cancellation.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancelAnswer {
    /// Always true.
    success: bool,
    /// The lead of this customer; null when the address is unknown, and then nothing is stored.
    lead_id: Option<String>,
    /// The referrer.
    agent_id: Option<String>,
    /// `cancelled`, unless a payment of a later day stands.
    subscription_status: String,
    /// The result, as a sentence.
    message: &'static str,
}

/// 409: this cancellation was recorded before.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancelConflict {
    /// Always false.
    success: bool,
    /// `duplicate_event`, or `idempotency_mismatch` where the id came with another content.
    code: &'static str,
    /// The fault, as a sentence.
    message: &'static str,
    /// The lead of the first call.
    lead_id: String,
    /// The referrer.
    agent_id: Option<String>,
    /// The present state of the subscription.
    subscription_status: String,
}

impl Incoming for SubscriptionCancelled {
    async fn ready(self, intake: Intake<'_>, _: Option<String>) -> Result<Ready, Problem> {
        let raw = RawCancel {
            of: RawProduct { business: self.business_id.0, product: self.product_id.0 },
            email: self.customer_email,
            date: self.date,
            id: self.event_id.map(|id| id.0),
        };
        let cancel = intake.cancel(raw).await.map_err(|fault| refused(fault, "date"))?;
        Ok(Ready::new(cancel, told, unexpected))
    }
}

fn told(outcome: CancelOutcome) -> Result<Reply, Problem> {
    match outcome {
        CancelOutcome::Recorded { lead_id, referrer_id, status } => {
            let message = match lead_id {
                None => "This address is unknown; nothing changed.",
                Some(_) if status == Subscription::Cancelled => {
                    "Subscription cancelled. Earlier payments and commissions stay."
                }
                Some(_) => "A payment of a later day stands, so the subscription goes on.",
            };
            Reply::ok(&CancelAnswer {
                success: true,
                lead_id: lead_id.map(|id| id::render(Kind::Lead, id.0)),
                agent_id: agent(referrer_id),
                subscription_status: status.word().to_owned(),
                message,
            })
        }
        CancelOutcome::Duplicate { lead_id, referrer_id, status, mismatch } => Reply::conflict(&CancelConflict {
            success: false,
            code: if mismatch { "idempotency_mismatch" } else { "duplicate_event" },
            message: if mismatch {
                "A cancellation with this id was recorded before, with another content."
            } else {
                "This cancellation was recorded before."
            },
            lead_id: id::render(Kind::Lead, lead_id.0),
            agent_id: agent(referrer_id),
            subscription_status: status.map_or_else(String::new, |s| s.word().to_owned()),
        }),
    }
}
