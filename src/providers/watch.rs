//! One test checkout, watched: the steps it has taken, from the rows that are there, and what to do for the next one.

use super::accounts::Account;
use super::apply::group;
use super::standing::{self, Owner, Stand};
use super::store::messages::{MessageRow, State};
use super::store::uses;
use super::told::Fact;
use super::why;
use crate::codes::{CodeState, Known};
use crate::commissions::{self, CommissionRow};
use crate::db::{Conn, DbResult};
use crate::engine::Decision;
use crate::leads::one::{self, PaymentRow, RefundRow};
use crate::leads::{LeadRow, rows as leads};
use crate::money::Money;
use crate::words;

words! {
    /// How far a step is.
    pub enum StepState {
        Done = "done",
        /// It is the next one.
        Next = "next",
        /// It did not go as it should: a person has to look.
        Wrong = "needs a look",
        Later = "later",
    }
}

/// One step, with the thing that shows it.
#[derive(Debug, Clone)]
pub struct Step {
    pub title: &'static str,
    pub state: StepState,
    /// Microseconds, UTC.
    pub at: Option<i64>,
    /// The business's day, of what has no moment.
    pub day: Option<String>,
    /// What was seen, or what to do.
    pub text: String,
    /// Addresses with their words.
    pub links: Vec<(String, &'static str)>,
}

impl Step {
    fn new(title: &'static str, state: StepState, text: impl Into<String>) -> Self {
        Self { title, state, at: None, day: None, text: text.into(), links: Vec::new() }
    }

    fn at(mut self, at: i64) -> Self {
        self.at = Some(at);
        self
    }

    fn link(mut self, address: String, words: &'static str) -> Self {
        self.links.push((address, words));
        self
    }
}

/// The code that is watched, with the accounts at Stripe of its campaign.
pub struct Watched<'w> {
    pub campaign_id: i64,
    pub accounts: &'w [Account],
    pub code: &'w Known,
}

/// What is known of the newest use of the code.
#[derive(Default)]
struct Seen {
    /// The message that says it first.
    message: Option<MessageRow>,
    /// The account that it came from.
    account: Option<Account>,
    why: Option<why::Answer>,
    lead: Option<LeadRow>,
    payment: Option<PaymentRow>,
    commission: Option<CommissionRow>,
    refunds: Vec<RefundRow>,
    /// The message that tells of the refund.
    refunded_by: Option<i64>,
    /// The newest message of any kind.
    last: Option<MessageRow>,
}

/// The steps of the newest use of a code.
pub async fn steps(conn: &mut Conn, business_id: i64, watched: &Watched<'_>) -> DbResult<Vec<Step>> {
    let seen = look(conn, business_id, watched).await?;
    let at_stripe = uses::at_stripe(conn, &[watched.code.id]).await?;
    let owner = Owner { state: watched.code.enrollment_state.clone(), archived: watched.code.archived };
    let state = CodeState::parse(&watched.code.state);
    let standing = standing::best(watched.accounts, watched.campaign_id, &owner, state, &at_stripe);
    let code_url = format!("/campaigns/{}/payments/codes/{}", watched.campaign_id, watched.code.id);
    let is_made = standing.stand == Stand::Made;
    let first = match &standing.made {
        Some((promotion, at)) => {
            let text = format!("{} is the promotion code {promotion}. {}", watched.code.text, standing.sentence);
            Step::new("Code made at Stripe", StepState::Done, text).at(*at)
        }
        None if standing.stand == Stand::Waiting => {
            Step::new("Code made at Stripe", StepState::Next, standing.sentence)
        }
        None => Step::new("Code made at Stripe", StepState::Wrong, standing.sentence),
    };
    let mut steps = vec![first.link(code_url, "The code")];
    steps.push(checkout(&seen, watched, is_made));
    steps.push(lead(&seen, watched.code));
    steps.push(payment(&seen));
    steps.push(commission(&seen));
    steps.push(refund(&seen));
    // Only one step is the next; what follows waits for it.
    let mut open = false;
    for step in &mut steps {
        if step.state == StepState::Next {
            if open {
                step.state = StepState::Later;
                step.text.clear();
            }
            open = true;
        }
    }
    Ok(steps)
}

