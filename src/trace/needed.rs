//! The result of something as it is now, and the conditions for each missing part.

use super::facts::{OfCommission, OfLead, OfLine};
use crate::clock::Day;
use crate::commissions::CommissionRow;
use crate::engine::ClaimRefusal;
use crate::engine::state::{DecisionReason, LineState, PayoutState, VoidCause};
use crate::leads::one::{PaymentRow, TouchRow};
use crate::money::Money;
use crate::payouts::OutReason;

fn day(text: &str) -> String {
    Day::parse(text).map_or_else(|_| text.to_owned(), Day::shown)
}

fn is_banned(c: &CommissionRow) -> bool {
    c.enrollment_state == "banned" && !c.released
}

/// The payout that a commission is in: "P-12".
fn payout_of(of: &OfCommission) -> String {
    let last = of.entries.iter().rev().find_map(|e| e.payout_number);
    last.map_or_else(|| "a payout".to_owned(), |number| format!("P-{number}"))
}

pub fn commission_now(of: &OfCommission) -> String {
    let c = &of.c;
    let disputed = c.disputed_at.is_some();
    match c.state.as_str() {
        _ if c.test => "Test data: it is never owed and never paid.".into(),
        "pending" if disputed => "Held: its payment is disputed.".into(),
        "pending" => format!("Held until {}.", day(&c.hold_until)),
        "approved" if c.line_id.is_some() => format!("On its way: in payout {}.", payout_of(of)),
        "approved" if disputed => "Approved, and held: its payment is disputed.".into(),
        "approved" if is_banned(c) => "Approved, and kept out of payouts: the referrer is banned.".into(),
        "approved" => "Due: approved and not paid yet.".into(),
        "paid" if c.taken_back > 0 => {
            format!("Paid with payout {}; {} was taken back.", payout_of(of), c.taken_back_shown())
        }
        "paid" => format!("Paid with payout {}.", payout_of(of)),
        _ => void_now(of),
    }
}

fn void_now(of: &OfCommission) -> String {
    let why = match of.c.void_cause {
        Some(VoidCause::Refunded) => "the whole payment was given back",
        Some(VoidCause::Reattributed) => "its lead went to another referrer",
        Some(VoidCause::SelfReferral) => "the referrer and the lead are the same person",
        Some(VoidCause::Unqualified) => "the qualification of its lead was taken back",
        Some(VoidCause::Staff) | None => "staff voided it",
    };
    format!("Void: {why}. Nothing is owed for it.")
}

/// The steps that are missing until it is paid.
pub fn of_commission(of: &OfCommission) -> Vec<String> {
    let c = &of.c;
    let mut needed: Vec<String> = Vec::new();
    if c.test || c.state == "paid" {
        return needed;
    }
    if c.state == "void" {
        needed.extend(match c.void_cause {
            Some(VoidCause::Reattributed) => Some("The lead comes back to this referrer.".to_owned()),
            Some(VoidCause::Unqualified) => Some("The lead is qualified again.".to_owned()),
            Some(VoidCause::SelfReferral) => Some("The referrer and the lead turn out to be two people.".to_owned()),
            Some(VoidCause::Refunded | VoidCause::Staff) | None => None,
        });
        return needed;
    }
    if c.disputed_at.is_some() {
        needed.push("The dispute of the payment ends in favour of the business.".into());
    }
    if c.state == "pending" {
        let until = day(&c.hold_until);
        needed.push(format!("The hold ends on {until}, or staff approve it earlier."));
    }
    if is_banned(c) {
        needed.push("Staff approve it although the referrer is banned.".into());
    }
    match c.line_id {
        None => {
            let ways = if of.offered.is_all() {
                "by their payout details".to_owned()
            } else {
                format!("{}, as the campaign offers and their payout details say", of.offered.within())
            };
            needed.push(format!("A payout takes it: once the referrer’s balance reaches the minimum, {ways}."));
        }
        Some(_) => needed.push(format!("Payout {} is paid.", payout_of(of))),
    }
    needed
}

