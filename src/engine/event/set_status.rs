//! A lead's status, set by hand.

use serde_json::json;

use super::qualify::toggle;
use crate::engine::decision::{By, Decided, Done, Refusal};
use crate::engine::ids::{BusinessId, LeadId};
use crate::engine::rule::Rule;
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::qualification;
use crate::engine::settle;
use crate::engine::state::Status;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

/// Qualified and converted qualify the lead; any other status takes that back.
#[derive(Debug, Clone)]
pub struct SetStatus {
    pub lead_id: LeadId,
    pub status: Status,
}

impl Rule for SetStatus {
    type Outcome = Done;

    fn subjects(&self, _: BusinessId, about: &mut Subjects) {
        about.lead(self.lead_id);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        let (lead_id, status) = (self.lead_id, self.status);
        let lead = work.facts.lead(by, lead_id)?.clone();
        if lead.status == status {
            return Ok(Done::ALREADY);
        }
        match status {
            Status::Qualified | Status::Converted if lead.duplicate_of.is_some() => {
                return Err(Refusal::DuplicateQualified.into());
            }
            Status::Qualified | Status::Converted => {
                if qualification::qualify(work, lead_id) {
                    settle::reward(work, by, lead_id);
                }
                if status == Status::Converted {
                    qualification::convert(work, lead_id);
                } else {
                    qualification::move_status(work, lead_id, status);
                }
            }
            Status::New | Status::Contacted | Status::Lost => {
                toggle(work, by, lead_id, false, Some(&format!("status set to {status}")))?;
                qualification::move_status(work, lead_id, status);
            }
        }
        let note = Note::lead("lead.status", lead_id, lead.referrer_id)
            .before(json!({ "status": lead.status }))
            .after(json!({ "status": status }));
        audit(work, by, note);
        Ok(Done::CHANGED)
    }
}
