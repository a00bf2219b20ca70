//! A lead's budget: a plain decimal that is answered as it was written.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::value::RawValue;

use crate::api::field::{Field, NumberText, Wrong};

/// Digits of a budget, at most.
const LONGEST: usize = 40;

/// A JSON number from 0 up, without an exponent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget(String);

impl Budget {
    pub fn into_text(self) -> String {
        self.0
    }
}

impl Field for Budget {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let NumberText(text) = NumberText::read(raw)?;
        if text.starts_with('-') {
            return Err(Wrong::because("must not be negative"));
        }
        let plain = plain(&text).filter(|plain| plain.len() <= LONGEST);
        plain.map(Self).ok_or_else(|| Wrong::because(format!("must have at most {LONGEST} digits")))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0 })
    }
}

/// The same number without an exponent; `None` where that would be long.
fn plain(text: &str) -> Option<String> {
    let Some((number, exponent)) = text.split_once(['e', 'E']) else { return Some(text.to_owned()) };
    let exponent: i64 = exponent.parse().ok().filter(|e: &i64| e.unsigned_abs() <= LONGEST as u64)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{part}");
    let point = i64::try_from(whole.len()).ok()? + exponent;
    let (whole, part) = match usize::try_from(point) {
        Ok(point) if point >= digits.len() => (format!("{digits}{}", "0".repeat(point - digits.len())), String::new()),
        Ok(point) => (digits.get(..point)?.to_owned(), digits.get(point..)?.to_owned()),
        Err(_) => (String::new(), format!("{}{digits}", "0".repeat(usize::try_from(-point).ok()?))),
    };
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") })
}

/// A stored budget as a JSON number; people may have typed zeros before it.
pub fn number(text: &str) -> Option<Box<RawValue>> {
    if text.is_empty() {
        return None;
    }
    let trimmed = text.trim_start_matches('0');
    let text = if trimmed.is_empty() || trimmed.starts_with('.') { format!("0{trimmed}") } else { trimmed.to_owned() };
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    RawValue::from_string(text).ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Option<String> {
        Budget::read(Some(raw)).ok().map(Budget::into_text)
    }

    #[test]
    fn numbers_are_kept_as_they_are_written() {
        for text in ["0", "50000", "50000.5", "0.10", "12345678901234567890.123456789"] {
            assert_eq!(read(text).as_deref(), Some(text));
            assert_eq!(number(text).map(|n| n.get().to_owned()).as_deref(), Some(text));
        }
        for (written, kept) in [
            ("5e4", "50000"),
            ("1.25E+3", "1250"),
            ("1.25e1", "12.5"),
            ("125e-4", "0.0125"),
            ("0e9", "0"),
            ("5e-1", "0.5"),
        ] {
            assert_eq!(read(written).as_deref(), Some(kept), "{written}");
        }
    }

    #[test]
    fn what_is_no_budget_is_refused() {
        let long = "9".repeat(41);
        for text in ["\"50000\"", "true", "[]", "{}", "-1", "-0.5", "1e99", "1e-99", "1e999999999999999999", &long] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_people_typed_is_a_number_in_the_answer() {
        for (typed, shown) in
            [("007", Some("7")), ("00.5", Some("0.5")), ("000", Some("0")), ("about 5", None), ("", None)]
        {
            assert_eq!(number(typed).map(|n| n.get().to_owned()).as_deref(), shown, "{typed:?}");
        }
    }
}
