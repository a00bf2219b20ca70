//! Inviting a person by a link, and taking that back.

use std::sync::Arc;

use serde_json::json;

use super::store::{self, InvitationRow, NewInvitation};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::clock::Instant;
use crate::core::Core;
use crate::db::{DbError, DbResult, Key, Tx};
use crate::email::Email;
use crate::id;
use crate::users::Role;

/// Days an invitation can be accepted.
pub const INVITATION_DAYS: i64 = 7;

/// The outcome of inviting. The token is part of the link, which is shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invited {
    Token(String),
    /// A member of the business has this address already.
    Member {
        name: String,
    },
}

/// True while an invitation can be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Open,
    Accepted,
    Withdrawn,
    Expired,
}

impl InvitationRow {
    pub fn standing(&self, now: Instant) -> Standing {
        match self.outcome.as_deref() {
            Some("accepted") => Standing::Accepted,
            Some(_) => Standing::Withdrawn,
            None if self.expires_at <= now.micros() => Standing::Expired,
            None => Standing::Open,
        }
    }
}

/// Makes an invitation and withdraws an earlier open one of the same address. An invitation made from the
/// command line is in the first owner's name.
pub async fn invite(core: &Core, actor: &Arc<Actor>, business_id: i64, email: Email, role: Role) -> DbResult<Invited> {
    let token = id::new_token(&mut rand::rng());
    core.write(vec![Key::Row(business_id)], actor, (business_id, email, role, token), invite_in).await
}

async fn invite_in(
    tx: &mut Tx,
    &(business_id, ref email, role, ref token): &(i64, Email, Role, String),
) -> DbResult<Invited> {
    let id = tx.id()?;
    let now = tx.now();
    if let Some(member) = store::member_by_email(tx, business_id, email.key()).await? {
        return Ok(Invited::Member { name: member.name });
    }
    let invited_by = match tx.actor()?.user() {
        Some(user) => user,
        None => store::first_owner(tx, business_id)
            .await?
            .ok_or_else(|| DbError::Fault("a business without an owner".into()))?,
    };
    store::end_earlier(tx, business_id, email.key(), now).await?;
    let new = NewInvitation {
        id,
        business_id,
        email,
        role,
        token_hash: &id::sha256_hex(token),
        invited_by,
        expires_at: now.plus_days(INVITATION_DAYS),
    };
    store::insert_invitation(tx, &new, now).await?;
    let subject = ("invitation", id);
    let entry = NewEntry::by(tx, business_id, "invitation.made", subject)?
        .after(json!({ "email": email.text(), "role": role.word() }));
    audit::write(tx, &[entry]).await?;
    Ok(Invited::Token(token.clone()))
}

/// The outcome of withdrawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawn {
    Yes,
    /// It was accepted or withdrawn before.
    Over,
    NotFound,
}

pub async fn withdraw(core: &Core, actor: &Arc<Actor>, business_id: i64, invitation_id: i64) -> DbResult<Withdrawn> {
    core.write(vec![Key::Row(invitation_id)], actor, (business_id, invitation_id), withdraw_in).await
}

async fn withdraw_in(tx: &mut Tx, &(business_id, invitation_id): &(i64, i64)) -> DbResult<Withdrawn> {
    let now = tx.now();
    let Some(row) = store::invitation(tx, business_id, invitation_id).await? else {
        return Ok(Withdrawn::NotFound);
    };
    if !store::end(tx, invitation_id, "withdrawn", now).await? {
        return Ok(Withdrawn::Over);
    }
    let subject = ("invitation", invitation_id);
    let entry = NewEntry::by(tx, business_id, "invitation.withdrawn", subject)?
        .before(json!({ "email": row.email, "role": row.role }));
    audit::write(tx, &[entry]).await?;
    Ok(Withdrawn::Yes)
}
