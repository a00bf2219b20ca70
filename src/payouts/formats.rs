//! The settings of a business for each kind of file, and the meaning of the columns of reports. The account that pays,
//! and the recipients saved at Wise, are stored encrypted beside the settings.

use std::collections::BTreeMap;

use super::files::{Field, Format, Payer, suits, texts};
use super::refused::Refused;
use super::results::Reading;
use super::store::{self, Sealed, SettingsRow};
use super::wish::NewPayout;
use crate::db::{Conn, DbError, DbResult, Tx};
use crate::keyring::Keyring;
use crate::money::Currency;
use crate::payout_details::Method;

/// Settings of a format, and the version that they are.
#[derive(Clone)]
pub struct Version {
    /// None of the usual ones, before anything is stored.
    pub(super) id: Option<i64>,
    business_id: i64,
    /// Without the part that is stored encrypted.
    pub payer: Payer,
    pub(super) sealed: Option<Sealed>,
}

impl Version {
    pub(super) fn of(business_id: i64, row: SettingsRow) -> DbResult<Self> {
        let payer = serde_json::from_str(&row.settings).map_err(|error| DbError::Fault(error.to_string()))?;
        Ok(Self { id: Some(row.id), business_id, payer, sealed: row.sealed() })
    }

    /// The encrypted part as pages show it: the masked account, or the number of recipients saved at Wise.
    pub fn masked(&self) -> Option<&str> {
        self.sealed.as_ref().map(|sealed| sealed.masked.as_str())
    }

    /// The whole settings, or a sentence that says why they cannot be read.
    pub(super) fn open(&self, keyring: &Keyring) -> Result<Payer, String> {
        let mut payer = self.payer.clone();
        let Some(sealed) = &self.sealed else { return Ok(payer) };
        let about = about(self.business_id, payer.format());
        let opened = keyring.keys().and_then(|keys| {
            let text = Keyring::open(&keys, &about, &sealed.sealed).map_err(|why| why.to_string())?;
            payer.put_secret(&text).map_err(|why| why.to_string())
        });
        let title = payer.format().title();
        let why = |why: String| format!("The settings of the {title} cannot be read: {}.", why.trim_end_matches('.'));
        opened.map(|()| payer).map_err(why)
    }

    /// The settings as the audit and answers show them, the encrypted part masked.
    pub fn shown(&self) -> BTreeMap<String, String> {
        let mut all: BTreeMap<String, String> =
            texts(&self.payer).into_iter().map(|(field, text)| (field.word().to_owned(), text)).collect();
        let masked = self.masked();
        match &self.payer {
            Payer::Sepa(_) => all.insert(Field::PayerIban.word().to_owned(), masked.unwrap_or_default().to_owned()),
            Payer::Wise(_) => all.insert(Field::SavedRecipients.word().to_owned(), masked.unwrap_or("0").to_owned()),
            Payer::Paypal(_) | Payer::Csv(_) | Payer::Xlsx(_) => None,
        };
        all
    }
}

/// Binds an encrypted text to its business and format. The rotation of the key binds it in the same way.
pub(super) fn about(business_id: i64, format: Format) -> String {
    format!("payout_settings/{business_id}/{format}")
}

/// The settings of a format that count; `None` for one that cannot be used before somebody makes them.
pub async fn version(conn: &mut Conn, business_id: i64, format: Format) -> DbResult<Option<Version>> {
    match store::current(conn, business_id, format).await? {
        Some(row) => Version::of(business_id, row).map(Some),
        None => Ok(Payer::usual(format).map(|payer| Version { id: None, business_id, payer, sealed: None })),
    }
}

/// The version of the settings that count; the usual ones are stored for it.
pub(super) async fn stored(tx: &mut Tx, business_id: i64, format: Format) -> DbResult<Option<i64>> {
    match (store::current(tx, business_id, format).await?, Payer::usual(format)) {
        (Some(row), _) => Ok(Some(row.id)),
        (None, Some(usual)) => add(tx, business_id, usual, None).await.map(|version| version.id),
        (None, None) => Ok(None),
    }
}

/// Stores settings as the version that counts.
pub(super) async fn add(tx: &mut Tx, business_id: i64, payer: Payer, sealed: Option<Sealed>) -> DbResult<Version> {
    let settings = serde_json::to_string(&payer).map_err(|error| DbError::Fault(error.to_string()))?;
    let (id, format) = (tx.id()?, payer.format());
    store::add_settings(tx, id, business_id, format, &settings, sealed.as_ref()).await?;
    store::choose_settings(tx, business_id, format, id).await?;
    store::drop_unused(tx, business_id).await?;
    Ok(Version { id: Some(id), business_id, payer, sealed })
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
        found.push((format, version(conn, business_id, format).await?.is_some()));
    }
    found.sort_by_key(|(_, ready)| !ready);
    Ok(found)
}

/// The format that a payout is made for where nobody says it: the method's own, if it is set up.
async fn usual(conn: &mut Conn, business_id: i64, method: Method, currency: Currency) -> DbResult<Format> {
    let formats = formats(conn, business_id, method, currency).await?;
    Ok(formats.into_iter().find(|(_, ready)| *ready).map_or(Format::Csv, |(format, _)| format))
}

/// The format that a payout is made for.
pub(super) async fn wanted(conn: &mut Conn, new: &NewPayout) -> DbResult<Result<Format, Refused>> {
    let Some(format) = new.format else {
        return usual(conn, new.business_id, new.method, new.currency).await.map(Ok);
    };
    if !suits(format, new.method, new.currency) {
        return Ok(Err(Refused::Format));
    }
    let is_set_up = version(conn, new.business_id, format).await?.is_some();
    Ok(if is_set_up { Ok(format) } else { Err(Refused::NotSetUp(format)) })
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
