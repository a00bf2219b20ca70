//! How a person is reached, and what a lead's form says of them.

use serde_json::{Value as Json, json};

use super::facts::Lead;

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
    pub company: Option<String>,
    pub jobtitle: Option<String>,
    pub industry: Option<String>,
    pub website: Option<String>,
    pub request: Option<String>,
    pub budget: Option<String>,
    pub country: Option<String>,
    pub region: Option<String>,
    pub address: Option<String>,
    pub source: Option<String>,
}

impl Contact {
    /// As the lead has it now.
    pub fn of(lead: &Lead) -> Self {
        let l = lead.clone();
        Self {
            name: l.name,
            email: l.email,
            email_key: l.email_key,
            phone: l.phone,
            phone_key: l.phone_key,
            company: l.company,
            jobtitle: l.jobtitle,
            industry: l.industry,
            website: l.website,
            request: l.request,
            budget: l.budget,
            country: l.country,
            region: l.region,
            address: l.address,
            source: l.source,
        }
    }

    /// Writes every fact into the lead.
    pub fn put_into(self, lead: &mut Lead) {
        lead.name = self.name;
        lead.email = self.email;
        lead.email_key = self.email_key;
        lead.phone = self.phone;
        lead.phone_key = self.phone_key;
        lead.company = self.company;
        lead.jobtitle = self.jobtitle;
        lead.industry = self.industry;
        lead.website = self.website;
        lead.request = self.request;
        lead.budget = self.budget;
        lead.country = self.country;
        lead.region = self.region;
        lead.address = self.address;
        lead.source = self.source;
    }

    /// What it is decided about by: address and phone number.
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
    for (mine, theirs) in [
        (&mut to.company, &from.company),
        (&mut to.jobtitle, &from.jobtitle),
        (&mut to.industry, &from.industry),
        (&mut to.website, &from.website),
        (&mut to.request, &from.request),
        (&mut to.budget, &from.budget),
        (&mut to.country, &from.country),
        (&mut to.region, &from.region),
        (&mut to.address, &from.address),
        (&mut to.source, &from.source),
    ] {
        if mine.is_none() {
            mine.clone_from(theirs);
        }
    }
}

/// What the audit says of a lead.
pub fn audited(l: &Lead) -> Json {
    json!({
        "name": l.name,
        "email": l.email,
        "phone": l.phone,
        "company": l.company,
        "source": l.source,
        "active": l.active,
    })
}
