//! Examples of what has none of its own: made from the schema, the names and the words of its fields, so
//! that every answer in the document can be looked at before a call is made.

use serde_json::{Map, Value as Json_, json};

use crate::id::{self, Kind};

/// The depth to which objects are filled; no answer is deeper.
const DEEPEST: usize = 6;

/// The integer behind the ids of examples.
const NUMBER: i64 = 1042;

/// Fields that are null more often than not.
const MOSTLY_NULL: [&str; 12] = [
    "archived_at",
    "closed_at",
    "disputed_at",
    "duplicate_of",
    "expires_at",
    "next",
    "outcome",
    "reason",
    "refused",
    "recurring_count",
    "retry_after",
    "why_not",
];

/// Examples for fields whose descriptions give none.
const TEXTS: [(&str, &str); 31] = [
    ("email", "jane@example.com"),
    ("name", "Jane Smith"),
    ("first_name", "Jane"),
    ("phone", "+1 202 555 0142"),
    ("company", "Acme Corp"),
    ("jobtitle", "Head of Operations"),
    ("industry", "Retail"),
    ("website", "https://acme.example"),
    ("request", "A demo next week"),
    ("country", "US"),
    ("state", "NY"),
    ("address", "1 Main Street, New York"),
    ("source", "referral"),
    ("timezone", "America/New_York"),
    ("currency", "USD"),
    ("code", "AGENT123"),
    ("text", "AGENT123"),
    ("url", "https://desk.example.com/r/AGENT123"),
    ("destination", "https://acme.example/welcome"),
    ("offer", "10 % off the first order"),
    ("referrer_name", "Jane Doe"),
    ("actor_name", "Checkout"),
    ("origin", "203.0.113.7"),
    ("action", "lead.qualified"),
    ("subject_kind", "lead"),
    ("decision_why", "first payment"),
    ("subscription_status", "active"),
    ("after", "MTc4MTM0NDIwMDAwMDAwMC4xMDQy"),
    ("percent", "20"),
    ("event_id", "evt_1042"),
    ("field", "email"),
];

/// Names for the things of a schema.
const NAMES: [(&str, &str); 6] = [
    ("Campaign", "Refer a friend"),
    ("Product", "Pro plan"),
    ("ProductTerms", "Pro plan"),
    ("Referrer", "Jane Doe"),
    ("MyKey", "Checkout"),
    ("MyBusiness", "Acme"),
];

/// Examples of numbers.
const NUMBERS: [(&str, i64); 13] = [
    ("amount", 20),
    ("amount_minor", 2000),
    ("base_amount", 100),
    ("budget", 50000),
    ("times", 1),
    ("hold_days", 14),
    ("reward_hold_days", 14),
    ("link_days", 90),
    ("qualify_days", 60),
    ("limit", 50),
    ("page", 1),
    ("total", 1),
    ("terms", 3),
];

/// A value that the schema takes. `schemas` are the document's own, for references.
pub fn of(schema: &Json_, name: &str, schemas: &Map<String, Json_>) -> Json_ {
    value(schema, name, "", schemas, 0)
}

/// The schema itself, or the one it refers to.
pub fn resolved<'s>(schema: &'s Json_, schemas: &'s Map<String, Json_>) -> &'s Json_ {
    reference(schema).and_then(|name| schemas.get(name)).unwrap_or(schema)
}

/// The name of the schema that this one refers to.
pub fn reference(schema: &Json_) -> Option<&str> {
    schema["$ref"].as_str().and_then(|path| path.rsplit('/').next())
}

