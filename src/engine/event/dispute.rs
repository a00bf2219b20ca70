//! Staff mark a payment as disputed, or take the mark off.

use crate::engine::decision::{By, Decided, Done, Refusal};
use crate::engine::ids::{BusinessId, PaymentId};
use crate::engine::rule::Rule;
use crate::engine::rules::dispute;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

#[derive(Debug, Clone)]
pub struct Dispute {
    pub payment_id: PaymentId,
    pub disputed: bool,
    pub reason: String,
}

impl Rule for Dispute {
    type Outcome = Done;

    fn subjects(&self, _: BusinessId, about: &mut Subjects) {
        about.payment_by_id(self.payment_id);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        let paid = work.facts.payment(by, self.payment_id)?;
        if paid.disputed_at.is_some() == self.disputed {
            return Ok(Done::ALREADY);
        }
        if self.disputed && paid.left() == 0 {
            let refusal = if paid.amount == 0 { Refusal::NothingPaid } else { Refusal::WhollyRefunded };
            return Err(refusal.into());
        }
        dispute::mark(work, by, self.payment_id, self.disputed, &self.reason);
        Ok(Done::CHANGED)
    }
}
