//! The history of a lead, in words: its timeline, and why a touch counts or not.

use serde_json::Value as Json;

use super::store::one::{AuditRow, PaymentRow, SignUpRow, TouchRow};
use super::store::rows::LeadRow;
use crate::actor;
use crate::audit::AUTOMATIC;
use crate::clock::Day;
use crate::commissions::CommissionRow;
use crate::customer_rewards::CustomerRewardRow;
use crate::engine::ClaimRefusal;
use crate::money::Money;

/// One line of a timeline, with its moment still a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    pub at: i64,
    pub title: String,
    pub body: String,
    pub who: String,
    pub tone: &'static str,
}

impl Happened {
    fn new(at: i64, title: impl Into<String>) -> Self {
        Self { at, title: title.into(), body: String::new(), who: String::new(), tone: "" }
    }
    fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }
    fn who(mut self, who: impl Into<String>) -> Self {
        self.who = who.into();
        self
    }
    fn tone(mut self, tone: &'static str) -> Self {
        self.tone = tone;
        self
    }
}

/// The kind of a touch, in words.
pub fn touch_title(kind: &str) -> &'static str {
    match kind {
        "click" => "Followed a link",
        "code" => "Gave a code",
        "verbal" => "Said who sent them",
        "event" => "Signed up with a code",
        "import" => "Uploaded with a referrer",
        _ => "Staff decided the referrer",
    }
}

/// The referrer and code of a touch: "Jane Njeri, code KX7-M4P-Q2R".
pub fn touch_claim(t: &TouchRow) -> String {
    match (&t.referrer, &t.code) {
        (Some(name), Some(code)) => format!("{name}, code {code}"),
        (Some(name), None) => name.clone(),
        (None, Some(code)) => format!("code {code}"),
        (None, None) => "nobody".to_owned(),
    }
}

/// Why a touch counts, or not, in a sentence. `touches` are all of the lead's, oldest first.
pub fn verdict(lead: &LeadRow, touches: &[TouchRow], t: &TouchRow) -> (bool, String) {
    let counting = touches.iter().find(|x| Some(x.id) == lead.touch_id);
    let claimed = t.referrer.as_deref().unwrap_or("somebody");
    if lead.touch_id == Some(t.id) {
        let why = match (t.kind.as_str(), t.referrer_id) {
            ("staff", None) => "Counts: staff decided that nobody referred this lead.".to_owned(),
            ("staff", Some(_)) => "Counts: staff decided it.".to_owned(),
            _ => "This one counts: it came first.".to_owned(),
        };
        return (true, why);
    }
    if let Some(refused) = t.refused.as_deref() {
        let why = ClaimRefusal::parse(refused).map_or_else(|| refused.to_owned(), |r| r.sentence().to_owned());
        return (false, format!("Does not count: {why}."));
    }
    let Some(counting) = counting else {
        let why = match lead.duplicate_of {
            Some(_) => "Does not count here: this lead is a duplicate.".to_owned(),
            None => format!("Claimed by {claimed}, but a repeated sign-up changes nothing. The inbox offers it."),
        };
        return (false, why);
    };
    let before = (t.at, t.id) < (counting.at, counting.id);
    let first = touches.iter().find(|x| x.refused.is_none()).is_some_and(|x| x.id == t.id);
    let why = match (before, t.kind.as_str()) {
        (true, "staff") => "Replaced by a later decision of staff.".to_owned(),
        (true, _) if first => "Counted until staff decided otherwise.".to_owned(),
        _ => format!("Also claimed by {claimed}. An earlier claim counts."),
    };
    (false, why)
}

pub fn of_touch(t: &TouchRow) -> Happened {
    let claim = touch_claim(t);
    let body = match (&t.reason, t.referrer_id) {
        (Some(reason), _) => format!("{claim}: {reason}"),
        (None, _) => claim,
    };
    let tone = if t.refused.is_some() { "warning" } else { "" };
    let who = t.user_name.clone().unwrap_or_default();
    Happened::new(t.at, touch_title(&t.kind)).body(body).who(who).tone(tone)
}

pub fn of_payment(y: &PaymentRow) -> Happened {
    let amount = Money::shown_in(y.amount, &y.currency);
    let decided = match y.decision.as_str() {
        "earned" => format!("Earned, {}.", y.decision_why),
        "waiting" => format!("Waits: {}.", y.decision_why),
        _ => format!("Earns nothing: {}.", y.decision_why),
    };
    Happened::new(y.received_at, format!("Paid {amount}")).body(format!("{}. {decided}", y.product)).tone("info")
}

pub fn of_commission(k: &CommissionRow) -> Happened {
    let kind = if k.kind == "reward" { "Reward" } else { "Commission" };
    Happened::new(k.created_at, format!("{kind} of {} for {}", k.first_shown(), k.referrer))
        .body(k.first().sum())
        .tone("good")
}

/// The customer's reward for being referred: when it became due, and when it was given.
pub fn of_customer_reward(w: &CustomerRewardRow) -> Vec<Happened> {
    let due = Happened::new(w.created_at, format!("Customer reward: {}", w.shown())).tone("good");
    let given = w.given_at.map(|at| {
        let who = w.given_by.clone().unwrap_or_default();
        Happened::new(at, format!("Customer reward given: {}", w.shown())).who(who).tone("good")
    });
    std::iter::once(due).chain(given).collect()
}

pub fn of_sign_up(s: &SignUpRow) -> Happened {
    Happened::new(s.at, "Signed up").body(s.product.clone())
}

