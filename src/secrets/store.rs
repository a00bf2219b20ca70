use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::{row, rows};

/// The id of the key that counts.
pub async fn current(conn: &mut Conn) -> DbResult<Option<String>> {
    let found: Option<(String,)> = sql("SELECT id
           FROM secret_keys
          WHERE current")
    .optional(conn)
    .await?;
    Ok(found.map(|(id,)| id))
}

/// Lets a key count instead of the one that did.
pub async fn make_current(tx: &mut Tx, id: &str, now: Instant) -> DbResult<()> {
    sql("UPDATE secret_keys
            SET current = false
          WHERE current")
    .execute(tx)
    .await?;
    sql("INSERT INTO secret_keys (id, current, created_at)
         VALUES ($1, true, $2)
         ON CONFLICT (id) DO UPDATE SET current = true")
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// The keys that rows are stored with, and the number of the rows.
pub async fn in_use(conn: &mut Conn) -> DbResult<Vec<(String, i64)>> {
    sql("SELECT u.key_id, count(*) AS rows
           FROM (SELECT key_id
                   FROM payout_details
                  UNION ALL
                 SELECT key_id
                   FROM payout_settings
                  WHERE key_id IS NOT NULL
                  UNION ALL
                 SELECT key_id
                   FROM provider_accounts) u
          GROUP BY u.key_id
          ORDER BY u.key_id")
    .all(conn)
    .await
}

/// Forgets the keys that nothing is stored with any more.
pub async fn forget_unused(tx: &mut Tx, _: &()) -> DbResult<()> {
    sql("DELETE FROM secret_keys
          WHERE NOT current
            AND NOT EXISTS (SELECT 1 FROM payout_details d WHERE d.key_id = secret_keys.id)
            AND NOT EXISTS (SELECT 1 FROM payout_settings s WHERE s.key_id = secret_keys.id)
            AND NOT EXISTS (SELECT 1 FROM provider_accounts a WHERE a.key_id = secret_keys.id)")
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    /// An encrypted text, with what it is bound to.
    pub struct SealedRow {
        pub id: i64,
        pub about: String,
        pub sealed: String,
    }
}

/// Texts that are stored with another key, by their ids.
pub async fn with_other_key(conn: &mut Conn, key_id: &str, after: i64, most: usize) -> DbResult<Vec<SealedRow>> {
    sql("SELECT d.id AS id, 'payout_details/' || CAST(d.business_id AS TEXT) || '/' || CAST(d.referrer_id AS TEXT) AS about,
                d.sealed
           FROM payout_details d
          WHERE d.id > $1
            AND d.key_id <> $2
          UNION ALL
         SELECT s.id, 'payout_settings/' || CAST(s.business_id AS TEXT) || '/' || s.format, s.sealed
           FROM payout_settings s
          WHERE s.id > $1
            AND s.key_id <> $2
          UNION ALL
         SELECT a.id, 'provider_accounts/' || CAST(a.business_id AS TEXT) || '/' || a.provider || '/' || a.account, a.sealed
           FROM provider_accounts a
          WHERE a.id > $1
            AND a.key_id <> $2
          ORDER BY id
          LIMIT $3")
    .bind(after)
    .bind(key_id)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .all(conn)
    .await
}

/// A text encrypted anew.
#[derive(Debug, Clone)]
pub struct Resealed {
    pub id: i64,
    /// The text that it takes the place of.
    pub was: String,
    pub sealed: String,
}

/// Stores texts that were encrypted anew, where nobody else has. An id is of one table alone.
pub async fn reseal(tx: &mut Tx, (key_id, rows): &(String, Vec<Resealed>)) -> DbResult<u64> {
    let details = sql("UPDATE payout_details
            SET sealed = r.sealed, key_id = $2
           FROM rows($1, id BIGINT, was TEXT, sealed TEXT) r
          WHERE payout_details.id = r.id
            AND payout_details.sealed = r.was")
    .bind(rows!(rows, r => { id: r.id, was: r.was, sealed: r.sealed }))
    .bind(key_id)
    .execute(tx)
    .await?;
    let settings = sql("UPDATE payout_settings
            SET sealed = r.sealed, key_id = $2
           FROM rows($1, id BIGINT, was TEXT, sealed TEXT) r
          WHERE payout_settings.id = r.id
            AND payout_settings.sealed = r.was")
    .bind(rows!(rows, r => { id: r.id, was: r.was, sealed: r.sealed }))
    .bind(key_id)
    .execute(tx)
    .await?;
    let accounts = sql("UPDATE provider_accounts
            SET sealed = r.sealed, key_id = $2
           FROM rows($1, id BIGINT, was TEXT, sealed TEXT) r
          WHERE provider_accounts.id = r.id
            AND provider_accounts.sealed = r.was")
    .bind(rows!(rows, r => { id: r.id, was: r.was, sealed: r.sealed }))
    .bind(key_id)
    .execute(tx)
    .await?;
    Ok(details + settings + accounts)
}
