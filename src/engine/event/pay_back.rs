//! Staff saw the preview and let a lead's waiting payments, and its qualification, earn.

use serde_json::json;

use crate::engine::decision::{By, Decided, Done, Refusal};
use crate::engine::ids::{BusinessId, LeadId};
use crate::engine::rule::Rule;
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::qualification::Doubt;
use crate::engine::settle;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

#[derive(Debug, Clone)]
pub struct PayBack {
    pub lead_id: LeadId,
}

impl Rule for PayBack {
    type Outcome = Done;

    fn subjects(&self, _: BusinessId, about: &mut Subjects) {
        about.lead_with_money(self.lead_id);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        pay_back(work, by, self.lead_id)
    }
}

pub fn pay_back(work: &mut Work, by: &By, lead_id: LeadId) -> Decided<Done> {
    let referrer_id = work.facts.lead(by, lead_id)?.referrer_id;
    if referrer_id.is_none() {
        return Err(Refusal::NoReferrer.into());
    }
    let had_reward = work.facts.live_reward(lead_id).is_some();
    let decided = settle::pay_back(work, by, lead_id, Doubt::Settled);
    let rewarded = !had_reward && work.facts.live_reward(lead_id).is_some();
    if decided == 0 && !rewarded {
        return Ok(Done::ALREADY);
    }
    let note =
        Note::lead("payments.earned", lead_id, referrer_id).after(json!({ "payments": decided, "reward": rewarded }));
    audit(work, by, note);
    Ok(Done::CHANGED)
}
