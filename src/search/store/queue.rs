//! The rows that are in no segment yet.

use std::collections::BTreeSet;

use crate::db::{Conn, DbResult, Table, Tx, sql};
use crate::{row, rows};

/// Queues rows that are new, or whose text has changed: (scope, id).
pub async fn enqueue(tx: &mut Tx, rows: Table) -> DbResult<()> {
    let stamp: i64 = rand::random();
    sql("INSERT INTO search_queue (scope, id, stamp)
         SELECT r.scope, r.id, $2
           FROM rows($1, scope BIGINT, id BIGINT) r
          WHERE true
         ON CONFLICT (scope, id) DO UPDATE
            SET stamp = excluded.stamp")
    .bind(rows)
    .bind(stamp)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    #[derive(Debug, Clone)]
    pub struct Waiting {
        pub id: i64,
        pub stamp: i64,
    }
}

/// Rows of a scope that are in no segment yet, lowest id first.
pub async fn waiting(conn: &mut Conn, scope: i64, most: usize) -> DbResult<Vec<Waiting>> {
    sql("SELECT id, stamp
           FROM search_queue
          WHERE scope = $1
          ORDER BY id
          LIMIT $2")
    .bind(scope)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .all(conn)
    .await
}

/// The ids of the waiting rows that came last.
pub async fn newest_waiting(conn: &mut Conn, scope: i64, most: usize) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT id
           FROM search_queue
          WHERE scope = $1
          ORDER BY id DESC
          LIMIT $2")
    .bind(scope)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// The next scope behind one that has rows waiting.
pub async fn next_waiting(conn: &mut Conn, behind: i64) -> DbResult<Option<i64>> {
    sql("SELECT min(scope)
           FROM search_queue
          WHERE scope > $1")
    .bind(behind)
    .scalar(conn)
    .await
}

pub async fn count_waiting(conn: &mut Conn, scope: i64, most: usize) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM (SELECT 1 AS one FROM search_queue WHERE scope = $1 LIMIT $2) waiting")
    .bind(scope)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .scalar(conn)
    .await
}

/// Takes rows out of the queue, unless they have changed since they were read.
pub async fn dequeue(tx: &mut Tx, &(scope, ref fed): &(i64, Vec<Waiting>)) -> DbResult<()> {
    // A stamp is drawn at random for each change, so one that was read is none of a later change.
    sql("DELETE FROM search_queue
          WHERE scope = $1
            AND id IN rows($2, id BIGINT)
            AND stamp IN rows($3, stamp BIGINT)")
    .bind(scope)
    .bind(rows!(fed, w => { id: w.id }))
    .bind(rows!(fed.iter().map(|w| w.stamp).collect::<BTreeSet<_>>(), s => { stamp: s }))
    .execute(tx)
    .await?;
    Ok(())
}

/// Queues the codes of a referrer, whose own text has changed.
pub async fn enqueue_codes(tx: &mut Tx, referrer_id: i64) -> DbResult<()> {
    let stamp: i64 = rand::random();
    sql("INSERT INTO search_queue (scope, id, stamp)
         SELECT c.campaign_id * 4 + 3, c.id, $2
           FROM codes c
          WHERE c.referrer_id = $1
         ON CONFLICT (scope, id) DO UPDATE
            SET stamp = excluded.stamp")
    .bind(referrer_id)
    .bind(stamp)
    .execute(tx)
    .await?;
    Ok(())
}
