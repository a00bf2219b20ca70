//! Rows of referrers: who they are, and what became of each in words.

use super::Import;
use super::mapping::Field;
use super::outcome::{Fate, Verdict};
use super::read::Person;
use crate::leads::fields::LeadFact;
use crate::referrers::{AddReferrer, Became, NewReferrer};

/// A row as a person to add.
pub fn new(import: &Import, p: &Person) -> NewReferrer {
    NewReferrer {
        add: AddReferrer {
            business_id: import.business_id,
            campaign_id: import.campaign_id,
            name: p.contact.name.clone(),
            email: p.email.clone(),
            phone: p.phone.clone(),
            company: p.contact.facts[LeadFact::Company].clone(),
            marks: p.contact.marks.clone().unwrap_or_default(),
            generate: import.options().generate,
        },
        own_code: p.code.clone(),
        leaves_known: false,
    }
}

pub fn verdict(p: &Person, became: Became) -> Verdict {
    became_as(p, became).noting(&p.notes)
}

fn became_as(p: &Person, became: Became) -> Verdict {
    let accepted = |fate, referrer_id| Verdict {
        person: Some(p.key.as_str().into()),
        code_key: p.code_key().map(Into::into),
        referrer_id: Some(referrer_id),
        ..Verdict::new(p.line, fate)
    };
    match became {
        Became::New { referrer_id } => accepted(Fate::New, referrer_id),
        Became::Updated { referrer_id } => accepted(Fate::Updated, referrer_id),
        Became::Already { referrer_id, code: None } => accepted(Fate::Already, referrer_id),
        Became::Already { referrer_id, code: Some(has) } => Verdict {
            code_key: None,
            field: Some(Field::Code),
            reason: Some(format!("Has the code {has} already, and keeps it. Rename it on their page.").into()),
            ..accepted(Fate::Already, referrer_id)
        },
        Became::CodeTaken { by } => {
            let why = format!("The code belongs to {by}. Choose another.");
            Verdict::because(p.line, Fate::Invalid, Some(Field::Code), why)
        }
    }
}
