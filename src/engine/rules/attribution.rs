//! The attribution of a lead: first touch wins and stays; staff may decide otherwise, with a reason.

use serde_json::json;

use super::audit::{Note, audit};
use super::commission;
use crate::code;
use crate::engine::claim::{Claim, ClaimBy};
use crate::engine::decision::{By, Scope};
use crate::engine::facts::{Enrollment, Lead, Paid, Touched};
use crate::engine::ids::{BusinessId, CodeId, EnrollmentId, LeadId, TouchId};
use crate::engine::message::News;
use crate::engine::state::{CampaignState, ClaimRefusal, CodeState, EnrollmentState, InboxKind, TouchKind, VoidCause};
use crate::engine::work::{CountScope, NewInboxItem, Touch, Work};

/// A claim that was looked up: whose it is, and whether it may count.
pub struct Resolved {
    pub enrollment: Option<Enrollment>,
    pub code_id: Option<CodeId>,
    pub code_text: Option<String>,
    pub refused: Option<ClaimRefusal>,
}

/// The effect of a claim on a lead.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claimed {
    pub attributed: bool,
    pub refused: Option<ClaimRefusal>,
}

/// Finds whose claim it is and whether the rules let it count for a lead of this campaign.
pub fn resolve(work: &Work, business_id: BusinessId, scope: Scope, claim: &Claim) -> Resolved {
    let facts = &work.facts;
    let mut resolved = Resolved { enrollment: None, code_id: None, code_text: None, refused: None };
    let claimed = match &claim.by {
        ClaimBy::Enrollment(id) => facts.enrollments.get(id),
        ClaimBy::Said(text) => {
            resolved.code_text = Some(text.clone());
            resolved.refused = Some(ClaimRefusal::Unnamed);
            return resolved;
        }
        ClaimBy::Code(text) => {
            resolved.code_text = Some(text.clone());
            let exact = facts.code_by_lookup.get(&(business_id, code::lookup_form(text)));
            let found = exact.or_else(|| facts.code_by_repaired.get(&(business_id, code::repaired(text))));
            let Some(found) = found.and_then(|id| facts.codes.get(id)) else {
                resolved.refused = Some(ClaimRefusal::UnknownCode);
                return resolved;
            };
            resolved.code_id = Some(found.id);
            if found.state == CodeState::Retired {
                resolved.refused = Some(ClaimRefusal::RetiredCode);
            }
            facts.enrollments.get(&found.enrollment_id)
        }
    };
    let Some(claimed) = claimed.filter(|e| e.business_id == business_id) else {
        resolved.refused = Some(ClaimRefusal::UnknownCode);
        return resolved;
    };
    // A code of another campaign counts only through an active enrollment in this one.
    let here = if claimed.campaign_id == scope.campaign_id {
        Some(claimed)
    } else {
        facts.enrollment_of.get(&(scope.campaign_id, claimed.referrer_id)).and_then(|id| facts.enrollments.get(id))
    };
    let refused = match here {
        None => Some(ClaimRefusal::OtherCampaign),
        Some(e) if e.archived => Some(ClaimRefusal::Archived),
        Some(e) => match e.state {
            EnrollmentState::Banned => Some(ClaimRefusal::Banned),
            EnrollmentState::Paused => Some(ClaimRefusal::Paused),
            EnrollmentState::Active => match facts.campaigns.get(&scope.campaign_id).map(|c| c.state) {
                Some(CampaignState::Live) => None,
                Some(CampaignState::Draft) if scope.test => None,
                _ => Some(ClaimRefusal::CampaignNotLive),
            },
        },
    };
    resolved.refused = resolved.refused.or(refused);
    resolved.enrollment = Some(here.unwrap_or(claimed).clone());
    resolved
}

/// Offers a person the claim that came when the lead was known already and has no referrer yet.
pub fn offer_late(work: &mut Work, lead: &Lead, resolved: &Resolved, touch_id: TouchId) {
    let Some(code) = resolved.code_text.clone().filter(|_| lead.referrer_id.is_none()) else { return };
    let id = work.id();
    work.writes.inbox.push(NewInboxItem {
        id,
        business_id: lead.business_id,
        campaign_id: lead.campaign_id,
        kind: InboxKind::LateClaim,
        cause: format!("late:{}:{}", lead.id, code::lookup_form(&code)),
        detail: json!({ "code": code, "lead": lead.name }),
        lead_id: Some(lead.id),
        payment_id: None,
        referrer_id: resolved.enrollment.as_ref().map(|e| e.referrer_id),
        touch_id: Some(touch_id),
    });
}

