//! Leads as rows: made, completed by a contact, counted.

use super::attribution;
use super::audit::{Note, audit};
use crate::clock::Instant;
use crate::counters;
use crate::engine::contact::{Contact, audited};
use crate::engine::decision::{By, Scope};
use crate::engine::facts::Lead;
use crate::engine::ids::{LeadId, UserId};
use crate::engine::message::News;
use crate::engine::state::{SourceOrigin, Status};
use crate::engine::work::Work;
use crate::leads::fields::LeadFacts;
use crate::meta::Marks;
use crate::phone::Phone;

/// A lead about to be made.
pub struct NewLead {
    pub scope: Scope,
    pub contact: Contact,
    pub status: Status,
    pub source_origin: SourceOrigin,
    pub duplicate_of: Option<LeadId>,
    pub recorded_by: Option<UserId>,
}

pub fn insert(work: &mut Work, by: &By, new: NewLead) -> LeadId {
    let id = work.id();
    let now = work.now.micros();
    let mut lead = Lead {
        id,
        business_id: by.business_id,
        campaign_id: new.scope.campaign_id,
        test: new.scope.test,
        name: String::new(),
        email: None,
        email_key: None,
        phone: None,
        phone_key: None,
        source_origin: new.source_origin,
        status: new.status,
        status_before: None,
        active: true,
        duplicate_of: new.duplicate_of,
        qualified_at: None,
        converted_at: None,
        arrival: None,
        referrer_id: None,
        enrollment_id: None,
        code_id: None,
        touch_id: None,
        rule_fired: false,
        recorded_by: new.recorded_by,
        external_id: None,
        meta: Marks::default().meta,
        created_at: now,
        updated_at: now,
        archived_at: None,
        facts: LeadFacts::default(),
    };
    lead.active = !new.contact.history.inactive;
    // A day that has not come yet is no history.
    lead.created_at = new.contact.history.created_at.filter(|at| *at < now).unwrap_or(now);
    new.contact.put_into(&mut lead);
    let name = lead.name.clone();
    work.facts.add_lead(lead);
    work.writes.new_leads.insert(id);
    count(work, id, 1);
    work.report(by.business_id, new.scope.test, News::LeadCreated { lead_id: id, name });
    id
}

/// A lead that was known by one contact only takes the other: the address as (text, key), the phone.
/// Answers whether it took any.
pub fn add_contact(work: &mut Work, by: &By, lead_id: LeadId, email: (&str, &str), phone: Option<&Phone>) -> bool {
    let Some(before) = work.facts.leads.get(&lead_id).cloned() else { return false };
    let needs_email = before.email_key.is_none();
    let phone = phone.filter(|_| before.phone_key.is_none());
    if !needs_email && phone.is_none() {
        return false;
    }
    let Some(lead) = work.lead_mut(lead_id) else { return false };
    if needs_email {
        lead.email = Some(email.0.to_owned());
        lead.email_key = Some(email.1.to_owned());
    }
    if let Some(phone) = phone {
        lead.phone = Some(phone.text().to_owned());
        lead.phone_key = Some(phone.e164().to_owned());
    }
    let lead = lead.clone();
    let note = Note::lead("lead.edited", lead_id, lead.referrer_id).before(audited(&before)).after(audited(&lead));
    work.facts.add_lead(lead);
    audit(work, by, note);
    attribution::end_self_referral(work, by, lead_id);
    needs_email
}

/// The counters behind a list's totals and the chart of leads per day.
pub fn count(work: &mut Work, id: LeadId, by: i64) {
    let Some(lead) = work.facts.leads.get(&id).filter(|l| !l.test) else { return };
    let (campaign, status, created_at) = (lead.campaign_id, lead.status, lead.created_at);
    let day = work.facts.zone(lead.business_id).day_of(Instant::from_micros(created_at));
    work.count(campaign, "leads", Some(day), by);
    work.count_came(campaign, counters::USERS_LEADS, created_at, by);
    work.count(campaign, format!("leads.status.{status}"), None, by);
}
