use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};

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
    sql("SELECT key_id, count(*) AS rows
           FROM payout_details
          GROUP BY key_id
          ORDER BY key_id")
    .all(conn)
    .await
}

/// Forgets the keys that nothing is stored with any more.
pub async fn forget_unused(tx: &mut Tx, _: &()) -> DbResult<()> {
    sql("DELETE FROM secret_keys
          WHERE NOT current
            AND NOT EXISTS (SELECT 1 FROM payout_details d WHERE d.key_id = secret_keys.id)")
    .execute(tx)
    .await?;
    Ok(())
}