pub fn lead_now(of: &OfLead) -> String {
    let lead = &of.lead;
    if lead.duplicate_of.is_some() {
        return "A duplicate of another lead: it earns nothing.".into();
    }
    let standing = of.commissions.iter().filter(|c| c.state != "void").count();
    match (standing, of.touches.iter().find(|t| Some(t.id) == lead.touch_id).and_then(|t| t.referrer.as_deref())) {
        (0, None) => "No referrer counts for this lead, so nothing was earned.".into(),
        (0, Some(name)) => format!("Referred by {name}. Nothing was earned yet."),
        (1, Some(name)) => format!("Referred by {name}, who earned a commission by it."),
        (n, Some(name)) => format!("Referred by {name}. It earned {n} commissions."),
        (n, None) => format!("It earned {n} commissions."),
    }
}

/// The conditions missing for a commission; nothing where there is one.
pub fn of_lead(of: &OfLead) -> Vec<String> {
    let lead = &of.lead;
    if of.earned() {
        return Vec::new();
    }
    if lead.duplicate_of.is_some() {
        return vec!["It is merged with the lead that it repeats, which earns for both.".into()];
    }
    let mut needed = Vec::new();
    if lead.referrer_id.is_none() {
        needed.extend(claims(&of.touches));
    }
    if lead.email.is_none() {
        needed.push("The lead has an e-mail address: payments are found by it.".into());
    }
    let mut decided: Vec<String> = of.payments.iter().filter_map(|y| payment(y, lead.referrer_id.is_some())).collect();
    decided.dedup();
    needed.extend(decided);
    if of.payments.is_empty() {
        needed.push(match lead.email.as_deref().filter(|email| !email.is_empty()) {
            Some(email) => format!("A payment by {email} arrives, above 0, for a product of the campaign."),
            None => "A payment by the lead arrives, above 0, for a product of the campaign.".into(),
        });
    }
    if lead.qualified_at.is_none() && of.rule.reward != "{}" {
        needed.push(match of.rule.qualify_on.as_str() {
            "hand" => "Or the lead is qualified by staff, which earns the campaign’s reward.".into(),
            "sign_up" => "Or the lead signs up, which qualifies it and earns the campaign’s reward.".into(),
            _ => "Or its first payment qualifies it, which earns the campaign’s reward.".to_owned(),
        });
    }
    if of.commissions.iter().any(|c| c.void_cause == Some(VoidCause::Staff)) {
        needed.push("What staff voided stays void: only a later payment can earn.".into());
    }
    needed
}

/// Why none of the claims counts.
fn claims(touches: &[TouchRow]) -> Vec<String> {
    if touches.is_empty() {
        return vec!["A referrer claims the lead: by a code, a link, a rep, an upload or a decision of staff.".into()];
    }
    let refused = |t: &TouchRow| t.refused.as_deref().and_then(ClaimRefusal::parse);
    let mut needed: Vec<String> = touches
        .iter()
        .map(|t| match refused(t) {
            Some(ClaimRefusal::UnknownCode | ClaimRefusal::Unnamed) => {
                "Staff say who was meant: the item in the inbox offers the closest codes."
            }
            Some(ClaimRefusal::RetiredCode) => "The retired code is brought back, or staff set the referrer.",
            Some(ClaimRefusal::OtherCampaign) => "The referrer is enrolled in this campaign.",
            Some(ClaimRefusal::Paused) => "The referrer is active again, and claims the lead once more.",
            Some(ClaimRefusal::Banned) => "The referrer’s ban is lifted, or staff set another referrer.",
            Some(ClaimRefusal::Archived) => "The referrer is taken out of the archive.",
            Some(ClaimRefusal::CampaignNotLive) => "The campaign is live when the lead comes.",
            Some(ClaimRefusal::SelfReferral) => "Somebody else referred the lead: nobody refers themselves.",
            None => "Staff accept the later claim in the inbox.",
        })
        .map(str::to_owned)
        .collect();
    needed.dedup();
    needed
}

