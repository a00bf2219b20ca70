//! Publishable keys and the origins they may be used from.

use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::{row, rows};

row! {
    /// A publishable key as its list shows it.
    #[derive(Debug, Clone)]
    pub struct PublishableLine {
        pub id: i64,
        pub business_id: i64,
        pub name: String,
        pub text: String,
        pub made_by: Option<String>,
        pub created_at: i64,
        pub revoked_at: Option<i64>,
    }
}

/// A publishable key about to be stored.
#[derive(Debug, Clone)]
pub struct NewPublishable {
    pub id: i64,
    pub business_id: i64,
    pub name: String,
    pub text: String,
    pub origins: Vec<String>,
    pub created_by: Option<i64>,
}

pub async fn insert(tx: &mut Tx, k: &NewPublishable, now: Instant) -> DbResult<()> {
    sql("INSERT INTO publishable_keys (id, business_id, name, text, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(k.id)
    .bind(k.business_id)
    .bind(&k.name)
    .bind(&k.text)
    .bind(k.created_by)
    .bind(now)
    .execute(tx)
    .await?;
    let table = rows!(&k.origins, origin => { key_id: k.id, origin: origin });
    sql("INSERT INTO publishable_origins (key_id, origin)
         SELECT r.key_id, r.origin
           FROM rows($1, key_id BIGINT, origin TEXT) r")
    .bind(table)
    .execute(tx)
    .await?;
    Ok(())
}

/// The publishable keys of a business, those in force first, the newest first.
pub async fn list(conn: &mut Conn, business_id: i64) -> DbResult<Vec<PublishableLine>> {
    sql("SELECT p.id, p.business_id, p.name, p.text, u.name AS made_by, p.created_at, p.revoked_at
           FROM publishable_keys p
           LEFT JOIN users u ON u.id = p.created_by
          WHERE p.business_id = $1
          ORDER BY CASE WHEN p.revoked_at IS NULL THEN 0 ELSE 1 END, p.created_at DESC, p.id DESC
          LIMIT 200")
    .bind(business_id)
    .all(conn)
    .await
}

pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<PublishableLine>> {
    sql("SELECT p.id, p.business_id, p.name, p.text, u.name AS made_by, p.created_at, p.revoked_at
           FROM publishable_keys p
           LEFT JOIN users u ON u.id = p.created_by
          WHERE p.id = $1
            AND p.business_id = $2")
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

pub async fn by_text(conn: &mut Conn, text: &str) -> DbResult<Option<PublishableLine>> {
    sql("SELECT p.id, p.business_id, p.name, p.text, CAST(NULL AS TEXT) AS made_by, p.created_at, p.revoked_at
           FROM publishable_keys p
          WHERE p.text = $1")
    .bind(text)
    .optional(conn)
    .await
}

/// The origins of some keys of a business, with the key of each.
pub async fn origins(conn: &mut Conn, business_id: i64) -> DbResult<Vec<(i64, String)>> {
    sql("SELECT o.key_id, o.origin
           FROM publishable_origins o
           JOIN publishable_keys p ON p.id = o.key_id
          WHERE p.business_id = $1
          ORDER BY o.key_id, o.origin")
    .bind(business_id)
    .all(conn)
    .await
}

/// True when a key may be used from an origin.
pub async fn allows(conn: &mut Conn, key_id: i64, origin: &str) -> DbResult<bool> {
    let found: i64 = sql("SELECT count(*)
                            FROM publishable_origins
                           WHERE key_id = $1
                             AND origin = $2")
    .bind(key_id)
    .bind(origin)
    .scalar(conn)
    .await?;
    Ok(found > 0)
}

/// True when any key in force may be used from an origin.
pub async fn is_known_origin(conn: &mut Conn, origin: &str) -> DbResult<bool> {
    let found: i64 = sql("SELECT count(*)
                            FROM publishable_origins o
                            JOIN publishable_keys p ON p.id = o.key_id
                           WHERE o.origin = $1
                             AND p.revoked_at IS NULL")
    .bind(origin)
    .scalar(conn)
    .await?;
    Ok(found > 0)
}

/// Ends a key; false when it was over before.
pub async fn revoke(tx: &mut Tx, id: i64, now: Instant) -> DbResult<bool> {
    let changed = sql("UPDATE publishable_keys
                          SET revoked_at = $2
                        WHERE id = $1
                          AND revoked_at IS NULL")
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}
