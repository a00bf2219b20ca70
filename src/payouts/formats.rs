//! The choices of a business for each kind of file: its settings, and the meaning of the columns of reports.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::files::{Field, Format, Payer, SavedRecipient, Template, suits, texts};
use super::results::Reading;
use super::settings::Set;
use super::store::{self, SettingsRow};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{Conn, DbError, DbResult, Key, Tx};
use crate::money::Currency;
use crate::payout_details::{Method, mask};

/// Settings of a format, and the version that they are.
pub(super) struct Version {
    /// None of the usual ones, before anything is stored.
    pub id: Option<i64>,
    pub payer: Payer,
}

impl Version {
    pub(super) fn of(row: SettingsRow) -> DbResult<Self> {
        let payer = serde_json::from_str(&row.settings).map_err(|error| DbError::Fault(error.to_string()))?;
        Ok(Self { id: Some(row.id), payer })
    }
}

/// The settings that count; `None` for a format that cannot be used before somebody makes them.
pub(super) async fn version(conn: &mut Conn, business_id: i64, format: Format) -> DbResult<Option<Version>> {
    match store::current(conn, business_id, format).await? {
        Some(row) => Version::of(row).map(Some),
        None => Ok(Payer::usual(format).map(|payer| Version { id: None, payer })),
    }
}

/// The settings of a format; `None` for one that cannot be used before somebody makes them.
pub async fn payer(conn: &mut Conn, business_id: i64, format: Format) -> DbResult<Option<Payer>> {
    Ok(version(conn, business_id, format).await?.map(|version| version.payer))
}

/// The version of the settings that count; the usual ones are stored for it.
pub(super) async fn stored(tx: &mut Tx, business_id: i64, format: Format) -> DbResult<Option<i64>> {
    match (store::current(tx, business_id, format).await?, Payer::usual(format)) {
        (Some(row), _) => Ok(Some(row.id)),
        (None, Some(usual)) => add(tx, business_id, &usual).await.map(Some),
        (None, None) => Ok(None),
    }
}

/// Stores settings as the version that counts.
async fn add(tx: &mut Tx, business_id: i64, payer: &Payer) -> DbResult<i64> {
    let settings = serde_json::to_string(payer).map_err(|error| DbError::Fault(error.to_string()))?;
    let (id, format) = (tx.id()?, payer.format());
    store::add_settings(tx, id, business_id, format, &settings).await?;
    store::choose_settings(tx, business_id, format, id).await?;
    store::drop_unused(tx, business_id).await?;
    Ok(id)
}

/// The formats that a payout can be paid by, those that are set up first.
pub async fn formats(
    conn: &mut Conn,
    business_id: i64,
    method: Method,
    currency: Currency,
) -> DbResult<Vec<(Format, bool)>> {
    let mut found = Vec::new();
    for format in Format::ALL.into_iter().filter(|format| suits(*format, method, currency)) {
        found.push((format, payer(conn, business_id, format).await?.is_some()));
    }
    found.sort_by_key(|(_, ready)| !ready);
    Ok(found)
}

/// The format that a payout is made for where nobody says it: the method's own, if it is set up.
pub(super) async fn usual(conn: &mut Conn, business_id: i64, method: Method, currency: Currency) -> DbResult<Format> {
    let formats = formats(conn, business_id, method, currency).await?;
    Ok(formats.into_iter().find(|(_, ready)| *ready).map_or(Format::Csv, |(format, _)| format))
}

/// Sets how a business makes the files of a format. Recipients who were saved at Wise stay.
pub async fn set_payer(core: &Core, actor: &Arc<Actor>, business_id: i64, payer: Payer) -> DbResult<Set> {
    core.write_once(vec![Key::Payouts(business_id)], actor, (business_id, payer), set_payer_in).await
}

async fn set_payer_in(tx: &mut Tx, (business_id, new): &(i64, Payer)) -> DbResult<Set> {
    let before = payer(tx, *business_id, new.format()).await?;
    let new = match (new.clone(), &before) {
        (Payer::Wise(mut wise), Some(Payer::Wise(was))) if wise.saved.is_empty() => {
            (wise.saved, wise.template) = (was.saved.clone(), was.template);
            Payer::Wise(wise)
        }
        (new, _) => new,
    };
    write(tx, *business_id, before, new).await
}

/// Sets the recipients whom a business saved at Wise, or forgets them; it pays from `source` if nothing says so yet.
pub async fn set_saved(core: &Core, actor: &Arc<Actor>, business_id: i64, saved: Vec<SavedRecipient>) -> DbResult<Set> {
    core.write_once(vec![Key::Payouts(business_id)], actor, (business_id, saved), set_saved_in).await
}

async fn set_saved_in(tx: &mut Tx, (business_id, saved): &(i64, Vec<SavedRecipient>)) -> DbResult<Set> {
    let before = payer(tx, *business_id, Format::Wise).await?;
    let Some(Payer::Wise(mut wise)) = before.clone() else { return Ok(Set::NotFound) };
    wise.template = if saved.is_empty() { Template::Email } else { Template::Recipient };
    wise.saved.clone_from(saved);
    write(tx, *business_id, before, Payer::Wise(wise)).await
}

async fn write(tx: &mut Tx, business_id: i64, before: Option<Payer>, new: Payer) -> DbResult<Set> {
    if before.as_ref() == Some(&new) {
        return Ok(Set::Already);
    }
    add(tx, business_id, &new).await?;
    let entry = NewEntry::by(tx, business_id, "payout.settings", ("business", business_id))?
        .before(json!({ new.format().word(): before.as_ref().map(shown) }))
        .after(json!({ new.format().word(): shown(&new) }));
    audit::write(tx, &[entry]).await?;
    Ok(Set::Changed)
}

/// The settings as the audit and answers show them, the payer's account masked.
pub fn shown(payer: &Payer) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> =
        texts(payer).into_iter().map(|(field, text)| (field.word().to_owned(), text)).collect();
    match payer {
        Payer::Sepa(sepa) => {
            all.insert(Field::PayerIban.word().to_owned(), mask::iban(&sepa.iban));
        }
        Payer::Wise(wise) => {
            all.insert(Field::SavedRecipients.word().to_owned(), wise.saved.len().to_string());
        }
        Payer::Paypal(_) | Payer::Csv(_) | Payer::Xlsx(_) => {}
    }
    all
}

/// The meaning of the columns of a business's reports about files of a format, as somebody chose it.
pub async fn reading(conn: &mut Conn, business_id: i64, format: Format) -> DbResult<Option<Reading>> {
    let chosen = store::reading(conn, business_id, format).await?;
    chosen.map(|text| serde_json::from_str(&text).map_err(|error| DbError::Fault(error.to_string()))).transpose()
}

/// Remembers the meaning of the columns, in the transaction that reads by it.
pub(super) async fn remember(tx: &mut Tx, business_id: i64, format: Format, reading: &Reading) -> DbResult<()> {
    let text = serde_json::to_string(reading).map_err(|error| DbError::Fault(error.to_string()))?;
    store::set_reading(tx, business_id, format, &text).await
}