/// The conditions under which a payment would earn.
fn payment(y: &PaymentRow, has_referrer: bool) -> Option<String> {
    let shown = format!("{} of {}", Money::shown_in(y.amount, &y.currency), day(&y.payment_date));
    Some(match DecisionReason::parse(&y.decision_why)? {
        DecisionReason::NoLead | DecisionReason::BeforeItsAddress => {
            format!("Staff give a commission for the waiting payment of {shown}: the inbox offers it.")
        }
        DecisionReason::NoReferrer if has_referrer => {
            format!("Staff give a commission for the waiting payment of {shown}: the inbox offers it.")
        }
        DecisionReason::NoReferrer => format!("The lead has a referrer. Then the payment of {shown} can earn."),
        DecisionReason::ReferrerBanned => format!("The referrer’s ban is lifted. The payment of {shown} waits for it."),
        DecisionReason::CampaignDraft => format!("The campaign is live. The payment of {shown} waits for it."),
        DecisionReason::NoTerms => format!("The product had no terms on the day of the payment of {shown}."),
        DecisionReason::AmountZero => "A payment above 0 arrives.".into(),
        DecisionReason::RecurringLimit => {
            format!("The terms pay no longer for the payment of {shown}: the limit of later payments was reached.")
        }
        DecisionReason::NoFlatAmount => {
            format!("The terms name a flat amount in {} when the next payment arrives.", y.currency)
        }
        DecisionReason::EarnsNothing => format!("A larger payment: the rate of {shown} rounds to nothing, or is 0."),
        DecisionReason::TestProduct | DecisionReason::ReferralRate | DecisionReason::RecurringRate => return None,
    })
}

pub fn line_now(of: &OfLine) -> String {
    let (line, name) = (&of.line, of.payout.name());
    match line.state {
        LineState::Out => format!("Left out of {name}."),
        LineState::In => format!("In the draft {name}. Nothing moves until it is locked."),
        LineState::Locked => format!("Locked in {name}, and not paid yet."),
        LineState::Paid => format!("Paid with {name}."),
        LineState::Failed => format!("Failed in {name}: it is due again."),
        LineState::Returned => format!("Paid with {name}, and came back: it is due again."),
    }
}

pub fn of_line(of: &OfLine) -> Vec<String> {
    let line = &of.line;
    let minimum = Money { minor: line.minimum.unwrap_or_default(), currency: line.currency };
    match (line.state, line.out_reason) {
        (_, Some(reason)) => vec![match reason {
            OutReason::BelowMinimum => {
                format!("The balance reaches the minimum of {}. Until then it is carried over.", minimum.shown())
            }
            OutReason::NoDetails => "Payout details of the referrer are entered.".into(),
            OutReason::Banned => "Staff approve or void the commissions of the banned referrer.".into(),
            OutReason::Disputed => "The dispute of the payments ends.".into(),
            OutReason::Negative => "The referrer earns more than was taken back.".into(),
            OutReason::Nothing => "Something is due again.".into(),
            OutReason::OtherMethod => "A payout by the referrer’s own way of paying is made.".into(),
            OutReason::NotOffered => {
                "A payout by a way of paying that the campaign offers, or the campaign offers this way too.".into()
            }
            OutReason::ByHand => "Staff take the referrer in again.".into(),
            OutReason::Unfit => {
                let why = line.reason.as_deref().unwrap_or("The payout’s file cannot hold the line.");
                format!("{why} Payout details that the file can hold, or another kind of file.")
            }
        }],
        (LineState::In, _) => vec!["The payout is locked, and then paid.".into()],
        (LineState::Locked, _) if of.payout.state == PayoutState::Locked => {
            vec!["The payout is paid, after a second person’s approval where the business asks for one.".into()]
        }
        (LineState::Locked, _) => vec!["The payout is paid.".into()],
        (LineState::Failed | LineState::Returned, _) => {
            vec!["The next payout takes it. Check the payout details first.".into()]
        }
        (LineState::Paid | LineState::Out, _) => Vec::new(),
    }
}
