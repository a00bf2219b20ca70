//! The key under which secrets are stored. The database says which key counts, by its id: a server without that key
//! seals nothing, so that no row is stored with a key that others do not have. Enter with [`to_seal`], and with
//! [`is_current`] in the transaction of the write.

mod reseal;
mod rotate;
mod store;

pub use reseal::{Tally, reseal};
pub use rotate::{Refused, Rotation};
pub use store::current;

use crate::core::Core;
use crate::db::{DbError, DbResult, Key, Tx};
use crate::keyring::{Keyring, Lack};
use crate::secret_key::SecretKey;

/// The key to seal with, or why there is none.
pub async fn to_seal(core: &Core) -> DbResult<Result<SecretKey, Lack>> {
    let current = store::current(&mut core.db.read().await?).await?;
    Ok(match current {
        None => core.keyring.first(),
        Some(id) => core.keyring.find(&id).and_then(|key| key.ok_or_else(|| missing(&id, &core.keyring))),
    })
}

fn missing(id: &str, keyring: &Keyring) -> Lack {
    let place = match keyring.file() {
        Some(file) if !keyring.is_given() => format!("is not in {}", file.display()),
        _ => "is not in REFDESK_SECRET_KEY".to_owned(),
    };
    format!(
        "What is stored encrypted needs the key {id}, which {place}. Put that key back, or see \
         `refdesk secrets rotate --help` for a key that is lost."
    )
}

/// True while the key with this id is the one that counts. The first key that is used counts from then on.
pub async fn is_current(tx: &mut Tx, id: &str) -> DbResult<bool> {
    if !tx.holds(&Key::Secrets) {
        return Err(DbError::Fault("the key that counts is asked for without its lock".into()));
    }
    if let Some(current) = store::current(tx).await? {
        return Ok(current == id);
    }
    let now = tx.now();
    store::make_current(tx, id, now).await?;
    Ok(true)
}
