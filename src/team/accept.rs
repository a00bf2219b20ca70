//! Accepting an invitation: a new person becomes a user, a known user joins.

use std::sync::Arc;

use serde_json::json;

use super::Standing;
use super::store::{self, InvitationRow};
use crate::actor::{Actor, ActorKind};
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Terms, Tx};
use crate::email::Email;
use crate::users::Role;
use crate::{id, users};

/// The person who accepts, by a link's token.
#[derive(Debug, Clone)]
pub struct Accept {
    pub token: String,
    pub who: Who,
    /// The address the request came from.
    pub ip: String,
}

#[derive(Debug, Clone)]
pub enum Who {
    /// Signed in; they must have the invited address.
    User(i64),
    /// The invited address has no user yet.
    New { name: String, password_hash: String },
}

/// The outcome of accepting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    Joined {
        user_id: i64,
        business_id: i64,
    },
    /// It was used, withdrawn or has expired, or never existed.
    Over,
    /// The invited address belongs to another user than the signed-in one.
    NotTheirs,
}

pub async fn accept(core: &Core, wanted: Accept) -> DbResult<Accepted> {
    let hash = id::sha256_hex(&wanted.token);
    let found = store::invitation_by_token(&mut core.db.read().await?, &hash).await?;
    let Some(known) = found else { return Ok(Accepted::Over) };
    // The invitation can be used once; the address can become one user; neither changes meanwhile.
    let keys = vec![Key::Row(known.id), Key::Row(known.business_id), Key::Referrer(0, known.email_key)];
    core.db.write_on(Terms::of(keys).ids(2), (wanted, hash), accept_in).await
}

async fn accept_in(tx: &mut Tx, (wanted, hash): &(Accept, String)) -> DbResult<Accepted> {
    let id = tx.id()?;
    let now = tx.now();
    let row = store::invitation_by_token(tx, hash).await?;
    let Some(row) = row.filter(|row| row.standing(now) == Standing::Open) else {
        return Ok(Accepted::Over);
    };
    let role = Role::parse(&row.role).unwrap_or(Role::Viewer);
    let holder = users::id_by_email(tx, &row.email_key).await?;
    let user_id = match (&wanted.who, holder) {
        (Who::User(id), Some(holder)) if *id == holder => holder,
        (Who::New { name, password_hash }, None) => {
            let Ok(email) = Email::parse(&row.email) else { return Ok(Accepted::NotTheirs) };
            users::insert_user(tx, id, &email, name, password_hash, now).await?;
            id
        }
        _ => return Ok(Accepted::NotTheirs),
    };
    store::end(tx, row.id, "accepted", now).await?;
    if store::member(tx, row.business_id, user_id).await?.is_none() {
        users::insert_membership(tx, row.business_id, user_id, role, now).await?;
    }
    let entry = joined(tx.id()?, &row, user_id, wanted);
    audit::write(tx, &[entry]).await?;
    Ok(Accepted::Joined { user_id, business_id: row.business_id })
}

fn joined(audit_id: i64, row: &InvitationRow, user_id: i64, wanted: &Accept) -> NewEntry {
    let name = match &wanted.who {
        Who::New { name, .. } => name.clone(),
        Who::User(_) => row.email.clone(),
    };
    let actor = Actor { kind: ActorKind::User, id: Some(user_id), name, origin: wanted.ip.clone(), call: None };
    NewEntry::new(audit_id, row.business_id, &Arc::new(actor), "member.joined", ("user", user_id))
        .after(json!({ "email": row.email, "role": row.role }))
}
