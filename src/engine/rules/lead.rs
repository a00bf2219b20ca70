//! Leads themselves: found by contact, made, edited, moved, merged, archived.

use serde_json::json;

use super::{About, attribution, audit, payment, qualification};
use crate::clock::Instant;
use crate::counters;
use crate::email::Email;
use crate::engine::event::{AddLead, Changed, Contact, Event, Outcome, Status, TouchKind};
use crate::engine::facts::Lead;
use crate::engine::work::Work;
use crate::phone::Phone;

pub fn find(work: &Work, campaign_id: i64, test: bool, email: Option<&str>, phone: Option<&str>) -> Option<i64> {
    work.facts.find_lead(campaign_id, test, email, phone)
}

/// A lead that was known by one contact only takes the other: the address as text and key, the phone.
/// Answers whether the address is new: payments may have waited for it.
pub fn add_contact(work: &mut Work, event: &Event, lead_id: i64, email: (&str, &str), phone: Option<&Phone>) -> bool {
    let Some(lead) = work.facts.leads.get(&lead_id).cloned() else { return false };
    let needs_email = lead.email_key.is_none();
    let needs_phone = lead.phone_key.is_none() && phone.is_some();
    if !needs_email && !needs_phone {
        return false;
    }
    let before = facts_json(&lead);
    let Some(lead) = work.lead_mut(lead_id) else { return false };
    if needs_email {
        lead.email = Some(email.0.to_owned());
        lead.email_key = Some(email.1.to_owned());
    }
    if let Some(phone) = phone.filter(|_| needs_phone) {
        lead.phone = Some(phone.text().to_owned());
        lead.phone_key = Some(phone.e164().to_owned());
    }
    let lead = lead.clone();
    let (after, referrer_id) = (facts_json(&lead), lead.referrer_id);
    work.facts.add_lead(lead);
    let about = About { action: "lead.edited", kind: "lead", id: lead_id, lead_id: Some(lead_id), referrer_id };
    audit(work, event, about, Some(before), Some(after), None);
    attribution::end_self_referral(work, event, lead_id);
    needs_email
}

#[expect(clippy::too_many_arguments, reason = "one constructor for every way a lead comes about")]
pub fn insert(
    work: &mut Work,
    event: &Event,
    campaign_id: i64,
    test: bool,
    contact: Contact,
    status: Status,
    source_origin: &str,
    duplicate_of: Option<i64>,
) -> i64 {
    let id = work.id();
    let now = work.now.micros();
    let mut lead = Lead {
        id,
        business_id: event.business_id,
        campaign_id,
        test,
        name: String::new(),
        email: None,
        email_key: None,
        phone: None,
        phone_key: None,
        company: None,
        jobtitle: None,
        industry: None,
        website: None,
        request: None,
        budget: None,
        country: None,
        region: None,
        address: None,
        source: None,
        source_origin: source_origin.to_owned(),
        status: status.word().to_owned(),
        status_before: None,
        active: true,
        duplicate_of,
        qualified_at: None,
        converted_at: None,
        arrival: None,
        referrer_id: None,
        enrollment_id: None,
        code_id: None,
        touch_id: None,
        rule_fired: false,
        recorded_by: None,
        created_at: now,
        updated_at: now,
        archived_at: None,
    };
    set_contact(&mut lead, contact);
    let name = lead.name.clone();
    work.facts.add_lead(lead);
    work.writes.new_leads.insert(id);
    count_lead(work, id, 1);
    work.tell(event.business_id, test, "lead.created", id, json!({ "name": name }));
    id
}

fn set_contact(lead: &mut Lead, c: Contact) {
    lead.name = c.name;
    lead.email = c.email;
    lead.email_key = c.email_key;
    lead.phone = c.phone;
    lead.phone_key = c.phone_key;
    lead.company = c.company;
    lead.jobtitle = c.jobtitle;
    lead.industry = c.industry;
    lead.website = c.website;
    lead.request = c.request;
    lead.budget = c.budget;
    lead.country = c.country;
    lead.region = c.region;
    lead.address = c.address;
    lead.source = c.source;
}

/// The counters behind a list's totals and the chart of leads per day.
fn count_lead(work: &mut Work, id: i64, by: i64) {
    let Some(lead) = work.facts.leads.get(&id).filter(|l| !l.test) else { return };
    let (campaign, status) = (lead.campaign_id, lead.status.clone());
    let created_at = lead.created_at;
    let day = work.facts.zone(lead.business_id).day_of(Instant::from_micros(created_at));
    work.count(campaign, "leads", Some(day), by);
    work.count_came(campaign, counters::USERS_LEADS, created_at, by);
    work.count(campaign, format!("leads.status.{status}"), None, by);
}

