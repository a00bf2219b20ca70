//! The facts of a key, for the person who has its text.

use super::store;
use crate::clock::Instant;
use crate::db::{Conn, DbResult};
use crate::id;

/// A key as far as it concerns a business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOwner {
    /// Its form shows that it is no key of Refdesk.
    Foreign,
    /// It has the form, and belongs to no business here; or to another one, which is the same to strangers.
    Nobodys,
    Publishable,
    Ours {
        test: bool,
        scopes: String,
        over: bool,
    },
}

/// The business and the id of a key, for a person with access to the machine.
pub async fn by_text(conn: &mut Conn, text: &str) -> DbResult<Option<(i64, i64)>> {
    let found = store::by_hash(conn, &id::sha256_hex(text)).await?;
    Ok(found.map(|row| (row.business_id, row.id)))
}

pub async fn owner(conn: &mut Conn, business_id: i64, text: &str, now: Instant) -> DbResult<KeyOwner> {
    if id::publishable_key_ok(text) {
        return Ok(KeyOwner::Publishable);
    }
    if !id::api_key_checksum_ok(text) {
        return Ok(KeyOwner::Foreign);
    }
    let found = store::by_hash(conn, &id::sha256_hex(text)).await?.filter(|row| row.business_id == business_id);
    Ok(found.map_or(KeyOwner::Nobodys, |row| KeyOwner::Ours {
        test: row.test,
        over: row.revoked_at.is_some() || row.expires_at.is_some_and(|at| at <= now.micros()),
        scopes: row.scopes,
    }))
}
