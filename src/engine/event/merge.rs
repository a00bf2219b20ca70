//! A duplicate becomes part of its primary: its touches move, empty fields are filled, the earliest valid touch
//! of both counts. Leads that have both earned something stay apart.

use serde_json::json;

use super::reattribute::{self, Evidence};
use crate::engine::contact::{audited, fill};
use crate::engine::decision::{By, Decided, Done, Refusal};
use crate::engine::facts::{CustomerReward, Lead, Touched};
use crate::engine::ids::{BusinessId, LeadId};
use crate::engine::rule::Rule;
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::{attribution, leads, qualification};
use crate::engine::settle::{self, Came, attach, follow};
use crate::engine::state::TouchKind;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

/// The reason in the audit when a duplicate's touch was first.
const EARLIEST: &str = "merged: the earliest touch counts";

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
            let both = has_money(work, to.id);
            return Err(if both { Refusal::BothHaveMoney } else { Refusal::MergeOtherWay }.into());
        }
        if let Some(holder) = third_with_address(work, &from, &to) {
            return Err(Refusal::EmailTaken(holder).into());
        }
        let claims = claims(work, &from, &to);
        give_up(work, &from, to.id);
        work.facts.forget_contacts(&from);
        if let Some(l) = work.lead_mut(to.id) {
            fill(l, &from);
            let filled = l.clone();
            work.facts.add_lead(filled);
        }
        work.writes.merged.push((from.id, to.id));
        let attached = attach(work, by, to.id);
        let earlier = claims.into_iter().find_map(|touch| hand_over(work, by, to.id, &touch));
        let qualified = from.qualified_at.is_some() && qualification::qualify(work, to.id);
        follow(work, by, to.id, attached, Came { qualified, ..Came::by_staff() });
        let note = Note::lead("lead.merged", to.id, to.referrer_id)
            .before(audited(&from))
            .after(json!({ "merged": from.id, "attribution_moved": earlier.is_some() }));
        audit(work, by, note);
        Ok(Done::CHANGED)
    }
}

fn has_money(work: &Work, lead_id: LeadId) -> bool {
    work.facts.payments.values().any(|p| p.lead_id == Some(lead_id))
        || work.facts.commissions.values().any(|c| c.lead_id == lead_id)
        || work.facts.sign_ups.values().any(|s| s.lead_id == lead_id)
        || work.facts.customer_rewards.get(&lead_id).is_some_and(CustomerReward::is_decided)
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

/// The lead that has the address which the primary would take. It is neither of the two: a duplicate has the
/// address of its own primary.
fn third_with_address(work: &Work, from: &Lead, to: &Lead) -> Option<LeadId> {
    let taken = from.email_key.clone().filter(|_| to.email_key.is_none())?;
    let holder = *work.facts.lead_by_email.get(&(to.scope(), taken))?;
    (holder != from.id && holder != to.id).then_some(holder)
}

/// The valid touches of both leads that come before the one that counts for the primary, earliest first: each
/// counts as if it had always been the primary's. A decision of staff outranks them.
fn claims(work: &Work, from: &Lead, to: &Lead) -> Vec<Touched> {
    let counting = |lead: &Lead| lead.touch_id.and_then(|id| work.facts.touches.get(&id));
    let by_staff = |touch: &&Touched| touch.kind == TouchKind::Staff;
    if counting(to).filter(by_staff).is_some() {
        return Vec::new();
    }
    let decided = counting(from).filter(by_staff).map(|t| t.id);
    let of = |lead: LeadId| work.facts.touches.values().filter(move |t| t.lead_id == lead);
    let brought: Vec<&Touched> = of(from.id).filter(|t| decided.is_none_or(|id| t.id == id)).collect();
    if brought.is_empty() {
        return Vec::new();
    }
    let first = counting(to).map(|t| (t.at, t.id));
    let all = brought.into_iter().chain(of(to.id));
    let mut earlier: Vec<Touched> = all.filter(|t| first.is_none_or(|first| (t.at, t.id) < first)).cloned().collect();
    earlier.sort_by_key(|t| (t.at, t.id));
    earlier
}

/// Attributes the primary by this touch, and lets its money follow. A touch of a referrer who may not have the
/// lead today, or who is the person, leaves the turn to the next one.
fn hand_over(work: &mut Work, by: &By, lead_id: LeadId, touch: &Touched) -> Option<()> {
    let lead = work.facts.lead(by, lead_id).ok()?.clone();
    let to = reattribute::target(work, by, &lead, touch.enrollment_id?).ok()?;
    if lead.enrollment_id == Some(to.id) {
        return Some(());
    }
    let evidence = Evidence { touch_id: touch.id, code_id: touch.code_id, kind: touch.kind };
    reattribute::move_lead(work, by, &lead, Some(&to), evidence, EARLIEST);
    settle::pay_back(work, by, lead_id);
    Some(())
}