/// A lead that staff, an upload or an API other than events brings.
pub fn add(work: &mut Work, event: &Event, add: &AddLead) -> Outcome {
    if work.facts.campaigns.get(&add.campaign_id).is_none_or(|c| c.business_id != event.business_id) {
        return Outcome::NotFound;
    }
    let (email, phone) = (add.contact.email_key.as_deref(), add.contact.phone_key.as_deref());
    let found = find(work, add.campaign_id, add.test, email, phone);
    if let Some(lead_id) = found.filter(|_| !add.repeats_allowed) {
        return known(work, event, add, lead_id);
    }
    let status = if add.status == Status::Converted { Status::New } else { add.status };
    let status = if status == Status::Qualified { Status::New } else { status };
    let id = insert(work, event, add.campaign_id, add.test, add.contact.clone(), status, add.source_origin, found);
    if let Some(lead) = work.lead_mut(id) {
        lead.recorded_by = add.recorded_by;
    }
    // A duplicate keeps its touch too, for whoever merges it; it never counts.
    let refused = add.claim.as_ref().and_then(|claim| attribution::claim(work, event, id, claim).refused);
    if found.is_none() {
        payment::attach_waiting(work, event, id);
        if add.qualify || matches!(add.status, Status::Qualified | Status::Converted) {
            qualification::qualify(work, event, id);
        }
        if add.status == Status::Converted {
            convert(work, id);
        }
        payment::offer_waiting(work, event, id);
    }
    let referrer_id = work.facts.leads.get(&id).and_then(|l| l.referrer_id);
    let about = About { action: "lead.added", kind: "lead", id, lead_id: Some(id), referrer_id };
    let after = json!({
        "name": add.contact.name, "referrer": referrer_id, "refused": refused.map(|r| r.word()), "duplicate_of": found,
    });
    audit(work, event, about, None, Some(after), None);
    Outcome::LeadAdded { lead_id: id, referrer_id, refused, duplicate_of: found }
}

/// The person was there already: a new kind of contact may attribute a lead that has nobody yet.
fn known(work: &mut Work, event: &Event, add: &AddLead, lead_id: i64) -> Outcome {
    let before = work.facts.leads.get(&lead_id).cloned();
    if before.as_ref().is_some_and(|l| l.archived_at.is_some()) {
        archive(work, event, lead_id, false);
    }
    let (mut brought, mut completed) = (Vec::new(), false);
    if let Some(email_key) = &add.contact.email_key {
        let text = add.contact.email.as_deref().unwrap_or(email_key);
        completed = add_contact(work, event, lead_id, (text, email_key), None);
        if completed {
            brought = payment::attach_waiting(work, event, lead_id);
        }
    }
    // A file uploaded again, or a call made again, says nothing new.
    let new_claim = add.claim.as_ref().filter(|claim| !attribution::is_repeated(work, lead_id, claim));
    let claimed = new_claim.map(|claim| attribution::claim(work, event, lead_id, claim));
    let attributed = claimed.as_ref().is_some_and(|c| c.attributed);
    let refused = claimed.and_then(|c| c.refused);
    let qualified = match add.qualify {
        false => Changed::No,
        true if qualification::qualify(work, event, lead_id) => Changed::Yes,
        true => Changed::Already,
    };
    if attributed || !brought.is_empty() {
        payment::offer_waiting(work, event, lead_id);
    }
    let referrer_id = work.facts.leads.get(&lead_id).and_then(|l| l.referrer_id);
    if attributed || qualified == Changed::Yes || new_claim.is_some() {
        let about = About { action: "lead.touched", kind: "lead", id: lead_id, lead_id: Some(lead_id), referrer_id };
        let after = json!({
            "referrer": referrer_id, "attributed": attributed, "refused": refused.map(|r| r.word()), "qualified": qualified == Changed::Yes,
        });
        audit(work, event, about, None, Some(after), None);
    }
    Outcome::LeadKnown { lead_id, referrer_id, completed, attributed, qualified, refused }
}

fn convert(work: &mut Work, lead_id: i64) {
    let now = work.now.micros();
    if let Some(lead) = work.lead_mut(lead_id) {
        lead.converted_at.get_or_insert(now);
    }
    qualification::move_status(work, lead_id, Status::Converted);
}

