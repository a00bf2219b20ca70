//! Roles of members, and removing them. Both are decided under the business's lock, because both ask
//! how many owners there are.

use std::sync::Arc;

use serde_json::json;

use super::store;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::keys::{self, Keyring, Successor};
use crate::users::Role;

/// The outcome of a change to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    Yes,
    Same,
    /// They are the only owner left.
    LastOwner,
    NotFound,
}

pub async fn change_role(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    user_id: i64,
    role: Role,
) -> DbResult<Changed> {
    core.write(vec![Key::Row(business_id)], actor, (business_id, user_id, role), change_role_in).await
}

async fn change_role_in(tx: &mut Tx, &(business_id, user_id, role): &(i64, i64, Role)) -> DbResult<Changed> {
    let Some(member) = store::member(tx, business_id, user_id).await? else { return Ok(Changed::NotFound) };
    if member.role == role.word() {
        return Ok(Changed::Same);
    }
    if member.role == Role::Owner.word() && store::owners(tx, business_id).await? < 2 {
        return Ok(Changed::LastOwner);
    }
    store::set_role(tx, business_id, user_id, role).await?;
    let entry = NewEntry::by(tx, business_id, "member.role", ("user", user_id))?
        .before(json!({ "name": member.name, "role": member.role }))
        .after(json!({ "name": member.name, "role": role.word() }));
    audit::write(tx, &[entry]).await?;
    Ok(Changed::Yes)
}

/// Takes a member out of the business. Their user and history stay; their sessions lose the business with
/// their next request. Their keys end, or get another holder.
pub async fn remove(
    core: &Core,
    keyring: &Keyring,
    actor: &Arc<Actor>,
    business_id: i64,
    user_id: i64,
    keys: Successor,
) -> DbResult<Changed> {
    let changed = core.write(vec![Key::Row(business_id)], actor, (business_id, user_id, keys), remove_in).await?;
    keyring.forget();
    Ok(changed)
}

async fn remove_in(tx: &mut Tx, &(business_id, user_id, successor): &(i64, i64, Successor)) -> DbResult<Changed> {
    let now = tx.now();
    let Some(member) = store::member(tx, business_id, user_id).await? else { return Ok(Changed::NotFound) };
    if member.role == Role::Owner.word() && store::owners(tx, business_id).await? < 2 {
        return Ok(Changed::LastOwner);
    }
    let keys = keys::end_or_hand_over(tx, business_id, user_id, successor).await?;
    store::remove(tx, business_id, user_id).await?;
    // A link they made for themselves would bring them back.
    let withdrawn = store::end_made_by(tx, business_id, user_id, now).await?;
    let entry = NewEntry::by(tx, business_id, "member.removed", ("user", user_id))?
        .before(json!({ "name": member.name, "email": member.email, "role": member.role }))
        .after(json!({ "invitations_withdrawn": withdrawn, "keys": keys }));
    audit::write(tx, &[entry]).await?;
    Ok(Changed::Yes)
}
