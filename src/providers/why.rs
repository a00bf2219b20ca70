//! The answer to why the use of a code counted or did not: for one message of a provider, from what the engine stored
//! and the settings as they are. The lead's trace says what it earned, and why.

use super::accounts::Account;
use super::apply::group;
use super::store::LinkRow;
use super::store::messages::{MessageRow, State};
use super::store::uses;
use super::stripe::rules::Rules;
use super::told::{Fact, Hint};
use crate::business;
use crate::campaigns::{self, QualifyOn, Settings};
use crate::clock::{Day, Instant, Zone};
use crate::codes::{self, Known};
use crate::db::{Conn, DbResult};
use crate::engine::{Decision, NameKind};
use crate::leads::one::{self, PaymentRow, TouchRow};
use crate::leads::{LeadRow, rows as leads, timeline};
use crate::money::{Currency, Money};

/// The audit's word for a qualification that was taken back.
const UNQUALIFIED: &str = "lead.unqualified";

/// An answer: whether a code counts, and the reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub title: String,
    /// It counts for the referrer of the code, and the lead is qualified.
    pub is_good: bool,
    /// The reasons.
    pub lines: Vec<String>,
    pub code: Option<Known>,
    pub lead_id: Option<i64>,
}

impl Answer {
    fn new(title: impl Into<String>, lines: Vec<String>) -> Self {
        Self { title: title.into(), is_good: false, lines, code: None, lead_id: None }
    }
}

/// The answer for a message; `None` for one that tells of no use and no payment.
pub async fn of_message(conn: &mut Conn, account: &Account, row: &MessageRow) -> DbResult<Option<Answer>> {
    let Ok(told) = group::read(account.row.provider, row) else { return Ok(None) };
    let mut hints: Vec<Hint> = Vec::new();
    let mut is_about = false;
    for fact in &told.facts {
        let said = match fact {
            Fact::Paid(paid) => &paid.hints,
            Fact::Used(used) => &used.hints,
            _ => continue,
        };
        is_about = true;
        hints.extend(said.iter().cloned());
    }
    if !is_about {
        return Ok(None);
    }
    if row.state == State::New {
        return Ok(Some(Answer::new("It is about to be applied", Vec::new())));
    }
    let code = match row.code_id {
        Some(id) => codes::by_id(conn, row.business_id, id).await?,
        None => None,
    };
    match code {
        Some(code) => with_code(conn, account, row, code).await.map(Some),
        None => without_code(conn, account, row, &hints).await.map(Some),
    }
}

async fn with_code(conn: &mut Conn, account: &Account, row: &MessageRow, code: Known) -> DbResult<Answer> {
    let answer = match row.lead_id {
        Some(lead_id) => of_lead(conn, account, row, &code, lead_id).await?,
        None => None,
    };
    let answer = answer.unwrap_or_else(|| Answer::new("The use made no lead", vec![row.outcome.clone()]));
    Ok(Answer { code: Some(code), lead_id: row.lead_id, ..answer })
}

/// The message names no code, or one that is not the business's.
async fn without_code(conn: &mut Conn, account: &Account, row: &MessageRow, hints: &[Hint]) -> DbResult<Answer> {
    let provider = account.row.provider.title();
    let mut lines = Vec::new();
    for hint in hints {
        lines.push(match group::code(conn, account.row.provider, account.row.id, hint).await? {
            Err(id) => format!(
                "{provider} names the code by {id}. Refdesk waits for the message that says which code that is."
            ),
            Ok(text) => match codes::find(conn, row.business_id, text.trim()).await? {
                Some((known, _)) => {
                    format!("It names {}. Apply the message again: the code was not known when it came.", known.text)
                }
                None => format!("It names {text}, which is no referral code of this business."),
            },
        });
    }
    lines.dedup();
    if !lines.is_empty() {
        return Ok(Answer { lead_id: row.lead_id, ..Answer::new("No referral code was used", lines) });
    }
    let about = match row.payment_id {
        Some(id) => uses::about(conn, row.business_id, id).await?,
        None => vec![row.clone()],
    };
    // The payment may have its code from another of its messages.
    if let Some(other) = about.iter().find(|other| other.code_id.is_some())
        && let Some(code) = codes::by_id(conn, row.business_id, other.code_id.unwrap_or_default()).await?
    {
        let mut answer = with_code(conn, account, other, code).await?;
        answer.lines.insert(0, format!("Another message of this payment, {}, names the code.", other.kind));
        return Ok(answer);
    }
    lines.push(format!("{provider} names no code in this message."));
    let mut earlier = None;
    if let Some(lead) = lead_of(conn, row).await? {
        let payments = one::payments(conn, lead.id).await?;
        let own = payments.iter().find(|y| Some(y.id) == row.payment_id);
        if lead.referrer_id.is_some() {
            return referred(conn, row, &lead, own, lines).await;
        }
        earlier = before(&payments, own).next().map(paid);
    }
    // Payments of nobody are known by their address alone.
    if let (None, Some(id)) = (&earlier, row.payment_id) {
        let found = uses::payment_before(conn, id).await?;
        earlier = found.map(|y| paid_words(y.amount, &y.currency, &y.payment_date));
    }
    if let Some(paid) = &earlier {
        lines.push(format!(
            "It is not the customer’s first payment: they had paid {paid} before. A code is given at the first checkout."
        ));
    }
    let is_checkout = |other: &MessageRow| {
        group::read(account.row.provider, other).is_ok_and(|told| told.names.iter().any(|n| n.kind == NameKind::Event))
    };
    if earlier.is_some() || !about.iter().any(is_checkout) {
        return Ok(Answer { lead_id: row.lead_id, ..Answer::new("No referral code was used", lines) });
    }
    lines.push("A customer who typed one was told in the checkout that it is not valid.".to_owned());
    let rules: Vec<String> =
        account.links.iter().filter(|l| !l.coupon.is_empty()).flat_map(|l| Rules::read(&l.rules).sentences()).collect();
    if !rules.is_empty() {
        lines.push(format!(
            "A code works at {provider} once it is made there, and under these rules. {}",
            rules.join(" ")
        ));
    }
    Ok(Answer { lead_id: row.lead_id, ..Answer::new("No referral code was used", lines) })
}

