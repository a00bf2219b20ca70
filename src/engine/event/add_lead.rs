//! A lead that staff, an upload or an API other than events brings.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::archive;
use crate::engine::claim::Claim;
use crate::engine::contact::Contact;
use crate::engine::decision::{By, Changed, Decided, Refusal, Rejected, Scope};
use crate::engine::facts::Lead;
use crate::engine::ids::{BusinessId, LeadId, ReferrerId, UserId};
use crate::engine::rule::{Change, Rule};
use crate::engine::rules::attribution::{self, Claimed};
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::leads::{self, NewLead};
use crate::engine::rules::qualification;
use crate::engine::settle::{Came, attach, follow};
use crate::engine::state::{ClaimRefusal, SourceOrigin, Status, TouchKind};
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

#[derive(Debug, Clone)]
pub struct AddLead {
    pub scope: Scope,
    pub contact: Box<Contact>,
    pub status: Status,
    pub source_origin: SourceOrigin,
    pub claim: Option<Claim>,
    pub recorded_by: Option<UserId>,
    /// CF: a repeat becomes a row of its own, linked as a duplicate.
    pub repeats_allowed: bool,
    /// Qualify it in the same step (an upload of converted customers does).
    pub qualify: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AddLeadOutcome {
    Added {
        lead_id: LeadId,
        referrer_id: Option<ReferrerId>,
        refused: Option<ClaimRefusal>,
        duplicate_of: Option<LeadId>,
    },
    /// The person was there already; `completed` when their address is known only now, `attributed` when
    /// this claim now counts.
    Known {
        lead_id: LeadId,
        referrer_id: Option<ReferrerId>,
        completed: bool,
        attributed: bool,
        qualified: Changed,
        refused: Option<ClaimRefusal>,
    },
}

impl AddLeadOutcome {
    /// The lead, new or known.
    pub fn lead_id(&self) -> LeadId {
        match self {
            Self::Added { lead_id, .. } | Self::Known { lead_id, .. } => *lead_id,
        }
    }
}

impl Change for AddLeadOutcome {
    fn changed(&self) -> bool {
        match self {
            Self::Added { .. } => true,
            Self::Known { completed, attributed, qualified, .. } => {
                *completed || *attributed || *qualified == Changed::Yes
            }
        }
    }
}

impl Rule for AddLead {
    type Outcome = AddLeadOutcome;

    fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
        let (email, phone) = self.keys();
        about.campaigns.insert(self.scope.campaign_id);
        about.person(business_id, self.scope, email, phone);
        if let Some(email) = email {
            about.orphans(self.scope, email);
        }
        if let Some(id) = self.contact.external_id() {
            about.external_id(business_id, self.scope, id);
        }
        if let Some(claim) = &self.claim {
            claim.subjects(business_id, about);
            about.claimed_phones.extend(phone.map(|k| (self.scope, k.to_owned())));
            about.repeatable |= matches!(claim.kind, TouchKind::Import | TouchKind::Code);
        }
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<AddLeadOutcome> {
        let campaign = work.facts.campaigns.get(&self.scope.campaign_id);
        campaign.filter(|c| c.business_id == by.business_id).ok_or(Rejected::NotFound)?;
        let (email, phone) = self.keys();
        let found = work.facts.find_lead(self.scope, email, phone);
        let marked = self.marked(work, found)?;
        match marked.or(found.filter(|_| !self.repeats_allowed)) {
            Some(lead_id) => Ok(self.known(work, by, lead_id)),
            None => Ok(self.add(work, by, found)),
        }
    }
}

impl AddLead {
    /// The lead that has the external id. The id and the contact name one person, or the lead is refused.
    fn marked(&self, work: &Work, found: Option<LeadId>) -> Decided<Option<LeadId>> {
        let Some(external_id) = self.contact.external_id() else { return Ok(None) };
        let holder = work.facts.lead_by_external_id.get(&(self.scope, external_id.to_owned())).copied();
        let other = match (holder, found) {
            (Some(holder), Some(found)) => Some(holder).filter(|_| holder != found),
            (Some(holder), None) => work.facts.leads.get(&holder).filter(|l| self.contradicts(l)).map(|l| l.id),
            (None, Some(found)) if !self.repeats_allowed => {
                work.facts.leads.get(&found).filter(|l| l.external_id.is_some()).map(|l| l.id)
            }
            (None, _) => None,
        };
        other.map_or(Ok(holder), |other| Err(Refusal::ExternalIdTaken(other).into()))
    }

