//! The contact of a person, with the facts of a lead's form.

use serde_json::{Value as Json, json};

use super::facts::Lead;
use crate::email::Email;
use crate::leads::fields::{LeadFact, LeadFacts};
use crate::meta::{self, Marks};
use crate::phone::Phone;

/// What is known of a person's past when they come from a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct History {
    pub created_at: Option<i64>,
    pub qualified_at: Option<i64>,
    /// True for one that is no longer worked on.
    pub inactive: bool,
}

/// The facts of a lead that people and programs write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    pub name: String,
    /// As written; CF accepts any text here.
    pub email: Option<String>,
    /// Normalised, when the text is an address.
    pub email_key: Option<String>,
    pub phone: Option<String>,
    pub phone_key: Option<String>,
    pub facts: LeadFacts,
    /// The marks of another program; none leaves them as they are.
    pub marks: Option<Marks>,
    /// Only of a lead that is added.
    pub history: History,
}

impl Contact {
    /// A person: the name, and the address and number that are known.
    pub fn new(name: impl Into<String>, email: Option<&Email>, phone: Option<&Phone>) -> Self {
        Self {
            name: name.into(),
            email: email.map(|e| e.text().to_owned()),
            email_key: email.map(|e| e.key().to_owned()),
            phone: phone.map(|p| p.text().to_owned()),
            phone_key: phone.map(|p| p.e164().to_owned()),
            facts: LeadFacts::default(),
            marks: None,
            history: History::default(),
        }
    }

    /// The id that another program has for the person, where it gives one.
    pub fn external_id(&self) -> Option<&str> {
        self.marks.as_ref()?.external_id.as_deref()
    }

    pub fn with(mut self, fact: LeadFact, text: impl Into<String>) -> Self {
        self.facts = self.facts.with(fact, text);
        self
    }

    /// As the lead has it now.
    pub fn of(lead: &Lead) -> Self {
        let l = lead.clone();
        Self {
            name: l.name,
            email: l.email,
            email_key: l.email_key,
            phone: l.phone,
            phone_key: l.phone_key,
            facts: l.facts,
            marks: None,
            history: History::default(),
        }
    }

    /// Writes every fact into the lead.
    pub fn put_into(self, lead: &mut Lead) {
        lead.name = self.name;
        lead.email = self.email;
        lead.email_key = self.email_key;
        lead.phone = self.phone;
        lead.phone_key = self.phone_key;
        lead.facts = self.facts;
        if let Some(marks) = self.marks {
            lead.external_id = marks.external_id;
            lead.meta = marks.meta;
        }
    }

    /// The keys it is decided under: address and phone number.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.email_key.as_deref().into_iter().chain(self.phone_key.as_deref())
    }
}

/// Fills what a lead lacks from another one.
pub fn fill(to: &mut Lead, from: &Lead) {
    if to.email_key.is_none() {
        to.email.clone_from(&from.email);
        to.email_key.clone_from(&from.email_key);
    }
    if to.phone_key.is_none() {
        to.phone.clone_from(&from.phone);
        to.phone_key.clone_from(&from.phone_key);
    }
    to.facts.fill(&from.facts);
    // Each keeps its own external id: a program may ask for either.
    if meta::items(&to.meta).is_empty() {
        to.meta.clone_from(&from.meta);
    }
}

/// The form of a lead in the audit.
pub fn audited(l: &Lead) -> Json {
    json!({
        "name": l.name,
        "email": l.email,
        "phone": l.phone,
        "company": l.facts[LeadFact::Company],
        "source": l.facts[LeadFact::Source],
        "external_id": l.external_id,
        "active": l.active,
    })
}
