//! When a referral counts, and the reward that a campaign pays for it.

use serde_json::json;

use super::attribution::figure_scope;
use super::commission;
use crate::clock::Instant;
use crate::engine::decision::{By, is_before_qualified};
use crate::engine::facts::{Commission, Enrollment, Paid, in_currency, in_currency_or_first};
use crate::engine::ids::LeadId;
use crate::engine::message::News;
use crate::engine::state::{CommissionKind, CommissionState, InboxKind, QualifyOn, Status, VoidCause};
use crate::engine::work::{NewInboxItem, Work};

/// Sets `qualified_at` once. Answers whether anything changed; the reward is given by
/// [`settle`](crate::engine::settle).
pub fn qualify(work: &mut Work, lead_id: LeadId) -> bool {
    let now = work.now.micros();
    let Some(lead) = work.facts.leads.get(&lead_id) else { return false };
    if lead.qualified_at.is_some() || lead.duplicate_of.is_some() {
        return false;
    }
    let status = lead.status;
    let (business_id, test) = (lead.business_id, lead.test);
    if let Some(lead) = work.lead_mut(lead_id) {
        lead.qualified_at = Some(now);
        if is_before_qualified(status) {
            lead.status_before = Some(status);
        }
    }
    if is_before_qualified(status) {
        move_status(work, lead_id, Status::Qualified);
    }
    count(work, lead_id, 1);
    work.report(business_id, test, News::LeadQualified { lead_id });
    true
}

/// Says that a lead was qualified earlier, for the figures of that day.
pub fn back_date(work: &mut Work, lead_id: LeadId, at: i64) {
    count(work, lead_id, -1);
    if let Some(lead) = work.lead_mut(lead_id) {
        lead.qualified_at = Some(at);
    }
    count(work, lead_id, 1);
}

/// Takes the qualification off a lead that becomes part of another: one person is counted once. It has no
/// reward.
pub fn release(work: &mut Work, lead_id: LeadId) {
    if work.facts.leads.get(&lead_id).is_some_and(|l| l.qualified_at.is_some()) {
        count(work, lead_id, -1);
        if let Some(lead) = work.lead_mut(lead_id) {
            lead.qualified_at = None;
            let before = lead.status_before.take().unwrap_or(Status::New);
            if lead.status == Status::Qualified {
                lead.status = before;
            }
        }
    }
}

/// Clears `qualified_at`: the status returns, an unpaid reward is void, a paid one is clawed back. Answers
/// whether anything changed.
pub fn unqualify(work: &mut Work, lead_id: LeadId) -> bool {
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| l.qualified_at.is_some()).cloned() else { return false };
    count(work, lead_id, -1);
    if let Some(l) = work.lead_mut(lead_id) {
        l.qualified_at = None;
        l.status_before = None;
    }
    if lead.status == Status::Qualified {
        move_status(work, lead_id, lead.status_before.unwrap_or(Status::New));
    }
    if let Some(reward) = work.facts.live_reward(lead_id).cloned() {
        if reward.is_unpaid() {
            commission::void(work, reward.id, VoidCause::Unqualified, None);
        } else {
            // Paid rows stay as they are; what was paid is taken off the next payout.
            commission::take_back(work, reward.id, reward.amount - reward.taken_back, true);
        }
    }
    work.report(lead.business_id, lead.test, News::LeadUnqualified { lead_id });
    true
}

/// Marks a lead as converted.
pub fn convert(work: &mut Work, lead_id: LeadId) {
    let now = work.now.micros();
    if let Some(lead) = work.lead_mut(lead_id) {
        lead.converted_at.get_or_insert(now);
    }
    move_status(work, lead_id, Status::Converted);
}

/// Sets the status and keeps the counters by status right.
pub fn move_status(work: &mut Work, lead_id: LeadId, to: Status) {
    let Some(lead) = work.facts.leads.get(&lead_id) else { return };
    let (from, campaign, counted) = (lead.status, lead.campaign_id, !lead.test && lead.archived_at.is_none());
    if from == to {
        return;
    }
    if let Some(lead) = work.lead_mut(lead_id) {
        lead.status = to;
    }
    if counted {
        work.count(campaign, format!("leads.status.{from}"), None, -1);
        work.count(campaign, format!("leads.status.{to}"), None, 1);
    }
}

fn count(work: &mut Work, lead_id: LeadId, by: i64) {
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| !l.test).cloned() else { return };
    // A day's figure follows the day it was qualified, also when it is taken back later.
    let at = lead.qualified_at.map_or(work.now, Instant::from_micros);
    let day = work.facts.zone(lead.business_id).day_of(at);
    work.count(lead.campaign_id, "qualified", Some(day), by);
    if let Some(scope) = figure_scope(&lead) {
        work.count(scope, "qualified", None, by);
    }
}

/// The way with a reward for a lead of which staff voided what another referrer earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// A person is asked first.
    Asks,
    /// A person has seen it, and gives it.
    Settled,
}

