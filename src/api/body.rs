//! A JSON body, field by field, read from its text: a number is never a float here.

use std::collections::HashMap;

use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use serde_json::value::RawValue;

use crate::email::Email;
use crate::text;
use crate::web::bounds;

/// Why a body was not read to its end.
pub fn unread(rejection: &BytesRejection) -> (StatusCode, &'static str) {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."),
        _ if bounds::is_slow(rejection) => (StatusCode::REQUEST_TIMEOUT, "The body came too slowly."),
        _ => (StatusCode::BAD_REQUEST, "The body broke off."),
    }
}

/// What is wrong with one field. Each dialect says it in its own shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    pub field: &'static str,
    /// A sentence without the field's name: "is required", "must be a string".
    pub message: String,
    pub missing: bool,
}

impl FieldProblem {
    pub fn missing(field: &'static str) -> Self {
        Self { field, message: "is required".into(), missing: true }
    }

    pub fn wrong(field: &'static str, message: impl std::fmt::Display) -> Self {
        Self { field, message: message.to_string(), missing: false }
    }

    /// "customerEmail is required."
    pub fn sentence(&self) -> String {
        format!("{} {}.", self.field, self.message)
    }
}

/// The fields of an object, each as its own text.
#[derive(Debug)]
pub struct Body(HashMap<String, Box<RawValue>>);

impl Body {
    /// `None` when the text is not a JSON object.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().map(Self)
    }

    /// The text of a field; `None` when it is missing or null.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|raw| raw.get()).filter(|text| *text != "null")
    }

    /// A string of one line that may be missing, null or empty.
    pub fn optional_line(&self, name: &'static str, most: usize) -> Result<Option<String>, FieldProblem> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let value: String = serde_json::from_str(raw).map_err(|_| FieldProblem::wrong(name, "must be a string"))?;
        let value = text::line(&value, most).map_err(|why| FieldProblem::wrong(name, why))?;
        Ok(Some(value).filter(|v| !v.is_empty()))
    }

    /// A string of one line that has to be there.
    pub fn line(&self, name: &'static str, most: usize) -> Result<String, FieldProblem> {
        self.optional_line(name, most)?.ok_or(FieldProblem::missing(name))
    }

    pub fn email(&self, name: &'static str) -> Result<Email, FieldProblem> {
        let text = self.line(name, 320)?;
        Email::parse(&text).map_err(|why| FieldProblem::wrong(name, why))
    }

    /// An integer; also accepted as a string of digits where a dialect's clients send one.
    pub fn optional_integer(&self, name: &'static str) -> Result<Option<i64>, FieldProblem> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let digits = raw.trim_matches('"');
        digits.parse().map(Some).map_err(|_| FieldProblem::wrong(name, "must be an integer"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_text() {
        let body = Body::parse(br#"{"amount": 29.990, "name": " Jane ", "none": null, "n": "12"}"#).unwrap();
        assert_eq!(body.raw("amount"), Some("29.990"));
        assert_eq!(body.line("name", 10).unwrap(), "Jane");
        assert_eq!(body.optional_line("none", 10).unwrap(), None);
        assert_eq!(body.line("missing", 10), Err(FieldProblem::missing("missing")));
        assert_eq!(body.optional_integer("n").unwrap(), Some(12));
        assert!(body.line("amount", 10).is_err());
    }

    #[test]
    fn only_objects_are_bodies() {
        for text in ["", "[]", "1", "\"x\"", "{", "{}x", "\u{feff}{}"] {
            assert!(Body::parse(text.as_bytes()).is_none(), "{text:?}");
        }
    }
}