/// Keeps the touch, and attributes the lead when it has no referrer yet and the claim may count.
pub fn claim(work: &mut Work, by: &By, lead_id: LeadId, claim: &Claim) -> Claimed {
    let Some(lead) = work.facts.leads.get(&lead_id).cloned() else { return Claimed::default() };
    let mut resolved = resolve(work, by.business_id, lead.scope(), claim);
    if resolved.refused.is_none() && resolved.enrollment.as_ref().is_some_and(|e| e.is_same_person(&lead)) {
        resolved.refused = Some(ClaimRefusal::SelfReferral);
    }
    let primary = lead.duplicate_of.and_then(|id| work.facts.leads.get(&id)).cloned();
    let free = lead.referrer_id.is_none() && lead.duplicate_of.is_none();
    let touch_id = keep_touch(work, by, lead_id, claim.kind, &resolved, None);
    // A duplicate earns nothing, so its claim is offered for the primary.
    if let Some(primary) = primary.filter(|primary| !has_touch_of(work, primary.id, claim)) {
        offer_late(work, &primary, &resolved, touch_id);
    }
    if let Some(refused) = resolved.refused {
        if free {
            refused_item(work, &lead, &resolved, touch_id, refused);
        }
        return Claimed { attributed: false, refused: Some(refused) };
    }
    let Some(enrollment) = resolved.enrollment.filter(|_| free) else { return Claimed::default() };
    attribute(work, lead_id, &enrollment, resolved.code_id, touch_id, claim.kind);
    Claimed { attributed: true, refused: None }
}

/// True when an upload or a program brings a claim that the lead has a touch of already.
pub fn is_repeated(work: &Work, lead_id: LeadId, claim: &Claim) -> bool {
    matches!(claim.kind, TouchKind::Import | TouchKind::Code) && has_touch_of(work, lead_id, claim)
}

fn has_touch_of(work: &Work, lead_id: LeadId, claim: &Claim) -> bool {
    let touched_by = match &claim.by {
        ClaimBy::Code(text) | ClaimBy::Said(text) => code::lookup_form(text),
        ClaimBy::Enrollment(id) => enrollment_touch(*id),
    };
    work.facts.touched_by.contains(&(lead_id, touched_by))
}

/// The name of a touch without a code in [`Facts::touched_by`](crate::engine::facts::Facts::touched_by).
pub fn enrollment_touch(enrollment_id: EnrollmentId) -> String {
    format!("enrollment {enrollment_id}")
}

pub fn keep_touch(
    work: &mut Work,
    by: &By,
    lead_id: LeadId,
    kind: TouchKind,
    resolved: &Resolved,
    reason: Option<&str>,
) -> TouchId {
    let id = work.id();
    if resolved.refused.is_none() {
        let (enrollment_id, code_id) = (resolved.enrollment.as_ref().map(|e| e.id), resolved.code_id);
        let touched = Touched { id, lead_id, kind, at: work.now.micros(), enrollment_id, code_id };
        work.facts.touches.insert(id, touched);
    }
    if let Some(text) = &resolved.code_text {
        work.facts.touched_by.insert((lead_id, code::lookup_form(text)));
    } else if let Some(e) = &resolved.enrollment {
        work.facts.touched_by.insert((lead_id, enrollment_touch(e.id)));
    }
    work.writes.touches.push(Touch {
        id,
        business_id: by.business_id,
        lead_id,
        kind,
        code_id: resolved.code_id,
        code_text: resolved.code_text.clone(),
        referrer_id: resolved.enrollment.as_ref().map(|e| e.referrer_id),
        enrollment_id: resolved.enrollment.as_ref().map(|e| e.id),
        refused: resolved.refused,
        reason: reason.map(str::to_owned),
        user_id: by.user(),
    });
    id
}

/// An unknown, retired, paused or banned code never fails a sign-up; a person looks at it.
fn refused_item(work: &mut Work, lead: &Lead, resolved: &Resolved, touch_id: TouchId, refused: ClaimRefusal) {
    let code = resolved.code_text.clone().unwrap_or_default();
    let id = work.id();
    work.writes.inbox.push(NewInboxItem {
        id,
        business_id: lead.business_id,
        campaign_id: lead.campaign_id,
        kind: refused.inbox_kind(),
        cause: format!("claim:{}:{refused}:{}", lead.id, code::lookup_form(&code)),
        detail: json!({ "code": code, "lead": lead.name }),
        lead_id: Some(lead.id),
        payment_id: None,
        referrer_id: resolved.enrollment.as_ref().map(|e| e.referrer_id),
        touch_id: Some(touch_id),
    });
}

