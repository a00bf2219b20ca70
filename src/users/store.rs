use super::delay::{Count, FORGET_LASTING_SECONDS, FORGET_SECONDS, delay, of_account};
use super::role::Role;
use super::session::{IDLE_SECONDS, StoredSession};
use crate::clock::Instant;
use crate::db::{Conn, Db, DbResult, Key, Tx, sql};
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct UserRow {
        pub id: i64,
        pub email: String,
        pub name: String,
        pub password_hash: String,
    }
}

row! {
    pub struct MembershipRow {
        pub name: String,
        pub email: String,
        pub theme: String,
        pub role: String,
        pub business_id: i64,
        pub public_id: String,
        pub business_name: String,
        pub timezone: String,
        pub currency: String,
        pub country: String,
        pub default_campaign_id: Option<i64>,
    }
}

pub async fn by_id(conn: &mut Conn, id: i64) -> DbResult<Option<UserRow>> {
    sql("SELECT id, email, name, password_hash
           FROM users
          WHERE id = $1")
    .bind(id)
    .optional(conn)
    .await
}

pub async fn by_email(conn: &mut Conn, email_key: &str) -> DbResult<Option<UserRow>> {
    sql("SELECT id, email, name, password_hash
           FROM users
          WHERE email_key = $1")
    .bind(email_key)
    .optional(conn)
    .await
}

/// The businesses a user is in, the one joined first first.
pub async fn memberships(conn: &mut Conn, user_id: i64) -> DbResult<Vec<MembershipRow>> {
    sql("SELECT u.name, u.email, u.theme, m.role, m.business_id, b.public_id, b.name AS business_name, b.timezone,
                b.currency, b.country, b.default_campaign_id
           FROM memberships m
           JOIN users u ON u.id = m.user_id
           JOIN businesses b ON b.id = m.business_id
          WHERE m.user_id = $1
          ORDER BY m.created_at, m.business_id")
    .bind(user_id)
    .all(conn)
    .await
}

row! {
    /// A user in one of their businesses, or in none.
    #[derive(Debug, Clone)]
    pub struct PersonRow {
        pub id: i64,
        pub email: String,
        pub name: String,
        pub created_at: i64,
        /// The number of open ones.
        pub sessions: i64,
        pub business: Option<String>,
        pub business_name: Option<String>,
        pub role: Option<String>,
    }
}

/// Everybody in each of their businesses, by address.
pub async fn everybody(conn: &mut Conn, now: Instant) -> DbResult<Vec<PersonRow>> {
    let idle = now.plus_seconds(-IDLE_SECONDS);
    sql("SELECT u.id, u.email, u.name, u.created_at, b.public_id AS business, b.name AS business_name, m.role,
                (SELECT count(*)
                   FROM sessions s
                  WHERE s.user_id = u.id
                    AND s.expires_at > $1
                    AND s.seen_at > $2) AS sessions
           FROM users u
           LEFT JOIN memberships m ON m.user_id = u.id
           LEFT JOIN businesses b ON b.id = m.business_id
          ORDER BY u.email_key, m.created_at, m.business_id")
    .bind(now)
    .bind(idle)
    .all(conn)
    .await
}

/// Adds a user and their first membership in the caller's transaction.
pub async fn insert_user(
    tx: &mut Tx,
    id: i64,
    email: &crate::email::Email,
    name: &str,
    password_hash: &str,
    now: Instant,
) -> DbResult<()> {
    sql("INSERT INTO users (id, email, email_key, name, password_hash, theme, created_at)
         VALUES ($1, $2, $3, $4, $5, 'auto', $6)")
    .bind(id)
    .bind(email.text())
    .bind(email.key())
    .bind(name)
    .bind(password_hash)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_theme(db: &Db, user_id: i64, theme: String) -> DbResult<()> {
    db.write(vec![Key::Row(user_id)], (user_id, theme), set_theme_in).await
}

async fn set_theme_in(tx: &mut Tx, &(user_id, ref theme): &(i64, String)) -> DbResult<()> {
    sql("UPDATE users
            SET theme = $2
          WHERE id = $1")
    .bind(user_id)
    .bind(theme)
    .execute(tx)
    .await?;
    Ok(())
}

/// A session about to be stored.
#[derive(Debug, Clone)]
pub struct SessionRow {
    pub id_hash: String,
    pub user_id: Option<i64>,
    pub data: String,
    pub ip: String,
    pub agent: String,
    pub now: Instant,
    pub expires_at: Instant,
}

/// Stores a session; a new one answers false when the id is taken.
pub async fn put_session(db: &Db, row: SessionRow, new: bool) -> DbResult<bool> {
    db.write(vec![], (row, new), put_session_in).await
}

async fn put_session_in(tx: &mut Tx, (row, new): &(SessionRow, bool)) -> DbResult<bool> {
    let changed = if *new {
        sql("INSERT INTO sessions (id_hash, user_id, data, ip, agent, created_at, seen_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
             ON CONFLICT (id_hash) DO NOTHING")
        .bind(&row.id_hash)
        .bind(row.user_id)
        .bind(&row.data)
        .bind(&row.ip)
        .bind(&row.agent)
        .bind(row.now)
        .bind(row.expires_at)
        .execute(tx)
        .await?
    } else {
        // A session that was ended meanwhile stays ended.
        sql("UPDATE sessions
                SET user_id = $2, data = $3, ip = $4, agent = $5, seen_at = $6
              WHERE id_hash = $1")
        .bind(&row.id_hash)
        .bind(row.user_id)
        .bind(&row.data)
        .bind(&row.ip)
        .bind(&row.agent)
        .bind(row.now)
        .execute(tx)
        .await?
    };
    Ok(changed == 1)
}

pub async fn load_session(conn: &mut Conn, id_hash: &str) -> DbResult<Option<StoredSession>> {
    let found: Option<(String, i64, i64)> = sql("SELECT data, seen_at, expires_at
           FROM sessions
          WHERE id_hash = $1")
    .bind(id_hash)
    .optional(conn)
    .await?;
    Ok(found.map(|(data, seen_at, expires_at)| StoredSession { data, seen_at, expires_at }))
}

pub async fn session_seen(db: &Db, id_hash: String, now: Instant) -> DbResult<()> {
    db.write(vec![], (id_hash, now), session_seen_in).await
}

async fn session_seen_in(tx: &mut Tx, &(ref id_hash, now): &(String, Instant)) -> DbResult<()> {
    sql("UPDATE sessions
            SET seen_at = $2
          WHERE id_hash = $1
            AND seen_at < $2")
    .bind(id_hash)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn delete_session(db: &Db, id_hash: String) -> DbResult<()> {
    db.write(vec![], id_hash, delete_session_in).await
}

async fn delete_session_in(tx: &mut Tx, id_hash: &String) -> DbResult<()> {
    sql("DELETE FROM sessions
          WHERE id_hash = $1")
    .bind(id_hash)
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes up to `most` sessions that are over and as many old counts of failures; answers the larger
/// number of the two.
pub async fn tidy(tx: &mut Tx, &most: &i64) -> DbResult<u64> {
    let now = tx.now();
    let idle = now.plus_seconds(-IDLE_SECONDS);
    let sessions = sql("DELETE FROM sessions
                         WHERE id_hash IN (SELECT id_hash
                                             FROM sessions
                                            WHERE expires_at < $1
                                               OR seen_at < $2
                                            LIMIT $3)")
    .bind(now)
    .bind(idle)
    .bind(most)
    .execute(tx)
    .await?;
    let failures = sql("DELETE FROM login_failures
                         WHERE key IN (SELECT key
                                         FROM login_failures
                                        WHERE (lasting AND updated_at < $1)
                                           OR (NOT lasting AND updated_at < $2)
                                        LIMIT $3)")
    .bind(now.plus_seconds(-FORGET_LASTING_SECONDS))
    .bind(now.plus_seconds(-FORGET_SECONDS))
    .bind(most)
    .execute(tx)
    .await?;
    Ok(sessions.max(failures))
}

row! {
    /// A session as its owner's list shows it.
    #[derive(Debug, Clone)]
    pub struct SessionLine {
        pub id_hash: String,
        pub ip: String,
        pub agent: String,
        pub created_at: i64,
        pub seen_at: i64,
        pub expires_at: i64,
    }
}

/// The sessions of a user, the one seen last first.
pub async fn sessions(conn: &mut Conn, user_id: i64) -> DbResult<Vec<SessionLine>> {
    sql("SELECT id_hash, ip, agent, created_at, seen_at, expires_at
           FROM sessions
          WHERE user_id = $1
          ORDER BY seen_at DESC, id_hash
          LIMIT 200")
    .bind(user_id)
    .all(conn)
    .await
}

/// Ends one session of a user; false when it was another user's or is over.
pub async fn end_session(db: &Db, user_id: i64, id_hash: String) -> DbResult<bool> {
    db.write(vec![], (user_id, id_hash), end_session_in).await
}

async fn end_session_in(tx: &mut Tx, &(user_id, ref id_hash): &(i64, String)) -> DbResult<bool> {
    let ended = sql("DELETE FROM sessions
                      WHERE id_hash = $1
                        AND user_id = $2")
    .bind(id_hash)
    .bind(user_id)
    .execute(tx)
    .await?;
    Ok(ended == 1)
}

/// Ends every session of a user but one; answers how many.
pub async fn end_other_sessions(tx: &mut Tx, user_id: i64, keep: &str) -> DbResult<u64> {
    sql("DELETE FROM sessions
          WHERE user_id = $1
            AND id_hash <> $2")
    .bind(user_id)
    .bind(keep)
    .execute(tx)
    .await
}

pub async fn set_password(tx: &mut Tx, user_id: i64, hash: &str) -> DbResult<()> {
    sql("UPDATE users
            SET password_hash = $2
          WHERE id = $1")
    .bind(user_id)
    .bind(hash)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_name(tx: &mut Tx, user_id: i64, name: &str) -> DbResult<()> {
    sql("UPDATE users
            SET name = $2
          WHERE id = $1")
    .bind(user_id)
    .bind(name)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    pub struct Failures {
        pub failures: i64,
        pub blocked_until: i64,
    }
}

pub async fn failures(conn: &mut Conn, key: &str) -> DbResult<Option<Failures>> {
    sql("SELECT failures, blocked_until
           FROM login_failures
          WHERE key = $1")
    .bind(key)
    .optional(conn)
    .await
}

/// Counts one failure under each key; an old count starts again.
pub async fn count_failure(tx: &mut Tx, counts: &[Count]) -> DbResult<()> {
    let now = tx.now();
    for count in counts {
        let forgotten = if count.lasting { FORGET_LASTING_SECONDS } else { FORGET_SECONDS };
        let failures: i64 = sql("INSERT INTO login_failures (key, failures, blocked_until, lasting, updated_at)
             VALUES ($1, 1, 0, $2, $3)
             ON CONFLICT (key) DO UPDATE
                SET updated_at = excluded.updated_at,
                    failures = CASE WHEN login_failures.updated_at < $4 THEN 1
                                    ELSE login_failures.failures + 1 END
             RETURNING failures")
        .bind(&count.key)
        .bind(count.lasting)
        .bind(now)
        .bind(now.plus_seconds(-forgotten))
        .scalar(tx)
        .await?;
        let Some(free) = count.free else { continue };
        sql("UPDATE login_failures
                SET blocked_until = $2
              WHERE key = $1")
        .bind(&count.key)
        .bind(now.plus_seconds(delay(failures, free)))
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// Forgets the failures of an account, wherever they came from.
pub async fn forget_failures(tx: &mut Tx, email_key: &str) -> DbResult<()> {
    sql("DELETE FROM login_failures
          WHERE key LIKE $1")
    .bind(format!("{}%", of_account(email_key)))
    .execute(tx)
    .await?;
    Ok(())
}

/// Browsers that a person is known by, at most.
const MOST_BROWSERS: i64 = 20;
/// A browser that was not used for this long is a stranger again.
const KNOWN_SECONDS: i64 = 365 * 86_400;

/// True when the person of this address signed in from the browser before.
pub async fn is_known_browser(conn: &mut Conn, email_key: &str, token_hash: &str) -> DbResult<bool> {
    let found: i64 = sql("SELECT count(*)
           FROM known_browsers b
           JOIN users u ON u.id = b.user_id
          WHERE b.token_hash = $2
            AND u.email_key = $1")
    .bind(email_key)
    .bind(token_hash)
    .scalar(conn)
    .await?;
    Ok(found > 0)
}

/// True when a person signed in from the browser before.
pub async fn knows_browser(conn: &mut Conn, user_id: i64, token_hash: &str) -> DbResult<bool> {
    let found: i64 = sql("SELECT count(*)
           FROM known_browsers
          WHERE user_id = $1
            AND token_hash = $2")
    .bind(user_id)
    .bind(token_hash)
    .scalar(conn)
    .await?;
    Ok(found > 0)
}

/// Remembers a browser of a person; the longest unused ones go.
pub async fn know_browser(tx: &mut Tx, user_id: i64, token_hash: &str) -> DbResult<()> {
    let now = tx.now();
    sql("INSERT INTO known_browsers (user_id, token_hash, seen_at)
         VALUES ($1, $2, $3)
             ON CONFLICT (user_id, token_hash) DO UPDATE
            SET seen_at = excluded.seen_at")
    .bind(user_id)
    .bind(token_hash)
    .bind(now)
    .execute(tx)
    .await?;
    sql("DELETE FROM known_browsers
          WHERE user_id = $1
            AND (seen_at < $2
                 OR token_hash NOT IN (SELECT b.token_hash
                                         FROM known_browsers b
                                        WHERE b.user_id = $1
                                        ORDER BY b.seen_at DESC, b.token_hash
                                        LIMIT $3))")
    .bind(user_id)
    .bind(now.plus_seconds(-KNOWN_SECONDS))
    .bind(MOST_BROWSERS)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn id_by_email(conn: &mut Conn, email_key: &str) -> DbResult<Option<i64>> {
    Ok(by_email(conn, email_key).await?.map(|u| u.id))
}

pub async fn insert_membership(tx: &mut Tx, business_id: i64, user_id: i64, role: Role, now: Instant) -> DbResult<()> {
    sql("INSERT INTO memberships (business_id, user_id, role, created_at)
         VALUES ($1, $2, $3, $4)")
    .bind(business_id)
    .bind(user_id)
    .bind(role.word())
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
