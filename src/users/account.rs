//! Changes of people to their own account. They are audited in their current business.

use std::sync::Arc;

use serde_json::json;

use super::store;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};

/// The outcome of a new name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    Yes,
    Same,
}

pub async fn rename(core: &Core, actor: &Arc<Actor>, business_id: i64, user_id: i64, name: String) -> DbResult<Named> {
    core.write(vec![Key::Row(user_id)], actor, (business_id, user_id, name), rename_in).await
}

async fn rename_in(tx: &mut Tx, &(business_id, user_id, ref name): &(i64, i64, String)) -> DbResult<Named> {
    let old = store::by_id(tx, user_id).await?.map(|u| u.name).unwrap_or_default();
    if old == *name {
        return Ok(Named::Same);
    }
    store::set_name(tx, user_id, name).await?;
    let entry = NewEntry::by(tx, business_id, "user.renamed", ("user", user_id))?
        .before(json!({ "name": old }))
        .after(json!({ "name": name }));
    audit::write(tx, &[entry]).await?;
    Ok(Named::Yes)
}

/// Stores a new password's hash and ends every session but the one that asked; answers how many ended.
pub async fn change_password(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    user_id: i64,
    hash: String,
    keep_session: String,
) -> DbResult<u64> {
    core.write(vec![Key::Row(user_id)], actor, (business_id, user_id, hash, keep_session), change_password_in).await
}

async fn change_password_in(
    tx: &mut Tx,
    &(business_id, user_id, ref hash, ref keep): &(i64, i64, String, String),
) -> DbResult<u64> {
    store::set_password(tx, user_id, hash).await?;
    let ended = store::end_other_sessions(tx, user_id, keep).await?;
    let entry = NewEntry::by(tx, business_id, "user.password_changed", ("user", user_id))?
        .after(json!({ "other_sessions_ended": ended }));
    audit::write(tx, &[entry]).await?;
    Ok(ended)
}

/// Ends every session but the one that asked; answers how many.
pub async fn end_others(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    user_id: i64,
    keep_session: String,
) -> DbResult<u64> {
    core.write(vec![Key::Row(user_id)], actor, (business_id, user_id, keep_session), end_others_in).await
}

async fn end_others_in(tx: &mut Tx, &(business_id, user_id, ref keep): &(i64, i64, String)) -> DbResult<u64> {
    let ended = store::end_other_sessions(tx, user_id, keep).await?;
    if ended > 0 {
        let entry = NewEntry::by(tx, business_id, "user.sessions_ended", ("user", user_id))?
            .after(json!({ "other_sessions_ended": ended }));
        audit::write(tx, &[entry]).await?;
    }
    Ok(ended)
}
