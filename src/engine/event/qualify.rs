//! A lead's qualification, set or taken back by hand, by an upload or by a program.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::email::Email;
use crate::engine::decision::{By, Decided, Refusal, Rejected, Scope};
use crate::engine::ids::{BusinessId, LeadId};
use crate::engine::rule::{Change, Rule};
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::qualification;
use crate::engine::settle;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

/// Sets or clears `qualified_at`.
#[derive(Debug, Clone)]
pub struct Qualify {
    pub lead_id: LeadId,
    pub qualified: bool,
    pub reason: Option<String>,
}

/// The same for the primary lead of an address, whichever it is by then; none that is archived.
#[derive(Debug, Clone)]
pub struct QualifyBy {
    pub scope: Scope,
    pub email: Email,
    pub qualified: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qualified {
    pub lead_id: LeadId,
    pub changed: bool,
}

impl Change for Qualified {
    fn changed(&self) -> bool {
        self.changed
    }
}

impl Rule for Qualify {
    type Outcome = Qualified;

    fn subjects(&self, _: BusinessId, about: &mut Subjects) {
        about.lead(self.lead_id);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Qualified> {
        toggle(work, by, self.lead_id, self.qualified, self.reason.as_deref())
    }
}

impl Rule for QualifyBy {
    type Outcome = Qualified;

    fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
        about.campaigns.insert(self.scope.campaign_id);
        about.person(business_id, self.scope, Some(self.email.key()), None);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Qualified> {
        let found = work.facts.find_lead(self.scope, Some(self.email.key()), None);
        let lead_id = found.filter(|id| work.facts.leads.get(id).is_some_and(|l| l.archived_at.is_none()));
        toggle(work, by, lead_id.ok_or(Rejected::NotFound)?, self.qualified, None)
    }
}

/// Qualifies a lead, with its reward, or takes that back.
pub fn toggle(work: &mut Work, by: &By, lead_id: LeadId, on: bool, reason: Option<&str>) -> Decided<Qualified> {
    let lead = work.facts.lead(by, lead_id)?.clone();
    if lead.duplicate_of.is_some() && on {
        return Err(Refusal::DuplicateQualified.into());
    }
    let changed = if on { qualification::qualify(work, lead_id) } else { qualification::unqualify(work, lead_id) };
    if changed {
        if on {
            settle::reward(work, by, lead_id);
        }
        let now = work.facts.leads.get(&lead_id).map(|l| l.status);
        let action = if on { "lead.qualified" } else { "lead.unqualified" };
        let note = Note::lead(action, lead_id, lead.referrer_id)
            .before(json!({ "status": lead.status }))
            .after(json!({ "status": now }))
            .reason(reason);
        audit(work, by, note);
    }
    Ok(Qualified { lead_id, changed })
}
