//! Changing what a program knows of a referrer, and leaving the rest as staff wrote it.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::store::amend::{self, Facts};
use super::words::Described;
use super::{self_referral, store};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::email::Email;
use crate::meta::{self, Meta};

/// `Some` is written; `None` leaves the old value.
#[derive(Debug, Clone, Default)]
pub struct Amend {
    pub name: Option<String>,
    pub email: Option<Email>,
    pub meta: Vec<Meta>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amended {
    Done {
        changed: bool,
    },
    /// Another referrer of the business has that address.
    EmailTaken,
    TooMuchMeta,
    NotFound,
}

pub async fn amend(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    referrer_id: i64,
    new: Amend,
) -> DbResult<Amended> {
    let mut keys = vec![Key::Row(referrer_id)];
    keys.extend(new.email.iter().map(|e| Key::Referrer(business_id, e.key().to_owned())));
    let amended = core.write(keys, actor, (business_id, referrer_id, new), amend_in).await?;
    if amended == (Amended::Done { changed: true }) {
        self_referral::end(core, actor, business_id, referrer_id).await?;
    }
    Ok(amended)
}

async fn amend_in(tx: &mut Tx, &(business_id, referrer_id, ref new): &(i64, i64, Amend)) -> DbResult<Amended> {
    let now = tx.now();
    let Some(old) = amend::facts(tx, business_id, referrer_id).await? else {
        return Ok(Amended::NotFound);
    };
    if let Some(email) = &new.email
        && let Some(other) = store::by_email(tx, business_id, email.key()).await?
        && other != referrer_id
    {
        return Ok(Amended::EmailTaken);
    }
    let Some(facts) = changed(&old, new) else { return Ok(Amended::TooMuchMeta) };
    if facts == old {
        return Ok(Amended::Done { changed: false });
    }
    let described = described(&facts);
    amend::set_facts(tx, &facts, &described.search(), now).await?;
    store::store_words(tx, business_id, referrer_id, &described.words()).await?;
    let entry = NewEntry::by(tx, business_id, "referrer.edited", ("referrer", referrer_id))?
        .before(shown(&old))
        .after(shown(&facts))
        .of_referrer(referrer_id);
    audit::write(tx, &[entry]).await?;
    Ok(Amended::Done { changed: true })
}

fn changed(old: &Facts, new: &Amend) -> Option<Facts> {
    let mut facts = Facts { meta: meta::merged(&old.meta, &new.meta)?, ..old.clone() };
    if let Some(name) = &new.name {
        facts.name.clone_from(name);
    }
    if let Some(email) = &new.email {
        facts.email = Some(email.text().to_owned());
        facts.email_key = Some(email.key().to_owned());
    }
    Some(facts)
}

fn described(f: &Facts) -> Described<'_> {
    Described {
        name: &f.name,
        company: f.company.as_deref(),
        email: f.email.as_deref(),
        phone: f.phone.as_deref(),
        phone_key: f.phone_key.as_deref(),
    }
}

fn shown(f: &Facts) -> Json {
    json!({ "name": f.name, "email": f.email, "meta": meta::items(&f.meta) })
}
