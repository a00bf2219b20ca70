//! The differences between an entry's before and after, as rows of a small table.

use serde_json::{Map, Value as Json};

/// One thing that was different. Empty text where there was nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub name: String,
    pub before: String,
    pub after: String,
}

/// The differences of an entry. An entry with only an after (or only a before) is shown whole.
pub fn changes(before: Option<&str>, after: Option<&str>) -> Vec<Change> {
    let (old, new) = (object(before), object(after));
    let mut names: Vec<&String> = new.keys().collect();
    names.extend(old.keys().filter(|name| !new.contains_key(*name)));
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| Change {
            name: label(name),
            before: old.get(name).map_or_else(String::new, |v| shown(name, v)),
            after: new.get(name).map_or_else(String::new, |v| shown(name, v)),
        })
        .filter(|change| !change.before.is_empty() || !change.after.is_empty())
        .collect()
}

fn object(text: Option<&str>) -> Map<String, Json> {
    match text.and_then(|text| serde_json::from_str(text).ok()) {
        Some(Json::Object(map)) => map,
        Some(Json::Null) | None => Map::new(),
        Some(other) => Map::from_iter([("value".to_owned(), other)]),
    }
}

/// "reward_hold_days" as "Reward hold days".
fn label(name: &str) -> String {
    let words = name.replace('_', " ").replace("email", "e-mail");
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Secrets are never written into the audit; one that was written by mistake is still not shown.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password_hash", "token", "secret", "api_key", "hash"].iter().any(|word| name.contains(word))
}

fn shown(name: &str, value: &Json) -> String {
    if is_secret(name) {
        return "not shown".to_owned();
    }
    match value {
        Json::Null => String::new(),
        Json::Bool(true) => "yes".to_owned(),
        Json::Bool(false) => "no".to_owned(),
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Array(items) => items.iter().map(|item| shown(name, item)).collect::<Vec<_>>().join(", "),
        Json::Object(map) => {
            let pairs = map.iter().map(|(key, value)| format!("{}: {}", label(key), shown(key, value)));
            pairs.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str, before: &str, after: &str) -> Change {
        Change { name: name.into(), before: before.into(), after: after.into() }
    }

    #[test]
    fn only_what_differs_is_shown() {
        let found = changes(
            Some(r#"{"name":"A","reward_hold_days":14,"gone":"x","test":false}"#),
            Some(r#"{"name":"A","reward_hold_days":30,"test":true}"#),
        );
        assert_eq!(
            found,
            [change("Reward hold days", "14", "30"), change("Test", "no", "yes"), change("Gone", "x", "")]
        );
    }

    #[test]
    fn an_entry_without_before_shows_everything_and_no_secret() {
        let found = changes(None, Some(r#"{"name":"A","token":"abc","none":null,"list":["a",1]}"#));
        assert_eq!(found, [change("List", "", "a, 1"), change("Name", "", "A"), change("Token", "", "not shown")]);
        assert!(changes(None, None).is_empty());
        assert!(changes(Some("not json"), None).is_empty());
    }
}