async fn look(conn: &mut Conn, business_id: i64, watched: &Watched<'_>) -> DbResult<Seen> {
    let mut seen = Seen::default();
    let Some(newest) = uses::newest(conn, watched.code.id).await? else {
        for account in watched.accounts.iter().filter(|a| a.is_connected()) {
            let last = uses::last(conn, account.row.id).await?;
            seen.last = seen.last.into_iter().chain(last).max_by_key(|row| row.id);
        }
        return Ok(seen);
    };
    let all = match newest.payment_id {
        Some(id) => uses::about(conn, business_id, id).await?,
        None => vec![newest.clone()],
    };
    let account = watched.accounts.iter().find(|a| a.row.id == newest.account_id);
    if let Some(account) = account {
        // The use may have been applied together with what became of it since.
        for row in all.iter().filter(|row| row.code_id == Some(watched.code.id)) {
            if seen.why.is_none() {
                seen.why = why::of_message(conn, account, row).await?;
            }
        }
        let is_return = |row: &&MessageRow| {
            let told = group::read(account.row.provider, row);
            told.is_ok_and(|told| {
                told.facts.iter().any(|f| matches!(f, Fact::Refunded(_) | Fact::RefundedSoFar { .. }))
            })
        };
        seen.refunded_by = all.iter().rev().find(is_return).map(|row| row.id);
    }
    seen.account = account.cloned();
    if let Some(lead_id) = newest.lead_id {
        seen.lead = leads::by_id(conn, business_id, lead_id).await?;
        if let Some(payment_id) = newest.payment_id {
            seen.payment = one::payment(conn, lead_id, payment_id).await?;
            let earned = commissions::of_lead(conn, lead_id).await?;
            seen.commission = earned.into_iter().find(|c| c.payment_id == Some(payment_id));
            seen.refunds = one::refunds(conn, &[payment_id]).await?;
        }
    }
    seen.message = all.into_iter().find(|row| row.code_id == Some(watched.code.id)).or(Some(newest));
    Ok(seen)
}

fn checkout(seen: &Seen, watched: &Watched<'_>, is_made: bool) -> Step {
    const TITLE: &str = "Checkout seen";
    if let Some(row) = &seen.message {
        let from = seen.account.as_ref().map_or("The provider", |a| a.row.provider.title());
        let step = Step::new(TITLE, StepState::Done, format!("{from} told of it: {}.", row.kind));
        return step.at(row.received_at).link(format!("/provider-messages/{}", row.id), "The message");
    }
    let is_test = watched.accounts.iter().find(|a| a.is_connected()).is_none_or(|a| a.row.test);
    let code = &watched.code.text;
    let mut text = if !is_made {
        "First the code has to be made.".to_owned()
    } else if is_test {
        format!(
            "Open your shop’s checkout in Stripe’s test mode and type the code {code}. Pay with the test card \
             4242 4242 4242 4242, any date to come and any three digits."
        )
    } else {
        format!(
            "Open your shop’s checkout, type the code {code}, and pay. The account is live: your card is charged, and the \
             payment counts here like any other. Refund it at Stripe as the last step. Stripe’s test card works only in \
             test mode."
        )
    };
    let mut step = Step::new(TITLE, StepState::Next, "");
    if let Some(last) = seen.last.as_ref().filter(|_| is_made) {
        text.push_str(&format!(" The last message, {}, did not use this code. {}", last.kind, last.outcome));
        step = step.link(format!("/provider-messages/{}", last.id), "The last message");
    }
    Step { text, ..step }
}

