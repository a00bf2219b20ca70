//! The values that fields of calls have: how each is read, what is said when it is wrong, and its schema.

use std::collections::BTreeMap;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::value::RawValue;

use super::object::{Body, Object};
use super::problem::FieldProblem;
use crate::clock::Day;
use crate::email::Email;
use crate::{meta, text};

/// Why a value was refused. The sentence is without the field's name.
#[derive(Debug, Clone)]
pub enum Wrong {
    Missing,
    Because(String),
    Within(Vec<FieldProblem>),
}

impl Wrong {
    pub fn because(why: impl std::fmt::Display) -> Self {
        Self::Because(why.to_string())
    }
}

/// A kind of value.
pub trait Field: Sized {
    const REQUIRED: bool = true;

    /// From JSON text; `None` when the field is missing or null.
    fn read(raw: Option<&str>) -> Result<Self, Wrong>;

    /// From a query string or a form: as if it were a JSON string.
    fn read_text(text: &str) -> Result<Self, Wrong> {
        let quoted = serde_json::to_string(text).map_err(Wrong::because)?;
        Self::read(Some(&quoted))
    }

    /// The meaning of null, where it differs from a missing field.
    fn cleared() -> Option<Self> {
        None
    }

    /// From a null that was sent.
    fn null() -> Result<Self, Wrong> {
        Self::cleared().map_or_else(|| Self::read(None), Ok)
    }

    fn schema(schemas: &mut SchemaGenerator) -> Schema;
}

/// A field that may be missing, null or, where it is text, empty.
impl<F: Field> Field for Option<F> {
    const REQUIRED: bool = false;

    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        match raw {
            None => Ok(None),
            Some(raw) => or_none(F::read(Some(raw))),
        }
    }

    fn read_text(text: &str) -> Result<Self, Wrong> {
        if text.trim().is_empty() { Ok(None) } else { or_none(F::read_text(text)) }
    }

    fn cleared() -> Option<Self> {
        F::cleared().map(Some)
    }

    fn schema(schemas: &mut SchemaGenerator) -> Schema {
        optional(F::schema(schemas))
    }
}

/// The schema of a field that may be missing as well.
fn optional(mut schema: Schema) -> Schema {
    // Null says the same as leaving it out, and so does an empty text.
    let kind = schema.get("type").and_then(|kind| kind.as_str()).map(str::to_owned);
    match kind {
        // An empty text is no e-mail address and no date.
        Some(kind) if kind == "string" && schema.get("format").is_some() => {
            json_schema!({ "anyOf": [schema, { "type": "string", "maxLength": 0 }, { "type": "null" }] })
        }
        Some(kind) => {
            schema.insert("type".into(), serde_json::json!([kind, "null"]));
            schema.remove("minLength");
            if let Some(words) = schema.get_mut("enum").and_then(|words| words.as_array_mut()) {
                words.push(serde_json::Value::Null);
            }
            schema
        }
        None => json_schema!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// Nothing where there is nothing to read.
pub fn or_none<F>(read: Result<F, Wrong>) -> Result<Option<F>, Wrong> {
    match read {
        Err(Wrong::Missing) => Ok(None),
        other => other.map(Some),
    }
}

fn string(raw: Option<&str>) -> Result<String, Wrong> {
    serde_json::from_str(raw.ok_or(Wrong::Missing)?).map_err(|_| Wrong::because("must be a string"))
}

/// One line of text with at most this many characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<const MOST: usize>(pub String);

impl<const MOST: usize> Deref for Line<MOST> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// One line of at most so many characters.
pub fn line(raw: Option<&str>, most: usize) -> Result<String, Wrong> {
    let line = text::line(&string(raw)?, most).map_err(Wrong::because)?;
    if line.is_empty() { Err(Wrong::Missing) } else { Ok(line) }
}

/// One line of a caller who is refused nothing for its form: what is no character of a line is a space.
pub fn any_line(raw: Option<&str>, most: usize) -> Result<String, Wrong> {
    let text: String = string(raw)?.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = text::line(&text, most).map_err(Wrong::because)?;
    if line.is_empty() { Err(Wrong::Missing) } else { Ok(line) }
}

/// Several lines of at most so many characters.
pub fn lines(raw: Option<&str>, most: usize) -> Result<String, Wrong> {
    let text = text::clean(&string(raw)?, most).map_err(Wrong::because)?;
    if text.trim().is_empty() { Err(Wrong::Missing) } else { Ok(text) }
}

impl<const MOST: usize> Field for Line<MOST> {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        line(raw, MOST).map(Self)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MOST })
    }
}

