//! Says in words what became of a message.

use super::plan::{Deed, DeedKind, Plan, Rest};
use crate::engine::{CancelOutcome, Decided, Outcome, PaymentOutcome, RefundToOutcome, Rejected, SignUpOutcome};
use crate::providers::store::messages::{Fate, State};

/// The fate of the messages of a plan, by the outcomes of its deeds; without words where it says nothing new.
pub fn fate(plan: &Plan, outcomes: &[(&Deed, Decided<Outcome>)]) -> Fate {
    let mut said: Vec<String> = Vec::new();
    let mut failed = false;
    let (mut payment_id, mut lead_id) = (None, None);
    for (deed, outcome) in outcomes {
        match outcome {
            Ok(Outcome::Payment(PaymentOutcome::Recorded { payment_id: id, lead_id: lead, .. })) => {
                payment_id = Some(id.0);
                lead_id = lead.map(|lead| lead.0).or(lead_id);
            }
            Ok(Outcome::Payment(PaymentOutcome::Duplicate { payment_id: id, .. })) => payment_id = Some(id.0),
            Ok(Outcome::SignUp(
                SignUpOutcome::Recorded { lead_id: id, .. } | SignUpOutcome::Duplicate { lead_id: id, .. },
            )) => {
                lead_id = Some(id.0);
            }
            Ok(Outcome::Qualify(done) | Outcome::QualifyBy(done)) => lead_id = lead_id.or(Some(done.lead_id.0)),
            Ok(Outcome::RefundTo(done)) => payment_id = Some(done.payment_id().0),
            _ => {}
        }
        match told(deed, outcome, plan.provider) {
            Ok(sentence) => said.extend(sentence),
            Err(sentence) => {
                failed = true;
                said.push(sentence);
            }
        }
    }
    said.extend(plan.notes.iter().cloned());
    let state = match &plan.rest {
        Rest::Failed(why) => {
            said.push(why.clone());
            State::Failed
        }
        Rest::Waits(why) => {
            said.push(why.clone());
            State::Waiting
        }
        Rest::Ignored(why) if said.is_empty() => {
            said.push(why.clone());
            State::Ignored
        }
        Rest::Explains if said.is_empty() => {
            said.push("Kept, because it explains an id of other messages.".into());
            State::Done
        }
        _ => State::Done,
    };
    let state = if failed { State::Failed } else { state };
    Fate { payment_id, lead_id, ..plan.plain(state, &said.join(" ")) }
}

/// A sentence for one deed, if there is anything to say; an error is for a person.
fn told(deed: &Deed, outcome: &Decided<Outcome>, provider: &str) -> Result<Option<String>, String> {
    let rejected = match outcome {
        Ok(Outcome::RefundTo(done)) => return refunded(deed, done),
        Ok(outcome) => return Ok(done(deed, outcome, provider)),
        Err(rejected) => rejected,
    };
    let why = match rejected {
        Rejected::NotFound => "what it is about is not there".to_owned(),
        Rejected::Refused(refusal) => refusal.sentence().trim_end_matches('.').to_owned(),
        Rejected::Invalid { field, why } => format!("its {} {why}", field.words()),
        Rejected::Stale => "it was changed at the same moment".to_owned(),
    };
    match &deed.kind {
        // Nobody is a lead by that address: there is nothing to qualify.
        DeedKind::Qualify(_) => Ok(None),
        DeedKind::SignUp { code } => Err(format!("The code {code} was not noted: {why}.")),
        DeedKind::Payment(money) => Err(format!("The payment of {} was not recorded: {why}.", money.shown())),
        DeedKind::Refund { .. } => Err(format!("The refund was not applied: {why}.")),
        DeedKind::Dispute(_) => Err(format!("The dispute was not noted: {why}.")),
        DeedKind::End => Err(format!("The end of the subscription was not noted: {why}.")),
    }
}

