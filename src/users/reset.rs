//! Changes to an account made by a person with access to the machine. They are audited in every business of
//! the account.

use std::sync::Arc;

use serde_json::json;

use super::store;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub sessions: u64,
    /// Its businesses in the audit.
    pub businesses: Vec<String>,
}

/// Stores a new password's hash, ends every session, and forgets the failures of the person who had forgotten
/// the old one.
pub async fn reset_password(core: &Core, actor: &Arc<Actor>, user_id: i64, hash: String) -> DbResult<Ended> {
    end_all(core, actor, user_id, Some(hash)).await
}

/// Ends every session of a user.
pub async fn sign_out(core: &Core, actor: &Arc<Actor>, user_id: i64) -> DbResult<Ended> {
    end_all(core, actor, user_id, None).await
}

async fn end_all(core: &Core, actor: &Arc<Actor>, user_id: i64, hash: Option<String>) -> DbResult<Ended> {
    core.write(vec![Key::Row(user_id)], actor, (user_id, hash), end_in).await
}

async fn end_in(tx: &mut Tx, &(user_id, ref hash): &(i64, Option<String>)) -> DbResult<Ended> {
    let memberships = store::memberships(tx, user_id).await?;
    let action = if hash.is_some() { "user.password_reset" } else { "user.signed_out" };
    if let Some(hash) = hash {
        store::set_password(tx, user_id, hash).await?;
        if let Some(user) = store::by_id(tx, user_id).await? {
            store::forget_failures(tx, &crate::email::key_of(&user.email).unwrap_or_default()).await?;
        }
    }
    let sessions = store::end_other_sessions(tx, user_id, "").await?;
    let mut entries = Vec::with_capacity(memberships.len());
    for membership in &memberships {
        let entry = NewEntry::by(tx, membership.business_id, action, ("user", user_id))?;
        entries.push(
            entry.after(json!({ "name": membership.name, "email": membership.email, "sessions_ended": sessions })),
        );
    }
    audit::write(tx, &entries).await?;
    Ok(Ended { sessions, businesses: memberships.into_iter().map(|membership| membership.public_id).collect() })
}
