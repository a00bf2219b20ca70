//! Fields that programs store with a person, each with a plain value, as the JSON list `[{"field": …,
//! "value": …}]` in which they come in and go out.

use serde_json::{Value as Json, json};

/// Fields one person may have.
pub const MOST: usize = 50;

/// A field and its value; null takes the field away.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    pub field: String,
    pub value: Json,
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