fn lead(seen: &Seen, code: &Known) -> Step {
    const TITLE: &str = "Lead";
    match (&seen.lead, &seen.message) {
        (Some(lead), _) => {
            let answer = seen.why.as_ref();
            let state = if lead.referrer_id == Some(code.referrer_id) { StepState::Done } else { StepState::Wrong };
            let title = answer.map(|a| format!("{}. {}", a.title, a.lines.join(" "))).unwrap_or_default();
            Step::new(TITLE, state, format!("{}: {title}", lead.name))
                .at(lead.created_at)
                .link(format!("/leads/{}", lead.id), "The lead")
                .link(format!("/why/leads/{}", lead.id), "Why it is as it is")
        }
        (None, Some(row)) if row.state == State::Failed => Step::new(TITLE, StepState::Wrong, row.outcome.clone()),
        _ => Step::new(
            TITLE,
            StepState::Next,
            "There is nothing to do: the lead is made from the checkout’s e-mail address.",
        ),
    }
}

fn payment(seen: &Seen) -> Step {
    const TITLE: &str = "Payment";
    let row = seen.message.as_ref();
    match (&seen.payment, &seen.lead) {
        (Some(y), Some(lead)) => {
            let amount = Money::shown_in(y.amount, &y.currency);
            Step::new(
                TITLE,
                StepState::Done,
                format!("{amount} for {}, as commissions are computed from it.", y.product),
            )
            .at(y.received_at)
            .link(format!("/why/leads/{}", lead.id), "The payment in the lead’s trace")
        }
        _ if row.is_some_and(|row| row.state == State::Failed) => {
            Step::new(TITLE, StepState::Wrong, row.map(|row| row.outcome.clone()).unwrap_or_default())
        }
        _ => Step::new(
            TITLE,
            StepState::Next,
            "Pay the checkout to its end. Stripe tells of the payment within seconds.",
        ),
    }
}

fn commission(seen: &Seen) -> Step {
    const TITLE: &str = "Commission";
    match (&seen.commission, &seen.payment, &seen.lead) {
        (Some(c), ..) => {
            let text = format!("{} for {}, {}.", c.first_shown(), c.referrer, c.state);
            Step::new(TITLE, StepState::Done, text)
                .at(c.created_at)
                .link(format!("/commissions/{}", c.id), "The commission")
                .link(format!("/why/commissions/{}", c.id), "Why it is as it is")
        }
        (None, Some(y), Some(lead)) => {
            let verb = match Decision::parse(&y.decision) {
                Some(Decision::Waiting) => "The payment waits",
                _ => "The payment earned nothing",
            };
            let step = Step::new(TITLE, StepState::Wrong, format!("{verb}: {}.", y.decision_why));
            step.link(format!("/why/leads/{}", lead.id), "What would have to be true")
        }
        _ => Step::new(
            TITLE,
            StepState::Next,
            "There is nothing to do: the terms of the product say what a payment earns.",
        ),
    }
}

fn refund(seen: &Seen) -> Step {
    const TITLE: &str = "Refund";
    let Some(last) = seen.refunds.last() else {
        return Step::new(
            TITLE,
            StepState::Next,
            "Refund the payment at Stripe. The commission is taken back with it, by the same share.",
        );
    };
    let given: i64 = seen.refunds.iter().map(|refund| refund.amount).sum();
    let failed: i64 = seen.refunds.iter().map(|refund| refund.amount.min(0)).sum();
    let shown = |minor: i64| Money::shown_in(minor, &last.currency);
    let mut text = match (given, failed) {
        (_, 0) => format!("{} given back.", shown(given)),
        (0, _) => format!(
            "{} did not reach the customer, so nothing is given back and the payment counts in full. Refund it again.",
            shown(-failed)
        ),
        _ => format!("{} given back. Another {} did not reach the customer.", shown(given), shown(-failed)),
    };
    if let Some(c) = &seen.commission {
        text.push_str(&format!(" The commission is {}: {}.", c.state, c.shown()));
    }
    let state = if given == 0 { StepState::Wrong } else { StepState::Done };
    let mut step = Step { day: Some(last.refund_date.clone()), ..Step::new(TITLE, state, text) };
    if let Some(id) = seen.refunded_by {
        step = step.link(format!("/provider-messages/{id}"), "The message");
    }
    if let Some(lead) = &seen.lead {
        step = step.link(format!("/leads/{}", lead.id), "The payments of the lead");
    }
    step
}