/// The scope its figures are counted under: the code where there is one, else the enrollment.
pub fn figure_scope(lead: &Lead) -> Option<CountScope> {
    lead.code_id.map(CountScope::from).or(lead.enrollment_id.map(CountScope::from))
}

pub fn attribute(
    work: &mut Work,
    lead_id: LeadId,
    to: &Enrollment,
    code_id: Option<CodeId>,
    touch_id: TouchId,
    kind: TouchKind,
) {
    let Some(lead) = work.lead_mut(lead_id) else { return };
    lead.referrer_id = Some(to.referrer_id);
    lead.enrollment_id = Some(to.id);
    lead.code_id = code_id;
    lead.touch_id = Some(touch_id);
    lead.arrival = Some(kind.arrival());
    count(work, lead_id, 1);
}

/// Takes the attribution off a lead: one that becomes part of another, or of its own referrer, or that staff
/// say nobody referred. Its touches keep who it was.
pub fn release(work: &mut Work, lead_id: LeadId) {
    count(work, lead_id, -1);
    if let Some(lead) = work.lead_mut(lead_id) {
        lead.referrer_id = None;
        lead.enrollment_id = None;
        lead.code_id = None;
        lead.arrival = None;
        lead.touch_id = None;
    }
}

/// A contact that came later may show that the referrer is the lead: then nobody referred it, what was not
/// paid yet is void, and a person is asked. Answers whether it was so.
pub fn end_self_referral(work: &mut Work, by: &By, lead_id: LeadId) -> bool {
    let Some(lead) = work.facts.leads.get(&lead_id).cloned() else { return false };
    if !work.facts.enrollment_of_lead(&lead).is_some_and(|e| e.is_same_person(&lead)) {
        return false;
    }
    let taken = commission::take_from_lead(work, lead_id, VoidCause::SelfReferral);
    release(work, lead_id);
    let id = work.id();
    work.writes.inbox.push(NewInboxItem {
        id,
        business_id: lead.business_id,
        campaign_id: lead.campaign_id,
        kind: InboxKind::SelfReferral,
        cause: format!("self:{lead_id}:{}", lead.touch_id.unwrap_or_default()),
        detail: json!({ "lead": lead.name }),
        lead_id: Some(lead_id),
        payment_id: None,
        referrer_id: lead.referrer_id,
        touch_id: lead.touch_id,
    });
    if let Some(touch_id) = lead.touch_id {
        work.refuse_touch(touch_id, ClaimRefusal::SelfReferral);
    }
    let note = Note::lead("lead.attributed", lead_id, lead.referrer_id)
        .before(json!({ "referrer": lead.referrer_id }))
        .after(json!({ "referrer": null, "commissions_moved": taken.len() }))
        .reason(Some(ClaimRefusal::SelfReferral.sentence()));
    audit(work, by, note);
    work.report(lead.business_id, lead.test, News::LeadAttributed { lead_id, referrer_id: None });
    true
}

/// Adds a lead to, or takes it from, the figures of the way it came by and of who referred it.
pub fn count(work: &mut Work, lead_id: LeadId, by: i64) {
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| !l.test).cloned() else { return };
    let day = work.facts.zone(lead.business_id).day_of(crate::clock::Instant::from_micros(lead.created_at));
    if let Some(arrival) = lead.arrival {
        work.count(lead.campaign_id, format!("leads.arrival.{arrival}"), Some(day), by);
    }
    if let Some((enrollment_id, code_id)) = lead.enrollment_id.zip(lead.code_id)
        && work.facts.codes.get(&code_id).is_none_or(|code| code.enrollment_id != enrollment_id)
    {
        work.writes.last_leads.insert(enrollment_id.0);
    }
    if let Some(scope) = figure_scope(&lead) {
        work.count(scope, "leads", None, by);
        if lead.qualified_at.is_some() {
            work.count(scope, "qualified", None, by);
        }
    }
    let paid: Vec<Paid> = work.facts.payments.values().filter(|p| p.lead_id == Some(lead_id)).cloned().collect();
    for p in paid {
        count_revenue(work, &p, by * p.left());
    }
}

/// The revenue of a code, or of who referred without one: what the leads paid that came by it, whatever that
/// earned. It moves with the lead. Test rows are never counted.
pub fn count_revenue(work: &mut Work, paid: &Paid, minor: i64) {
    let lead = paid.lead_id.and_then(|id| work.facts.leads.get(&id)).filter(|_| !paid.test);
    if let Some(scope) = lead.and_then(figure_scope) {
        work.count(scope, format!("revenue.{}", paid.currency), None, minor);
    }
}
