use askama::Template;
use axum::extract::Path;

use super::find::find;
use super::list::sentence;
use crate::clock::Instant;
use crate::commissions::{self, CommissionRow};
use crate::customer_rewards::{self, CustomerRewardRow};
use crate::engine::Status;
use crate::id;
use crate::leads::LeadRow;
use crate::leads::fields::{LeadFact, TABLE};
use crate::leads::store::one::{self, AlikeRow, LeadNames, PaymentRow, RefundRow, SubscriptionRow};
use crate::leads::timeline::{self, Happened};
use crate::meta;
use crate::money::Money;
use crate::remarks::Subject;
use crate::remarks::pages::Remarks;
use crate::shell::{Frame, Page};
use crate::users::Right;
use crate::web::{Choice, Fault, PageResult, html};
use crate::when::When;

#[derive(Template)]
#[template(path = "leads/show.html")]
struct ShowPage {
    frame: Frame,
    /// Named apart from `lead`, which the page head's macro uses.
    person: LeadRow,
    names: LeadNames,
    details: Vec<(String, String)>,
    lead_code: String,
    public_id: String,
    created: When,
    qualified: Option<When>,
    arrival: &'static str,
    why: Vec<Why>,
    commissions: Vec<Earning>,
    /// The customer's reward for being referred; true while it is held.
    reward: Option<(CustomerRewardRow, bool)>,
    payments: Vec<Payment>,
    waiting: usize,
    sign_ups: Vec<(String, When)>,
    alike: Vec<AlikeRow>,
    items: Vec<(i64, String)>,
    timeline: Vec<Item>,
    statuses: Vec<Choice>,
    subscriptions: Vec<SubscriptionRow>,
    can_edit: bool,
    /// To change what is known of the person.
    can_mend: bool,
    /// To refund and dispute payments.
    can_decide: bool,
    sees_money: bool,
    remarks: Remarks,
}

/// A touch with its verdict.
struct Why {
    title: &'static str,
    claim: String,
    verdict: String,
    counts: bool,
    when: When,
}

struct Earning {
    row: CommissionRow,
    line: String,
}

struct Payment {
    row: PaymentRow,
    amount: String,
    day: When,
    words: String,
    /// The refunded amount; empty for none.
    refunded: String,
    /// Each refund: its amount and whether it reached the customer, and its day.
    refunds: Vec<(String, When)>,
    /// Since when it is disputed.
    disputed: Option<When>,
    /// True when a part of it can still be refunded.
    has_left: bool,
}

/// As the timeline shows it.
struct Item {
    at: When,
    title: String,
    body: String,
    who: String,
    tone: &'static str,
}

/// True where this person may change what is known of the lead: a rep on the day they recorded it.
pub(super) fn may_mend(page: &Page, lead: &LeadRow) -> bool {
    let day = page.member.zone.day_of(Instant::from_micros(lead.created_at));
    let own = lead.recorded_by == Some(page.member.user_id) && day == page.today() && lead.archived_at.is_none();
    page.member.may(Right::EditLeads) || (own && page.member.may(Right::Record))
}

/// The names that belong to a lead that was found.
pub(super) async fn names_of(page: &Page, lead: &LeadRow) -> Result<LeadNames, Fault> {
    one::names(&mut page.read().await?, lead.id).await?.ok_or(Fault::NotFound)
}

