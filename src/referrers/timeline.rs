//! A referrer's history in words, out of the audit.

use serde_json::Value as Json;

use super::store::EntryOf;
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
    let (title, tone) = title(&entry.action);
    let mut body: Vec<String> = Vec::new();
    match entry.action.as_str() {
        "referrer.edited" => body.extend(changes(&before, &after)),
        "code.renamed" => {
            body.push(format!("{} became an alias of {}.", text(&before, "code"), text(&after, "code")));
        }
        "lead.added" | "lead.touched" | "customer.created" => {
            body.extend(Some(text(&after, "name")).filter(|name| !name.is_empty()));
        }
        _ => body.extend(Some(text(&after, "code")).filter(|code| !code.is_empty())),
    }
    if let Some(name) = after.get("campaign").and_then(Json::as_i64).and_then(campaign) {
        body.push(name);
    }
    if let Some(reason) = &entry.reason {
        body.push(format!("Reason: {reason}"));
    }
    let who = match entry.actor_kind.as_str() {
        "key" => format!("{} (key)", entry.actor_name),
        "job" => format!("{} (in the background)", entry.actor_name),
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
    [("name", "Name"), ("email", "E-mail"), ("phone", "Phone"), ("company", "Company")]
        .into_iter()
        .filter(|(name, _)| before.get(*name) != after.get(*name))
        .map(|(name, label)| format!("{label}: {} → {}", shown(before, name), shown(after, name)))
        .collect()
}

fn title(action: &str) -> (String, &'static str) {
    let (words, tone) = match action {
        "referrer.added" => ("Added", "info"),
        "referrer.edited" => ("Edited", ""),
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
        "lead.touched" => ("Claimed a lead that was known", ""),
        "lead.attributed" => ("Attribution changed by staff", "warning"),
        "lead.qualified" => ("Lead qualified", "good"),
        "lead.unqualified" => ("Lead no longer qualified", "warning"),
        "payment.recorded" => ("Payment recorded", ""),
        "payment.disputed" => ("Payment disputed", "bad"),
        "payment.dispute_ended" => ("Dispute of a payment ended", ""),
        "commission.approved" => ("Commission approved", "good"),
        "commission.voided" => ("Commission voided", "bad"),
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
