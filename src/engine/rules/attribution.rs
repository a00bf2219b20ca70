//! Who referred a lead: first touch wins and stays; staff may decide otherwise, with a reason.

use serde_json::json;

use super::{About, audit, commission, payment, qualification, user_of};
use crate::code;
use crate::engine::event::{Claim, ClaimBy, Event, Outcome, Refusal, TouchKind};
use crate::engine::facts::{Counting, Enrollment, Paid};
use crate::engine::work::{NewInboxItem, Touch, Work};

/// A claim that was looked up: whose it is, and whether it may count.
pub struct Resolved {
    pub enrollment: Option<Enrollment>,
    pub code_id: Option<i64>,
    pub code_text: Option<String>,
    pub refused: Option<Refusal>,
}

/// What a claim did to a lead.
pub struct Claimed {
    pub attributed: bool,
    pub refused: Option<Refusal>,
}

/// Finds whose claim it is and whether the rules let it count for a lead of this campaign.
pub fn resolve(work: &Work, business_id: i64, campaign_id: i64, test: bool, claim: &Claim) -> Resolved {
    let facts = &work.facts;
    let mut resolved = Resolved { enrollment: None, code_id: None, code_text: None, refused: None };
    let claimed = match &claim.by {
        ClaimBy::Enrollment(id) => facts.enrollments.get(id),
        ClaimBy::Code(text) => {
            resolved.code_text = Some(text.clone());
            let exact = facts.code_by_lookup.get(&(business_id, code::lookup_form(text)));
            let found = exact.or_else(|| facts.code_by_repaired.get(&(business_id, code::repaired(text))));
            let Some(found) = found.and_then(|id| facts.codes.get(id)) else {
                resolved.refused = Some(Refusal::UnknownCode);
                return resolved;
            };
            resolved.code_id = Some(found.id);
            if found.state == "retired" {
                resolved.refused = Some(Refusal::RetiredCode);
            }
            facts.enrollments.get(&found.enrollment_id)
        }
    };
    let Some(claimed) = claimed.filter(|e| e.business_id == business_id) else {
        resolved.refused = Some(Refusal::UnknownCode);
        return resolved;
    };
    // A code of another campaign counts only through an active enrollment in this one.
    let here = if claimed.campaign_id == campaign_id {
        Some(claimed)
    } else {
        facts.enrollment_of.get(&(campaign_id, claimed.referrer_id)).and_then(|id| facts.enrollments.get(id))
    };
    let refused = match here {
        None => Some(Refusal::OtherCampaign),
        Some(e) if e.archived => Some(Refusal::Archived),
        Some(e) if e.state == "banned" => Some(Refusal::Banned),
        Some(e) if e.state == "paused" => Some(Refusal::Paused),
        Some(_) => match facts.campaigns.get(&campaign_id).map(|c| c.state.as_str()) {
            Some("live") => None,
            Some("draft") if test => None,
            _ => Some(Refusal::CampaignNotLive),
        },
    };
    resolved.refused = resolved.refused.or(refused);
    resolved.enrollment = Some(here.unwrap_or(claimed).clone());
    resolved
}

/// Keeps the touch, and attributes the lead when it has nobody yet and the claim may count.
pub fn claim(work: &mut Work, event: &Event, lead_id: i64, claim: &Claim) -> Claimed {
    let Some(lead) = work.facts.leads.get(&lead_id).cloned() else {
        return Claimed { attributed: false, refused: None };
    };
    let mut resolved = resolve(work, event.business_id, lead.campaign_id, lead.test, claim);
    if resolved.refused.is_none()
        && let Some(e) = &resolved.enrollment
        && is_same_person(&lead.email_key, &lead.phone_key, e)
    {
        resolved.refused = Some(Refusal::SelfReferral);
    }
    let free = lead.referrer_id.is_none() && lead.duplicate_of.is_none();
    let touch_id = keep_touch(work, event, lead_id, claim.kind, &resolved, None);
    if let Some(refused) = resolved.refused {
        if free {
            refused_item(work, event, lead_id, &resolved, touch_id, refused);
        }
        return Claimed { attributed: false, refused: Some(refused) };
    }
    let Some(enrollment) = resolved.enrollment.filter(|_| free) else {
        return Claimed { attributed: false, refused: None };
    };
    attribute(work, lead_id, &enrollment, resolved.code_id, touch_id, claim.kind);
    Claimed { attributed: true, refused: None }
}

/// Whether an upload or a program brings a claim that the lead has a touch of already.
pub fn is_repeated(work: &Work, lead_id: i64, claim: &Claim) -> bool {
    let touched_by = match &claim.by {
        ClaimBy::Code(text) => code::lookup_form(text),
        ClaimBy::Enrollment(id) => enrollment_touch(*id),
    };
    matches!(claim.kind, TouchKind::Import | TouchKind::Code) && work.facts.touched_by.contains(&(lead_id, touched_by))
}

/// How a touch without a code is known in [`Facts::touched_by`](crate::engine::facts::Facts::touched_by).
pub fn enrollment_touch(enrollment_id: i64) -> String {
    format!("enrollment {enrollment_id}")
}

