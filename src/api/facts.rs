//! The plain facts of a lead in the objects of the contracts, from the one table that names them: how a call
//! sends them, how an answer shows them, and both in the documents.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use super::field::Wrong;
use super::object::{Body, Described, Group, schema_of};
use super::problem::FieldProblem;
use crate::leads::budget;
use crate::leads::fields::{Kind, LeadFacts, Plain, TABLE};

/// The facts of a lead as one contract reads them.
pub trait Contract: std::fmt::Debug + Clone {
    /// The value that a call gives for one fact.
    type Given;

    fn about(plain: &Plain) -> &'static str;

    /// From JSON text; `None` when the field is missing.
    fn read(plain: &'static Plain, raw: Option<&str>) -> Result<Self::Given, Wrong>;

    fn schema(plain: &Plain) -> Schema;
}

/// The facts that a call sends, in the order of the table.
#[derive(Debug, Clone)]
pub struct Given<C: Contract>(pub Vec<C::Given>);

impl<C: Contract> Group for Given<C> {
    fn names() -> Vec<&'static str> {
        TABLE.iter().map(|plain| plain.json).collect()
    }

    fn take(body: &Body, problems: &mut Vec<FieldProblem>) -> Self {
        let mut all = Vec::with_capacity(TABLE.len());
        for plain in &TABLE {
            match C::read(plain, body.text_of(plain.json, plain.kind == Kind::Number).as_deref()) {
                Ok(given) => all.push(given),
                Err(Wrong::Missing) => problems.push(FieldProblem::missing(plain.json)),
                Err(Wrong::Because(why)) => problems.push(FieldProblem::wrong(plain.json, why)),
                Err(Wrong::Within(inner)) => problems.extend(inner.into_iter().map(|p| p.within(plain.json))),
            }
        }
        Self(all)
    }

    fn described(_: &mut SchemaGenerator) -> Vec<Described> {
        let described = |plain: &Plain| Described {
            name: plain.json,
            about: C::about(plain).to_owned(),
            required: false,
            schema: C::schema(plain),
        };
        TABLE.iter().map(described).collect()
    }
}

impl<C: Contract<Given = Option<String>>> Given<C> {
    pub fn facts(self) -> LeadFacts {
        let mut facts = LeadFacts::default();
        for (plain, given) in TABLE.iter().zip(self.0) {
            facts[plain.fact] = given;
        }
        facts
    }
}

/// The facts as an answer shows them: each under its name, null where there is none.
#[derive(Debug, Clone)]
pub struct Shown<C>(LeadFacts, PhantomData<C>);

impl<C> From<LeadFacts> for Shown<C> {
    fn from(facts: LeadFacts) -> Self {
        Self(facts, PhantomData)
    }
}

impl<C> Serialize for Shown<C> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(TABLE.iter().map(|plain| {
            let text = self.0.text(plain.fact);
            (plain.json, if plain.kind == Kind::Number { Value::Number(text) } else { Value::Text(text) })
        }))
    }
}

enum Value<'f> {
    Text(Option<&'f str>),
    Number(Option<&'f str>),
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(to),
            Self::Number(text) => text.and_then(budget::number).serialize(to),
        }
    }
}

impl<C: Contract> JsonSchema for Shown<C> {
    fn schema_name() -> Cow<'static, str> {
        "LeadFacts".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let described = |plain: &Plain| Described {
            name: plain.json,
            about: C::about(plain).to_owned(),
            required: true,
            schema: nullable(if plain.kind == Kind::Number { "number" } else { "string" }),
        };
        schema_of(String::new(), TABLE.iter().map(described).collect(), false)
    }
}

fn nullable(kind: &str) -> Schema {
    let mut schema = Schema::default();
    schema.insert("type".into(), json!([kind, "null"]));
    schema
}

/// A text of at most so many characters, or null, which says the same as leaving it out.
pub fn text_schema(plain: &Plain) -> Schema {
    let mut schema = nullable("string");
    schema.insert("maxLength".into(), Json::from(plain.most));
    schema
}

/// A number, or null.
pub fn number_schema() -> Schema {
    nullable("number")
}
