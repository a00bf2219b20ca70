//! Adds a list of referrers: existing ones are looked up set-wise, and one function decides the outcome of
//! each, for the dry run and for the real one.

use serde_json::json;

use super::AddReferrer;
use super::store::{self, many};
use crate::audit::{self, NewEntry};
use crate::codes::{self, Enrolled, Own};
use crate::db::{Conn, DbResult, Key, Tx};
use crate::{code, email, phone};

/// One of a list. Known by the e-mail address, else by the phone number: one of them is there.
#[derive(Debug, Clone)]
pub struct NewReferrer {
    pub add: AddReferrer,
    /// A code they bring along, checked by [`code::parse_custom`].
    pub own_code: Option<String>,
    /// One who is in the campaign or in the archive is left as they are.
    pub leaves_known: bool,
}

impl NewReferrer {
    fn contact(&self) -> &str {
        let email = self.add.email.as_ref().map(email::Email::key);
        email.or(self.add.phone.as_ref().map(phone::Phone::e164)).unwrap_or_default()
    }

    /// The lock under which it is decided whether they are known.
    pub fn key(&self) -> Key {
        Key::Referrer(self.add.business_id, self.contact().to_owned())
    }
}

/// The outcome of one entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    New {
        referrer_id: i64,
    },
    /// Known; now in the campaign, out of the archive, or with a code.
    Updated {
        referrer_id: i64,
    },
    /// Known and in the campaign; `code` is the one they have where another was brought.
    Already {
        referrer_id: i64,
        code: Option<String>,
    },
    /// Their code belongs to another referrer.
    CodeTaken {
        by: String,
    },
}

/// Ids one person may need: referrer, enrollment, code, audit entry.
pub const IDS_EACH: usize = 4;

struct Plan {
    became: Became,
    /// A known referrer keeps their name.
    name: Option<String>,
    enrollment_id: Option<i64>,
    enroll: bool,
    restore: bool,
    own_code: bool,
    generate: bool,
}

async fn plan(conn: &mut Conn, new: &[NewReferrer]) -> DbResult<Vec<Plan>> {
    let Some(first) = new.first() else { return Ok(Vec::new()) };
    let (business, campaign) = (first.add.business_id, first.add.campaign_id);
    let emails: Vec<&str> = new.iter().filter_map(|n| Some(n.add.email.as_ref()?.key())).collect();
    let phones: Vec<&str> =
        new.iter().filter(|n| n.add.email.is_none()).filter_map(|n| Some(n.add.phone.as_ref()?.e164())).collect();
    let found = many::find(conn, business, campaign, &emails, &phones).await?;
    let own: Vec<&str> = new.iter().filter_map(|n| n.own_code.as_deref()).collect();
    let taken = if own.is_empty() { Vec::new() } else { many::taken(conn, business, &own).await? };
    Ok(new.iter().map(|n| decide(n, found.iter().find(|f| f.contact == n.contact()), &taken)).collect())
}

fn decide(n: &NewReferrer, known: Option<&many::Found>, taken: &[many::Taken]) -> Plan {
    let mut plan = Plan {
        became: Became::New { referrer_id: 0 },
        name: known.map(|k| k.name.clone()),
        enrollment_id: known.and_then(|k| k.enrollment_id),
        enroll: known.is_none_or(|k| k.enrollment_id.is_none()),
        restore: known.is_some_and(|k| k.archived_at.is_some()),
        own_code: false,
        generate: false,
    };
    if let Some(known) = known.filter(|k| n.leaves_known && (k.enrollment_id.is_some() || k.archived_at.is_some())) {
        plan.became = Became::Already { referrer_id: known.referrer_id, code: None };
        return plan;
    }
    let has = known.and_then(|k| k.code.clone());
    let mut other = None;
    if let Some(text) = &n.own_code {
        let lookup = code::lookup_form(text);
        match taken.iter().find(|t| t.lookup == lookup) {
            Some(t) if Some(t.enrollment_id) == plan.enrollment_id => {
                other = has.clone().filter(|h| code::lookup_form(h) != t.lookup)
            }
            Some(t) => {
                plan.became = Became::CodeTaken { by: t.name.clone() };
                return plan;
            }
            None if has.is_some() => other.clone_from(&has),
            None => plan.own_code = true,
        }
    }
    plan.generate = n.add.generate && n.own_code.is_none() && has.is_none();
    if let Some(known) = known {
        let referrer_id = known.referrer_id;
        let changes = plan.enroll || plan.restore || plan.own_code || plan.generate;
        plan.became =
            if changes { Became::Updated { referrer_id } } else { Became::Already { referrer_id, code: other } };
    }
    plan
}

/// The outcome of each, without doing it.
pub async fn preview(conn: &mut Conn, new: &[NewReferrer]) -> DbResult<Vec<Became>> {
    Ok(plan(conn, new).await?.into_iter().map(|p| p.became).collect())
}

/// Adds them in the caller's transaction, which holds [`NewReferrer::key`] of each. No two of the list
/// are the same person or bring the same code. [`IDS_EACH`] ids each.
pub async fn add_many(tx: &mut Tx, new: &[NewReferrer]) -> DbResult<Vec<Became>> {
    let now = tx.now();
    let plans = plan(tx, new).await?;
    let (mut became, mut restored) = (Vec::with_capacity(new.len()), Vec::new());
    let (mut generate, mut own, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    let mut came = Vec::new();
    for (n, plan) in new.iter().zip(plans) {
        let (referrer_id, action) = match plan.became {
            Became::New { .. } => {
                let referrer_id = tx.id()?;
                store::insert(tx, referrer_id, &n.add, now).await?;
                came.push(n.add.business_id);
                (referrer_id, "referrer.added")
            }
            Became::Updated { referrer_id } => {
                (referrer_id, if plan.restore { "referrer.restored" } else { "referrer.enrolled" })
            }
            other => {
                became.push(other);
                continue;
            }
        };
        if plan.restore {
            restored.push(referrer_id);
        }
        let enrollment_id = match plan.enrollment_id {
            Some(known) => known,
            None => tx.id()?,
        };
        if plan.enroll {
            let name = plan.name.clone().unwrap_or_else(|| n.add.name.clone());
            let (business, campaign) = (n.add.business_id, n.add.campaign_id);
            store::enroll(tx, enrollment_id, business, campaign, referrer_id, &name, now).await?;
            came.push(campaign);
        }
        let (business_id, campaign_id) = (n.add.business_id, n.add.campaign_id);
        let enrolled = Enrolled { enrollment_id, business_id, campaign_id, referrer_id };
        match &n.own_code {
            Some(text) if plan.own_code => own.push(Own { id: tx.id()?, enrolled, text: text.clone() }),
            _ if plan.generate => generate.push(enrolled),
            _ => {}
        }
        let entry = NewEntry::by(tx, business_id, action, ("referrer", referrer_id))?
            .after(json!({ "name": n.add.name, "campaign": campaign_id, "code": n.own_code }))
            .of_referrer(referrer_id);
        entries.push(entry);
        became.push(match plan.became {
            Became::New { .. } => Became::New { referrer_id },
            updated => updated,
        });
    }
    many::restore(tx, &restored, now).await?;
    store::counted::count_new(tx, came, now).await?;
    codes::claim_own(tx, now, &own).await?;
    if !generate.is_empty() {
        codes::give(tx, &generate).await?;
    }
    audit::write(tx, &entries).await?;
    Ok(became)
}
