//! A subscription ended. It marks the lead's purchase and touches nothing that was paid or earned; a payment
//! of a later day goes on.

use serde_json::json;

use super::{About, audit, lead, payment};
use crate::engine::event::{CancelSubscription, Event, Outcome};
use crate::engine::facts::Cancelled;
use crate::engine::work::Work;

pub fn cancel(work: &mut Work, event: &Event, c: &CancelSubscription) -> Outcome {
    let Some(product) = work.facts.products.get(&c.product_id).filter(|x| x.business_id == event.business_id).cloned()
    else {
        return Outcome::NotFound;
    };
    let test = c.test || product.test;
    let identity = (event.business_id, test, c.identity.clone());
    if let Some(known) = work.facts.cancellations.get(&identity).cloned() {
        let lead_id = known.lead_id;
        return Outcome::CancellationDuplicate {
            lead_id,
            referrer_id: referrer_of(work, lead_id),
            status: payment::purchase_of(work, lead_id, known.product_id),
            mismatch: known.body_hash != c.body_hash,
        };
    }
    // Who is not known has no subscription here that could end; the event is not kept, so that it counts
    // when it is sent again later.
    let Some(lead_id) = lead::find(work, product.campaign_id, test, Some(c.email.key()), None) else {
        return Outcome::SubscriptionCancelled { lead_id: None, referrer_id: None, status: "cancelled".to_owned() };
    };
    let id = work.id();
    let day = c.date.to_string();
    let cancelled = Cancelled {
        id,
        business_id: event.business_id,
        product_id: product.id,
        test,
        lead_id,
        day: day.clone(),
        identity: c.identity.clone(),
        body_hash: c.body_hash.clone(),
    };
    work.facts.cancellations.insert(identity, cancelled.clone());
    work.writes.cancellations.push(cancelled);
    let bought = payment::purchase(work, lead_id, product.id);
    let before = bought.subscription_status.clone();
    if bought.paid_on.as_ref().is_none_or(|paid| *paid <= day) {
        "cancelled".clone_into(&mut bought.subscription_status);
        bought.cancelled_on = bought.cancelled_on.take().max(Some(day.clone()));
    }
    let status = bought.subscription_status.clone();
    let referrer_id = referrer_of(work, lead_id);
    let about =
        About { action: "subscription.cancelled", kind: "lead", id: lead_id, lead_id: Some(lead_id), referrer_id };
    let after = json!({ "subscription": status, "date": day, "product": product.id });
    audit(work, event, about, Some(json!({ "subscription": before })), Some(after), None);
    work.tell(
        event.business_id,
        test,
        "subscription.cancelled",
        lead_id,
        json!({ "date": day, "product": product.id }),
    );
    Outcome::SubscriptionCancelled { lead_id: Some(lead_id), referrer_id, status }
}

fn referrer_of(work: &Work, lead_id: i64) -> Option<i64> {
    work.facts.leads.get(&lead_id).and_then(|l| l.referrer_id)
}
