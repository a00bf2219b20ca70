//! The objects that calls send. One declaration gives the reading, the messages about each field, and the
//! schema of the published document.
//!
//! JSON is read field by field from its own text, so that a number is never a float here; the fields of a
//! query string or a form are read from theirs. All faults are found in one pass.

use std::borrow::Cow;
use std::collections::HashMap;

use schemars::{Schema, SchemaGenerator};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json_, json};

use super::field::{Field, Wrong};
use super::problem::FieldProblem;

/// The fields of an object, each as its own text.
#[derive(Debug, Clone)]
pub enum Body {
    Json(HashMap<String, Box<RawValue>>),
    /// A query string or a form.
    Text(HashMap<String, String>),
}

impl Body {
    /// `None` when the text is not a JSON object.
    pub fn json(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().map(Self::Json)
    }

    pub fn text(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::Text(pairs.into_iter().collect())
    }

    /// The JSON text of a field; `None` when it is missing or null.
    pub fn raw(&self, name: &str) -> Option<&str> {
        match self {
            Self::Json(fields) => fields.get(name).map(|raw| raw.get()).filter(|text| *text != "null"),
            Self::Text(_) => None,
        }
    }

    /// The JSON text of a field in either kind of body; `bare` where a form writes it as JSON does.
    pub fn text_of(&self, name: &str, bare: bool) -> Option<Cow<'_, str>> {
        match self {
            Self::Json(fields) => fields.get(name).map(|raw| Cow::Borrowed(raw.get())),
            Self::Text(fields) => {
                let text = fields.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())?;
                Some(if bare { Cow::Borrowed(text) } else { Cow::Owned(json!(text).to_string()) })
            }
        }
    }

    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Json(fields) => fields.keys().map(String::as_str).collect(),
            Self::Text(fields) => fields.keys().map(String::as_str).collect(),
        }
    }

    /// A field's value; its fault is collected with those of the other fields.
    pub fn take<F: Field>(&self, name: &'static str, problems: &mut Vec<FieldProblem>) -> Option<F> {
        let read = match self {
            Self::Json(fields) if fields.get(name).is_some_and(|raw| raw.get() == "null") => F::null(),
            Self::Json(_) => F::read(self.raw(name)),
            Self::Text(fields) => match fields.get(name) {
                Some(text) => F::read_text(text),
                None => F::read(None),
            },
        };
        match read {
            Ok(value) => return Some(value),
            Err(Wrong::Missing) => problems.push(FieldProblem::missing(name)),
            Err(Wrong::Because(why)) => problems.push(FieldProblem::wrong(name, why)),
            Err(Wrong::Within(inner)) => problems.extend(inner.into_iter().map(|p| p.within(name))),
        }
        None
    }
}

/// The body or query of a call. Declared by [`object!`](crate::object).
pub trait Object: Sized + schemars::JsonSchema {
    /// True when unknown fields are refused; the contracts of others ignore them.
    const STRICT: bool;

    fn fields() -> Vec<&'static str>;

    fn read_known(body: &Body) -> Result<Self, Vec<FieldProblem>>;

    /// The parameters of a query, for the document.
    fn described(schemas: &mut SchemaGenerator) -> Vec<Described>;

    fn read(body: &Body) -> Result<Self, Vec<FieldProblem>> {
        let unknown = if Self::STRICT { unknown(body, &Self::fields()) } else { Vec::new() };
        match Self::read_known(body) {
            Ok(value) if unknown.is_empty() => Ok(value),
            Ok(_) => Err(unknown),
            Err(mut problems) => {
                problems.extend(unknown);
                Err(problems)
            }
        }
    }
}

fn unknown(body: &Body, known: &[&str]) -> Vec<FieldProblem> {
    let mut names = body.names();
    names.retain(|name| !known.contains(name));
    names.sort_unstable();
    names.into_iter().map(|n| FieldProblem::wrong(n.to_owned(), "is not a field of this call")).collect()
}

