//! The choices of a business for each kind of file: its settings, and the meaning of the columns of reports.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::files::{Field, Format, Payer, PaypalFile, SavedRecipient, TableFile, Template, suits, texts};
use super::results::Reading;
use super::settings::Set;
use super::store;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{Conn, DbError, DbResult, Key, Tx};
use crate::money::Currency;
use crate::payout_details::{Method, mask};

/// The settings of a format; `None` for one that cannot be used before somebody makes them.
pub async fn payer(conn: &mut Conn, business_id: i64, format: Format) -> DbResult<Option<Payer>> {
    if let Some(settings) = store::choices(conn, business_id, format).await?.and_then(|chosen| chosen.settings) {
        return serde_json::from_str(&settings).map(Some).map_err(|error| DbError::Fault(error.to_string()));
    }
    Ok(match format {
        Format::Paypal => Some(Payer::Paypal(PaypalFile::default())),
        Format::Csv => Some(Payer::Csv(TableFile::default())),
        Format::Xlsx => Some(Payer::Xlsx(TableFile::default())),
        Format::Wise | Format::Sepa => None,
    })
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
    let settings = serde_json::to_string(&new).map_err(|error| DbError::Fault(error.to_string()))?;
    store::set_format(tx, business_id, new.format(), &settings).await?;
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
    let chosen = store::choices(conn, business_id, format).await?.and_then(|chosen| chosen.reading);
    chosen.map(|text| serde_json::from_str(&text).map_err(|error| DbError::Fault(error.to_string()))).transpose()
}

/// Remembers the meaning of the columns, in the transaction that reads by it.
pub(super) async fn remember(tx: &mut Tx, business_id: i64, format: Format, reading: &Reading) -> DbResult<()> {
    let text = serde_json::to_string(reading).map_err(|error| DbError::Fault(error.to_string()))?;
    store::set_reading(tx, business_id, format, &text).await
}
