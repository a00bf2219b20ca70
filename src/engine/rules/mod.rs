//! The rules of attribution and money, one file per subject. All of it is pure: facts in, facts and
//! writes out. [`decide`] is the one door.

pub mod attribution;
mod commission;
mod dispute;
mod inbox;
mod lead;
pub mod payment;
mod qualification;
pub mod refund;
mod sign_up;
mod subscription;
#[cfg(test)]
mod tests;

use serde_json::Value as Json;

use super::event::{Event, Outcome, What};
use super::work::Work;
use crate::audit::NewEntry;

/// Decides one event on the facts as the events before it left them.
pub fn decide(work: &mut Work, event: &Event) -> Outcome {
    match &event.what {
        What::SignUp(sign_up) => sign_up::sign_up(work, event, sign_up),
        What::AddLead(add) => lead::add(work, event, add),
        What::Payment(payment) => payment::record(work, event, payment),
        What::Refund(refund) => refund::record(work, event, refund),
        What::CancelSubscription(cancel) => subscription::cancel(work, event, cancel),
        What::Qualify { lead_id, qualified, reason } => {
            qualification::toggle(work, event, *lead_id, *qualified, reason.clone())
        }
        What::QualifyBy { campaign_id, test, email, qualified } => {
            let found = lead::find(work, *campaign_id, *test, Some(email.key()), None);
            match found.filter(|id| work.facts.leads.get(id).is_some_and(|l| l.archived_at.is_none())) {
                Some(id) => qualification::toggle(work, event, id, *qualified, None),
                None => Outcome::NotFound,
            }
        }
        What::SetStatus { lead_id, status } => lead::set_status(work, event, *lead_id, *status),
        What::EditLead { lead_id, seen: Some(seen), .. } if lead::has_changed(work, event, *lead_id, *seen) => {
            Outcome::Stale
        }
        What::IfUnchanged { lead_id, seen, .. } if lead::has_changed(work, event, *lead_id, *seen) => Outcome::Stale,
        What::IfUnchanged { by, .. } => decide(work, &Event { what: (**by).clone(), ..event.clone() }),
        What::EditLead { lead_id, contact, active, .. } => lead::edit(work, event, *lead_id, contact, *active),
        What::AmendLead { lead_id, name, email } => lead::amend(work, event, *lead_id, name.clone(), email.as_ref()),
        What::Reattribute { lead_id, to, code_id, reason, pay_back } => {
            attribution::reattribute(work, event, *lead_id, *to, *code_id, reason, *pay_back)
        }
        What::PayBack { lead_id } => payment::pay_back(work, event, *lead_id),
        What::Approve { commission_id, reason } => commission::approve(work, event, *commission_id, reason.clone()),
        What::Void { commission_id, reason } => commission::void_by_staff(work, event, *commission_id, reason),
        What::Dispute { payment_id, disputed, reason } => dispute::mark(work, event, *payment_id, *disputed, reason),
        What::Merge { lead_id, into } => lead::merge(work, event, *lead_id, *into),
        What::Archive { lead_id, archived } => lead::archive(work, event, *lead_id, *archived),
        What::Dismiss { item_id } => inbox::dismiss(work, event, *item_id),
        What::Reopen { item_id } => inbox::reopen(work, event, *item_id),
        What::AcceptPayment { item_id } => inbox::accept_payment(work, event, *item_id),
        What::Settle { item_id, by, outcome } => inbox::settle(work, event, *item_id, by, outcome),
    }
}

/// What an audit entry is about.
pub(super) struct About {
    pub action: &'static str,
    pub kind: &'static str,
    pub id: i64,
    pub lead_id: Option<i64>,
    pub referrer_id: Option<i64>,
}

pub(super) fn audit(
    work: &mut Work,
    event: &Event,
    about: About,
    before: Option<Json>,
    after: Option<Json>,
    reason: Option<String>,
) {
    let id = work.id();
    work.writes.audit.push(NewEntry {
        id,
        business_id: event.business_id,
        actor: event.actor.clone(),
        action: about.action,
        subject_kind: about.kind,
        subject_id: Some(about.id),
        lead_id: about.lead_id,
        referrer_id: about.referrer_id,
        before,
        after,
        reason,
    });
}

/// The id of the person of staff behind an event, where there is one.
pub(super) fn user_of(event: &Event) -> Option<i64> {
    (event.actor.kind == crate::actor::ActorKind::User).then_some(event.actor.id).flatten()
}
