//! Evidence that somebody referred a lead.

use super::ids::{BusinessId, EnrollmentId};
use super::state::TouchKind;
use super::subjects::Subjects;

#[derive(Debug, Clone)]
pub struct Claim {
    pub kind: TouchKind,
    pub by: ClaimBy,
}

#[derive(Debug, Clone)]
pub enum ClaimBy {
    /// As it was written or heard.
    Code(String),
    Enrollment(EnrollmentId),
    /// The words for a referrer whom nobody has found yet.
    Said(String),
}

impl Claim {
    pub fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
        match &self.by {
            ClaimBy::Code(text) => about.code(business_id, text),
            ClaimBy::Enrollment(id) => {
                about.enrollments.insert(*id);
            }
            ClaimBy::Said(_) => {}
        }
    }
}
