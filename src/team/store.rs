use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::email::Email;
use crate::row;
use crate::users::Role;

row! {
    /// A member as the list shows them.
    #[derive(Debug, Clone)]
    pub struct MemberLine {
        pub user_id: i64,
        pub name: String,
        pub email: String,
        pub role: String,
        pub created_at: i64,
    }
}

pub async fn members(conn: &mut Conn, business_id: i64) -> DbResult<Vec<MemberLine>> {
    sql("SELECT m.user_id, u.name, u.email, m.role, m.created_at
           FROM memberships m
           JOIN users u ON u.id = m.user_id
          WHERE m.business_id = $1
          ORDER BY m.created_at, m.user_id")
    .bind(business_id)
    .all(conn)
    .await
}

pub async fn member(conn: &mut Conn, business_id: i64, user_id: i64) -> DbResult<Option<MemberLine>> {
    sql("SELECT m.user_id, u.name, u.email, m.role, m.created_at
           FROM memberships m
           JOIN users u ON u.id = m.user_id
          WHERE m.business_id = $1
            AND m.user_id = $2")
    .bind(business_id)
    .bind(user_id)
    .optional(conn)
    .await
}

/// The member with this address, if there is one.
pub async fn member_by_email(conn: &mut Conn, business_id: i64, email_key: &str) -> DbResult<Option<MemberLine>> {
    sql("SELECT m.user_id, u.name, u.email, m.role, m.created_at
           FROM users u
           JOIN memberships m ON m.user_id = u.id
          WHERE u.email_key = $2
            AND m.business_id = $1")
    .bind(business_id)
    .bind(email_key)
    .optional(conn)
    .await
}

pub async fn owners(conn: &mut Conn, business_id: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM memberships
          WHERE business_id = $1
            AND role = 'owner'")
    .bind(business_id)
    .scalar(conn)
    .await
}

/// The owner who has been one for longest.
pub async fn first_owner(conn: &mut Conn, business_id: i64) -> DbResult<Option<i64>> {
    let found: Option<(i64,)> = sql("SELECT user_id
           FROM memberships
          WHERE business_id = $1
            AND role = 'owner'
          ORDER BY created_at, user_id
          LIMIT 1")
    .bind(business_id)
    .optional(conn)
    .await?;
    Ok(found.map(|(id,)| id))
}

pub async fn set_role(tx: &mut Tx, business_id: i64, user_id: i64, role: Role) -> DbResult<()> {
    sql("UPDATE memberships
            SET role = $3
          WHERE business_id = $1
            AND user_id = $2")
    .bind(business_id)
    .bind(user_id)
    .bind(role.word())
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn remove(tx: &mut Tx, business_id: i64, user_id: i64) -> DbResult<()> {
    sql("DELETE FROM memberships
          WHERE business_id = $1
            AND user_id = $2")
    .bind(business_id)
    .bind(user_id)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    /// An invitation with who sent it and where to.
    #[derive(Debug, Clone)]
    pub struct InvitationRow {
        pub id: i64,
        pub business_id: i64,
        pub business_name: String,
        pub email: String,
        pub email_key: String,
        pub role: String,
        pub invited_by: String,
        pub expires_at: i64,
        pub outcome: Option<String>,
    }
}

/// The open invitations of a business, the newest first.
pub async fn open_invitations(conn: &mut Conn, business_id: i64) -> DbResult<Vec<InvitationRow>> {
    sql("SELECT i.id, i.business_id, b.name AS business_name, i.email, i.email_key, i.role, u.name AS invited_by,
                i.expires_at, i.outcome
           FROM invitations i
           JOIN businesses b ON b.id = i.business_id
           JOIN users u ON u.id = i.invited_by
          WHERE i.business_id = $1
            AND i.ended_at IS NULL
          ORDER BY i.created_at DESC, i.id DESC
          LIMIT 200")
    .bind(business_id)
    .all(conn)
    .await
}

pub async fn invitation(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<InvitationRow>> {
    sql("SELECT i.id, i.business_id, b.name AS business_name, i.email, i.email_key, i.role, u.name AS invited_by,
                i.expires_at, i.outcome
           FROM invitations i
           JOIN businesses b ON b.id = i.business_id
           JOIN users u ON u.id = i.invited_by
          WHERE i.id = $1
            AND i.business_id = $2")
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

pub async fn invitation_by_token(conn: &mut Conn, token_hash: &str) -> DbResult<Option<InvitationRow>> {
    sql("SELECT i.id, i.business_id, b.name AS business_name, i.email, i.email_key, i.role, u.name AS invited_by,
                i.expires_at, i.outcome
           FROM invitations i
           JOIN businesses b ON b.id = i.business_id
           JOIN users u ON u.id = i.invited_by
          WHERE i.token_hash = $1")
    .bind(token_hash)
    .optional(conn)
    .await
}

/// An invitation about to be stored.
pub struct NewInvitation<'n> {
    pub id: i64,
    pub business_id: i64,
    pub email: &'n Email,
    pub role: Role,
    pub token_hash: &'n str,
    pub invited_by: i64,
    pub expires_at: Instant,
}

pub async fn insert_invitation(tx: &mut Tx, i: &NewInvitation<'_>, now: Instant) -> DbResult<()> {
    sql("INSERT INTO invitations
                (id, business_id, email, email_key, role, token_hash, invited_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(i.id)
    .bind(i.business_id)
    .bind(i.email.text())
    .bind(i.email.key())
    .bind(i.role.word())
    .bind(i.token_hash)
    .bind(i.invited_by)
    .bind(now)
    .bind(i.expires_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends an open invitation; false when it was over before.
pub async fn end(tx: &mut Tx, id: i64, outcome: &'static str, now: Instant) -> DbResult<bool> {
    let changed = sql("UPDATE invitations
                          SET ended_at = $3, outcome = $2
                        WHERE id = $1
                          AND ended_at IS NULL")
    .bind(id)
    .bind(outcome)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Ends the open invitations of a person who has left the business.
pub async fn end_made_by(tx: &mut Tx, business_id: i64, user_id: i64, now: Instant) -> DbResult<u64> {
    sql("UPDATE invitations
            SET ended_at = $3, outcome = 'withdrawn'
          WHERE business_id = $1
            AND invited_by = $2
            AND ended_at IS NULL")
    .bind(business_id)
    .bind(user_id)
    .bind(now)
    .execute(tx)
    .await
}

/// Ends the open invitations of an address, because a newer one replaces them.
pub async fn end_earlier(tx: &mut Tx, business_id: i64, email_key: &str, now: Instant) -> DbResult<()> {
    sql("UPDATE invitations
            SET ended_at = $3, outcome = 'withdrawn'
          WHERE business_id = $1
            AND email_key = $2
            AND ended_at IS NULL")
    .bind(business_id)
    .bind(email_key)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
