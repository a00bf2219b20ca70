//! The facts with which a referrer is added, and their later name and contact.

use serde_json::{Value as Json, json};

use super::words::Described;
use crate::email::Email;
use crate::meta::{self, Marks};
use crate::phone::Phone;

/// A referrer to add to a campaign.
#[derive(Debug, Clone)]
pub struct AddReferrer {
    pub business_id: i64,
    pub campaign_id: i64,
    pub name: String,
    pub email: Option<Email>,
    pub phone: Option<Phone>,
    pub company: Option<String>,
    pub marks: Marks,
    /// Give them a code at once.
    pub generate: bool,
}

impl AddReferrer {
    pub fn described(&self) -> Described<'_> {
        Described {
            name: &self.name,
            company: self.company.as_deref(),
            email: self.email.as_ref().map(Email::text),
            phone: self.phone.as_ref().map(Phone::text),
            phone_key: self.phone.as_ref().map(Phone::e164),
        }
    }
}

/// The new name and contact of a referrer.
#[derive(Debug, Clone)]
pub struct NewFacts {
    pub name: String,
    pub email: Option<Email>,
    pub phone: Option<Phone>,
    pub company: Option<String>,
    /// The marks of another program; none leaves them as they are.
    pub marks: Option<Marks>,
}

impl NewFacts {
    pub fn described(&self) -> Described<'_> {
        Described {
            name: &self.name,
            company: self.company.as_deref(),
            email: self.email.as_ref().map(Email::text),
            phone: self.phone.as_ref().map(Phone::text),
            phone_key: self.phone.as_ref().map(Phone::e164),
        }
    }

    /// As the audit has them; `marks` are those that stand.
    pub(super) fn json(&self, marks: &Marks) -> Json {
        json!({
            "name": self.name,
            "email": self.email.as_ref().map(Email::text),
            "phone": self.phone.as_ref().map(Phone::text),
            "company": self.company,
            "external_id": marks.external_id,
            "metadata": meta::texts(&marks.meta),
        })
    }
}