/// Same normalised e-mail address or phone number: nobody refers themselves.
pub fn is_same_person(email: &Option<String>, phone: &Option<String>, e: &Enrollment) -> bool {
    (email.is_some() && *email == e.email_key) || (phone.is_some() && *phone == e.phone_key)
}

pub fn keep_touch(
    work: &mut Work,
    event: &Event,
    lead_id: i64,
    kind: TouchKind,
    resolved: &Resolved,
    reason: Option<String>,
) -> i64 {
    let id = work.id();
    work.facts.counting.insert(id, Counting { id, kind: kind.word().to_owned(), at: work.now.micros() });
    if let Some(text) = &resolved.code_text {
        work.facts.touched_by.insert((lead_id, code::lookup_form(text)));
    } else if let Some(e) = &resolved.enrollment {
        work.facts.touched_by.insert((lead_id, enrollment_touch(e.id)));
    }
    work.writes.touches.push(Touch {
        id,
        business_id: event.business_id,
        lead_id,
        kind: kind.word(),
        code_id: resolved.code_id,
        code_text: resolved.code_text.clone(),
        referrer_id: resolved.enrollment.as_ref().map(|e| e.referrer_id),
        enrollment_id: resolved.enrollment.as_ref().map(|e| e.id),
        refused: resolved.refused,
        reason,
        user_id: user_of(event),
    });
    id
}

/// An unknown, retired, paused or banned code never fails a sign-up; a person looks at it.
fn refused_item(work: &mut Work, event: &Event, lead_id: i64, resolved: &Resolved, touch_id: i64, refused: Refusal) {
    let Some(lead) = work.facts.leads.get(&lead_id) else { return };
    let (campaign_id, name) = (lead.campaign_id, lead.name.clone());
    let id = work.id();
    let code = resolved.code_text.clone().unwrap_or_default();
    work.writes.inbox.push(NewInboxItem {
        id,
        business_id: event.business_id,
        campaign_id,
        kind: refused.word(),
        cause: format!("claim:{lead_id}:{}:{}", refused.word(), code::lookup_form(&code)),
        detail: json!({ "code": code, "lead": name }),
        lead_id: Some(lead_id),
        payment_id: None,
        referrer_id: resolved.enrollment.as_ref().map(|e| e.referrer_id),
        touch_id: Some(touch_id),
    });
}

/// The scope its figures are counted under: the code where there is one, else the enrollment.
pub fn figure_scope(code_id: Option<i64>, enrollment_id: Option<i64>) -> Option<i64> {
    code_id.or(enrollment_id)
}

fn attribute(work: &mut Work, lead_id: i64, to: &Enrollment, code_id: Option<i64>, touch_id: i64, kind: TouchKind) {
    let Some(lead) = work.lead_mut(lead_id) else { return };
    lead.referrer_id = Some(to.referrer_id);
    lead.enrollment_id = Some(to.id);
    lead.code_id = code_id;
    lead.touch_id = Some(touch_id);
    lead.arrival = Some(kind.arrival().to_owned());
    count_attribution(work, lead_id, 1);
}

/// A lead that becomes part of another, or of its own referrer, holds no attribution any more; its touches
/// tell who it was.
pub fn release(work: &mut Work, lead_id: i64) {
    count_attribution(work, lead_id, -1);
    if let Some(lead) = work.lead_mut(lead_id) {
        lead.referrer_id = None;
        lead.enrollment_id = None;
        lead.code_id = None;
        lead.arrival = None;
        lead.touch_id = None;
    }
}

/// A contact that came later may show that the referrer is the lead: then nobody referred it, what was not
/// paid yet is void, and a person is asked. Answers whether it is so.
pub fn end_self_referral(work: &mut Work, event: &Event, lead_id: i64) -> bool {
    let Some(lead) = work.facts.leads.get(&lead_id).cloned() else { return false };
    let enrollment = lead.enrollment_id.and_then(|id| work.facts.enrollments.get(&id));
    if !enrollment.is_some_and(|e| is_same_person(&lead.email_key, &lead.phone_key, e)) {
        return false;
    }
    let taken = commission::take_from_lead(work, lead_id, commission::SELF_REFERRAL);
    release(work, lead_id);
    let id = work.id();
    work.writes.inbox.push(NewInboxItem {
        id,
        business_id: lead.business_id,
        campaign_id: lead.campaign_id,
        kind: Refusal::SelfReferral.word(),
        cause: format!("self:{lead_id}:{}", lead.touch_id.unwrap_or_default()),
        detail: json!({ "lead": lead.name }),
        lead_id: Some(lead_id),
        payment_id: None,
        referrer_id: lead.referrer_id,
        touch_id: lead.touch_id,
    });
    if let Some(touch_id) = lead.touch_id {
        work.refuse_touch(touch_id, Refusal::SelfReferral);
    }
    let about = About {
        action: "lead.attributed",
        kind: "lead",
        id: lead_id,
        lead_id: Some(lead_id),
        referrer_id: lead.referrer_id,
    };
    let after = json!({ "referrer": null, "commissions_moved": taken.len() });
    let reason = Refusal::SelfReferral.sentence().to_owned();
    audit(work, event, about, Some(json!({ "referrer": lead.referrer_id })), Some(after), Some(reason));
    work.tell(lead.business_id, lead.test, "lead.attributed", lead_id, json!({ "referrer": null }));
    true
}