async fn lead_of(conn: &mut Conn, row: &MessageRow) -> DbResult<Option<LeadRow>> {
    match row.lead_id {
        Some(id) => leads::by_id(conn, row.business_id, id).await,
        None => Ok(None),
    }
}

/// The message names no code, and the lead has a referrer: most often it is a later payment of a customer who gave a
/// code at the first.
async fn referred(
    conn: &mut Conn,
    row: &MessageRow,
    lead: &LeadRow,
    payment: Option<&PaymentRow>,
    mut lines: Vec<String>,
) -> DbResult<Answer> {
    let zone = zone(conn, row.business_id).await?;
    let touches = one::touches(conn, lead.id).await?;
    if let Some(claim) = touches.iter().find(|t| Some(t.id) == lead.touch_id) {
        let day = zone.day_of(Instant::from_micros(claim.at)).shown();
        lines.push(format!(
            "The lead has a referrer since {day} ({}), and a payment needs no code after that.",
            timeline::touch_claim(claim)
        ));
    }
    if let Some(y) = payment {
        let verb = match Decision::parse(&y.decision) {
            Some(Decision::Earned) => "earned",
            Some(Decision::Waiting) => "waits",
            _ => "earned nothing",
        };
        lines.push(format!("The payment of {} {verb}: {}.", paid(y), y.decision_why));
    }
    let code = match &lead.code {
        Some(text) => codes::find(conn, row.business_id, text).await?.map(|(known, _)| known),
        None => None,
    };
    let title = "The lead was referred before, and needs no code";
    let is_good = lead.qualified_at.is_some();
    Ok(Answer { is_good, code, lead_id: Some(lead.id), ..Answer::new(title, lines) })
}

async fn zone(conn: &mut Conn, business_id: i64) -> DbResult<Zone> {
    let business = business::by_id(conn, business_id).await?;
    Ok(business.and_then(|b| Zone::parse(&b.timezone).ok()).unwrap_or_default())
}

/// The payments that came before one, the latest first; all of them where it is not known.
fn before<'p>(payments: &'p [PaymentRow], own: Option<&'p PaymentRow>) -> impl Iterator<Item = &'p PaymentRow> {
    let order = |y: &PaymentRow| (y.received_at, y.id);
    payments.iter().filter(move |y| own.is_none_or(|own| order(y) < order(own)))
}

