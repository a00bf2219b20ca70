//! Objects that name a key twice. Programs disagree on which of the two values counts, so neither does.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The path of the first key that an object of this JSON text has twice: `amount`, `items.2.amount`. None for
/// text that is no JSON.
pub fn doubled_key(text: &[u8]) -> Option<String> {
    let mut found = None;
    let walk = Walk { path: &mut Vec::new(), found: &mut found };
    let _ = walk.deserialize(&mut serde_json::Deserializer::from_slice(text));
    found
}

/// Walks one value. An error ends the walk at the first key that was there before.
struct Walk<'w> {
    path: &'w mut Vec<String>,
    found: &'w mut Option<String>,
}

impl Walk<'_> {
    fn inner(&mut self) -> Walk<'_> {
        Walk { path: self.path, found: self.found }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A key, borrowed from the text where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key_seed(Key)? {
            self.path.push(key.to_string());
            if !seen.insert(key) {
                *self.found = Some(self.path.join("."));
                return Err(A::Error::custom("a key is there twice"));
            }
            map.next_value_seed(self.inner())?;
            self.path.pop();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            self.path.push(index.to_string());
            let item = seq.next_element_seed(self.inner())?;
            self.path.pop();
            if item.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_there_twice_is_found_at_any_depth() {
        let found = |text: &str| doubled_key(text.as_bytes());
        assert_eq!(found(r#"{"amount": 1, "currency": "USD", "amount": 1000}"#).as_deref(), Some("amount"));
        assert_eq!(found(r#"{"amount": 1, "a\u006dount": 2}"#).as_deref(), Some("amount"), "escapes are read");
        assert_eq!(found(r#"{"items": [{"a": 1}, {"a": {"b": 1, "b": 1}}]}"#).as_deref(), Some("items.1.a.b"));
    }

    #[test]
    fn keys_of_different_objects_and_text_that_is_no_json_pass() {
        let nothing = [
            "",
            "[]",
            "{",
            "nonsense",
            "1e400",
            "{\"a\": 99999999999999999999999.5}",
            "{\"a\": {\"a\": [1, null, true, \"a\"]}}",
            "[{\"a\": 1}, {\"a\": 1}]",
            "{\"a\": 1, \"A\": 1}",
        ];
        for text in nothing {
            assert_eq!(doubled_key(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_nested_too_deep_is_left_to_its_reader() {
        assert_eq!(doubled_key("[".repeat(100_000).as_bytes()), None);
    }
}
