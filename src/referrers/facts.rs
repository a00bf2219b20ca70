//! The facts with which a referrer is added, and their later name and contact.

use serde_json::{Value as Json, json};

use super::words::Described;
use crate::email::Email;
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

    pub(super) fn json(&self) -> Json {
        let phone = self.phone.as_ref().map(Phone::text);
        json!({ "name": self.name, "email": self.email.as_ref().map(Email::text), "phone": phone, "company": self.company })
    }
}
