//! The events of an amount after it was earned: refunds, disputes, decisions, payouts.

use super::facts::{OfCommission, OfLine};
use super::step::{Step, StepKind};
use super::store::{EntryRow, ItemRow};
use crate::commissions::DecisionRow;
use crate::engine::state::{AdjustmentKind, EntryKind, LineState, PayoutState};
use crate::id::Kind;
use crate::money::Money;

/// The history of a commission, from its ledger: each change once, though it is an entry on each of two accounts.
pub fn steps(of: &OfCommission) -> Vec<Step> {
    let takes = |e: &&EntryRow| {
        e.amount > 0 || matches!(e.kind, EntryKind::Voided | EntryKind::Refunded | EntryKind::ClawedBack)
    };
    let refunds = of.refunds.iter().map(|f| {
        let amount = Money::shown_in(f.amount.abs(), &f.currency);
        let (title, tone) = if f.amount > 0 {
            (format!("{amount} of the payment given back"), "warning")
        } else {
            (format!("A refund of {amount} did not reach the customer"), "")
        };
        Step::new(StepKind::Refund, title).on(&f.refund_date).tone(tone)
    });
    let mut steps: Vec<Step> = refunds.collect();
    steps.extend(of.entries.iter().filter(takes).filter_map(|e| entry(of, e)));
    if of.entries.is_empty() {
        // Test data and amounts of 0 are on no ledger.
        steps.extend(of.decisions.iter().filter_map(decision));
    }
    steps
}

fn decided<'a>(of: &'a OfCommission, e: &EntryRow, actions: &[&str]) -> Option<&'a DecisionRow> {
    of.decisions.iter().find(|d| d.at == e.at && actions.contains(&d.action.as_str()))
}

/// "Jane Miller: paid in advance".
fn by(d: &DecisionRow) -> String {
    let reason = d.reason.as_deref().unwrap_or_default();
    match (d.actor.is_empty(), reason.is_empty()) {
        _ if d.automatic => "By itself, at the end of the hold.".to_owned(),
        (true, _) => "By staff.".to_owned(),
        (false, true) => format!("By {}.", d.actor),
        (false, false) => format!("By {}: {reason}", d.actor),
    }
}

fn entry(of: &OfCommission, e: &EntryRow) -> Option<Step> {
    let shown = Money { minor: e.amount.abs(), currency: e.currency }.shown();
    let payout = || {
        let number = e.payout_number.unwrap_or_default();
        let by = e.method.map(|method| format!(", {}", method.within())).unwrap_or_default();
        format!("payout P-{number}{by}")
    };
    let reason = e.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let step = match e.kind {
        EntryKind::Created | EntryKind::Adjusted => return None,
        EntryKind::Approved => {
            let text = match decided(of, e, &["commission.approved"]) {
                Some(d) => by(d),
                None => "By itself, at the end of the hold.".to_owned(),
            };
            Step::new(StepKind::Approved, "Approved").text(text).tone("good")
        }
        EntryKind::Voided => {
            let text = decided(of, e, &["commission.voided"]).map_or_else(String::new, by);
            Step::new(StepKind::Voided, format!("{shown} voided")).text(text).tone("bad")
        }
        EntryKind::Restored => Step::new(StepKind::Restored, format!("{shown} given again")).tone("good"),
        EntryKind::Refunded => Step::new(StepKind::Refund, format!("{shown} less"))
            .text("Computed again from what is left of the payment.")
            .tone("warning"),
        EntryKind::ClawedBack => Step::new(StepKind::TakenBack, format!("{shown} taken off the next payout"))
            .text("A payout had taken it already, so what was paid stays, and the rest is netted.")
            .tone("warning"),
        EntryKind::Disputed => {
            let text = decided(of, e, &["payment.disputed"]).map_or_else(String::new, by);
            Step::new(StepKind::Dispute, "Held: the payment is disputed").text(text).tone("bad")
        }
        EntryKind::DisputeEnded => {
            let text = decided(of, e, &["payment.dispute_ended"]).map_or_else(String::new, by);
            Step::new(StepKind::Dispute, "The dispute ended").text(text)
        }
        EntryKind::Locked => Step::new(StepKind::Payout, format!("In {}", payout())).tone("info"),
        EntryKind::Unlocked => Step::new(StepKind::Payout, format!("Taken out of {}", payout())),
        EntryKind::Paid => Step::new(StepKind::Paid, format!("{shown} paid with {}", payout())).tone("good"),
        EntryKind::Failed => {
            Step::new(StepKind::Failed, format!("{} failed{reason}", payout())).text("It is due again.").tone("bad")
        }
        EntryKind::Returned => Step::new(StepKind::Returned, format!("{} came back{reason}", payout()))
            .text("It is due again.")
            .tone("bad"),
    };
    let step = Step { amount: Some(Money { minor: e.amount, currency: e.currency }), ..step.at(e.at) };
    Some(match e.line_id {
        Some(line) => step.about(Kind::PayoutLine, line),
        None => step,
    })
}