    /// True when the lead has another address than the one that is sent.
    fn contradicts(&self, lead: &Lead) -> bool {
        let sent = self.contact.email_key.as_ref();
        sent.is_some_and(|key| lead.email_key.as_ref().is_some_and(|known| known != key))
    }

    fn keys(&self) -> (Option<&str>, Option<&str>) {
        (self.contact.email_key.as_deref(), self.contact.phone_key.as_deref())
    }

    fn add(&self, work: &mut Work, by: &By, found: Option<LeadId>) -> AddLeadOutcome {
        let qualifies = matches!(self.status, Status::Qualified | Status::Converted);
        let new = NewLead {
            scope: self.scope,
            contact: (*self.contact).clone(),
            status: if qualifies { Status::New } else { self.status },
            source_origin: self.source_origin,
            duplicate_of: found,
            recorded_by: self.recorded_by,
        };
        let id = leads::insert(work, by, new);
        // A duplicate keeps its touch too, for the one who merges it; it never counts.
        let claimed = self.claim.as_ref().map(|claim| attribution::claim(work, by, id, claim)).unwrap_or_default();
        if found.is_none() {
            let attached = attach(work, by, id);
            let qualified = (self.qualify || qualifies) && qualification::qualify(work, id);
            if self.status == Status::Converted {
                qualification::convert(work, id);
            }
            let before = self.contact.history.qualified_at.filter(|at| *at < work.now.micros());
            if let Some(at) = before.filter(|_| qualified) {
                qualification::back_date(work, id, at);
            }
            let came = Came { attributed: claimed.attributed, qualified, ..Came::by_staff() };
            follow(work, by, id, attached, came);
        }
        let referrer_id = work.facts.leads.get(&id).and_then(|l| l.referrer_id);
        let note = Note::lead("lead.added", id, referrer_id).after(json!({
            "name": self.contact.name,
            "referrer": referrer_id,
            "refused": claimed.refused,
            "duplicate_of": found,
        }));
        audit(work, by, note);
        AddLeadOutcome::Added { lead_id: id, referrer_id, refused: claimed.refused, duplicate_of: found }
    }

    /// A lead without an external id takes the one that is sent.
    fn mark(&self, work: &mut Work, lead_id: LeadId) {
        let Some(external_id) = self.contact.external_id() else { return };
        if work.facts.leads.get(&lead_id).is_some_and(|l| l.external_id.is_none())
            && let Some(lead) = work.lead_mut(lead_id)
        {
            lead.external_id = Some(external_id.to_owned());
            let lead = lead.clone();
            work.facts.add_lead(lead);
        }
    }

    /// The person was there already: a new kind of contact may attribute a lead that has no referrer yet.
    fn known(&self, work: &mut Work, by: &By, lead_id: LeadId) -> AddLeadOutcome {
        if work.facts.leads.get(&lead_id).is_some_and(|l| l.archived_at.is_some()) {
            archive::set(work, by, lead_id, false);
        }
        let completed = self.contact.email_key.as_ref().is_some_and(|key| {
            let text = self.contact.email.as_deref().unwrap_or(key);
            leads::add_contact(work, by, lead_id, (text, key), None)
        });
        self.mark(work, lead_id);
        let attached = if completed { attach(work, by, lead_id) } else { Vec::new() };
        // A file uploaded again, or a call made again, brings nothing new.
        let new_claim = self.claim.as_ref().filter(|claim| !attribution::is_repeated(work, lead_id, claim));
        let claimed = new_claim.map(|claim| attribution::claim(work, by, lead_id, claim));
        let Claimed { attributed, refused } = claimed.unwrap_or_default();
        let qualified = match self.qualify {
            false => Changed::No,
            true if qualification::qualify(work, lead_id) => Changed::Yes,
            true => Changed::Already,
        };
        let came = Came { attributed, qualified: qualified == Changed::Yes, ..Came::by_staff() };
        follow(work, by, lead_id, attached, came);
        let referrer_id = work.facts.leads.get(&lead_id).and_then(|l| l.referrer_id);
        if attributed || qualified == Changed::Yes || claimed.is_some() {
            let note = Note::lead("lead.touched", lead_id, referrer_id).after(json!({
                "referrer": referrer_id,
                "attributed": attributed,
                "refused": refused,
                "qualified": qualified == Changed::Yes,
            }));
            audit(work, by, note);
        }
        AddLeadOutcome::Known { lead_id, referrer_id, completed, attributed, qualified, refused }
    }
}
