//! Staff void a commission that is not paid yet. It stays void, whatever comes later.

use serde_json::json;

use crate::engine::decision::{By, Decided, Done, Refusal};
use crate::engine::ids::{BusinessId, CommissionId};
use crate::engine::rule::Rule;
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::commission;
use crate::engine::state::{CommissionState, VoidCause};
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

#[derive(Debug, Clone)]
pub struct Void {
    pub commission_id: CommissionId,
    pub reason: String,
}

impl Rule for Void {
    type Outcome = Done;

    fn subjects(&self, _: BusinessId, about: &mut Subjects) {
        about.commissions.insert(self.commission_id);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        let c = work.facts.commission(by, self.commission_id)?.clone();
        match c.state {
            CommissionState::Void => return Ok(Done::ALREADY),
            CommissionState::Paid => return Err(Refusal::CommissionPaid.into()),
            CommissionState::Approved if !c.is_unpaid() => return Err(Refusal::CommissionInPayout.into()),
            CommissionState::Pending | CommissionState::Approved => {}
        }
        commission::void(work, c.id, VoidCause::Staff, Some(&self.reason));
        let note = Note::commission("commission.voided", &c)
            .before(json!({ "state": c.state }))
            .after(json!({ "state": CommissionState::Void, "amount": c.money().shown() }))
            .reason(Some(&*self.reason));
        audit(work, by, note);
        Ok(Done::CHANGED)
    }
}
