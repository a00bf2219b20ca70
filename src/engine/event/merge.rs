//! A duplicate becomes part of its primary: its touches move, empty fields are filled, the earliest counting
//! touch counts. Leads that have earned anything stay apart.

use serde_json::json;

use super::reattribute::Reattribute;
use crate::engine::contact::{audited, fill};
use crate::engine::decision::{By, Decided, Done, Refusal};
use crate::engine::facts::Lead;
use crate::engine::ids::{BusinessId, LeadId};
use crate::engine::rule::Rule;
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::{attribution, leads, qualification};
use crate::engine::settle::{Came, attach, follow};
use crate::engine::state::TouchKind;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

#[derive(Debug, Clone)]
pub struct Merge {
    pub lead_id: LeadId,
    pub into: LeadId,
}

impl Rule for Merge {
    type Outcome = Done;

    fn subjects(&self, _: BusinessId, about: &mut Subjects) {
        for id in [self.lead_id, self.into] {
            about.lead_with_money(id);
            about.merging.insert(id);
        }
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        let (from, to) = (work.facts.lead(by, self.lead_id)?.clone(), work.facts.lead(by, self.into)?.clone());
        if from.id == to.id || from.scope() != to.scope() || to.duplicate_of.is_some() {
            return Err(Refusal::NotMergeable.into());
        }
        if from.duplicate_of == Some(to.id) && from.archived_at.is_some() {
            return Ok(Done::ALREADY);
        }
        if has_money(work, from.id) {
            return Err(Refusal::MergeOtherWay.into());
        }
        give_up(work, &from, to.id);
        work.facts.forget_contacts(&from);
        if let Some(l) = work.lead_mut(to.id) {
            fill(l, &from);
            let filled = l.clone();
            work.facts.add_lead(filled);
        }
        let attached = attach(work, by, to.id);
        let earlier = is_earlier(work, &from, to.id);
        work.writes.merged.push((from.id, to.id));
        if earlier {
            let moved = Reattribute {
                lead_id: to.id,
                to: from.enrollment_id,
                code_id: from.code_id,
                reason: "merged: the earliest touch counts".to_owned(),
                pay_back: true,
            };
            // The primary stays as it is if its referrer may not have it.
            let _ = moved.decide(work, by);
        }
        let qualified = from.qualified_at.is_some() && qualification::qualify(work, to.id);
        follow(work, by, to.id, attached, Came { qualified, ..Came::by_staff() });
        let note = Note::lead("lead.merged", to.id, to.referrer_id)
            .before(audited(&from))
            .after(json!({ "merged": from.id, "attribution_moved": earlier }));
        audit(work, by, note);
        Ok(Done::CHANGED)
    }
}

fn has_money(work: &Work, lead_id: LeadId) -> bool {
    work.facts.payments.values().any(|p| p.lead_id == Some(lead_id))
        || work.facts.commissions.values().any(|c| c.lead_id == lead_id)
        || work.facts.sign_ups.values().any(|s| s.lead_id == lead_id)
}

/// One person is counted once: the figures that the duplicate was counted in go over to its primary.
fn give_up(work: &mut Work, from: &Lead, to: LeadId) {
    if from.archived_at.is_none() {
        leads::count(work, from.id, -1);
    }
    attribution::release(work, from.id);
    qualification::release(work, from.id);
    if let Some(l) = work.lead_mut(from.id) {
        l.duplicate_of = Some(to);
        l.archived_at = Some(l.updated_at);
        l.active = false;
    }
}

/// True when the touch that counted for a duplicate counts for both. A decision of staff about the
/// primary stays.
fn is_earlier(work: &Work, from: &Lead, into: LeadId) -> bool {
    let Some(to) = work.facts.leads.get(&into).filter(|to| to.enrollment_id != from.enrollment_id) else {
        return false;
    };
    let touch = |lead: &Lead| lead.touch_id.and_then(|id| work.facts.counting.get(&id));
    match (touch(from), touch(to)) {
        _ if from.referrer_id.is_none() => false,
        (_, Some(primary)) if primary.kind == TouchKind::Staff => false,
        (Some(duplicate), Some(primary)) => duplicate.at < primary.at,
        (_, None) => true,
        (None, Some(_)) => false,
    }
}
