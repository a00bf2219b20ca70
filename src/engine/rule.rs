//! The parts of a kind of event: its subjects, and its decision.

use super::decision::{By, Decided};
use super::ids::BusinessId;
use super::subjects::Subjects;
use super::work::Work;

/// A kind of event. Its decision is pure: it reads the facts, changes them, and notes what is to be written.
pub trait Rule {
    type Outcome;

    /// Names everything that the decision reads or changes: locks and facts both come from this answer.
    fn subjects(&self, business_id: BusinessId, about: &mut Subjects);

    /// Decides on the facts as the events before it left them.
    fn decide(&self, work: &mut Work, by: &By) -> Decided<Self::Outcome>;
}

/// True when an outcome changed anything.
pub trait Change {
    fn changed(&self) -> bool;
}

impl Change for super::decision::Done {
    fn changed(&self) -> bool {
        self.changed
    }
}
