//! The consequences of an event for its lead, in one fixed order for every event:
//!
//! 1. A referrer who turns out to be the lead loses it.
//! 2. Payments that waited for the lead's address become the lead's.
//! 3. Each of them, and the payment that the event is, moves the lead: subscription, conversion, the
//!    campaign's rule. A sign-up has a rule of its own.
//! 4. Waiting payments earn, or are offered to a person.
//! 5. The reward of a qualified lead is given.
//! 6. Refunds that were parked for the payment are applied.

use super::decision::By;
use super::ids::{LeadId, PaymentId};
use super::rules::earning::{self, Warning};
use super::rules::qualification::Doubt;
use super::rules::{attribution, qualification, refunds};
use super::work::Work;

/// Whose doing attributes a lead or brings it payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// An event of a customer: recent payments earn at once, older ones are offered.
    Event,
    /// Staff, an upload or another program: payments are offered, and earn after a preview.
    Staff,
}

/// The effect of the event itself.
#[derive(Debug, Clone, Copy)]
pub struct Came {
    pub moment: Moment,
    /// Its claim attributed the lead.
    pub attributed: bool,
    /// It qualified the lead.
    pub qualified: bool,
    /// It is a sign-up.
    pub signed_up: bool,
    /// The payment that it is.
    pub payment: Option<PaymentId>,
}

impl Came {
    pub fn by_event() -> Self {
        Self { moment: Moment::Event, attributed: false, qualified: false, signed_up: false, payment: None }
    }

    pub fn by_staff() -> Self {
        Self { moment: Moment::Staff, ..Self::by_event() }
    }
}

/// Lets everything follow. Answers a warning about the payment that the event is.
pub fn settle(work: &mut Work, by: &By, lead_id: Option<LeadId>, came: Came) -> Option<Warning> {
    let warning = lead_id.and_then(|lead_id| {
        let attached = attach(work, by, lead_id);
        follow(work, by, lead_id, attached, came)
    });
    if let Some(payment_id) = came.payment {
        refunds::apply_parked(work, by, payment_id);
    }
    warning
}

/// Steps 1 and 2: answers the payments that are the lead's from now on.
pub fn attach(work: &mut Work, by: &By, lead_id: LeadId) -> Vec<PaymentId> {
    attribution::end_self_referral(work, by, lead_id);
    earning::attach_waiting(work, lead_id)
}

/// Steps 3 to 5, for a lead with the payments that were attached to it.
pub fn follow(work: &mut Work, by: &By, lead_id: LeadId, attached: Vec<PaymentId>, came: Came) -> Option<Warning> {
    let mut brought = attached;
    brought.extend(came.payment);
    let mut qualified = came.qualified;
    for id in &brought {
        qualified |= earning::follow_lead(work, lead_id, *id);
    }
    if came.signed_up {
        qualified |= qualification::at_sign_up(work, lead_id);
    }
    let warning = match came.moment {
        Moment::Event => earn(work, lead_id, &brought, came),
        Moment::Staff => {
            if came.attributed || !brought.is_empty() {
                earning::offer_waiting(work, lead_id);
            }
            None
        }
    };
    if qualified || (came.attributed && came.moment == Moment::Event) {
        qualification::reward_if_due(work, by, lead_id, Doubt::Asks);
    }
    warning
}

/// In (paymentDate, position) order: recent payments earn at once where the lead has a referrer, older ones
/// are offered. An attribution concerns all that wait, anything else what it brought.
fn earn(work: &mut Work, lead_id: LeadId, brought: &[PaymentId], came: Came) -> Option<Warning> {
    let mut waiting = earning::waiting_of(work, lead_id);
    waiting.retain(|p| came.attributed || brought.contains(&p.id));
    let (now, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|p| earning::is_recent(work, p));
    let mut warning = None;
    for paid in now {
        let decided = earning::decide(work, paid.id);
        if came.payment == Some(paid.id) {
            warning = decided;
        }
    }
    if !later.is_empty() {
        earning::offer_waiting(work, lead_id);
    }
    warning
}

/// Staff let all of a lead's waiting payments, and its qualification, earn. Answers how many payments.
pub fn pay_back(work: &mut Work, by: &By, lead_id: LeadId) -> usize {
    attribution::end_self_referral(work, by, lead_id);
    let waiting = earning::waiting_of(work, lead_id);
    for paid in &waiting {
        earning::decide(work, paid.id);
    }
    qualification::reward_if_due(work, by, lead_id, Doubt::Asks);
    waiting.len()
}

/// The lead was qualified by itself: its reward follows.
pub fn reward(work: &mut Work, by: &By, lead_id: LeadId) {
    attribution::end_self_referral(work, by, lead_id);
    qualification::reward_if_due(work, by, lead_id, Doubt::Asks);
}
