//! A lead leaves the lists, or comes back. Its history, referrer and money stay.

use crate::engine::decision::{By, Decided, Done};
use crate::engine::ids::{BusinessId, LeadId};
use crate::engine::rule::Rule;
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::leads;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

#[derive(Debug, Clone)]
pub struct Archive {
    pub lead_id: LeadId,
    pub archived: bool,
}

impl Rule for Archive {
    type Outcome = Done;

    fn subjects(&self, _: BusinessId, about: &mut Subjects) {
        about.lead(self.lead_id);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        if work.facts.lead(by, self.lead_id)?.archived_at.is_some() == self.archived {
            return Ok(Done::ALREADY);
        }
        set(work, by, self.lead_id, self.archived);
        Ok(Done::CHANGED)
    }
}

pub fn set(work: &mut Work, by: &By, lead_id: LeadId, archived: bool) {
    leads::count(work, lead_id, if archived { -1 } else { 1 });
    let now = work.now.micros();
    let Some(lead) = work.lead_mut(lead_id) else { return };
    lead.archived_at = archived.then_some(now);
    let referrer_id = lead.referrer_id;
    let action = if archived { "lead.archived" } else { "lead.restored" };
    audit(work, by, Note::lead(action, lead_id, referrer_id));
}