pub fn set_status(work: &mut Work, event: &Event, lead_id: i64, status: Status) -> Outcome {
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| l.business_id == event.business_id).cloned() else {
        return Outcome::NotFound;
    };
    if lead.status() == status {
        return Outcome::Done { id: lead_id, changed: false };
    }
    match status {
        Status::Qualified | Status::Converted if lead.duplicate_of.is_some() => {
            return Outcome::Refused { why: "A duplicate cannot be qualified; its primary lead can.".into() };
        }
        Status::Qualified | Status::Converted => {
            qualification::qualify(work, event, lead_id);
            if status == Status::Converted {
                convert(work, lead_id);
            } else {
                qualification::move_status(work, lead_id, status);
            }
        }
        Status::New | Status::Contacted | Status::Lost => {
            qualification::toggle(work, event, lead_id, false, Some(format!("status set to {}", status.word())));
            qualification::move_status(work, lead_id, status);
        }
    }
    let about = About {
        action: "lead.status",
        kind: "lead",
        id: lead_id,
        lead_id: Some(lead_id),
        referrer_id: lead.referrer_id,
    };
    audit(work, event, about, Some(json!({ "status": lead.status })), Some(json!({ "status": status.word() })), None);
    Outcome::Done { id: lead_id, changed: true }
}

/// Whether a lead is no more what somebody saw.
pub fn has_changed(work: &Work, event: &Event, lead_id: i64, seen: i64) -> bool {
    let lead = work.facts.leads.get(&lead_id).filter(|l| l.business_id == event.business_id);
    lead.is_some_and(|lead| lead.updated_at != seen)
}

pub fn edit(work: &mut Work, event: &Event, lead_id: i64, contact: &Contact, active: bool) -> Outcome {
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| l.business_id == event.business_id).cloned() else {
        return Outcome::NotFound;
    };
    if let Some(email) = &contact.email_key
        && lead.duplicate_of.is_none()
        && let Some(other) = work.facts.lead_by_email.get(&(lead.campaign_id, lead.test, email.clone()))
        && *other != lead_id
    {
        return Outcome::Refused { why: "Another lead of this campaign has that e-mail address.".into() };
    }
    let mut edited = lead.clone();
    set_contact(&mut edited, contact.clone());
    edited.active = active;
    if edited == lead {
        return Outcome::Done { id: lead_id, changed: false };
    }
    work.facts.forget_contacts(&lead);
    if let Some(l) = work.lead_mut(lead_id) {
        edited.updated_at = l.updated_at;
        *l = edited.clone();
    }
    work.facts.add_lead(edited.clone());
    attribution::end_self_referral(work, event, lead_id);
    payment::attach_waiting(work, event, lead_id);
    payment::offer_waiting(work, event, lead_id);
    let about = About {
        action: "lead.edited",
        kind: "lead",
        id: lead_id,
        lead_id: Some(lead_id),
        referrer_id: lead.referrer_id,
    };
    audit(work, event, about, Some(facts_json(&lead)), Some(facts_json(&edited)), None);
    Outcome::Done { id: lead_id, changed: true }
}

/// Edits what is given and leaves the rest as it is.
pub fn amend(work: &mut Work, event: &Event, lead_id: i64, name: Option<String>, email: Option<&Email>) -> Outcome {
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| l.business_id == event.business_id) else {
        return Outcome::NotFound;
    };
    let (mut contact, active) = (contact_of(lead), lead.active);
    contact.name = name.unwrap_or(contact.name);
    if let Some(email) = email {
        contact.email = Some(email.text().to_owned());
        contact.email_key = Some(email.key().to_owned());
    }
    edit(work, event, lead_id, &contact, active)
}

fn contact_of(lead: &Lead) -> Contact {
    let l = lead.clone();
    Contact {
        name: l.name,
        email: l.email,
        email_key: l.email_key,
        phone: l.phone,
        phone_key: l.phone_key,
        company: l.company,
        jobtitle: l.jobtitle,
        industry: l.industry,
        website: l.website,
        request: l.request,
        budget: l.budget,
        country: l.country,
        region: l.region,
        address: l.address,
        source: l.source,
    }
}

fn facts_json(l: &Lead) -> serde_json::Value {
    json!({ "name": l.name, "email": l.email, "phone": l.phone, "company": l.company, "source": l.source, "active": l.active })
}