/// As [`any_line`] reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnyLine<const MOST: usize>(pub String);

impl<const MOST: usize> Field for AnyLine<MOST> {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        any_line(raw, MOST).map(Self)
    }

    fn schema(schemas: &mut SchemaGenerator) -> Schema {
        Line::<MOST>::schema(schemas)
    }
}

/// A referral code as a program passes it on from a cookie or an address. Whatever that is, no sign-up fails
/// for it: what is longer than any code is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedCode(pub String);

impl Field for PassedCode {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let text: String = string(raw)?.chars().filter(|c| !c.is_control()).take(200).collect();
        match text::line(&text, 200) {
            Ok(line) if !line.is_empty() => Ok(Self(line)),
            _ => Err(Wrong::Missing),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// Text of several lines, with at most this many characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MOST: usize>(pub String);

impl<const MOST: usize> Field for Text<MOST> {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        lines(raw, MOST).map(Self)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MOST })
    }
}

/// Text that an empty one clears, and null as well.
#[derive(Debug, Clone)]
pub struct Clearable<const MOST: usize>(pub Option<String>);

impl<const MOST: usize> Field for Clearable<MOST> {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        match Text::<MOST>::read(Some(raw.ok_or(Wrong::Missing)?)) {
            Ok(text) => Ok(Self(Some(text.0.trim().to_owned()))),
            Err(Wrong::Missing) => Ok(Self(None)),
            Err(other) => Err(other),
        }
    }

    fn cleared() -> Option<Self> {
        Some(Self(None))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": MOST })
    }
}

/// A field of a change that may be left out, and has a value whenever it is sent.
#[derive(Debug, Clone)]
pub struct Kept<F>(pub Option<F>);

impl<F: Field> Field for Kept<F> {
    const REQUIRED: bool = false;

    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let Some(raw) = raw else { return Ok(Self(None)) };
        match F::read(Some(raw)) {
            Err(Wrong::Missing) => Err(Wrong::because("cannot be empty: leave it out, or send a value")),
            read => read.map(|value| Self(Some(value))),
        }
    }

    fn null() -> Result<Self, Wrong> {
        Err(Wrong::because("cannot be null: leave it out, or send a value"))
    }

    fn schema(schemas: &mut SchemaGenerator) -> Schema {
        F::schema(schemas)
    }
}

/// The id by which another program knows a person.
pub type ExternalId = Line<200>;

/// Fields that another program stores with a person: an object of texts. Null for a field takes it away, null for the
/// whole takes all away.
#[derive(Debug, Clone)]
pub struct Metadata(pub Option<BTreeMap<String, Option<String>>>);

/// The longest name and value of a field.
const NAME: usize = 40;
const VALUE: usize = 500;

impl Field for Metadata {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let fields: BTreeMap<String, serde_json::Value> = serde_json::from_str(raw.ok_or(Wrong::Missing)?)
            .map_err(|_| Wrong::because("must be an object of texts"))?;
        let (mut read, mut problems) = (BTreeMap::new(), Vec::new());
        for (name, value) in fields {
            let named = text::line(&name, NAME).is_ok_and(|line| line == name && !name.is_empty());
            let value = match value {
                serde_json::Value::Null => Ok(None),
                serde_json::Value::String(value) if value.is_empty() => Ok(None),
                serde_json::Value::String(value) => text::clean(&value, VALUE).map(Some).map_err(|why| why.to_string()),
                _ => Err("must be a string or null".to_owned()),
            };
            match value {
                _ if !named => {
                    let name: String = name.chars().filter(|c| !c.is_control()).take(NAME + 1).collect();
                    let why = format!("must have a name of 1 to {NAME} characters, without spaces around it");
                    problems.push(FieldProblem::wrong(name, why));
                }
                Ok(value) => {
                    read.insert(name, value);
                }
                Err(why) => problems.push(FieldProblem::wrong(name, why)),
            }
        }
        if !problems.is_empty() {
            return Err(Wrong::Within(problems));
        }
        if read.values().flatten().count() > meta::MOST {
            return Err(Wrong::Because(format!("may have at most {} fields", meta::MOST)));
        }
        Ok(Self(Some(read)))
    }

    fn cleared() -> Option<Self> {
        Some(Self(None))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "maxProperties": meta::MOST,
            "propertyNames": { "minLength": 1, "maxLength": NAME },
            "additionalProperties": { "type": ["string", "null"], "maxLength": VALUE },
        })
    }
}

