//! A referrer took a contact of their own lead: a person refers nobody by referring themselves.

use crate::engine::decision::{By, Decided, Done};
use crate::engine::ids::{BusinessId, LeadId};
use crate::engine::rule::Rule;
use crate::engine::rules::attribution;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

/// Ends the attribution of a lead that is its own referrer.
#[derive(Debug, Clone)]
pub struct FindSelfReferral {
    pub lead_id: LeadId,
}

impl Rule for FindSelfReferral {
    type Outcome = Done;

    fn subjects(&self, _: BusinessId, about: &mut Subjects) {
        about.lead_with_money(self.lead_id);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        work.facts.lead(by, self.lead_id)?;
        Ok(Done { changed: attribution::end_self_referral(work, by, self.lead_id) })
    }
}