/// A sentence for refunds that were brought to a sum. A failure that needs a person is said by the message that brings it:
/// later messages of the payment say nothing of it.
fn refunded(deed: &Deed, outcome: &RefundToOutcome) -> Result<Option<String>, String> {
    const WHY: &str = "a refund did not reach the customer, or a dispute was won after all";
    let DeedKind::Refund { fails, unqualified } = deed.kind else { return Ok(None) };
    let sentence = match outcome {
        RefundToOutcome::Refunded { amount, .. } => format!("A refund of {} was applied.", amount.shown()),
        RefundToOutcome::Known { .. } => "The refund was known.".to_owned(),
        RefundToOutcome::InPayout { .. } if !fails => return Ok(None),
        RefundToOutcome::InPayout { amount, .. } => {
            return Err(format!(
                "{} is yours again: {WHY}. Its commission has been in a payout, so nothing changes by itself: give back \
                 by an adjustment what is owed.",
                amount.shown()
            ));
        }
        RefundToOutcome::Restored { amount, rest, .. } => {
            let mut said = Vec::new();
            if amount.minor > 0 {
                said.push(format!("{} is yours again: {WHY}. What it earned stands again.", amount.shown()));
            }
            if amount.minor > 0 && unqualified {
                said.push("The lead stays not qualified: qualify it on its page if it counts again.".to_owned());
            }
            if rest.minor > 0 && fails {
                said.push(format!(
                    "{} came back that was given back by a call or by hand: {WHY}. Nothing takes that refund off by \
                     itself: give back by an adjustment what is owed.",
                    rest.shown()
                ));
                return Err(said.join(" "));
            }
            said.join(" ")
        }
    };
    Ok(Some(sentence).filter(|sentence| !sentence.is_empty()))
}

fn done(deed: &Deed, outcome: &Outcome, provider: &str) -> Option<String> {
    Some(match (&deed.kind, outcome) {
        (DeedKind::SignUp { code }, Outcome::SignUp(SignUpOutcome::Recorded { refused: Some(refused), .. })) => {
            format!("The code {code} was used, and attributes nobody: {}.", refused.sentence())
        }
        (DeedKind::SignUp { code }, Outcome::SignUp(SignUpOutcome::Recorded { referrer_id: Some(_), .. })) => {
            format!("The code {code} was used.")
        }
        (DeedKind::SignUp { code }, Outcome::SignUp(SignUpOutcome::Recorded { .. })) => {
            format!("The code {code} was used, and attributes nobody.")
        }
        (DeedKind::SignUp { .. }, _) => return None,
        (DeedKind::Payment(money), Outcome::Payment(PaymentOutcome::Recorded { earned: Some(earned), .. })) => {
            format!("A payment of {} was recorded; it earned {}.", money.shown(), earned.amount.shown())
        }
        (DeedKind::Payment(money), Outcome::Payment(PaymentOutcome::Recorded { lead_id: Some(_), .. })) => {
            format!("A payment of {} was recorded; it earned nothing.", money.shown())
        }
        (DeedKind::Payment(money), Outcome::Payment(PaymentOutcome::Recorded { .. })) => {
            format!("A payment of {} was recorded, of somebody who is no lead.", money.shown())
        }
        (DeedKind::Payment(_), Outcome::Payment(PaymentOutcome::Duplicate { amount, body_differs: true, .. })) => {
            format!("The payment was known with {}, which counts.", amount.shown())
        }
        (DeedKind::Payment(_), _) => "The payment was known.".to_owned(),
        (DeedKind::Refund { .. }, _) => return None,
        (DeedKind::Dispute(true), _) => {
            format!("{provider} says that the payment is disputed: nothing that it earned is paid.")
        }
        (DeedKind::Dispute(false), _) => "The dispute is over.".to_owned(),
        (DeedKind::Qualify(true), Outcome::QualifyBy(done)) if done.changed => "The lead is qualified.".to_owned(),
        (DeedKind::Qualify(false), Outcome::QualifyBy(done)) if done.changed => {
            "The lead is not qualified any more, because the whole payment was refunded.".to_owned()
        }
        (DeedKind::Qualify(_), _) => return None,
        (DeedKind::End, Outcome::CancelSubscription(CancelOutcome::Recorded { lead_id: None, .. })) => {
            "The subscription ended, of somebody who is no lead.".to_owned()
        }
        (DeedKind::End, _) => "The subscription ended.".to_owned(),
    })
}
