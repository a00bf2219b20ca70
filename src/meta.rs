//! Fields that programs store with a person, each with a plain value, as the JSON list `[{"field": …,
//! "value": …}]` in which they are stored and Referral Factory's API has them, or as an object of texts.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// Fields one person may have.
pub const MOST: usize = 50;

/// A field and its value; null takes the field away.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    pub field: String,
    pub value: Json,
}

/// The marks of another program on a person: its own id for them, and its fields as the stored list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    pub external_id: Option<String>,
    pub meta: String,
}

impl Default for Marks {
    fn default() -> Self {
        Self { external_id: None, meta: "[]".to_owned() }
    }
}

/// The fields as an object of texts: a value that is no text as its JSON.
#[must_use]
pub fn texts(stored: &str) -> BTreeMap<String, String> {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pair = |item: &Json| Some((item["field"].as_str()?.to_owned(), text(&item["value"])));
    items(stored).iter().filter_map(pair).collect()
}

/// The external id and the fields, each with its label, as pages show them.
pub fn shown(external_id: Option<&str>, stored: &str) -> impl Iterator<Item = (String, String)> {
    let id = external_id.map(|id| ("External id".to_owned(), id.to_owned()));
    id.into_iter().chain(texts(stored))
}

/// The changes that an object of texts stands for; none takes a field away. Without an object all go.
#[must_use]
pub fn changes(stored: &str, object: Option<&BTreeMap<String, Option<String>>>) -> Vec<Meta> {
    let gone = |field: String| Meta { field, value: Json::Null };
    match object {
        None => texts(stored).into_keys().map(gone).collect(),
        Some(object) => {
            let change = |(field, text): (&String, &Option<String>)| Meta {
                field: field.clone(),
                value: text.as_ref().map_or(Json::Null, |text| json!(text)),
            };
            object.iter().map(change).collect()
        }
    }
}

/// The stored list after some changes: fields that are not named stay. `None` when there would be too many.
#[must_use]
pub fn merged(stored: &str, changes: &[Meta]) -> Option<String> {
    let mut all = items(stored);
    for change in changes {
        let at = all.iter().position(|item| item["field"] == change.field.as_str());
        match (at, change.value.is_null()) {
            (Some(at), true) => drop(all.remove(at)),
            (Some(at), false) => all[at]["value"] = change.value.clone(),
            (None, true) => {}
            (None, false) => all.push(json!({ "field": change.field, "value": change.value })),
        }
    }
    (all.len() <= MOST).then(|| Json::Array(all).to_string())
}

/// The stored list; anything else is none.
#[must_use]
pub fn items(stored: &str) -> Vec<Json> {
    serde_json::from_str(stored).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(field: &str, value: Json) -> Meta {
        Meta { field: field.into(), value }
    }

    #[test]
    fn fields_are_set_kept_and_taken_away() {
        let stored = merged("[]", &[change("plan", json!("pro")), change("seats", json!(3))]).unwrap();
        assert_eq!(stored, r#"[{"field":"plan","value":"pro"},{"field":"seats","value":3}]"#);
        let stored = merged(&stored, &[change("plan", json!(null)), change("seats", json!(4))]).unwrap();
        assert_eq!(stored, r#"[{"field":"seats","value":4}]"#);
        assert_eq!(merged(&stored, &[]), Some(stored));
        let many: Vec<Meta> = (0..=MOST).map(|n| change(&n.to_string(), json!(n))).collect();
        assert_eq!(merged("[]", &many), None);
    }
}
