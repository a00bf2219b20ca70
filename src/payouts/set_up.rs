//! Setting up a kind of file. The account that pays and the recipients saved at Wise are encrypted before they are
//! stored; where they are not given anew, the stored ones stay as they are.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::files::{Format, Payer, SavedRecipient, Template, WiseFile};
use super::formats::{self, Version, about};
use super::store::Sealed;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbError, DbResult, Key, Tx};
use crate::secrets;

/// The outcome of setting up a kind of file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetUp {
    Changed,
    /// It was so before.
    Already,
    /// Nothing is stored that could stay: no account that pays, or no settings for Wise.
    Lacking,
    /// There is no key to encrypt with; the sentence says what to do.
    Refused(String),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Stored {
    Done(SetUp),
    /// Another key counts since the text was encrypted.
    OtherKey,
}

/// The times that a key may change under a write.
const TRIES: usize = 3;

/// The encrypted part of what is to be stored.
enum Part {
    /// As it is.
    Kept,
    Gone,
    New {
        sealed: Sealed,
        /// The version that has the same.
        same: Option<i64>,
    },
}

struct Wish {
    business_id: i64,
    format: Format,
    /// Without the encrypted part; `None` leaves all else as it is.
    payer: Option<Payer>,
    part: Part,
}

/// Sets how a business makes the files of a format. An account that is not given stays, and so do recipients who were
/// saved at Wise.
pub async fn set_payer(core: &Core, actor: &Arc<Actor>, business_id: i64, payer: Payer) -> DbResult<SetUp> {
    set(core, actor, business_id, &payer, false).await
}

/// Sets the recipients whom a business saved at Wise, or forgets them.
pub async fn set_saved(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    saved: Vec<SavedRecipient>,
) -> DbResult<SetUp> {
    let mut conn = core.db.read().await?;
    let now = formats::version(&mut conn, business_id, Format::Wise).await?;
    drop(conn);
    let Some(Payer::Wise(wise)) = now.map(|now| now.payer) else { return Ok(SetUp::Lacking) };
    set(core, actor, business_id, &Payer::Wise(WiseFile { saved, ..wise }), true).await
}

/// `saved` is true where the recipients saved at Wise are all that changes.
async fn set(core: &Core, actor: &Arc<Actor>, business_id: i64, whole: &Payer, saved: bool) -> DbResult<SetUp> {
    let format = whole.format();
    for _ in 0..TRIES {
        let mut payer = whole.clone();
        let part = match payer.take_secret().map_err(|error| DbError::Fault(error.to_string()))? {
            None if saved => Part::Gone,
            None => Part::Kept,
            Some(secret) => {
                let key = match secrets::to_seal(core).await? {
                    Ok(key) => key,
                    Err(lack) => return Ok(SetUp::Refused(lack)),
                };
                let sealed = key.seal(&about(business_id, format), &secret.text);
                let sealed = sealed.ok_or_else(|| DbError::Fault("settings could not be encrypted".into()))?;
                let sealed = Sealed { sealed, masked: secret.masked, key_id: key.id().to_owned() };
                Part::New { sealed, same: same_as(core, business_id, whole).await? }
            }
        };
        let wish = Wish { business_id, format, payer: (!saved).then_some(payer), part };
        let keys = vec![Key::Payouts(business_id), Key::Secrets];
        if let Stored::Done(done) = core.write_once(keys, actor, wish, set_in).await? {
            return Ok(done);
        }
    }
    Err(DbError::Lost("the key of secrets was changed again and again".into()))
}

/// The version that counts, where its encrypted part says the same.
async fn same_as(core: &Core, business_id: i64, whole: &Payer) -> DbResult<Option<i64>> {
    let now = formats::version(&mut core.db.read().await?, business_id, whole.format()).await?;
    let secret = |mut payer: Payer| payer.take_secret().ok().flatten().map(|secret| secret.text);
    let same = |now: Version| {
        let opened = now.open(&core.keyring).ok()?;
        (secret(opened) == secret(whole.clone())).then_some(now.id)?
    };
    Ok(now.and_then(same))
}

async fn set_in(tx: &mut Tx, wish: &Wish) -> DbResult<Stored> {
    if let Part::New { sealed, .. } = &wish.part
        && !secrets::is_current(tx, &sealed.key_id).await?
    {
        return Ok(Stored::OtherKey);
    }
    let before = formats::version(tx, wish.business_id, wish.format).await?;
    let was = before.as_ref().and_then(|before| before.sealed.clone());
    let (sealed, is_same) = match &wish.part {
        Part::Kept => (was, true),
        Part::Gone => (None, was.is_none()),
        Part::New { sealed, same } => {
            let is_same = same.is_some() && before.as_ref().and_then(|before| before.id) == *same;
            (Some(sealed.clone()), is_same)
        }
    };
    let now = before.as_ref().map(|before| before.payer.clone());
    let Some(payer) = wish.payer.clone().or_else(|| now.clone()).and_then(|payer| fitted(payer, sealed.is_some()))
    else {
        return Ok(Stored::Done(SetUp::Lacking));
    };
    if is_same && now.as_ref() == Some(&payer) {
        return Ok(Stored::Done(SetUp::Already));
    }
    let after = formats::add(tx, wish.business_id, payer, sealed).await?;
    let word = wish.format.word();
    let entry = NewEntry::by(tx, wish.business_id, "payout.settings", ("business", wish.business_id))?
        .before(json!({ word: before.as_ref().map(Version::shown) }))
        .after(json!({ word: after.shown() }));
    audit::write(tx, &[entry]).await?;
    Ok(Stored::Done(SetUp::Changed))
}

/// Settings beside an encrypted part, or without one: a bank's need an account.
fn fitted(payer: Payer, has_part: bool) -> Option<Payer> {
    match payer {
        Payer::Sepa(_) if !has_part => None,
        // Recipients saved at Wise have a template of their own.
        Payer::Wise(wise) => {
            let template = if has_part { Template::Recipient } else { Template::Email };
            Some(Payer::Wise(WiseFile { template, ..wise }))
        }
        payer => Some(payer),
    }
}
