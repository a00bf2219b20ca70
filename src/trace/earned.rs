//! The origin of an amount: the payment or the qualification, the terms in force, the sum, the hold.

use super::facts::{OfCommission, OfLead};
use super::step::{Step, StepKind};
use crate::clock::Day;
use crate::commissions::CommissionRow;
use crate::id::Kind;
use crate::leads::one::PaymentRow;
use crate::money::{Currency, Money};
use crate::products::{self, TermsRow};

fn day(text: &str) -> String {
    Day::parse(text).map_or_else(|_| text.to_owned(), Day::shown)
}

fn money(minor: i64, currency: &str) -> Option<Money> {
    Currency::parse(currency).ok().map(|currency| Money { minor, currency })
}

pub fn steps(of: &OfCommission) -> Vec<Step> {
    let c = &of.c;
    let mut steps = vec![match &of.payment {
        Some(payment) => paid(payment),
        None => qualified(of.lead.qualified_at),
    }];
    if let Some(terms) = &of.terms {
        steps.push(terms_step(terms, c));
    }
    steps.push(amount(c));
    let days = crate::campaigns::days(c.hold_days);
    let text = format!("For {days}, until {}. It is approved by itself on the day after.", day(&c.hold_until));
    steps.push(Step::new(StepKind::Hold, "Held").on(&c.hold_until).text(text));
    steps
}

/// The payment, and the decision about it.
fn paid(y: &PaymentRow) -> Step {
    let shown = Money::shown_in(y.amount, &y.currency);
    let rule = match y.decision_why.as_str() {
        "referral rate" => "It is their first payment for the product, so the rate of first payments applies.",
        "recurring rate" => "It is a later payment for the product, so the rate of later payments applies.",
        _ => "",
    };
    let rule = if rule.is_empty() { sentence(y) } else { rule.to_owned() };
    Step {
        amount: money(y.amount, &y.currency),
        ..Step::new(StepKind::Payment, format!("{shown} paid for {}", y.product))
            .on(&y.payment_date)
            .text(rule)
            .about(Kind::Payment, y.id)
    }
}

fn sentence(y: &PaymentRow) -> String {
    match y.decision.as_str() {
        "earned" => format!("It earned: {}.", y.decision_why),
        "waiting" => format!("It waits: {}.", y.decision_why),
        _ => format!("It earned nothing: {}.", y.decision_why),
    }
}

fn qualified(at: Option<i64>) -> Step {
    let step =
        Step::new(StepKind::Qualified, "Qualified").text("The campaign pays a reward for a referral that counts.");
    Step { at, ..step }
}

fn terms_step(row: &TermsRow, c: &CommissionRow) -> Step {
    let product = c.product.as_deref().unwrap_or("the product");
    let terms = row.terms();
    let since = terms.valid_from.map_or_else(|| "from the start".to_owned(), |day| format!("since {}", day.shown()));
    Step::new(StepKind::Terms, format!("Terms {} of {product} applied", row.number))
        .text(format!("In force {since}. {}", products::sentence(&terms)))
        .about(Kind::Terms, row.id)
}

fn amount(c: &CommissionRow) -> Step {
    let first = c.first();
    let rounded = first.rounded().map(|exact| format!(", rounded once from {exact}")).unwrap_or_default();
    let title = format!("{} for {}", c.first_shown(), c.referrer);
    Step {
        amount: money(first.at_first(), &c.currency),
        ..Step::new(StepKind::Amount, title)
            .at(c.created_at)
            .text(format!("{}{rounded}.", capital(&first.sum())))
            .tone("good")
    }
}

fn capital(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(start) = text.get(..1).map(str::to_uppercase) {
        text.replace_range(..1, &start);
    }
    text
}

/// The payments of a lead and what they earned.
pub fn of_lead(of: &OfLead) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    if of.lead.qualified_at.is_some() {
        steps.push(Step { text: String::new(), ..qualified(of.lead.qualified_at) });
    }
    for y in &of.payments {
        steps.push(paid(y));
        let theirs = of.commissions.iter().filter(|c| c.payment_id == Some(y.id));
        steps.extend(theirs.map(earned));
    }
    steps.extend(of.commissions.iter().filter(|c| c.payment_id.is_none()).map(earned));
    steps
}

fn earned(c: &CommissionRow) -> Step {
    let noun = if c.kind == "reward" { "Reward" } else { "Commission" };
    let reason = c.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let title = format!("{noun} of {} for {}, {}{reason}", c.shown(), c.referrer, c.state);
    Step {
        amount: money(c.amount, &c.currency),
        ..Step::new(StepKind::Commission, title)
            .at(c.created_at)
            .text(format!("{}.", capital(&c.arithmetic().sum())))
            .about(Kind::Commission, c.id)
            .tone(if c.state == "void" { "bad" } else { "good" })
    }
}
