use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};

pub async fn is_any(conn: &mut Conn, before: Instant) -> DbResult<bool> {
    let found: Option<(i64,)> = sql("SELECT id FROM outbox WHERE at < $1 LIMIT 1").bind(before).optional(conn).await?;
    Ok(found.is_some())
}

pub async fn remove(tx: &mut Tx, before: Instant, most: i64) -> DbResult<u64> {
    sql("DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE at < $1 ORDER BY at, id LIMIT $2)")
        .bind(before)
        .bind(most)
        .execute(tx)
        .await
}
