//! A subscription ended. It marks the lead's purchase and touches nothing that was paid or earned; a payment
//! of a later day goes on.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clock::Day;
use crate::email::Email;
use crate::engine::decision::{By, Decided, ProductScope};
use crate::engine::facts::Cancelled;
use crate::engine::ids::{BusinessId, LeadId, ReferrerId};
use crate::engine::message::News;
use crate::engine::rule::{Change, Rule};
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::earning;
use crate::engine::state::Subscription;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

/// RN subscription-cancelled.
#[derive(Debug, Clone)]
pub struct CancelSubscription {
    pub of: ProductScope,
    pub email: Email,
    pub date: Day,
    /// `event:…`, or product, e-mail address and date.
    pub identity: String,
    pub body_hash: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelOutcome {
    /// `lead_id` none: nobody has that address, so nothing changed.
    Recorded {
        lead_id: Option<LeadId>,
        referrer_id: Option<ReferrerId>,
        /// The state of the subscription by now: a later payment stands.
        status: Subscription,
    },
    Duplicate {
        lead_id: LeadId,
        referrer_id: Option<ReferrerId>,
        status: Option<Subscription>,
        mismatch: bool,
    },
}

impl Change for CancelOutcome {
    fn changed(&self) -> bool {
        matches!(self, Self::Recorded { lead_id: Some(_), .. })
    }
}

impl Rule for CancelSubscription {
    type Outcome = CancelOutcome;

    fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
        about.product(self.of);
        about.person(business_id, self.of.scope, Some(self.email.key()), None);
        about.lock(business_id, format!("cancellation {}", self.identity));
        about.cancellations.insert((business_id, self.of.scope.test, self.identity.clone()));
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<CancelOutcome> {
        work.facts.prove(by, self.of)?;
        let referrer_of = |work: &Work, lead_id| work.facts.leads.get(&lead_id).and_then(|l| l.referrer_id);
        let identity = (by.business_id, self.of.scope.test, self.identity.clone());
        if let Some(known) = work.facts.cancellations.get(&identity) {
            let bought = work.facts.purchases.get(&(known.lead_id, known.product_id));
            return Ok(CancelOutcome::Duplicate {
                lead_id: known.lead_id,
                referrer_id: referrer_of(work, known.lead_id),
                status: bought.map(|p| p.subscription_status),
                mismatch: known.body_hash != self.body_hash,
            });
        }
        // An unknown address has no subscription here that could end; the event is not stored, so that it counts
        // when it is sent again later.
        let Some(lead_id) = work.facts.find_lead(self.of.scope, Some(self.email.key()), None) else {
            let status = Subscription::Cancelled;
            return Ok(CancelOutcome::Recorded { lead_id: None, referrer_id: None, status });
        };
        self.keep(work, by, lead_id);
        let known = work.facts.purchases.get(&(lead_id, self.of.product_id)).map(|p| p.subscription_status);
        let bought = earning::purchase(work, lead_id, self.of.product_id, Subscription::Cancelled);
        if bought.paid_on.is_none_or(|paid| paid <= self.date) {
            bought.subscription_status = Subscription::Cancelled;
            bought.cancelled_on = bought.cancelled_on.max(Some(self.date));
        }
        let status = bought.subscription_status;
        let referrer_id = referrer_of(work, lead_id);
        let note = Note::lead("subscription.cancelled", lead_id, referrer_id)
            .before(json!({ "subscription": known.map_or("", Subscription::word) }))
            .after(json!({ "subscription": status, "date": self.date.to_string(), "product": self.of.product_id }));
        audit(work, by, note);
        let news = News::SubscriptionCancelled { lead_id, product_id: self.of.product_id, day: self.date };
        work.report(by.business_id, self.of.scope.test, news);
        Ok(CancelOutcome::Recorded { lead_id: Some(lead_id), referrer_id, status })
    }
}

impl CancelSubscription {
    fn keep(&self, work: &mut Work, by: &By, lead_id: LeadId) {
        let id = work.id();
        let cancelled = Cancelled {
            id,
            business_id: by.business_id,
            product_id: self.of.product_id,
            test: self.of.scope.test,
            lead_id,
            day: self.date,
            identity: self.identity.clone(),
            body_hash: self.body_hash.clone(),
        };
        let identity = (by.business_id, self.of.scope.test, self.identity.clone());
        work.facts.cancellations.insert(identity, cancelled.clone());
        work.writes.cancellations.push(cancelled);
    }
}
