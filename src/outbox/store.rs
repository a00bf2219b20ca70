use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};

/// Ids are drawn in blocks by each node, so that the oldest are among the lowest, and near enough in order.
pub async fn is_any(conn: &mut Conn, before: Instant, most: i64) -> DbResult<bool> {
    let old: i64 = sql("SELECT count(*)
                          FROM (SELECT at FROM outbox ORDER BY id LIMIT $2) o
                         WHERE o.at < $1")
    .bind(before)
    .bind(most)
    .scalar(conn)
    .await?;
    Ok(old > 0)
}

pub async fn remove(tx: &mut Tx, &(before, most): &(Instant, i64)) -> DbResult<u64> {
    sql("DELETE FROM outbox
          WHERE id IN (SELECT o.id
                         FROM (SELECT id, at FROM outbox ORDER BY id LIMIT $2) o
                        WHERE o.at < $1)")
    .bind(before)
    .bind(most)
    .execute(tx)
    .await
}
