//! A decision about an inbox item, and the item's end, in one: done only while the item is open, and the item
//! stays open when the rules refuse the decision.

use super::What;
use super::inbox::close;
use crate::engine::decision::{By, Decided, Done};
use crate::engine::ids::{BusinessId, InboxItemId};
use crate::engine::rule::Rule;
use crate::engine::state::InboxState;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

#[derive(Debug, Clone)]
pub struct SettleItem {
    pub item_id: InboxItemId,
    pub by: Box<What>,
    /// The end of the item, as it is shown.
    pub outcome: String,
}

impl Rule for SettleItem {
    type Outcome = Done;

    fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
        about.items.insert(self.item_id);
        self.by.subjects(business_id, about);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        let item = work.facts.item(by, self.item_id)?.clone();
        if item.state != InboxState::Open {
            return Ok(Done::ALREADY);
        }
        self.by.decide(work, by)?;
        close(work, by, &item, InboxState::Accepted, &self.outcome);
        Ok(Done::CHANGED)
    }
}
