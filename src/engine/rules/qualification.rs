//! When a referral counts: set once by the campaign's rule or by hand, undone without touching payments.

use serde_json::json;

use super::{About, attribution, audit, commission};
use crate::engine::event::{Changed, Event, Outcome, Status};
use crate::engine::facts::{Commission, in_currency, in_currency_or_first};
use crate::engine::work::Work;

/// The toggle, RF, an upload, or `/v1`.
pub fn toggle(work: &mut Work, event: &Event, lead_id: i64, on: bool, reason: Option<String>) -> Outcome {
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| l.business_id == event.business_id).cloned() else {
        return Outcome::NotFound;
    };
    if lead.duplicate_of.is_some() && on {
        return Outcome::Refused { why: "A duplicate cannot be qualified; its primary lead can.".into() };
    }
    let changed = if on { qualify(work, event, lead_id) } else { unqualify(work, lead_id) };
    if !changed {
        return Outcome::Qualification { lead_id, changed: Changed::Already };
    }
    let now = work.facts.leads.get(&lead_id).map(|l| l.status.clone());
    let about = About {
        action: if on { "lead.qualified" } else { "lead.unqualified" },
        kind: "lead",
        id: lead_id,
        lead_id: Some(lead_id),
        referrer_id: lead.referrer_id,
    };
    audit(work, event, about, Some(json!({ "status": lead.status })), Some(json!({ "status": now })), reason);
    Outcome::Qualification { lead_id, changed: Changed::Yes }
}

/// Sets `qualified_at` once and earns the reward. Answers whether anything changed.
pub fn qualify(work: &mut Work, event: &Event, lead_id: i64) -> bool {
    let now = work.now.micros();
    let Some(lead) = work.facts.leads.get(&lead_id) else { return false };
    if lead.qualified_at.is_some() || lead.duplicate_of.is_some() {
        return false;
    }
    let status = lead.status();
    let (business_id, test) = (lead.business_id, lead.test);
    if let Some(lead) = work.lead_mut(lead_id) {
        lead.qualified_at = Some(now);
        if matches!(status, Status::New | Status::Contacted | Status::Lost) {
            lead.status_before = Some(status.word().to_owned());
        }
    }
    if matches!(status, Status::New | Status::Contacted | Status::Lost) {
        move_status(work, lead_id, Status::Qualified);
    }
    count_qualified(work, lead_id, 1);
    reward_if_due(work, event, lead_id);
    work.tell(business_id, test, "lead.qualified", lead_id, json!({}));
    true
}

/// A lead that becomes part of another is not counted as qualified beside it. It has no reward.
pub fn release(work: &mut Work, lead_id: i64) {
    if work.facts.leads.get(&lead_id).is_some_and(|l| l.qualified_at.is_some()) {
        count_qualified(work, lead_id, -1);
        if let Some(lead) = work.lead_mut(lead_id) {
            lead.qualified_at = None;
            let before = lead.status_before.take().unwrap_or_else(|| Status::New.word().to_owned());
            if lead.status() == Status::Qualified {
                lead.status = before;
            }
        }
    }
}

fn unqualify(work: &mut Work, lead_id: i64) -> bool {
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| l.qualified_at.is_some()).cloned() else { return false };
    count_qualified(work, lead_id, -1);
    if let Some(l) = work.lead_mut(lead_id) {
        l.qualified_at = None;
        l.status_before = None;
    }
    if lead.status() == Status::Qualified {
        let before = lead.status_before.as_deref().and_then(Status::parse).unwrap_or(Status::New);
        move_status(work, lead_id, before);
    }
    if let Some(reward) = work.facts.live_reward(lead_id).cloned() {
        if reward.is_unpaid() {
            commission::void(work, reward.id, commission::UNQUALIFIED);
        } else {
            // Paid rows stay as they are; what was paid is taken off the next payout.
            work.post(reward.id, "due", -reward.amount, "clawed back");
            let now = work.now.micros();
            if let Some(c) = work.commission_mut(reward.id) {
                c.reversed_at = Some(now);
                c.taken_back = c.amount;
            }
        }
    }
    work.tell(lead.business_id, lead.test, "lead.unqualified", lead_id, json!({}));
    true
}

