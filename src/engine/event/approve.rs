//! A commission becomes due: its hold is over, or staff approve earlier or release a banned referrer's.

use serde_json::json;

use crate::engine::decision::{By, Decided, Done, Refusal};
use crate::engine::ids::{BusinessId, CommissionId};
use crate::engine::message::News;
use crate::engine::rule::Rule;
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::{attribution, commission};
use crate::engine::state::{CommissionState, EntryKind};
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;

/// Without a reason it is the end of the hold.
#[derive(Debug, Clone)]
pub struct Approve {
    pub commission_id: CommissionId,
    pub reason: Option<String>,
}

impl Rule for Approve {
    type Outcome = Done;

    fn subjects(&self, _: BusinessId, about: &mut Subjects) {
        about.commissions.insert(self.commission_id);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<Done> {
        let id = self.commission_id;
        let c = work.facts.commission(by, id)?.clone();
        let by_staff = self.reason.is_some();
        let banned = work.facts.enrollments.get(&c.enrollment_id).is_some_and(|e| e.is_banned());
        // Their contacts may have become the same since it was earned.
        if attribution::end_self_referral(work, by, c.lead_id) {
            return Ok(Done::CHANGED);
        }
        if work.facts.is_disputed(&c) {
            return Err(Refusal::PaymentDisputed.into());
        }
        if !by_staff && (banned || work.today(c.business_id) <= c.hold_until) {
            return Ok(Done::ALREADY);
        }
        let release = banned && by_staff && !c.released;
        let from = work.facts.account_of(&c);
        match c.state {
            CommissionState::Pending => {}
            CommissionState::Approved if release => {}
            CommissionState::Approved => return Ok(Done::ALREADY),
            state => return Err(Refusal::CommissionIs(state).into()),
        }
        if let Some(c) = work.commission_mut(id) {
            c.state = CommissionState::Approved;
            c.released |= release;
            c.reason.clone_from(&self.reason);
        }
        commission::move_from(work, id, from, EntryKind::Approved);
        let note = Note::commission("commission.approved", &c)
            .before(json!({ "state": c.state }))
            .after(json!({ "state": CommissionState::Approved, "amount": c.money().shown() }))
            .reason(self.reason.as_deref());
        audit(work, by, note);
        let news = News::CommissionApproved { commission_id: id, amount: c.money(), referrer_id: c.referrer_id };
        work.report(c.business_id, c.test, news);
        Ok(Done::CHANGED)
    }
}