/// Fields that several objects have in common, read from one table.
pub trait Group: Sized {
    fn names() -> Vec<&'static str>;

    /// Their values, beside what is wrong with some.
    fn take(body: &Body, problems: &mut Vec<FieldProblem>) -> Self;

    fn described(schemas: &mut SchemaGenerator) -> Vec<Described>;
}

/// An object of several kinds that says which one it is in a field `type`: the schema of one of them.
pub struct Tagged<T>(std::marker::PhantomData<T>);

impl<T: Object> schemars::JsonSchema for Tagged<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}Item", T::schema_name()).into()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let mut fields = T::described(schemas);
        let kind = kebab(&T::schema_name());
        let schema = schemars::json_schema!({ "type": "string", "const": kind });
        fields.insert(0, Described { name: "type", about: "The event.".into(), required: true, schema });
        schema_of(String::new(), fields, T::STRICT)
    }
}

/// `PaymentSucceeded` as `payment-succeeded`.
fn kebab(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// One field of an object, for the document.
#[derive(Debug, Clone)]
pub struct Described {
    pub name: &'static str,
    pub about: String,
    pub required: bool,
    pub schema: Schema,
}

/// Doc comments as one text.
pub fn words(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// The schema of an object of these fields.
pub fn schema_of(about: String, fields: Vec<Described>, strict: bool) -> Schema {
    let required: Vec<&str> = fields.iter().filter(|f| f.required).map(|f| f.name).collect();
    let required = json!(required);
    let mut properties = Map::new();
    for field in fields {
        let mut schema = field.schema.to_value();
        if !field.about.is_empty()
            && let Some(object) = schema.as_object_mut()
        {
            object.insert("description".into(), json!(field.about));
        }
        properties.insert(field.name.into(), schema);
    }
    let mut object = Map::new();
    object.insert("type".into(), json!("object"));
    if !about.is_empty() {
        object.insert("description".into(), json!(about));
    }
    object.insert("properties".into(), Json_::Object(properties));
    if required.as_array().is_some_and(|r| !r.is_empty()) {
        object.insert("required".into(), required);
    }
    if strict {
        object.insert("additionalProperties".into(), json!(false));
    }
    Schema::from(object)
}

/// Declares an object that calls send: `field "jsonName": Type`. `strict struct` refuses unknown fields. A
/// [`Group`] of fields stands last, behind a semicolon: `; facts: Given<V1>`.
#[macro_export]
macro_rules! object {
    ($(#[doc = $about:literal])* $vis:vis struct $name:ident { $($fields:tt)* }) => {
        $crate::object!(@make false, [$($about),*], $vis $name { $($fields)* });
    };
    ($(#[doc = $about:literal])* strict $vis:vis struct $name:ident { $($fields:tt)* }) => {
        $crate::object!(@make true, [$($about),*], $vis $name { $($fields)* });
    };
    (@make $strict:literal, [$($about:literal),*], $vis:vis $name:ident {
        $( $(#[doc = $doc:literal])* $field:ident $json:literal : $type:ty ),* $(,)?
        $(; $group:ident : $group_type:ty)?
    }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone)]
        $vis struct $name { $( $(#[doc = $doc])* pub $field: $type, )* $(pub $group: $group_type)? }

        impl $crate::api::object::Object for $name {
            const STRICT: bool = $strict;

            fn fields() -> Vec<&'static str> {
                let own: &[&'static str] = &[$($json),*];
                own.iter().copied()$(.chain(<$group_type as $crate::api::object::Group>::names()))?.collect()
            }

            fn read_known(
                body: &$crate::api::object::Body,
            ) -> Result<Self, Vec<$crate::api::problem::FieldProblem>> {
                let mut problems = Vec::new();
                $( let $field = body.take::<$type>($json, &mut problems); )*
                $( let $group = <$group_type as $crate::api::object::Group>::take(body, &mut problems); )?
                match ($($field,)*) {
                    ($(Some($field),)*) if problems.is_empty() => Ok(Self { $($field,)* $($group)? }),
                    _ => Err(problems),
                }
            }

            fn described(schemas: &mut schemars::SchemaGenerator) -> Vec<$crate::api::object::Described> {
                let own = [$( $crate::api::object::Described {
                    name: $json,
                    about: $crate::api::object::words(&[$($doc),*]),
                    required: <$type as $crate::api::field::Field>::REQUIRED,
                    schema: <$type as $crate::api::field::Field>::schema(schemas),
                } ),*];
                own.into_iter()$(.chain(<$group_type as $crate::api::object::Group>::described(schemas)))?.collect()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            // Two calls may have objects of one name: the key keeps them apart.
            fn schema_id() -> std::borrow::Cow<'static, str> {
                concat!(module_path!(), "::", stringify!($name)).into()
            }

            fn json_schema(schemas: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let about = $crate::api::object::words(&[$($about),*]);
                $crate::api::object::schema_of(about, <Self as $crate::api::object::Object>::described(schemas), $strict)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::field::{Integer, Line, Nested, NumberText};

    object! {
        /// A named person.
        struct Named {
            /// The name.
            field "field": Line<10>,
            value "value": Line<10>,
        }
    }

    object! {
        strict struct Sample {
            name "name": Line<10>,
            none "none": Option<Line<10>>,
            amount "amount": Option<NumberText>,
            count "count": Option<Integer>,
            flag "flag": Option<bool>,
            inner "inner": Option<Nested<Named>>,
        }
    }

    fn read(text: &str) -> Result<Sample, Vec<String>> {
        let body = Body::json(text.as_bytes()).expect("an object");
        Sample::read(&body).map_err(|problems| problems.iter().map(FieldProblem::sentence).collect())
    }

    #[test]
    fn fields_keep_their_text() {
        let sample = read(r#"{"name": " Jane ", "none": null, "amount": 29.990, "count": 12, "flag": true}"#).unwrap();
        assert_eq!(&*sample.name, "Jane");
        assert!(sample.none.is_none());
        assert_eq!(sample.amount.unwrap().0, "29.990");
        assert_eq!(sample.count.unwrap().0, 12);
        assert_eq!(sample.flag, Some(true));
        let nested = read(r#"{"name": "Jane", "inner": {"field": "id", "value": "7"}}"#).unwrap().inner.unwrap().0;
        assert_eq!((&*nested.field, &*nested.value), ("id", "7"));
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let problems = read(r#"{"amount": "1", "count": 1.5, "flag": "yes", "inner": {"field": "x"}, "other": 1}"#);
        assert_eq!(
            problems.unwrap_err(),
            [
                "name is required.",
                "amount must be a number.",
                "count must be an integer.",
                "flag must be true or false.",
                "inner.value is required.",
                "other is not a field of this call.",
            ]
        );
    }

    #[test]
    fn a_form_says_the_same_in_text() {
        let pairs = [("name", "Jane"), ("count", "12"), ("flag", "1"), ("none", "")];
        let body = Body::text(pairs.map(|(n, v)| (n.to_owned(), v.to_owned())));
        let sample = Sample::read(&body).unwrap();
        assert_eq!((sample.count.unwrap().0, sample.flag), (12, Some(true)));
        assert!(sample.none.is_none());
    }

    #[test]
    fn only_objects_are_bodies() {
        for text in ["", "[]", "1", "\"x\"", "{", "{}x", "\u{feff}{}"] {
            assert!(Body::json(text.as_bytes()).is_none(), "{text:?}");
        }
    }

    #[test]
    fn the_schema_says_what_is_read() {
        let mut schemas = SchemaGenerator::default();
        let schema = <Sample as schemars::JsonSchema>::json_schema(&mut schemas).to_value();
        assert_eq!(schema["required"], json!(["name"]));
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(schema["properties"]["name"]["maxLength"], json!(10));
    }
}
