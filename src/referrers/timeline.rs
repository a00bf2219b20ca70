//! A referrer's history in words, out of the audit.

use serde_json::Value as Json;

use super::store::EntryOf;
use crate::audit;
use crate::when::When;

/// One entry as `show::timeline` reads it.
#[derive(Debug, Clone)]
pub struct TimelineItem {
    pub at: When,
    pub title: String,
    pub body: String,
    pub who: String,
    pub tone: &'static str,
}

/// An entry as a line of the timeline; `campaign` names a campaign by its id.
pub fn item(entry: &EntryOf, when: When, campaign: impl Fn(i64) -> Option<String>) -> TimelineItem {
    let before = json(entry.before.as_deref());
    let after = json(entry.after.as_deref());
    let (title, tone) = title(&entry.action, &text(&after, "amount"));
    let mut body: Vec<String> = Vec::new();
    match entry.action.as_str() {
        "referrer.edited" | "referrer.details_set" | "referrer.details_removed" => {
            body.extend(changes(&before, &after))
        }
        "code.renamed" => {
            body.push(format!("{} became an alias of {}.", text(&before, "code"), text(&after, "code")));
        }
        _ => body.extend(Some(text(&after, "code")).filter(|code| !code.is_empty())),
    }
    body.extend(entry.lead.clone());
    if let Some(name) = after.get("campaign").and_then(Json::as_i64).and_then(campaign) {
        body.push(name);
    }
    if let Some(reason) = &entry.reason {
        body.push(format!("Reason: {reason}"));
    }
    let who = match entry.actor_kind.as_str() {
        "key" => format!("{} (key)", entry.actor_name),
        "job" => audit::AUTOMATIC.to_owned(),
        _ => entry.actor_name.clone(),
    };
    TimelineItem { at: when, title, body: body.join(" · "), who, tone }
}

fn json(text: Option<&str>) -> Json {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn text(json: &Json, name: &str) -> String {
    json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// "Name: Jane → Jane Njeri" for each field that is another one now.
fn changes(before: &Json, after: &Json) -> Vec<String> {
    let shown = |json: &Json, name: &str| match text(json, name) {
        empty if empty.is_empty() => "none".to_owned(),
        value => value,
    };
    [("name", "Name"), ("email", "E-mail"), ("phone", "Phone"), ("company", "Company"), ("account", "Paid to")]
        .into_iter()
        .filter(|(name, _)| before.get(*name) != after.get(*name))
        .map(|(name, label)| format!("{label}: {} → {}", shown(before, name), shown(after, name)))
        .collect()
}

fn title(action: &str, amount: &str) -> (String, &'static str) {
    let of = |noun: &str, end: &str| match amount {
        "" => format!("{noun} {end}"),
        amount => format!("{noun} of {amount} {end}"),
    };
    match action {
        "payment.recorded" => return (of("Payment", "recorded"), ""),
        "payment.refund_failed" => return (of("Refund", "failed"), ""),
        "payment.refunded" => return (of("Refund", "recorded"), "warning"),
        "payment.disputed" => return (of("Payment", "disputed"), "bad"),
        "payment.dispute_ended" => return (of("Payment", "no longer disputed"), ""),
        "commission.created" => return (of("Commission", "earned"), "good"),
        "commission.approved" => return (of("Commission", "approved"), "good"),
        "commission.voided" => return (of("Commission", "voided"), "bad"),
        "commission.refunded" => return (of("Commission", "left after a refund"), "warning"),
        "adjustment.added" => return (of("Adjustment", "made"), "info"),
        "adjustment.asked" => return (of("Adjustment", "waits for a second person"), "warning"),
        "adjustment.approved" => return (of("Adjustment", "approved"), "good"),
        "adjustment.refused" => return (of("Adjustment", "refused"), "bad"),
        "adjustment.withdrawn" => return (of("Adjustment", "withdrawn"), ""),
        _ => {}
    }
    let (words, tone) = match action {
        "referrer.added" => ("Added", "info"),
        "referrer.edited" => ("Edited", ""),
        "referrer.details_set" => ("Payout details changed", "warning"),
        "referrer.details_removed" => ("Payout details removed", "warning"),
        "referrer.details_seen" => ("Payout details looked at", ""),
        "referrer.enrolled" => ("Enrolled in a campaign", "info"),
        "referrer.archived" => ("Archived", "bad"),
        "referrer.restored" => ("Taken out of the archive", "info"),
        "enrollment.paused" => ("Paused", "warning"),
        "enrollment.resumed" => ("Resumed", "good"),
        "enrollment.banned" => ("Banned", "bad"),
        "enrollment.ban_lifted" => ("Ban lifted", "good"),
        "code.generated" => ("Code generated", ""),
        "code.chosen" => ("Code chosen", ""),
        "code.renamed" => ("Code renamed", ""),
        "code.retired" => ("Code retired", "warning"),
        "code.restored" => ("Code brought back", ""),
        "customer.created" => ("Customer signed up", "info"),
        "lead.added" => ("Lead added", "info"),
        "lead.touched" => ("Named by a known lead", ""),
        "lead.attributed" => ("Referrer changed by staff", "warning"),
        "lead.qualified" => ("Lead qualified", "good"),
        "lead.unqualified" => ("Lead no longer qualified", "warning"),
        other => return (in_words(other), ""),
    };
    (words.to_owned(), tone)
}

/// "lead.merged" as "Lead merged": for what later versions add.
fn in_words(action: &str) -> String {
    let mut words = action.replace(['.', '_'], " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}
