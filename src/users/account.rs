//! Changes of people to their own account. They are audited in their current business.

use std::sync::Arc;

use serde_json::json;

use super::store;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key};

/// The outcome of a new name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    Yes,
    Same,
}

pub async fn rename(core: &Core, actor: &Arc<Actor>, business_id: i64, user_id: i64, name: String) -> DbResult<Named> {
    let audit_id = core.ids.next().await?;
    let now = core.clock.now();
    let actor = actor.clone();
    core.db
        .write(vec![Key::Row(user_id)], move |tx| {
            let (actor, name) = (actor.clone(), name.clone());
            Box::pin(async move {
                let old = store::by_id(tx, user_id).await?.map(|u| u.name).unwrap_or_default();
                if old == name {
                    return Ok(Named::Same);
                }
                store::set_name(tx, user_id, &name).await?;
                let entry = NewEntry::new(audit_id, business_id, &actor, "user.renamed", ("user", user_id))
                    .before(json!({ "name": old }))
                    .after(json!({ "name": name }));
                audit::write(tx, now, &[entry]).await?;
                Ok(Named::Yes)
            })
        })
        .await
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
    let audit_id = core.ids.next().await?;
    let now = core.clock.now();
    let actor = actor.clone();
    core.db
        .write(vec![Key::Row(user_id)], move |tx| {
            let (actor, hash, keep) = (actor.clone(), hash.clone(), keep_session.clone());
            Box::pin(async move {
                store::set_password(tx, user_id, &hash).await?;
                let ended = store::end_other_sessions(tx, user_id, &keep).await?;
                let entry = NewEntry::new(audit_id, business_id, &actor, "user.password_changed", ("user", user_id))
                    .after(json!({ "other_sessions_ended": ended }));
                audit::write(tx, now, &[entry]).await?;
                Ok(ended)
            })
        })
        .await
}

/// Ends every session but the one that asked; answers how many.
pub async fn end_others(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    user_id: i64,
    keep_session: String,
) -> DbResult<u64> {
    let audit_id = core.ids.next().await?;
    let now = core.clock.now();
    let actor = actor.clone();
    core.db
        .write(vec![Key::Row(user_id)], move |tx| {
            let (actor, keep) = (actor.clone(), keep_session.clone());
            Box::pin(async move {
                let ended = store::end_other_sessions(tx, user_id, &keep).await?;
                if ended > 0 {
                    let entry = NewEntry::new(audit_id, business_id, &actor, "user.sessions_ended", ("user", user_id))
                        .after(json!({ "other_sessions_ended": ended }));
                    audit::write(tx, now, &[entry]).await?;
                }
                Ok(ended)
            })
        })
        .await
}
