//! Staff decide who referred a lead. Unpaid money moves with the same frozen terms; paid money stays.

use serde_json::json;

use crate::engine::decision::{By, Decided, Done, Refusal, Rejected};
use crate::engine::facts::{Enrollment, Lead};
use crate::engine::ids::{BusinessId, CodeId, EnrollmentId, LeadId, TouchId};
use crate::engine::message::News;
use crate::engine::rule::Rule;
use crate::engine::rules::attribution::{self, Resolved};
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::{commission, qualification};
use crate::engine::settle;
use crate::engine::state::{CommissionKind, TouchKind, VoidCause};
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

#[derive(Debug, Clone)]
pub struct Reattribute {
    pub lead_id: LeadId,
    /// None takes the attribution away.
    pub to: Option<EnrollmentId>,
    pub code_id: Option<CodeId>,
    pub reason: String,
    /// Lets the lead's waiting payments, and its qualification, earn.
    pub pay_back: bool,
}

impl Rule for Reattribute {
    type Outcome = Done;

    fn subjects(&self, _: BusinessId, about: &mut Subjects) {
        about.lead_with_money(self.lead_id);
        about.enrollments.extend(self.to);
        about.code_ids.extend(self.code_id);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        let lead = work.facts.lead(by, self.lead_id)?.clone();
        if lead.duplicate_of.is_some() {
            return Err(Refusal::DuplicateAttributed.into());
        }
        let target = self.to.map(|id| target(work, by, &lead, id)).transpose()?;
        if lead.enrollment_id == self.to {
            if self.pay_back && self.to.is_some() {
                return super::pay_back::pay_back(work, by, self.lead_id);
            }
            return Ok(Done::ALREADY);
        }
        self.apply(work, by, &lead, target);
        Ok(Done::CHANGED)
    }
}

/// The touch by which a lead gets its referrer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    pub touch_id: TouchId,
    pub code_id: Option<CodeId>,
    pub kind: TouchKind,
}

/// The enrollment that a lead goes to, where it may.
pub(super) fn target(work: &Work, by: &By, lead: &Lead, id: EnrollmentId) -> Decided<Enrollment> {
    let here = |e: &&Enrollment| e.business_id == by.business_id && e.campaign_id == lead.campaign_id;
    let e = work.facts.enrollments.get(&id).filter(here).ok_or(Rejected::NotFound)?;
    if e.archived {
        Err(Refusal::ReferrerArchived.into())
    } else if e.is_banned() {
        Err(Refusal::ReferrerBanned.into())
    } else if e.is_same_person(lead) {
        Err(Refusal::SelfReferral.into())
    } else if !lead.test && work.facts.is_draft(lead.campaign_id) {
        Err(Refusal::CampaignDraft.into())
    } else {
        Ok(e.clone())
    }
}

/// Gives a lead to another referrer, or to nobody; what it earned and is not paid yet goes along.
pub(super) fn move_lead(
    work: &mut Work,
    by: &By,
    lead: &Lead,
    to: Option<&Enrollment>,
    evidence: Evidence,
    reason: &str,
) {
    let lead_id = lead.id;
    let left = commission::left_behind(work, lead_id);
    let moved = commission::take_from_lead(work, lead_id, VoidCause::Reattributed);
    attribution::release(work, lead_id);
    let count = match to {
        Some(e) => {
            let mut count = 0;
            attribution::attribute(work, lead_id, e, evidence.code_id, evidence.touch_id, evidence.kind);
            for old in left.iter().chain(&moved) {
                if old.kind == CommissionKind::Reward && qualification::is_in_doubt(work, lead_id, e) {
                    qualification::ask_about_reward(work, lead_id);
                } else {
                    commission::give_again(work, old, e);
                    count += 1;
                }
            }
            count
        }
        None => {
            if let Some(lead) = work.lead_mut(lead_id) {
                lead.touch_id = Some(evidence.touch_id);
            }
            moved.len()
        }
    };
    let referrer_id = to.map(|e| e.referrer_id);
    let note = Note::lead("lead.attributed", lead_id, referrer_id.or(lead.referrer_id))
        .before(json!({ "referrer": lead.referrer_id }))
        .after(json!({ "referrer": referrer_id, "commissions_moved": count }))
        .reason(Some(reason));
    audit(work, by, note);
    work.report(lead.business_id, lead.test, News::LeadAttributed { lead_id, referrer_id });
}

impl Reattribute {
    fn apply(&self, work: &mut Work, by: &By, lead: &Lead, target: Option<Enrollment>) {
        let code = self.code_id.and_then(|id| work.facts.codes.get(&id));
        let code_id = code.filter(|c| Some(c.enrollment_id) == self.to).map(|c| c.id);
        let resolved = Resolved { enrollment: target.clone(), code_id, code_text: None, refused: None };
        let touch_id = attribution::keep_touch(work, by, lead.id, TouchKind::Staff, &resolved, Some(&self.reason));
        let evidence = Evidence { touch_id, code_id, kind: TouchKind::Staff };
        move_lead(work, by, lead, target.as_ref(), evidence, &self.reason);
        if target.is_some() && self.pay_back {
            settle::pay_back(work, by, lead.id);
        }
    }
}