/// A duplicate becomes part of its primary: its touches move, empty fields are filled, the earliest
/// counting touch counts. Leads that have earned anything stay apart.
pub fn merge(work: &mut Work, event: &Event, lead_id: i64, into: i64) -> Outcome {
    let of = |work: &Work, id: i64| work.facts.leads.get(&id).filter(|l| l.business_id == event.business_id).cloned();
    let (Some(from), Some(to)) = (of(work, lead_id), of(work, into)) else { return Outcome::NotFound };
    if from.id == to.id || from.campaign_id != to.campaign_id || from.test != to.test || to.duplicate_of.is_some() {
        return Outcome::Refused {
            why: "These two cannot be merged: they are not in one campaign, or the other is a duplicate itself.".into(),
        };
    }
    if from.duplicate_of == Some(to.id) && from.archived_at.is_some() {
        return Outcome::Done { id: to.id, changed: false };
    }
    let has_money = work.facts.payments.values().any(|p| p.lead_id == Some(from.id))
        || work.facts.commissions.values().any(|c| c.lead_id == from.id)
        || work.facts.sign_ups.values().any(|s| s.lead_id == from.id);
    if has_money {
        return Outcome::Refused {
            why: "The lead to merge has sign-ups, payments or commissions of its own; merge the other way round."
                .into(),
        };
    }
    if from.archived_at.is_none() {
        count_lead(work, from.id, -1);
    }
    // One person is counted once: what the duplicate was counted for goes over to its primary.
    attribution::release(work, from.id);
    qualification::release(work, from.id);
    if let Some(l) = work.lead_mut(from.id) {
        l.duplicate_of = Some(to.id);
        l.archived_at = Some(l.updated_at);
        l.active = false;
    }
    work.facts.forget_contacts(&from);
    if let Some(l) = work.lead_mut(to.id) {
        fill(l, &from);
        let filled = l.clone();
        work.facts.add_lead(filled);
    }
    attribution::end_self_referral(work, event, to.id);
    let earlier = is_earlier(work, &from, to.id);
    work.writes.merged.push((from.id, to.id));
    let brought = payment::attach_waiting(work, event, to.id);
    if earlier {
        attribution::reattribute(
            work,
            event,
            to.id,
            from.enrollment_id,
            from.code_id,
            "merged: the earliest touch counts",
            true,
        );
    }
    if !brought.is_empty() {
        payment::offer_waiting(work, event, to.id);
    }
    if from.qualified_at.is_some() {
        qualification::qualify(work, event, to.id);
    }
    let about =
        About { action: "lead.merged", kind: "lead", id: to.id, lead_id: Some(to.id), referrer_id: to.referrer_id };
    audit(
        work,
        event,
        about,
        Some(facts_json(&from)),
        Some(json!({ "merged": from.id, "attribution_moved": earlier })),
        None,
    );
    Outcome::Done { id: to.id, changed: true }
}

/// Whether the touch that counted for a duplicate is the one that counts for both. What staff decided of the
/// primary stays.
fn is_earlier(work: &Work, from: &Lead, into: i64) -> bool {
    let Some(to) = work.facts.leads.get(&into).filter(|to| to.enrollment_id != from.enrollment_id) else {
        return false;
    };
    let touch = |lead: &Lead| lead.touch_id.and_then(|id| work.facts.counting.get(&id));
    match (touch(from), touch(to)) {
        _ if from.referrer_id.is_none() => false,
        (_, Some(primary)) if primary.kind == TouchKind::Staff.word() => false,
        (Some(duplicate), Some(primary)) => duplicate.at < primary.at,
        (_, None) => true,
        (None, Some(_)) => false,
    }
}

fn fill(to: &mut Lead, from: &Lead) {
    if to.email_key.is_none() {
        to.email.clone_from(&from.email);
        to.email_key.clone_from(&from.email_key);
    }
    if to.phone_key.is_none() {
        to.phone.clone_from(&from.phone);
        to.phone_key.clone_from(&from.phone_key);
    }
    for (mine, theirs) in [
        (&mut to.company, &from.company),
        (&mut to.jobtitle, &from.jobtitle),
        (&mut to.industry, &from.industry),
        (&mut to.website, &from.website),
        (&mut to.request, &from.request),
        (&mut to.budget, &from.budget),
        (&mut to.country, &from.country),
        (&mut to.region, &from.region),
        (&mut to.address, &from.address),
        (&mut to.source, &from.source),
    ] {
        if mine.is_none() {
            mine.clone_from(theirs);
        }
    }
}

pub fn archive(work: &mut Work, event: &Event, lead_id: i64, archived: bool) -> Outcome {
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| l.business_id == event.business_id).cloned() else {
        return Outcome::NotFound;
    };
    if lead.archived_at.is_some() == archived {
        return Outcome::Done { id: lead_id, changed: false };
    }
    count_lead(work, lead_id, if archived { -1 } else { 1 });
    let now = work.now.micros();
    if let Some(l) = work.lead_mut(lead_id) {
        l.archived_at = archived.then_some(now);
    }
    let action = if archived { "lead.archived" } else { "lead.restored" };
    let about = About { action, kind: "lead", id: lead_id, lead_id: Some(lead_id), referrer_id: lead.referrer_id };
    audit(work, event, about, None, None, None);
    Outcome::Done { id: lead_id, changed: true }
}