async fn of_lead(
    conn: &mut Conn,
    account: &Account,
    row: &MessageRow,
    code: &Known,
    lead_id: i64,
) -> DbResult<Option<Answer>> {
    let Some(lead) = leads::by_id(conn, row.business_id, lead_id).await? else { return Ok(None) };
    let Some(campaign) = campaigns::find(conn, row.business_id, lead.campaign_id).await? else { return Ok(None) };
    let touches = one::touches(conn, lead_id).await?;
    let payments = one::payments(conn, lead_id).await?;
    let mut lines = Vec::new();
    let claim = touches.iter().rev().find(|t| t.code.as_deref() == Some(&code.text));
    let counts = lead.referrer_id == Some(code.referrer_id);
    lines.push(claimed(&lead, &touches, claim, code, counts));
    if account.link(code.campaign_id).is_none() {
        lines.push(format!(
            "{} is a code of a campaign that this account is not for: its payments are of {}.",
            code.text, campaign.name
        ));
    }
    if lead.qualified_at.is_none() {
        let link = account.link(lead.campaign_id);
        let undone = one::audit(conn, lead_id).await?.into_iter().find(|a| a.action == UNQUALIFIED);
        lines.extend(undone.map(|a| format!("Its qualification was taken back by {}.", a.actor)));
        let made = zone(conn, row.business_id).await?.day_of(Instant::from_micros(lead.created_at));
        lines.extend(not_qualified(&Settings::of(&campaign), link, (&payments, made), row));
    }
    if lead.test {
        lines.push("It is test data: it counts in no figure, and is never paid.".to_owned());
    }
    let title = match (counts, lead.qualified_at.is_some()) {
        (true, true) => "The use counts, and the lead is qualified",
        (true, false) => "The use counts for its referrer, and the lead is not qualified",
        (false, true) => "The lead is qualified, and the use does not count for the code’s referrer",
        (false, false) => "The use does not count for the code’s referrer, and the lead is not qualified",
    };
    Ok(Some(Answer { is_good: counts && lead.qualified_at.is_some(), ..Answer::new(title, lines) }))
}

/// The sentence that says whether the use counts for the referrer of the code, and why.
fn claimed(lead: &LeadRow, touches: &[TouchRow], claim: Option<&TouchRow>, code: &Known, counts: bool) -> String {
    match claim {
        Some(claim) => format!("{}: {}", code.text, timeline::verdict(lead, touches, claim).1),
        None if counts => format!("{} referred the lead, by another of their codes or by a link.", code.name),
        None => format!("{} was noted, and claims nothing on this lead.", code.text),
    }
}

/// The reasons for which a lead that was made on a day is not qualified, by the choices of its campaign.
fn not_qualified(
    settings: &Settings,
    link: Option<&LinkRow>,
    (payments, made): (&[PaymentRow], Day),
    row: &MessageRow,
) -> Vec<String> {
    let mut lines = Vec::new();
    let payment = payments.iter().find(|y| Some(y.id) == row.payment_id);
    if let Some(link) = link {
        let earlier = before(payments, payment).last();
        if !link.qualify_on_code {
            lines.push("The campaign does not qualify a lead when a code is used: that switch is off.".to_owned());
        } else if let Some(y) = earlier {
            lines.push(format!(
                "The use of a code qualifies a customer’s first order only, and they had paid {} before.",
                paid(y)
            ));
        } else if row.applied_at.is_some_and(|at| at < link.updated_at) {
            lines.push(
                "The campaign’s choices were changed after the message was applied. They count from then on.".into(),
            );
        }
    }
    lines.push(format!("The campaign’s own rule: {}", settings.rule()));
    match (settings.qualify_on, payment) {
        (QualifyOn::Payment, None) => lines.push("Nothing was paid yet.".to_owned()),
        (QualifyOn::Payment, Some(y)) => {
            lines.extend(too_little(settings, y));
            lines.extend(too_late(settings, made, y));
        }
        (QualifyOn::Hand | QualifyOn::SignUp, _) => {}
    }
    lines
}

fn too_little(settings: &Settings, y: &PaymentRow) -> Option<String> {
    let currency = Currency::parse(&y.currency).ok()?;
    let money = Money { minor: y.amount, currency };
    if y.amount == 0 {
        return Some("Nothing was to be paid.".to_owned());
    }
    if settings.least.is_empty() {
        return None;
    }
    match settings.least.get(currency) {
        Some(least) if least.minor > y.amount => {
            Some(format!("The payment of {} is less than {}.", money.shown(), least.shown()))
        }
        Some(_) => None,
        None => Some(format!("The rule names no amount in {currency}, in which {} was paid.", money.shown())),
    }
}

fn too_late(settings: &Settings, made: Day, y: &PaymentRow) -> Option<String> {
    let paid_on = Day::parse(&y.payment_date).ok()?;
    let last = made.plus_days(settings.qualify_days);
    (settings.qualify_days > 0 && paid_on > last).then(|| {
        format!(
            "The payment came too late, on {}: the lead is of {}, and the rule takes payments until {}.",
            paid_on.shown(),
            made.shown(),
            last.shown()
        )
    })
}

fn paid(y: &PaymentRow) -> String {
    paid_words(y.amount, &y.currency, &y.payment_date)
}

/// "30.00 USD on 1 Jun 2026"
fn paid_words(amount: i64, currency: &str, date: &str) -> String {
    let day = Day::parse(date).map_or_else(|_| date.to_owned(), Day::shown);
    format!("{} on {day}", Money::shown_in(amount, currency))
}
