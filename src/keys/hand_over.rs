//! The keys of a member who leaves: they end, or another member holds them from then on.

use serde_json::json;

use super::store::{self, KeyLine};
use crate::audit::{self, NewEntry};
use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx};

/// The fate of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Successor {
    None,
    /// A member, whose role bounds the keys from then on.
    User(i64),
}

/// The keys in force that a member holds.
pub async fn held_by(conn: &mut Conn, business_id: i64, user_id: i64, now: Instant) -> DbResult<Vec<KeyLine>> {
    store::held_by(conn, business_id, user_id, now).await
}

/// Ends the keys of a member, or gives them another holder, in the transaction that removes the member.
pub async fn end_or_hand_over(tx: &mut Tx, business_id: i64, user_id: i64, successor: Successor) -> DbResult<usize> {
    let now = tx.now();
    let keys = store::held_by(tx, business_id, user_id, now).await?;
    let mut entries = Vec::with_capacity(keys.len());
    for key in &keys {
        let action = match successor {
            Successor::None => {
                store::revoke(tx, key.id, now).await?;
                "key.revoked"
            }
            Successor::User(to) => {
                store::hand_over(tx, key.id, to).await?;
                "key.handed_over"
            }
        };
        let before = json!({ "name": key.name, "shown": key.shown, "holder": key.holder });
        entries.push(NewEntry::by(tx, business_id, action, ("key", key.id))?.before(before));
    }
    audit::write(tx, &entries).await?;
    Ok(keys.len())
}