/// The reward of a qualified, attributed lead, unless it has one: at most one per lead. What the referrer had
/// for it before comes back; only where they had nothing a new one is decided.
pub fn reward_if_due(work: &mut Work, by: &By, lead_id: LeadId, doubt: Doubt) {
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| l.qualified_at.is_some()).cloned() else { return };
    let Some(enrollment) = work.facts.enrollment_of_lead(&lead).filter(|e| !e.is_banned()).cloned() else { return };
    if work.facts.live_reward(lead_id).is_some() || commission::reward_again(work, lead_id, &enrollment) {
        return;
    }
    let Some(campaign) = work.facts.campaigns.get(&lead.campaign_id).cloned() else { return };
    let Some(business) = work.facts.businesses.get(&by.business_id) else { return };
    let reward = in_currency_or_first(&campaign.reward, business.currency);
    let reward = reward.filter(|(_, amount)| *amount > 0);
    if is_in_doubt(work, lead_id, &enrollment) {
        let left = commission::left_behind(work, lead_id).into_iter().find(|c| c.kind == CommissionKind::Reward);
        match (doubt, left) {
            (Doubt::Asks, left) if left.is_some() || reward.is_some() => return ask_about_reward(work, lead_id),
            (Doubt::Settled, Some(left)) => return commission::give_again(work, &left, &enrollment),
            _ => {}
        }
    }
    let Some((currency, amount)) = reward else { return };
    let id = work.id();
    let hold_until = work.today(by.business_id).plus_days(campaign.reward_hold_days);
    let now = work.now.micros();
    let reward = Commission {
        id,
        business_id: by.business_id,
        campaign_id: lead.campaign_id,
        test: lead.test,
        kind: CommissionKind::Reward,
        product_id: None,
        payment_id: None,
        lead_id,
        referrer_id: enrollment.referrer_id,
        enrollment_id: enrollment.id,
        terms_id: None,
        terms_number: None,
        rate: None,
        flat: Some(amount),
        base_amount: amount,
        amount,
        currency,
        hold_days: campaign.reward_hold_days,
        hold_until,
        state: CommissionState::Pending,
        void_cause: None,
        reason: None,
        released: false,
        reversed_at: None,
        taken_back: 0,
        line_id: None,
        created_at: now,
        updated_at: now,
    };
    commission::insert(work, reward);
}

/// True where staff voided what another referrer earned with the lead, as they do in a case of fraud.
pub fn is_in_doubt(work: &Work, lead_id: LeadId, to: &Enrollment) -> bool {
    let is_other = |referrer_id| referrer_id != to.referrer_id;
    let of_lead = |c: &&Commission| c.lead_id == lead_id && c.void_cause == Some(VoidCause::Staff);
    work.facts.voided_by_staff.iter().any(|(lead, referrer)| *lead == lead_id && is_other(*referrer))
        || work.facts.commissions.values().filter(of_lead).any(|c| is_other(c.referrer_id))
}

/// Asks a person whether the lead's referrer gets its reward, once for each attribution.
pub fn ask_about_reward(work: &mut Work, lead_id: LeadId) {
    let Some(lead) = work.facts.leads.get(&lead_id).cloned() else { return };
    let cause = format!("reward:{lead_id}:{}", lead.touch_id.unwrap_or_default());
    if work.writes.inbox.iter().any(|item| item.business_id == lead.business_id && item.cause == cause) {
        return;
    }
    let id = work.id();
    work.writes.inbox.push(NewInboxItem {
        id,
        business_id: lead.business_id,
        campaign_id: lead.campaign_id,
        kind: InboxKind::RewardInDoubt,
        cause,
        detail: json!({ "lead": lead.name }),
        lead_id: Some(lead_id),
        payment_id: None,
        referrer_id: lead.referrer_id,
        touch_id: lead.touch_id,
    });
}

/// The campaign's own rule at a sign-up. Answers whether it qualified the lead.
pub fn at_sign_up(work: &mut Work, lead_id: LeadId) -> bool {
    rule_is(work, lead_id, QualifyOn::SignUp) && fire(work, lead_id)
}

/// The campaign's own rule at a payment: the first of at least the least amount, within its days of the lead,
/// qualifies. Answers whether it did.
pub fn at_payment(work: &mut Work, lead_id: LeadId, paid: &Paid) -> bool {
    if !rule_is(work, lead_id, QualifyOn::Payment) || paid.amount <= 0 {
        return false;
    }
    let Some(lead) = work.facts.leads.get(&lead_id) else { return false };
    let Some(campaign) = work.facts.campaigns.get(&lead.campaign_id) else { return false };
    let any = matches!(campaign.qualify_least.trim(), "" | "{}");
    let enough = any || in_currency(&campaign.qualify_least, paid.currency).is_some_and(|least| paid.amount >= least);
    let made = work.facts.zone(lead.business_id).day_of(Instant::from_micros(lead.created_at));
    let in_time = campaign.qualify_days == 0 || paid.payment_date <= made.plus_days(campaign.qualify_days);
    enough && in_time && fire(work, lead_id)
}

fn rule_is(work: &Work, lead_id: LeadId, rule: QualifyOn) -> bool {
    work.facts.leads.get(&lead_id).is_some_and(|l| {
        !l.rule_fired && work.facts.campaigns.get(&l.campaign_id).is_some_and(|c| c.qualify_on == rule)
    })
}

fn fire(work: &mut Work, lead_id: LeadId) -> bool {
    if let Some(lead) = work.lead_mut(lead_id) {
        lead.rule_fired = true;
    }
    qualify(work, lead_id)
}
