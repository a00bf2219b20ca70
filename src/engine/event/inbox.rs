//! The decisions of a person about an inbox item.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::payment::{Payment, PaymentOutcome};
use crate::engine::decision::{By, Decided, Done, Refusal};
use crate::engine::facts::InboxItem;
use crate::engine::ids::{BusinessId, InboxItemId};
use crate::engine::names::PaymentName;
use crate::engine::rule::{Change, Rule};
use crate::engine::rules::audit::{Note, audit};
use crate::engine::state::InboxState;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

/// Nothing is to be done about it.
#[derive(Debug, Clone)]
pub struct Dismiss {
    pub item_id: InboxItemId,
}

/// A dismissed item waits for a person again.
#[derive(Debug, Clone)]
pub struct Reopen {
    pub item_id: InboxItemId,
}

/// A "possible second payment" was one.
#[derive(Debug, Clone)]
pub struct AcceptPayment {
    pub item_id: InboxItemId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AcceptOutcome {
    Payment(PaymentOutcome),
    /// Somebody else decided the item meanwhile.
    Closed,
}

impl Change for AcceptOutcome {
    fn changed(&self) -> bool {
        matches!(self, Self::Payment(payment) if payment.changed())
    }
}

impl Rule for Dismiss {
    type Outcome = Done;

    fn subjects(&self, _: BusinessId, about: &mut Subjects) {
        about.items.insert(self.item_id);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        let item = work.facts.item(by, self.item_id)?.clone();
        if item.state != InboxState::Open {
            return Ok(Done::ALREADY);
        }
        close(work, by, &item, InboxState::Dismissed, "dismissed");
        Ok(Done::CHANGED)
    }
}

impl Rule for Reopen {
    type Outcome = Done;

    fn subjects(&self, _: BusinessId, about: &mut Subjects) {
        about.items.insert(self.item_id);
    }

    /// A dismissal is taken back. What was accepted was done, and stays so.
    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        let item = work.facts.item(by, self.item_id)?.clone();
        match item.state {
            InboxState::Open => return Ok(Done::ALREADY),
            InboxState::Accepted => return Err(Refusal::ItemAccepted.into()),
            InboxState::Dismissed => {}
        }
        work.end_item(item.id, InboxState::Open, None, None);
        audit(work, by, Note::item("inbox.reopened", &item).after(json!({ "kind": item.kind })));
        Ok(Done::CHANGED)
    }
}

impl Rule for AcceptPayment {
    type Outcome = AcceptOutcome;

    fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
        about.items.insert(self.item_id);
        about.lock(business_id, PaymentName::of_item(self.item_id).lock());
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<AcceptOutcome> {
        let item = work.facts.item(by, self.item_id)?.clone();
        if item.state != InboxState::Open {
            return Ok(AcceptOutcome::Closed);
        }
        let payment = Payment::of_item(&item).ok_or(Refusal::ItemWithoutPayment)?;
        let outcome = payment.decide(work, by)?;
        close(work, by, &item, InboxState::Accepted, "recorded as a payment of its own");
        Ok(AcceptOutcome::Payment(outcome))
    }
}

/// Ends an open item.
pub fn close(work: &mut Work, by: &By, item: &InboxItem, state: InboxState, outcome: &str) {
    work.end_item(item.id, state, Some(outcome), by.user());
    let action = if state == InboxState::Accepted { "inbox.accepted" } else { "inbox.dismissed" };
    let note = Note::item(action, item).before(json!({ "kind": item.kind })).after(json!({ "outcome": outcome }));
    audit(work, by, note);
}