fn value(schema: &Json_, name: &str, about: &str, schemas: &Map<String, Json_>, depth: usize) -> Json_ {
    let about = schema["description"].as_str().unwrap_or(about);
    let of = reference(schema);
    let schema = resolved(schema, schemas);
    if let Some(given) = schema.get("example").or_else(|| schema.get("const")).or_else(|| schema["examples"].get(0)) {
        return given.clone();
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Json_::String(kind) => vec![kind],
        Json_::Array(kinds) => kinds.iter().filter_map(Json_::as_str).collect(),
        _ => Vec::new(),
    };
    let choices = ["anyOf", "oneOf"].iter().find_map(|word| schema[*word].as_array());
    let nullable = kinds.contains(&"null") || choices.is_some_and(|c| c.iter().any(|one| one["type"] == "null"));
    if depth > DEEPEST || (nullable && MOSTLY_NULL.contains(&name)) {
        return Json_::Null;
    }
    if let Some(choices) = choices {
        let first = choices.iter().find(|one| one["type"] != "null");
        return first.map_or(Json_::Null, |one| value(one, name, about, schemas, depth));
    }
    if let Some(word) = schema["enum"].as_array().and_then(|words| words.iter().find(|word| !word.is_null())) {
        return word.clone();
    }
    match kinds.iter().find(|kind| **kind != "null").copied() {
        Some("object") => object(schema, of, schemas, depth),
        // A good item has no problem.
        Some("array") if name == "errors" => json!([]),
        Some("array") if name == "scopes" => json!(["events:write", "leads:read"]),
        Some("array") => json!([value(&schema["items"], name, "", schemas, depth + 1)]),
        Some("boolean") => json!(!matches!(name, "test" | "archived" | "retry")),
        Some("integer" | "number") => number(name, schema),
        Some("string") => json!(string(schema, name, about)),
        _ => json!({}),
    }
}

fn object(schema: &Json_, of: Option<&str>, schemas: &Map<String, Json_>, depth: usize) -> Json_ {
    let mut object = Map::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        object.insert(name.clone(), value(field, name, "", schemas, depth + 1));
    }
    if let Some((_, called)) = NAMES.iter().find(|(known, _)| Some(*known) == of)
        && let Some(name) = object.get_mut("name")
    {
        *name = json!(called);
    }
    // Amounts by currency.
    if object.is_empty() && matches!(schema["additionalProperties"]["type"].as_str(), Some("integer")) {
        object.insert("USD".into(), json!(2500));
    }
    Json_::Object(object)
}

fn number(name: &str, schema: &Json_) -> Json_ {
    let known = NUMBERS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    json!(known.or_else(|| schema["default"].as_i64()).unwrap_or(NUMBER))
}

fn string(schema: &Json_, name: &str, about: &str) -> String {
    let words = in_backticks(about);
    if let Some(id) = words.iter().find_map(|word| word.strip_suffix("_…")).and_then(rendered) {
        return id;
    }
    // "`active`, `paused` or `banned`": the first is as good as any.
    if let Some(word) = words.first().filter(|word| about.starts_with('`') && !word.contains('…')) {
        return (*word).to_owned();
    }
    if let Some((_, text)) = TEXTS.iter().find(|(known, _)| *known == name) {
        return (*text).to_owned();
    }
    match schema["format"].as_str() {
        Some("date") => return "2026-06-14".into(),
        Some("email") => return "jane@example.com".into(),
        _ => {}
    }
    if name == "at" || name.ends_with("_at") || name.ends_with("At") {
        return "2026-06-14T09:30:00.000Z".into();
    }
    let date = ["day", "date", "until", "Date", "valid_from"].iter().any(|end| name.ends_with(end));
    if date { "2026-06-28".into() } else { "text".into() }
}

/// The words of a sentence in backticks.
fn in_backticks(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// `lead` as an id of that kind.
fn rendered(prefix: &str) -> Option<String> {
    match prefix {
        "business" | "product" => Some(format!("{prefix}_7h3kq9m2x4v8t6w1r5zc")),
        _ => Kind::ALL.iter().find(|kind| kind.prefix() == prefix).map(|kind| id::render(*kind, NUMBER)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_filled_by_what_is_said_of_it() {
        let schemas = Map::new();
        let text =
            |name: &str, about: &str| of(&json!({ "type": ["string", "null"], "description": about }), name, &schemas);
        assert_eq!(text("referrer", "`agent_…`."), json!(id::render(Kind::Referrer, NUMBER)));
        assert_eq!(text("state", "`active`, `paused` or `banned`."), json!("active"));
        assert_eq!(text("email", ""), json!("jane@example.com"));
        assert_eq!(text("created_at", ""), json!("2026-06-14T09:30:00.000Z"));
        assert_eq!(text("archived_at", ""), Json_::Null);
    }

    #[test]
    fn a_page_holds_one_of_what_it_lists() {
        let schemas = json!({ "Lead": { "type": "object", "properties": { "active": { "type": "boolean" } } } });
        let schemas = schemas.as_object().expect("an object");
        let page = json!({ "type": "object", "properties": {
            "data": { "type": "array", "items": { "$ref": "#/components/schemas/Lead" } },
            "next": { "type": ["string", "null"] },
        } });
        assert_eq!(of(&page, "", schemas), json!({ "data": [{ "active": true }], "next": null }));
    }
}