pub(super) async fn show(mut page: Page, Path(id): Path<i64>) -> PageResult {
    let lead = find(&page, id).await?;
    page.of_campaign(lead.campaign_id);
    let names = names_of(&page, &lead).await?;
    let sees_money = page.member.may(Right::SeeMoney);
    let sees_all = page.member.may(Right::SeeLeads);
    let mut conn = page.read().await?;
    let touches = one::touches(&mut conn, id).await?;
    let audit = one::audit(&mut conn, id).await?;
    let sign_ups = one::sign_ups(&mut conn, id).await?;
    let (mut payments, mut refunds) = (Vec::new(), Vec::new());
    let (mut commissions, mut subscriptions) = (Vec::new(), Vec::new());
    let mut reward = None;
    if sees_money {
        payments = one::payments(&mut conn, id).await?;
        // A payment whose refund failed has refunds too, though nothing is given back.
        let ids: Vec<i64> = payments.iter().map(|y| y.id).collect();
        refunds = one::refunds(&mut conn, &ids).await?;
        commissions = commissions::of_lead(&mut conn, id).await?;
        reward = customer_rewards::of_lead(&mut conn, id).await?;
        subscriptions = one::subscriptions(&mut conn, id).await?;
    }
    let (mut alike, mut items) = (Vec::new(), Vec::new());
    if sees_all {
        alike = one::alike(&mut conn, &lead).await?;
        items = one::open_items(&mut conn, id).await?;
    }
    drop(conn);

    // Within one moment the cause comes before its effect; then the newest is put on top.
    let mut happened: Vec<Happened> = audit.iter().filter_map(|a| timeline::of_audit(a, sees_money)).collect();
    happened.extend(sign_ups.iter().map(timeline::of_sign_up));
    happened.extend(touches.iter().map(timeline::of_touch));
    happened.extend(payments.iter().map(timeline::of_payment));
    happened.extend(commissions.iter().map(timeline::of_commission));
    happened.extend(reward.iter().flat_map(timeline::of_customer_reward));
    happened.extend(timeline::beside(&lead, &audit));
    happened.sort_by_key(|h| h.at);
    happened.reverse();

    let today = page.today();
    let why = touches.iter().map(|t| {
        let (counts, verdict) = timeline::verdict(&lead, &touches, t);
        let title = timeline::touch_title(&t.kind);
        Why { title, claim: timeline::touch_claim(t), verdict, counts, when: page.when(t.at) }
    });
    let frame = page.frame("leads").await?;
    html(&ShowPage {
        details: details(&lead),
        lead_code: id::lead_code(lead.id),
        public_id: id::render(id::Kind::Lead, lead.id),
        created: page.when(lead.created_at),
        qualified: lead.qualified_at.map(|at| page.when(at)),
        arrival: arrival_words(lead.arrival.as_deref()),
        why: why.collect(),
        commissions: commissions.into_iter().map(|row| Earning { line: row.arithmetic().line(today), row }).collect(),
        waiting: payments.iter().filter(|y| y.decision == "waiting").count(),
        payments: payments.into_iter().map(|row| payment(&page, row, &refunds)).collect(),
        reward: reward.map(|w| {
            let held = w.is_held(today);
            (w, held)
        }),
        sign_ups: sign_ups.into_iter().map(|s| (s.product, page.when(s.at))).collect(),
        alike,
        items: items.into_iter().map(|(id, kind)| (id, kind.replace('_', " "))).collect(),
        timeline: happened.into_iter().map(|h| item(&page, h)).collect(),
        statuses: Choice::list(Status::ALL.map(|s| (s.word(), sentence(s.word()))), &lead.status),
        subscriptions,
        can_edit: page.member.may(Right::EditLeads),
        can_mend: may_mend(&page, &lead),
        can_decide: page.member.may(Right::DecideMoney),
        sees_money,
        remarks: Remarks::of(&page, &frame, Subject::Lead, id).await?,
        frame,
        person: lead,
        names,
    })
}

fn item(page: &Page, h: Happened) -> Item {
    Item { at: page.when(h.at), title: h.title, body: h.body, who: h.who, tone: h.tone }
}

fn payment(page: &Page, row: PaymentRow, refunds: &[RefundRow]) -> Payment {
    let today = page.today();
    let mut words = match row.decision.as_str() {
        "earned" => format!("Earned: {}", row.decision_why),
        "waiting" => format!("Waits: {}", row.decision_why),
        _ => format!("Earns nothing: {}", row.decision_why),
    };
    if row.repeats > 0 {
        words.push_str(&format!(". Sent {} times", row.repeats + 1));
    }
    let refunded = match row.refunded {
        0 => String::new(),
        all if all == row.amount => "wholly refunded".to_owned(),
        part => format!("{} refunded", Money::shown_in(part, &row.currency)),
    };
    let given_back = refunds.iter().filter(|f| f.payment_id == row.id);
    let given_back = given_back.map(|f| (refund_words(f), When::on_text(today, &f.refund_date)));
    Payment {
        refunded,
        refunds: given_back.collect(),
        disputed: row.disputed_at.map(|at| page.when(at)),
        has_left: row.refunded < row.amount,
        amount: Money::shown_in(row.amount, &row.currency),
        day: When::on_text(today, &row.payment_date),
        words,
        row,
    }
}

/// A refund below 0 takes back one that the customer did not get.
fn refund_words(refund: &RefundRow) -> String {
    let amount = Money::shown_in(refund.amount.abs(), &refund.currency);
    if refund.amount < 0 {
        format!("A refund of {amount} did not reach the customer, and is taken back")
    } else {
        format!("{amount} given back")
    }
}

pub(super) fn arrival_words(arrival: Option<&str>) -> &'static str {
    match arrival {
        Some("code") => "by code",
        Some("link") => "by link",
        Some("verbal") => "verbally",
        Some("upload") => "by upload",
        Some("staff") => "decided by staff",
        _ => "",
    }
}

/// The optional facts that are there.
fn details(lead: &LeadRow) -> Vec<(String, String)> {
    let value = |fact: LeadFact| lead.facts.text(fact).filter(|text| !text.is_empty()).map(str::to_owned);
    let plain = TABLE.iter().filter_map(|plain| Some((plain.label.to_owned(), value(plain.fact)?)));
    plain.chain(meta::shown(lead.external_id.as_deref(), &lead.meta)).collect()
}
