use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::row;

/// The number of a business's campaigns with a referrer one of whose leads counts. The copy of the counters says so,
/// a few seconds later, by one look into an index.
pub async fn counted(conn: &mut Conn, business_id: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM campaigns g
          WHERE g.business_id = $1
            AND COALESCE((SELECT e.id
                            FROM enrollments e
                           WHERE e.campaign_id = g.id
                             AND e.archived = false
                             AND e.qualified > 0
                           ORDER BY e.qualified, e.id
                           LIMIT 1),
                         (SELECT e.id
                            FROM enrollments e
                           WHERE e.campaign_id = g.id
                             AND e.archived = true
                             AND e.qualified > 0
                           ORDER BY e.qualified, e.id
                           LIMIT 1)) IS NOT NULL")
    .bind(business_id)
    .scalar(conn)
    .await
}

row! {
    /// The number of a business's campaigns in which each step was done.
    #[derive(Debug, Clone)]
    pub struct StepsRow {
        pub referrers: i64,
        pub codes: i64,
        pub recorded: i64,
        pub live: i64,
        pub told_at: Option<i64>,
        pub hidden_at: Option<i64>,
    }
}

pub async fn steps(conn: &mut Conn, business_id: i64) -> DbResult<Option<StepsRow>> {
    sql("SELECT (SELECT count(*)
                   FROM campaigns g
                  WHERE g.business_id = b.id
                    AND (SELECT e.id
                           FROM enrollments e
                          WHERE e.campaign_id = g.id
                            AND e.archived = false
                          ORDER BY e.created_at, e.id
                          LIMIT 1) IS NOT NULL) AS referrers,
                (SELECT count(*)
                   FROM campaigns g
                  WHERE g.business_id = b.id
                    AND (SELECT c.id
                           FROM codes c
                          WHERE c.campaign_id = g.id
                            AND c.state = 'active'
                          ORDER BY c.created_at, c.id
                          LIMIT 1) IS NOT NULL) AS codes,
                (SELECT count(*)
                   FROM campaigns g
                  WHERE g.business_id = b.id
                    AND COALESCE((SELECT l.id
                                    FROM leads l
                                   WHERE l.campaign_id = g.id
                                     AND l.test = false
                                     AND l.arrival > ''
                                   ORDER BY l.arrival, l.created_at, l.id
                                   LIMIT 1),
                                 (SELECT l.id
                                    FROM leads l
                                   WHERE l.campaign_id = g.id
                                     AND l.test = true
                                     AND l.arrival > ''
                                   ORDER BY l.arrival, l.created_at, l.id
                                   LIMIT 1)) IS NOT NULL) AS recorded,
                (SELECT count(*)
                   FROM campaigns g
                  WHERE g.business_id = b.id
                    AND g.state = 'live') AS live,
                s.told_at, s.hidden_at
           FROM businesses b
           LEFT JOIN first_steps s ON s.business_id = b.id
          WHERE b.id = $1")
    .bind(business_id)
    .optional(conn)
    .await
}

/// Answers 0 when it was noted before.
pub async fn set_told(tx: &mut Tx, business_id: i64, now: Instant) -> DbResult<u64> {
    sql("INSERT INTO first_steps (business_id, told_at)
         VALUES ($1, $2)
         ON CONFLICT (business_id) DO UPDATE
            SET told_at = excluded.told_at
          WHERE first_steps.told_at IS NULL")
    .bind(business_id)
    .bind(now)
    .execute(tx)
    .await
}

pub async fn set_hidden(tx: &mut Tx, business_id: i64, at: Option<Instant>) -> DbResult<()> {
    sql("INSERT INTO first_steps (business_id, hidden_at)
         VALUES ($1, $2)
         ON CONFLICT (business_id) DO UPDATE
            SET hidden_at = excluded.hidden_at")
    .bind(business_id)
    .bind(at.map(Instant::micros))
    .execute(tx)
    .await?;
    Ok(())
}
