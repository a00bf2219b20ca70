//! Sealing and opening details. A sealed text is bound to its business and referrer, so that a row copied to another
//! referrer does not open.

use super::Details;
use super::store::{self, SealedRow};
use crate::db::{Conn, DbResult};
use crate::keyring::{Keyring, Lack};
use crate::secret_key::{SecretKey, Unopened};

/// One version, opened, or a sentence that says why it cannot be.
#[derive(Debug, Clone)]
pub struct Opened {
    pub id: i64,
    pub referrer_id: i64,
    pub details: Result<Details, String>,
}

fn about(business_id: i64, referrer_id: i64) -> String {
    format!("payout_details/{business_id}/{referrer_id}")
}

/// `None` for details of an absurd length.
pub fn sealed(key: &SecretKey, business_id: i64, referrer_id: i64, details: &Details) -> Option<String> {
    let text = serde_json::to_string(details).ok()?;
    key.seal(&about(business_id, referrer_id), &text)
}

/// The details of a row.
pub fn opened(keys: &[SecretKey], row: &SealedRow) -> Result<Details, Unopened> {
    let text = Keyring::open(keys, &about(row.business_id, row.referrer_id), &row.sealed)?;
    serde_json::from_str(&text).map_err(|_| Unopened::Broken)
}

/// Opens some versions of a business, those that count and those that did, with one statement.
pub async fn open(conn: &mut Conn, keyring: &Keyring, business_id: i64, ids: &[i64]) -> DbResult<Vec<Opened>> {
    let rows = store::sealed(conn, business_id, ids).await?;
    let keys: Result<Vec<SecretKey>, Lack> = keyring.keys();
    let open = |row: SealedRow| {
        let details = match &keys {
            Ok(keys) => opened(keys, &row).map_err(|why| format!("The payout details cannot be read: {why}.")),
            Err(lack) => Err(format!("The payout details cannot be read: {lack}.")),
        };
        Opened { id: row.id, referrer_id: row.referrer_id, details }
    };
    Ok(rows.into_iter().map(open).collect())
}
