//! The contact and the facts of a lead change.

use crate::email::Email;
use crate::engine::contact::{Contact, audited};
use crate::engine::decision::{By, Decided, Done, Refusal};
use crate::engine::ids::{BusinessId, LeadId};
use crate::engine::rule::Rule;
use crate::engine::rules::audit::{Note, audit};
use crate::engine::settle::{Came, settle};
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

/// Every fact of a lead's form.
#[derive(Debug, Clone)]
pub struct EditLead {
    pub lead_id: LeadId,
    pub contact: Box<Contact>,
    pub active: bool,
}

/// Some facts of a lead, whatever the others are by then: for a program that knows only these.
#[derive(Debug, Clone)]
pub struct AmendLead {
    pub lead_id: LeadId,
    pub name: Option<String>,
    pub email: Option<Email>,
}

impl Rule for EditLead {
    type Outcome = Done;

    fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
        about.lead_with_money(self.lead_id);
        for contact in self.contact.keys() {
            about.lock(business_id, contact);
        }
        about.new_emails.extend(self.contact.email_key.clone().map(|key| (self.lead_id, key)));
        if let Some(id) = self.contact.external_id() {
            about.new_external_id(business_id, self.lead_id, id);
        }
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        edit(work, by, self.lead_id, (*self.contact).clone(), self.active)
    }
}

impl Rule for AmendLead {
    type Outcome = Done;

    fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
        about.lead_with_money(self.lead_id);
        if let Some(email) = &self.email {
            about.lock(business_id, email.key());
            about.new_emails.push((self.lead_id, email.key().to_owned()));
        }
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        let lead = work.facts.lead(by, self.lead_id)?;
        let (mut contact, active) = (Contact::of(lead), lead.active);
        if let Some(name) = &self.name {
            contact.name.clone_from(name);
        }
        if let Some(email) = &self.email {
            contact.email = Some(email.text().to_owned());
            contact.email_key = Some(email.key().to_owned());
        }
        edit(work, by, self.lead_id, contact, active)
    }
}

fn edit(work: &mut Work, by: &By, lead_id: LeadId, contact: Contact, active: bool) -> Decided<Done> {
    let lead = work.facts.lead(by, lead_id)?.clone();
    if let Some(email) = &contact.email_key
        && lead.duplicate_of.is_none()
        && let Some(other) = work.facts.lead_by_email.get(&(lead.scope(), email.clone()))
        && *other != lead_id
    {
        return Err(Refusal::EmailTaken(*other).into());
    }
    if let Some(id) = contact.external_id()
        && let Some(other) = work.facts.lead_by_external_id.get(&(lead.scope(), id.to_owned()))
        && *other != lead_id
    {
        return Err(Refusal::ExternalIdTaken(*other).into());
    }
    let mut edited = lead.clone();
    contact.put_into(&mut edited);
    edited.active = active;
    if edited == lead {
        return Ok(Done::ALREADY);
    }
    work.facts.forget_contacts(&lead);
    if let Some(l) = work.lead_mut(lead_id) {
        edited.updated_at = l.updated_at;
        *l = edited.clone();
    }
    work.facts.add_lead(edited.clone());
    settle(work, by, Some(lead_id), Came::by_staff());
    let note = Note::lead("lead.edited", lead_id, lead.referrer_id).before(audited(&lead)).after(audited(&edited));
    audit(work, by, note);
    Ok(Done::CHANGED)
}