/// Adds a lead to, or takes it from, the figures of the way it came by and of who referred it.
fn count_attribution(work: &mut Work, lead_id: i64, by: i64) {
    let Some(lead) = work.facts.leads.get(&lead_id) else { return };
    if lead.test {
        return;
    }
    let (campaign, code, enrollment) = (lead.campaign_id, lead.code_id, lead.enrollment_id);
    let (qualified, arrival) = (lead.qualified_at.is_some(), lead.arrival.clone());
    let day = work.facts.zone(lead.business_id).day_of(crate::clock::Instant::from_micros(lead.created_at));
    if let Some(arrival) = arrival {
        work.count(campaign, format!("leads.arrival.{arrival}"), Some(day), by);
    }
    if let Some(scope) = figure_scope(code, enrollment) {
        work.count(scope, "leads", None, by);
        if qualified {
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
    if let Some(scope) = lead.and_then(|l| figure_scope(l.code_id, l.enrollment_id)) {
        work.count(scope, format!("revenue.{}", paid.currency), None, minor);
    }
}

/// Staff decide who referred a lead. Unpaid money moves with the same frozen terms; paid money stays.
pub fn reattribute(
    work: &mut Work,
    event: &Event,
    lead_id: i64,
    to: Option<i64>,
    code_id: Option<i64>,
    reason: &str,
    pay_back: bool,
) -> Outcome {
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| l.business_id == event.business_id).cloned() else {
        return Outcome::NotFound;
    };
    if lead.duplicate_of.is_some() {
        return Outcome::Refused {
            why: "A duplicate holds no attribution; merge it or change its primary lead.".into(),
        };
    }
    let target = match to {
        None => None,
        Some(id) => match work.facts.enrollments.get(&id).cloned() {
            Some(e) if e.business_id == event.business_id && e.campaign_id == lead.campaign_id => Some(e),
            _ => return Outcome::NotFound,
        },
    };
    if let Some(e) = &target {
        if e.state == "banned" || e.archived {
            return Outcome::Refused {
                why: format!("That referrer is {}.", if e.archived { "archived" } else { "banned" }),
            };
        }
        if is_same_person(&lead.email_key, &lead.phone_key, e) {
            return Outcome::Refused { why: "Nobody can refer themselves.".into() };
        }
        if !lead.test && work.facts.is_draft(lead.campaign_id) {
            return Outcome::Refused {
                why: "The campaign is a draft, which takes test data only. It has to be live first.".into(),
            };
        }
    }
    if lead.enrollment_id == to {
        if pay_back && to.is_some() {
            return payment::pay_back(work, event, lead_id);
        }
        return Outcome::Done { id: lead_id, changed: false };
    }
    let left = commission::left_behind(work, lead_id);
    let moved = commission::take_from_lead(work, lead_id, commission::MOVED);
    count_attribution(work, lead_id, -1);
    let code = code_id.and_then(|id| work.facts.codes.get(&id)).filter(|c| Some(c.enrollment_id) == to);
    let code_id = code.map(|c| c.id);
    let resolved = Resolved { enrollment: target.clone(), code_id, code_text: None, refused: None };
    let touch_id = keep_touch(work, event, lead_id, TouchKind::Staff, &resolved, Some(reason.to_owned()));
    let count = moved.len() + if target.is_some() { left.len() } else { 0 };
    match &target {
        Some(e) => {
            attribute(work, lead_id, e, code_id, touch_id, TouchKind::Staff);
            for old in left.iter().chain(&moved) {
                commission::give_again(work, old, e);
            }
            if pay_back {
                payment::earn_waiting(work, event, lead_id);
                qualification::reward_if_due(work, event, lead_id);
            }
        }
        None => {
            if let Some(lead) = work.lead_mut(lead_id) {
                lead.referrer_id = None;
                lead.enrollment_id = None;
                lead.code_id = None;
                lead.arrival = None;
                lead.touch_id = Some(touch_id);
            }
        }
    }
    let after = json!({ "referrer": target.as_ref().map(|e| e.referrer_id), "commissions_moved": count });
    let about = About {
        action: "lead.attributed",
        kind: "lead",
        id: lead_id,
        lead_id: Some(lead_id),
        referrer_id: target.as_ref().map(|e| e.referrer_id).or(lead.referrer_id),
    };
    audit(work, event, about, Some(json!({ "referrer": lead.referrer_id })), Some(after), Some(reason.to_owned()));
    work.tell(
        lead.business_id,
        lead.test,
        "lead.attributed",
        lead_id,
        json!({ "referrer": target.map(|e| e.referrer_id) }),
    );
    Outcome::Done { id: lead_id, changed: true }
}
