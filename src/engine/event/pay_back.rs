//! Staff saw the preview and let a lead's waiting payments, and its qualification, earn.

use serde_json::json;

use crate::engine::decision::{By, Decided, Done, Refusal};
use crate::engine::ids::{BusinessId, LeadId, ReferrerId};
use crate::engine::rule::Rule;
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::qualification::{self, Doubt};
use crate::engine::settle;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

#[derive(Debug, Clone)]
pub struct PayBack {
    pub lead_id: LeadId,
    /// Only the reward, which was in doubt, for this referrer and nobody else.
    pub only_reward_of: Option<ReferrerId>,
}

impl PayBack {
    /// All that waits.
    pub fn of(lead_id: LeadId) -> Self {
        Self { lead_id, only_reward_of: None }
    }

    pub fn reward(lead_id: LeadId, referrer_id: ReferrerId) -> Self {
        Self { lead_id, only_reward_of: Some(referrer_id) }
    }
}

impl Rule for PayBack {
    type Outcome = Done;

    fn subjects(&self, _: BusinessId, about: &mut Subjects) {
        about.lead_with_money(self.lead_id);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        match self.only_reward_of {
            Some(referrer_id) => give_reward(work, by, self.lead_id, referrer_id),
            None => pay_back(work, by, self.lead_id),
        }
    }
}

pub fn pay_back(work: &mut Work, by: &By, lead_id: LeadId) -> Decided<Done> {
    let referrer_id = work.facts.lead(by, lead_id)?.referrer_id;
    if referrer_id.is_none() {
        return Err(Refusal::NoReferrer.into());
    }
    let had_reward = work.facts.live_reward(lead_id).is_some();
    let decided = settle::pay_back(work, by, lead_id);
    let rewarded = !had_reward && work.facts.live_reward(lead_id).is_some();
    if decided == 0 && !rewarded {
        return Ok(Done::ALREADY);
    }
    let note =
        Note::lead("payments.earned", lead_id, referrer_id).after(json!({ "payments": decided, "reward": rewarded }));
    audit(work, by, note);
    Ok(Done::CHANGED)
}

/// A person was asked about one referrer; another one, or a reward that is no longer due, is another question.
fn give_reward(work: &mut Work, by: &By, lead_id: LeadId, referrer_id: ReferrerId) -> Decided<Done> {
    let is_theirs = work.facts.lead(by, lead_id)?.referrer_id == Some(referrer_id);
    if !is_theirs || work.facts.live_reward(lead_id).is_some() {
        return Err(Refusal::NoRewardDue.into());
    }
    qualification::reward_if_due(work, by, lead_id, Doubt::Settled);
    if work.facts.live_reward(lead_id).is_none() {
        return Err(Refusal::NoRewardDue.into());
    }
    let given = json!({ "payments": 0, "reward": true });
    audit(work, by, Note::lead("payments.earned", lead_id, Some(referrer_id)).after(given));
    Ok(Done::CHANGED)
}