/// Audit entries that add something to the rows beside them; the others give nothing.
pub fn of_audit(a: &AuditRow, with_money: bool) -> Option<Happened> {
    let json = |text: &Option<String>| text.as_deref().and_then(|t| serde_json::from_str::<Json>(t).ok());
    let (before, after) = (json(&a.before).unwrap_or_default(), json(&a.after).unwrap_or_default());
    let text = |json: &Json, name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let about_money =
        ["payment", "commission", "customer_reward", "inbox"].iter().any(|word| a.action.starts_with(word));
    if about_money && !with_money {
        return None;
    }
    let (title, tone) = match a.action.as_str() {
        "lead.added" => ("Added".to_owned(), ""),
        "lead.edited" => ("Edited".to_owned(), ""),
        "lead.status" => (format!("Status set to {}", text(&after, "status")), ""),
        "lead.qualified" => ("Qualified".to_owned(), "good"),
        "lead.unqualified" => ("Un-qualified".to_owned(), "warning"),
        "lead.merged" => ("Merged with a duplicate".to_owned(), ""),
        "lead.archived" => ("Archived".to_owned(), "warning"),
        "lead.restored" => ("Restored".to_owned(), ""),
        "payments.earned" => ("Commission given for waiting payments".to_owned(), "good"),
        "customer_reward.not_given" => ("Customer reward not given after all".to_owned(), "warning"),
        "customer_reward.voided" => ("Customer reward voided".to_owned(), "bad"),
        "commission.approved" => (format!("Commission of {} approved", text(&after, "amount")), "good"),
        "commission.voided" => (format!("Commission of {} voided", text(&after, "amount")), "bad"),
        "commission.refunded" => (format!("Commission is {} after a refund", text(&after, "amount")), "warning"),
        "payment.disputed" => (format!("Payment of {} disputed", text(&after, "amount")), "bad"),
        "payment.dispute_ended" => (format!("Dispute of {} ended", text(&after, "amount")), ""),
        "payment.refunded" => (format!("Refunded {}", text(&after, "amount")), "warning"),
        "payment.refund_failed" => (format!("A refund of {} failed", text(&after, "amount")), ""),
        "payment.refund_parked" => {
            (format!("A refund of {} came before its payment", text(&after, "amount")), "warning")
        }
        "payment.refund_refused" => ("A refund did not fit its payment".to_owned(), "bad"),
        "subscription.cancelled" => ("Subscription cancelled".to_owned(), "warning"),
        "inbox.accepted" => ("Inbox item accepted".to_owned(), ""),
        "inbox.dismissed" => ("Inbox item dismissed".to_owned(), ""),
        // The touch, the payment and the sign-up have lines of their own.
        "lead.attributed" | "lead.touched" | "payment.recorded" | "customer.created" => return None,
        other => (other.replace('.', " "), ""),
    };
    let body = match (a.action.as_str(), &a.reason) {
        ("payment.refunded", reason) => given_back(&text(&after, "date"), &text(&after, "left"), reason.as_deref()),
        (_, Some(reason)) => reason.clone(),
        ("lead.edited", None) => edited(&before, &after),
        ("payment.refund_refused", None) => text(&after, "why"),
        ("subscription.cancelled", None) if text(&after, "subscription") != "cancelled" => {
            "A payment of a later day stands".to_owned()
        }
        ("inbox.accepted", None) => text(&after, "outcome"),
        _ => String::new(),
    };
    Some(Happened::new(a.at, title).body(body).who(who(a)).tone(tone))
}

/// On which day, what that leaves, and why.
fn given_back(date: &str, left: &str, reason: Option<&str>) -> String {
    let day = Day::parse(date).map(|day| format!("Given back on {}. ", day.shown())).unwrap_or_default();
    format!("{day}{left} is left of the payment. {}", reason.unwrap_or_default()).trim_end().to_owned()
}

fn edited(before: &Json, after: &Json) -> String {
    let Some(fields) = after.as_object() else { return String::new() };
    let said = |value: &Json| match value {
        Json::Null => "none".to_owned(),
        Json::Bool(on) => if *on { "yes" } else { "no" }.to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let changed = fields.iter().filter_map(|(name, now)| {
        let old = before.get(name).unwrap_or(&Json::Null);
        (old != now).then(|| format!("{name}: {} to {}", said(old), said(now)))
    });
    changed.collect::<Vec<_>>().join(", ")
}

/// Changes without an audit entry of their own: by a rule, or with the person as an upload or staff brought them.
pub fn beside(lead: &LeadRow, audit: &[AuditRow]) -> Vec<Happened> {
    let of = |at: i64, actions: &[&str]| audit.iter().find(|a| a.at == at && actions.contains(&a.action.as_str()));
    let mut all = Vec::new();
    if let Some(at) = lead.qualified_at.filter(|at| of(*at, &["lead.qualified", "lead.status"]).is_none()) {
        let came = of(at, &["lead.added", "lead.touched"]).filter(|_| of(at, &["payment.recorded"]).is_none());
        let earlier = audit.iter().find(|a| a.action == "lead.added" && a.at > at);
        let (body, who) = match came.or(earlier) {
            Some(a) if actor::is_upload(&a.origin) => ("The uploaded file says so.", who(a)),
            Some(a) => ("Added as qualified.", who(a)),
            None => ("By the campaign's rule.", String::new()),
        };
        all.push(Happened::new(at, "Qualified").body(body).who(who).tone("good"));
    }
    if let Some(at) = lead.converted_at.filter(|at| of(*at, &["lead.status"]).is_none()) {
        all.push(Happened::new(at, "Converted").body("The first payment.").tone("good"));
    }
    all
}

/// The person, or the program, that did it.
fn who(a: &AuditRow) -> String {
    let by = match a.actor_kind.as_str() {
        "user" => a.actor.clone(),
        "job" => AUTOMATIC.to_owned(),
        kind => format!("{} ({kind})", a.actor),
    };
    if actor::is_upload(&a.origin) { format!("{by}, by an upload") } else { by }
}
