//! A subscription ended.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Incoming, Ready, Reply, agent, event, not_ahead, place, scope, unexpected};
use crate::api::Caller;
use crate::api::field::Line;
use crate::api::operation::Operation;
use crate::api::problem::Problem;
use crate::app::App;
use crate::clock::Day;
use crate::email::Email;
use crate::engine::{CancelOutcome, CancelSubscription, PaymentName, Subscription};
use crate::id::{self, Kind};
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
struct CancelAnswer {
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
struct CancelConflict {
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

pub(super) fn operation() -> Operation {
    event("/api/events/subscription-cancelled", "subscriptionCancelled", "A subscription ended")
        .about("Nothing further is expected of it; what was paid and earned stays. A payment of a later day makes it active again.")
        .takes::<SubscriptionCancelled>(r#"{"businessId": "business_123", "productId": "product_123", "customerEmail": "jane@example.com", "date": "2026-06-14"}"#)
        .answers::<CancelAnswer>(200, "Recorded.", r#"{"success": true, "leadId": "lead_abc123", "agentId": "agent_xyz456", "subscriptionStatus": "cancelled", "message": "Subscription cancelled. Earlier payments and commissions stay."}"#)
        .answers::<CancelConflict>(409, "Recorded before.", r#"{"success": false, "code": "duplicate_event", "message": "This cancellation was recorded before.", "leadId": "lead_abc123", "agentId": "agent_xyz456", "subscriptionStatus": "cancelled"}"#)
}

impl Incoming for SubscriptionCancelled {
    async fn ready(self, app: &App, caller: &Caller, _: Option<String>) -> Result<Ready, Problem> {
        let date = not_ahead(self.date, "date", app, caller)?;
        let product = place(app, caller, &self.business_id, &self.product_id).await?;
        let email = self.customer_email;
        let of = scope(&product, caller);
        let by_day = PaymentName::paid_on(of.product_id, email.key(), date).to_string();
        let cancel = CancelSubscription {
            of,
            body_hash: id::sha256_hex(&format!("{by_day}|{}", caller.test())),
            identity: self.event_id.map_or(by_day, |id| format!("event:{}", id.0)),
            email,
            date,
        };
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