impl Field for Email {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let line = Line::<320>::read(raw)?;
        Self::parse(&line).map_err(Wrong::because)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "email", "minLength": 3, "maxLength": 320 })
    }
}

/// A calendar day, YYYY-MM-DD.
impl Field for Day {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let line = Line::<40>::read(raw)?;
        Self::parse(&line).map_err(Wrong::because)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "minLength": 10, "maxLength": 10 })
    }
}

impl Field for bool {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        match raw.ok_or(Wrong::Missing)? {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Wrong::because("must be true or false")),
        }
    }

    fn read_text(text: &str) -> Result<Self, Wrong> {
        match text.trim() {
            "" => Err(Wrong::Missing),
            "true" | "1" | "on" => Ok(true),
            "false" | "0" | "off" => Ok(false),
            _ => Err(Wrong::because("must be true or false")),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

/// A whole number of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integer(pub i64);

impl Field for Integer {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let raw = raw.ok_or(Wrong::Missing)?;
        raw.parse().map(Self).map_err(|_| Wrong::because("must be an integer"))
    }

    fn read_text(text: &str) -> Result<Self, Wrong> {
        Self::read(Some(text.trim()).filter(|text| !text.is_empty()))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "format": "int64" })
    }
}

/// A whole number from 0 to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpTo<const MOST: i64>(pub i64);

impl<const MOST: i64> Field for UpTo<MOST> {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let Integer(n) = Integer::read(raw)?;
        if (0..=MOST).contains(&n) { Ok(Self(n)) } else { Err(Wrong::Because(format!("must be from 0 to {MOST}"))) }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": MOST })
    }
}

/// A whole number from 1 to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneUpTo<const MOST: i64>(pub i64);

impl<const MOST: i64> Field for OneUpTo<MOST> {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let Integer(n) = Integer::read(raw)?;
        if (1..=MOST).contains(&n) { Ok(Self(n)) } else { Err(Wrong::Because(format!("must be from 1 to {MOST}"))) }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": MOST })
    }
}

/// A JSON number as text, for exact reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberText(pub String);

impl Field for NumberText {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let raw = raw.ok_or(Wrong::Missing)?;
        let number = raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        if number { Ok(Self(raw.to_owned())) } else { Err(Wrong::because("must be a number")) }
    }

    fn read_text(text: &str) -> Result<Self, Wrong> {
        Self::read(Some(text.trim()).filter(|text| !text.is_empty()))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number" })
    }
}

/// An integer, or a text: where a contract takes a number or a rendering of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdText(pub String);

impl Field for IdText {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let raw = raw.ok_or(Wrong::Missing)?;
        if let Ok(number) = raw.parse::<i64>() {
            return Ok(Self(number.to_string()));
        }
        let line: String = serde_json::from_str(raw).map_err(|_| Wrong::because("must be an integer or a string"))?;
        let line = text::line(&line, 200).map_err(Wrong::because)?;
        if line.is_empty() { Err(Wrong::Missing) } else { Ok(Self(line)) }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["integer", "string"] })
    }
}

/// A line of text that may be nothing but digits, as a code or a phone number, and then be sent as a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digits<const MOST: usize>(pub String);

