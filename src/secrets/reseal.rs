//! Encrypts everything that is stored encrypted anew, in chunks, for a new key.

use super::store::{self, Resealed};
use crate::core::Core;
use crate::db::DbResult;
use crate::keyring::Keyring;
use crate::secret_key::SecretKey;

/// Rows of one transaction.
const CHUNK: usize = 200;

/// The outcome of encrypting everything anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub done: u64,
    /// Rows that their keys do not open.
    pub unreadable: u64,
}

/// Encrypts with this key what is encrypted with others. `told` hears how far it has come.
pub async fn reseal(core: &Core, key: &SecretKey, told: impl Fn(u64)) -> DbResult<Result<Tally, String>> {
    let mut tally = Tally::default();
    let mut after = 0;
    loop {
        let rows = store::with_other_key(&mut core.db.read().await?, key.id(), after, CHUNK).await?;
        let Some(last) = rows.last() else { return Ok(Ok(tally)) };
        after = last.id;
        let keys = match core.keyring.keys() {
            Ok(keys) => keys,
            Err(lack) => return Ok(Err(lack)),
        };
        let mut chunk = Vec::new();
        for row in rows {
            let opened = Keyring::open(&keys, &row.about, &row.sealed).ok();
            match opened.and_then(|text| key.seal(&row.about, &text)) {
                Some(sealed) => chunk.push(Resealed { id: row.id, was: row.sealed, sealed }),
                None => tally.unreadable += 1,
            }
        }
        tally.done += core.db.write(vec![], (key.id().to_owned(), chunk), store::reseal).await?;
        told(tally.done);
    }
}