/// Sets the status and keeps the counters by status right.
pub fn move_status(work: &mut Work, lead_id: i64, to: Status) {
    let Some(lead) = work.facts.leads.get(&lead_id) else { return };
    let (from, campaign, counted) = (lead.status.clone(), lead.campaign_id, !lead.test && lead.archived_at.is_none());
    if from == to.word() {
        return;
    }
    if let Some(lead) = work.lead_mut(lead_id) {
        to.word().clone_into(&mut lead.status);
    }
    if counted {
        work.count(campaign, format!("leads.status.{from}"), None, -1);
        work.count(campaign, format!("leads.status.{}", to.word()), None, 1);
    }
}

fn count_qualified(work: &mut Work, lead_id: i64, by: i64) {
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| !l.test) else { return };
    let (campaign, business) = (lead.campaign_id, lead.business_id);
    let scope = attribution::figure_scope(lead.code_id, lead.enrollment_id);
    // A day's figure follows the day it was qualified, also when it is taken back later.
    let at = lead.qualified_at.map_or(work.now, crate::clock::Instant::from_micros);
    let day = work.facts.zone(business).day_of(at);
    work.count(campaign, "qualified", Some(day), by);
    if let Some(scope) = scope {
        work.count(scope, "qualified", None, by);
    }
}

/// The reward of a qualified, attributed lead, unless it has one: at most one per lead. What the referrer had
/// for it before comes back; only where they had nothing a new one is decided.
pub fn reward_if_due(work: &mut Work, event: &Event, lead_id: i64) {
    attribution::end_self_referral(work, event, lead_id);
    let Some(lead) = work.facts.leads.get(&lead_id).cloned() else { return };
    let (Some(enrollment_id), Some(referrer_id), true) =
        (lead.enrollment_id, lead.referrer_id, lead.qualified_at.is_some())
    else {
        return;
    };
    let Some(enrollment) = work.facts.enrollments.get(&enrollment_id).filter(|e| e.state != "banned").cloned() else {
        return;
    };
    if work.facts.live_reward(lead_id).is_some() || commission::reward_again(work, lead_id, &enrollment) {
        return;
    }
    let Some(campaign) = work.facts.campaigns.get(&lead.campaign_id).cloned() else { return };
    let Some(business) = work.facts.businesses.get(&event.business_id) else { return };
    let reward = in_currency_or_first(&campaign.reward, &business.currency);
    let Some((currency, amount)) = reward.filter(|(_, amount)| *amount > 0) else { return };
    let id = work.id();
    let hold_until = work.today(event.business_id).plus_days(campaign.reward_hold_days).to_string();
    let now = work.now.micros();
    commission::insert(
        work,
        Commission {
            id,
            business_id: event.business_id,
            campaign_id: lead.campaign_id,
            test: lead.test,
            kind: "reward".to_owned(),
            product_id: None,
            payment_id: None,
            lead_id,
            referrer_id,
            enrollment_id,
            terms_id: None,
            terms_number: None,
            rate: None,
            flat: Some(amount),
            base_amount: amount,
            amount,
            currency,
            hold_days: campaign.reward_hold_days,
            hold_until,
            state: "pending".to_owned(),
            reason: None,
            released: false,
            reversed_at: None,
            taken_back: 0,
            created_at: now,
            updated_at: now,
        },
    );
}

/// The campaign's own rule, at a sign-up.
pub fn at_sign_up(work: &mut Work, event: &Event, lead_id: i64) {
    if rule_is(work, lead_id, "sign_up") {
        fire(work, event, lead_id);
    }
}

/// The campaign's own rule, at a payment: the first of at least the least amount qualifies.
pub fn at_payment(work: &mut Work, event: &Event, lead_id: i64, amount: i64, currency: &str) {
    if !rule_is(work, lead_id, "payment") || amount <= 0 {
        return;
    }
    let Some(lead) = work.facts.leads.get(&lead_id) else { return };
    let Some(campaign) = work.facts.campaigns.get(&lead.campaign_id) else { return };
    let any = matches!(campaign.qualify_least.trim(), "" | "{}");
    if any || in_currency(&campaign.qualify_least, currency).is_some_and(|least| amount >= least) {
        fire(work, event, lead_id);
    }
}

fn rule_is(work: &Work, lead_id: i64, rule: &str) -> bool {
    work.facts.leads.get(&lead_id).is_some_and(|l| {
        !l.rule_fired && work.facts.campaigns.get(&l.campaign_id).is_some_and(|c| c.qualify_on == rule)
    })
}

fn fire(work: &mut Work, event: &Event, lead_id: i64) {
    if let Some(lead) = work.lead_mut(lead_id) {
        lead.rule_fired = true;
    }
    qualify(work, event, lead_id);
}
