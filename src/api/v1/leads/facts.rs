//! The facts of a lead that calls send, as the engine takes them.

use super::shape::{LeadChange, NewLead};
use crate::api::Caller;
use crate::api::facts::{Contract, Given, number_schema, text_schema};
use crate::api::field::{self, Clearable, Field, Metadata, NumberText, Wrong, or_none};
use crate::api::problem::FieldProblem;
use crate::engine::{AddLead, Claim, ClaimBy, Contact, Scope, SourceOrigin, Status, TouchKind};
use crate::leads::LeadRow;
use crate::leads::budget;
use crate::leads::fields::{Kind, LeadFact, LeadFacts, Plain, TABLE};
use crate::meta::{self, Marks};
use crate::phone::Phone;
use crate::text;
use schemars::{Schema, json_schema};

/// A lead's facts as one is added.
#[derive(Debug, Clone)]
pub struct New;

impl Contract for New {
    type Given = Option<String>;

    fn about(plain: &Plain) -> &'static str {
        plain.about
    }

    fn read(plain: &'static Plain, raw: Option<&str>) -> Result<Self::Given, Wrong> {
        let Some(raw) = raw.filter(|raw| *raw != "null") else { return Ok(None) };
        or_none(match plain.kind {
            Kind::Line | Kind::Web => field::line(Some(raw), plain.most),
            Kind::Text => field::lines(Some(raw), plain.most),
            Kind::Number => decimal(raw),
        })
    }

    fn schema(plain: &Plain) -> Schema {
        if plain.kind == Kind::Number { number_schema() } else { text_schema(plain) }
    }
}

fn decimal(raw: &str) -> Result<String, Wrong> {
    let NumberText(text) = NumberText::read(Some(raw))?;
    budget::plain(&text).ok_or_else(|| Wrong::because("must be a plain decimal"))
}

/// A change of a lead's facts.
#[derive(Debug, Clone)]
pub struct Changed;

impl Contract for Changed {
    /// Nothing where the fact stays; then the text, or none where it is cleared.
    type Given = Option<Option<String>>;

    fn about(plain: &Plain) -> &'static str {
        plain.about
    }

    fn read(plain: &'static Plain, raw: Option<&str>) -> Result<Self::Given, Wrong> {
        Ok(match raw {
            None => None,
            Some("null" | "\"\"") => Some(None),
            Some(raw) if plain.kind == Kind::Number => Some(Some(decimal(raw)?)),
            Some(raw) => Some(or_none(field::lines(Some(raw), plain.most))?.map(|text| text.trim().to_owned())),
        })
    }

    fn schema(plain: &Plain) -> Schema {
        if plain.kind != Kind::Number {
            return text_schema(plain);
        }
        json_schema!({ "anyOf": [
            { "anyOf": [{ "type": "number" }, { "type": "string", "maxLength": 0 }] },
            { "type": "null" },
        ] })
    }
}

impl Given<Changed> {
    fn onto(self, mut facts: LeadFacts) -> LeadFacts {
        for (plain, change) in TABLE.iter().zip(self.0) {
            if let Some(text) = change {
                facts[plain.fact] = text;
            }
        }
        facts
    }
}

impl NewLead {
    /// The event that adds it, in a campaign.
    pub fn event(self, campaign_id: i64, caller: &Caller) -> Result<AddLead, FieldProblem> {
        let phone = self.phone.as_deref().map(|text| Phone::parse(text, &caller.key.row.country)).transpose();
        let phone = phone.map_err(|why| FieldProblem::wrong("phone", why))?;
        let email = self.email.map(|line| line.0);
        let code = self.code.map(|code| code.0);
        let mut facts = self.facts.facts();
        if code.is_some() && facts[LeadFact::Source].is_none() {
            facts = facts.with(LeadFact::Source, "referral");
        }
        Ok(AddLead {
            scope: Scope::new(campaign_id, caller.test()),
            contact: Box::new(Contact {
                name: self.name.0,
                email_key: email.as_deref().and_then(crate::email::key_of),
                email,
                phone_key: phone.as_ref().map(|p| p.e164().to_owned()),
                phone: phone.map(|p| p.text().to_owned()),
                facts,
                marks: marks(self.external_id.map(|id| id.0), self.metadata)?,
                history: crate::engine::History::default(),
            }),
            status: self.status.map_or(Status::New, |s| s.0),
            source_origin: SourceOrigin::Api,
            claim: code.map(|text| Claim { kind: TouchKind::Code, by: ClaimBy::Code(text) }),
            recorded_by: None,
            repeats_allowed: false,
            qualify: false,
        })
    }
}

/// The marks of a new person; none where the call has none.
pub fn marks(external_id: Option<String>, metadata: Option<Metadata>) -> Result<Option<Marks>, FieldProblem> {
    if external_id.is_none() && metadata.is_none() {
        return Ok(None);
    }
    let none = Marks::default();
    marked(none, external_id.map(|id| Clearable(Some(id))), metadata).map(Some)
}

/// The marks of a person with a change made to them.
pub fn marked(
    known: Marks,
    external_id: Option<Clearable<200>>,
    metadata: Option<Metadata>,
) -> Result<Marks, FieldProblem> {
    let external_id = external_id.map_or(Ok(known.external_id), |Clearable(id)| {
        let line = id.map(|id| text::line(&id, 200)).transpose();
        line.map_err(|why| FieldProblem::wrong("external_id", why))
    })?;
    let changes = metadata.map(|Metadata(object)| meta::changes(&known.meta, object.as_ref())).unwrap_or_default();
    let too_many = || FieldProblem::wrong("metadata", format!("may have at most {} fields in all", meta::MOST));
    Ok(Marks { external_id, meta: meta::merged(&known.meta, &changes).ok_or_else(too_many)? })
}

/// A lead's facts with a change made to them.
pub fn changed(row: LeadRow, change: LeadChange, caller: &Caller) -> Result<Contact, FieldProblem> {
    let known = Marks { external_id: row.external_id, meta: row.meta };
    let marks = marked(known, change.external_id, change.metadata)?;
    let email = change.email.map_or(row.email, |email| email.0);
    let (phone, phone_key) = match change.phone {
        None => (row.phone, row.phone_key),
        Some(Clearable(None)) => (None, None),
        Some(Clearable(Some(text))) => {
            let phone =
                Phone::parse(&text, &caller.key.row.country).map_err(|why| FieldProblem::wrong("phone", why))?;
            (Some(phone.text().to_owned()), Some(phone.e164().to_owned()))
        }
    };
    Ok(Contact {
        name: change.name.0.map_or(row.name, |n| n.0),
        email_key: email.as_deref().and_then(crate::email::key_of),
        email,
        phone,
        phone_key,
        facts: change.facts.onto(row.facts),
        marks: Some(marks),
        history: crate::engine::History::default(),
    })
}
