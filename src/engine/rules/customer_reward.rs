//! The reward of the referred customer, beside the referrer's: once per lead, and as the campaign had it then.
//!
//! It follows from what a slice made of a lead, whichever event did: a lead that is qualified and referred has it, and
//! one that is not has none. What was given cannot be fetched back, so it is kept as reversed, and counts again
//! instead of being given twice.

use crate::engine::facts::{CustomerReward, Lead, in_currency_or_first};
use crate::engine::ids::LeadId;
use crate::engine::state::{CustomerRewardCause, CustomerRewardKind, CustomerRewardState};
use crate::engine::work::Work;

/// Gives, takes and restores the rewards of the leads that the slice made or changed.
pub fn follow(work: &mut Work) {
    let rewards = |id: &&LeadId| {
        let lead = work.facts.leads.get(id);
        lead.and_then(|l| work.facts.campaigns.get(&l.campaign_id)).is_some_and(|c| c.rewards_customers)
    };
    let touched = work.writes.new_leads.iter().chain(work.writes.changed_leads.keys());
    let mut touched: Vec<LeadId> = touched.filter(rewards).copied().collect();
    // A duplicate gives up what its primary then gets.
    touched.sort_unstable_by_key(|id| (work.facts.leads.get(id).is_some_and(|l| l.duplicate_of.is_none()), *id));
    for id in touched {
        of_lead(work, id);
    }
}

/// True where the lead counts: qualified, and referred by somebody.
fn counts(lead: &Lead) -> bool {
    lead.qualified_at.is_some() && lead.enrollment_id.is_some() && lead.duplicate_of.is_none()
}

/// True where it counts, and its referrer is not banned: then neither of them gets anything by itself.
fn earns(work: &Work, lead: &Lead) -> bool {
    counts(lead) && work.facts.enrollment_of_lead(lead).is_some_and(|e| !e.is_banned())
}

fn of_lead(work: &mut Work, lead_id: LeadId) {
    let Some(lead) = work.facts.leads.get(&lead_id).cloned() else { return };
    let known = work.facts.customer_rewards.get(&lead_id).map(|w| (w.state, w.void_cause));
    let to = match known {
        None => return begin(work, &lead),
        Some((CustomerRewardState::Due, _)) if !counts(&lead) => CustomerRewardState::Void,
        Some((CustomerRewardState::Given, _)) if !counts(&lead) => CustomerRewardState::Reversed,
        Some((CustomerRewardState::Reversed, _)) if counts(&lead) => CustomerRewardState::Given,
        Some((CustomerRewardState::Void, cause)) if cause != Some(CustomerRewardCause::Staff) && earns(work, &lead) => {
            CustomerRewardState::Due
        }
        Some(_) => return,
    };
    let cause =
        if lead.qualified_at.is_none() { CustomerRewardCause::Unqualified } else { CustomerRewardCause::NotReferred };
    if let Some(reward) = work.customer_reward_mut(lead_id) {
        reward.state = to;
        reward.void_cause = (!counts(&lead)).then_some(cause);
    }
}

/// A lead that counts since this slice gets what its campaign gives today.
fn begin(work: &mut Work, lead: &Lead) {
    let before = work.writes.changed_leads.get(&lead.id);
    if !earns(work, lead) || before.is_some_and(|before| earns(work, before)) {
        return;
    }
    let Some(campaign) = work.facts.campaigns.get(&lead.campaign_id).cloned() else { return };
    let Some(kind) = campaign.customer_reward_kind else { return };
    let Some(business) = work.facts.businesses.get(&lead.business_id) else { return };
    let money = match kind {
        CustomerRewardKind::Voucher => None,
        CustomerRewardKind::Money | CustomerRewardKind::Credit => {
            let amount = in_currency_or_first(&campaign.customer_reward, business.currency);
            let Some(money) = amount.filter(|(_, amount)| *amount > 0) else { return };
            Some(money)
        }
    };
    let (id, now) = (work.id(), work.now.micros());
    let reward = CustomerReward {
        id,
        business_id: lead.business_id,
        campaign_id: lead.campaign_id,
        test: lead.test,
        lead_id: lead.id,
        kind,
        amount: money.map(|(_, amount)| amount),
        currency: money.map(|(currency, _)| currency),
        words: (kind == CustomerRewardKind::Voucher).then(|| campaign.customer_reward_text.clone()),
        hold_until: work.today(lead.business_id).plus_days(campaign.reward_hold_days),
        state: CustomerRewardState::Due,
        void_cause: None,
        created_at: now,
        updated_at: now,
    };
    work.facts.customer_rewards.insert(lead.id, reward);
    work.writes.new_customer_rewards.insert(lead.id);
}