fn decision(d: &DecisionRow) -> Option<Step> {
    let (kind, title, tone) = match d.action.as_str() {
        "commission.approved" => (StepKind::Approved, "Approved", "good"),
        "commission.voided" => (StepKind::Voided, "Voided", "bad"),
        "payment.disputed" => (StepKind::Dispute, "The payment is disputed", "bad"),
        "payment.dispute_ended" => (StepKind::Dispute, "The dispute ended", ""),
        _ => return None,
    };
    Some(Step::new(kind, title).at(d.at).text(by(d)).tone(tone))
}

/// The steps of a payout's line: what it is the sum of, and how far it came.
pub fn of_line(of: &OfLine) -> Vec<Step> {
    let (line, p) = (&of.line, &of.payout);
    let mut steps: Vec<Step> = of.items.iter().map(item).collect();
    if of.more_items {
        steps.push(Step::new(StepKind::Item, format!("{} items in all; the first are shown", line.items)));
    }
    let by = |name: Option<&String>| name.filter(|n| !n.is_empty()).map(|n| format!("By {n}.")).unwrap_or_default();
    let name = p.name();
    steps.push(
        Step::new(StepKind::Payout, format!("Draft of {name} made"))
            .at(p.created_at)
            .text(by(Some(&p.made_by)))
            .about(Kind::Payout, p.id),
    );
    if line.state == LineState::Out {
        return steps;
    }
    if let Some(at) = p.locked_at.filter(|_| p.state != PayoutState::Draft) {
        let details = line.details.as_ref().map(|d| format!(" To be paid to {d}.")).unwrap_or_default();
        let text = format!("{}{details}", by(p.locked_by.as_ref()));
        steps.push(Step::new(StepKind::Payout, format!("{name} locked")).at(at).text(text).about(Kind::Payout, p.id));
    }
    if let Some(at) = p.approved_at {
        let text = by(p.approved_by.as_ref());
        steps.push(Step::new(StepKind::Approved, format!("{name} approved")).at(at).text(text));
    }
    let reason = line.reason.clone().unwrap_or_default();
    let reference = line.reference.as_ref().map(|r| format!("Reference {r}.")).unwrap_or_default();
    let ended = match line.state {
        LineState::Paid => Some((StepKind::Paid, "Paid", reference, "good")),
        LineState::Failed => Some((StepKind::Failed, "Failed: it is due again", reason, "bad")),
        LineState::Returned => Some((StepKind::Returned, "Came back: it is due again", reason, "bad")),
        LineState::Out | LineState::In | LineState::Locked => None,
    };
    if let Some((kind, title, text, tone)) = ended {
        let step = Step::new(kind, title).text(text).tone(tone).amount(line.money());
        steps.push(Step { day: line.day.clone(), ..step });
    }
    steps
}

fn item(i: &ItemRow) -> Step {
    let amount = Money { minor: i.amount, currency: i.currency };
    let noun = match (i.commission_id, i.adjusted_by) {
        (_, Some(AdjustmentKind::ClawBack)) => "taken back",
        (_, Some(AdjustmentKind::Bonus)) => "bonus",
        (_, Some(AdjustmentKind::Correction)) => "correction",
        _ => "commission",
    };
    let lead = i.lead.as_ref().map(|name| format!(" for {name}")).unwrap_or_default();
    let step = Step::new(StepKind::Item, format!("{}: {noun}{lead}", amount.shown()));
    let step = Step { text: i.reason.clone().unwrap_or_default(), ..step.amount(amount) };
    match i.commission_id {
        Some(id) => step.about(Kind::Commission, id),
        None => step,
    }
}
