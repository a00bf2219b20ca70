//! A payment is marked as disputed, or the mark is taken off: by staff, or by what knows the payment by its names.

use crate::engine::decision::{By, Decided, Done, Refusal, Rejected};
use crate::engine::ids::{BusinessId, PaymentId};
use crate::engine::names::{PaymentName, SoughtBy, SoughtPayment};
use crate::engine::rule::Rule;
use crate::engine::rules::dispute;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

#[derive(Debug, Clone)]
pub struct Dispute {
    pub payment: DisputedPayment,
    pub disputed: bool,
    pub reason: String,
}

#[derive(Debug, Clone)]
pub enum DisputedPayment {
    Id(PaymentId),
    /// The first of the names that a payment has.
    Names {
        test: bool,
        names: Vec<PaymentName>,
    },
}

impl Rule for Dispute {
    type Outcome = Done;

    fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
        match &self.payment {
            DisputedPayment::Id(id) => about.payment_by_id(*id),
            DisputedPayment::Names { test, names } => {
                about.seek(SoughtPayment { business_id, test: *test, by: SoughtBy::Names(names.clone()) });
            }
        }
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        let paid = match &self.payment {
            DisputedPayment::Id(id) => work.facts.payment(by, *id)?,
            DisputedPayment::Names { test, names } => {
                work.facts.payment_named(by.business_id, *test, names).ok_or(Rejected::NotFound)?
            }
        };
        let payment_id = paid.id;
        if paid.disputed_at.is_some() == self.disputed {
            return Ok(Done::ALREADY);
        }
        if self.disputed && paid.left() == 0 {
            let refusal = if paid.amount == 0 { Refusal::NothingPaid } else { Refusal::WhollyRefunded };
            return Err(refusal.into());
        }
        dispute::mark(work, by, payment_id, self.disputed, &self.reason);
        Ok(Done::CHANGED)
    }
}