impl<const MOST: usize> Deref for Digits<MOST> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MOST: usize> Field for Digits<MOST> {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let raw = raw.ok_or(Wrong::Missing)?;
        if raw.bytes().all(|b| b.is_ascii_digit()) {
            return text::line(raw, MOST).map(Self).map_err(Wrong::because);
        }
        if !raw.starts_with('"') {
            return Err(Wrong::because("must be a string or a whole number"));
        }
        Line::<MOST>::read(Some(raw)).map(|line| Self(line.0))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["integer", "string"], "minimum": 0, "maxLength": MOST })
    }
}

/// An object in a field.
#[derive(Debug, Clone)]
pub struct Nested<T>(pub T);

impl<T: Object> Field for Nested<T> {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let raw = raw.ok_or(Wrong::Missing)?;
        let body = Body::json(raw.as_bytes()).ok_or_else(|| Wrong::because("must be an object"))?;
        T::read(&body).map(Self).map_err(Wrong::Within)
    }

    fn schema(schemas: &mut SchemaGenerator) -> Schema {
        schemas.subschema_for::<T>()
    }
}

/// A list of at most this many values.
#[derive(Debug, Clone)]
pub struct Many<T, const MOST: usize>(pub Vec<T>);

impl<T: Field, const MOST: usize> Field for Many<T, MOST> {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let raw = raw.ok_or(Wrong::Missing)?;
        let items: Vec<Box<RawValue>> = serde_json::from_str(raw).map_err(|_| Wrong::because("must be an array"))?;
        if items.len() > MOST {
            return Err(Wrong::because(format!("may have at most {MOST} items")));
        }
        let (mut read, mut problems) = (Vec::with_capacity(items.len()), Vec::new());
        for (at, item) in items.iter().enumerate() {
            match T::read(Some(item.get()).filter(|text| *text != "null")) {
                Ok(value) => read.push(value),
                Err(Wrong::Missing) => problems.push(FieldProblem::missing(at.to_string())),
                Err(Wrong::Because(why)) => problems.push(FieldProblem::wrong(at.to_string(), why)),
                Err(Wrong::Within(inner)) => problems.extend(inner.into_iter().map(|p| p.within(&at.to_string()))),
            }
        }
        if problems.is_empty() { Ok(Self(read)) } else { Err(Wrong::Within(problems)) }
    }

    fn schema(schemas: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "maxItems": MOST, "items": T::schema(schemas) })
    }
}

/// An item that is read alone: its fault does not fail its neighbours.
#[derive(Debug, Clone)]
pub struct Tried<T>(pub Result<T, Vec<FieldProblem>>);

impl<T: Object> Field for Tried<T> {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let body = raw.and_then(|raw| Body::json(raw.as_bytes()));
        let no_object = || vec![FieldProblem::wrong("item", "must be an object")];
        Ok(Self(body.ok_or_else(no_object).and_then(|body| T::read(&body))))
    }

    fn schema(schemas: &mut SchemaGenerator) -> Schema {
        schemas.subschema_for::<T>()
    }
}

/// Any JSON, as it is written.
#[derive(Debug, Clone)]
pub struct AnyJson(pub serde_json::Value);

impl Field for AnyJson {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        serde_json::from_str(raw.ok_or(Wrong::Missing)?).map(Self).map_err(Wrong::because)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}

/// One of some words.
pub trait Word: Sized + Clone {
    const WORDS: &'static [&'static str];

    fn of(word: &str) -> Option<Self>;
}

/// A field with one of some words as its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneOf<W>(pub W);

impl<W: Word> Field for OneOf<W> {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let text = string(raw)?;
        if text.is_empty() {
            return Err(Wrong::Missing);
        }
        W::of(&text).map(Self).ok_or_else(|| Wrong::because(format!("must be one of {}", W::WORDS.join(", "))))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": W::WORDS })
    }
}

impl Word for crate::engine::Status {
    const WORDS: &'static [&'static str] = &["new", "contacted", "qualified", "converted", "lost"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

/// Money as a JSON number that an answer carries: exact, with the currency's decimals.
pub fn number_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "number" })
}

/// As [`number_schema`], or null.
pub fn maybe_number_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["number", "null"] })
}

/// Any object: `meta` and the like.
pub fn object_schema(schemas: &mut SchemaGenerator) -> Schema {
    <serde_json::Map<String, serde_json::Value>>::json_schema(schemas)
}
