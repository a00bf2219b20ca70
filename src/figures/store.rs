use std::collections::BTreeSet;

use crate::db::{Conn, DbResult, Tx, sql};
use crate::{row, rows};

/// Queues scopes whose counters this transaction changes: codes, enrollments, or a business for all of its own.
pub async fn enqueue(tx: &mut Tx, scopes: &BTreeSet<i64>) -> DbResult<()> {
    if scopes.is_empty() {
        return Ok(());
    }
    let (slot, stamp) = (tx.slot, rand::random::<i64>());
    sql("INSERT INTO figures_queue (scope_id, slot, stamp)
         SELECT r.id, $2, $3
           FROM rows($1, id BIGINT) r
          WHERE true
         ON CONFLICT (scope_id, slot) DO UPDATE
            SET stamp = excluded.stamp")
    .bind(rows!(scopes, id => { id: *id }))
    .bind(slot)
    .bind(stamp)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    #[derive(Debug, Clone, Copy)]
    pub struct Waiting {
        pub scope_id: i64,
        pub stamp: i64,
    }
}

/// Queued scopes, at most `most` rows.
pub async fn waiting(conn: &mut Conn, most: i64) -> DbResult<Vec<Waiting>> {
    sql("SELECT scope_id, stamp
           FROM figures_queue
          ORDER BY scope_id, slot
          LIMIT $1")
    .bind(most)
    .all(conn)
    .await
}

/// Takes rows out of the queue, unless they were queued again since they were read.
pub async fn dequeue(tx: &mut Tx, waiting: &[Waiting]) -> DbResult<()> {
    // A stamp is drawn at random for each change, so one that was read is none of a later change.
    sql("DELETE FROM figures_queue
          WHERE scope_id IN rows($1, id BIGINT)
            AND stamp IN rows($2, stamp BIGINT)")
    .bind(rows!(waiting.iter().map(|w| w.scope_id).collect::<BTreeSet<_>>(), id => { id: id }))
    .bind(rows!(waiting.iter().map(|w| w.stamp).collect::<BTreeSet<_>>(), stamp => { stamp: stamp }))
    .execute(tx)
    .await?;
    Ok(())
}

/// The businesses among some ids.
pub async fn businesses(conn: &mut Conn, ids: &BTreeSet<i64>) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT b.id
           FROM rows($1, id BIGINT) r
           JOIN businesses b ON b.id = r.id")
    .bind(rows!(ids, id => { id: *id }))
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

row! {
    /// An enrollment, by its place in the order of its campaign.
    #[derive(Debug, Clone, Copy)]
    pub struct Enrolled {
        pub id: i64,
        pub campaign_id: i64,
        pub referrer_id: i64,
    }
}

/// The enrollments of a business behind one, at most `most`.
pub async fn enrollments(
    conn: &mut Conn,
    business_id: i64,
    behind: Option<Enrolled>,
    most: i64,
) -> DbResult<Vec<Enrolled>> {
    let (campaign, referrer) = behind.map_or((0, 0), |e| (e.campaign_id, e.referrer_id));
    sql("SELECT e.id, e.campaign_id, e.referrer_id
           FROM campaigns c
           JOIN enrollments e ON e.campaign_id = c.id
          WHERE c.business_id = $1
            AND (e.campaign_id, e.referrer_id) > ($2, $3)
          ORDER BY e.campaign_id, e.referrer_id
          LIMIT $4")
    .bind(business_id)
    .bind(campaign)
    .bind(referrer)
    .bind(most)
    .all(conn)
    .await
}

/// Copies the sums of some scopes: to each code among them, and to each enrollment that they are or belong to.
pub async fn copy(tx: &mut Tx, scopes: &BTreeSet<i64>) -> DbResult<()> {
    let table = rows!(scopes, id => { id: *id });
    sql("UPDATE codes
            SET clicks = f.clicks,
                leads = f.leads,
                qualified = f.qualified,
                revenue = f.revenue
           FROM (SELECT c.id,
                        CAST(COALESCE(sum(CASE WHEN k.name = 'clicks' THEN k.value END), 0) AS BIGINT) AS clicks,
                        CAST(COALESCE(sum(CASE WHEN k.name = 'leads' THEN k.value END), 0) AS BIGINT) AS leads,
                        CAST(COALESCE(sum(CASE WHEN k.name = 'qualified' THEN k.value END), 0) AS BIGINT) AS qualified,
                        CAST(COALESCE(sum(CASE WHEN k.name = 'revenue.' || b.currency THEN k.value END), 0) AS BIGINT)
                          AS revenue
                   FROM rows($1, id BIGINT) r
                   JOIN codes c ON c.id = r.id
                   JOIN businesses b ON b.id = c.business_id
                   LEFT JOIN counters k ON k.scope_id = c.id
                                       AND k.day = ''
                  GROUP BY c.id) f
          WHERE codes.id = f.id
            AND (codes.clicks, codes.leads, codes.qualified, codes.revenue)
                <> (f.clicks, f.leads, f.qualified, f.revenue)")
    .bind(&table)
    .execute(tx)
    .await?;
    sql("WITH wanted AS (
           SELECT r.id
             FROM rows($1, id BIGINT) r
            UNION
           SELECT c.enrollment_id
             FROM rows($1, id BIGINT) r
             JOIN codes c ON c.id = r.id
         ), scopes AS (
           SELECT wanted.id AS enrollment_id, wanted.id AS scope_id
             FROM wanted
            UNION ALL
           SELECT c.enrollment_id, c.id
             FROM wanted
             JOIN codes c ON c.enrollment_id = wanted.id
         ), sums AS (
           SELECT e.id, e.referrer_id,
                  CAST(COALESCE(sum(CASE WHEN k.name = 'leads' THEN k.value END), 0) AS BIGINT) AS leads,
                  CAST(COALESCE(sum(CASE WHEN k.name = 'qualified' THEN k.value END), 0) AS BIGINT) AS qualified,
                  CAST(COALESCE(sum(CASE WHEN k.name = 'revenue.' || b.currency THEN k.value END), 0) AS BIGINT)
                    AS revenue,
                  CAST(COALESCE(sum(CASE WHEN k.name = 'earned.' || b.currency THEN k.value END), 0) AS BIGINT)
                    AS earned
             FROM scopes s
             JOIN enrollments e ON e.id = s.enrollment_id
             JOIN businesses b ON b.id = e.business_id
             LEFT JOIN counters k ON k.scope_id = s.scope_id
                                 AND k.day = ''
            GROUP BY e.id, e.referrer_id
         )
         UPDATE enrollments
            SET leads = f.leads,
                qualified = f.qualified,
                revenue = f.revenue,
                earned = f.earned,
                last_lead_at = f.last_lead_at
           FROM (SELECT sums.id, sums.leads, sums.qualified, sums.revenue, sums.earned,
                        COALESCE((SELECT l.created_at
                                    FROM leads l
                                   WHERE l.referrer_id = sums.referrer_id
                                     AND l.enrollment_id = sums.id
                                     AND l.test = false
                                   ORDER BY l.created_at DESC, l.id DESC
                                   LIMIT 1), 0) AS last_lead_at
                   FROM sums) f
          WHERE enrollments.id = f.id
            AND (enrollments.leads, enrollments.qualified, enrollments.revenue, enrollments.earned,
                 enrollments.last_lead_at)
                <> (f.leads, f.qualified, f.revenue, f.earned, f.last_lead_at)")
    .bind(&table)
    .execute(tx)
    .await?;
    Ok(())
}

/// The sums of the revenue of so many of a campaign's codes, those with the most leads: counter, value, and the codes
/// that were added up.
pub async fn revenue_of_codes(conn: &mut Conn, campaign_id: i64, most: i64) -> DbResult<Vec<(String, i64, i64)>> {
    sql("WITH own AS (
           SELECT c.id
             FROM codes c
            WHERE c.campaign_id = $1
              AND c.leads > 0
            ORDER BY c.leads DESC, c.id DESC
            LIMIT $2
         )
         SELECT k.name, CAST(sum(k.value) AS BIGINT) AS value, (SELECT count(*) FROM own) AS codes
           FROM own
           JOIN counters k ON k.scope_id = own.id
                          AND k.day = ''
                          AND k.name >= 'revenue.'
                          AND k.name < 'revenue/'
          GROUP BY k.name")
    .bind(campaign_id)
    .bind(most)
    .all(conn)
    .await
}

/// The codes of some enrollments: (enrollment, code).
pub async fn codes(conn: &mut Conn, enrollments: &[i64]) -> DbResult<Vec<(i64, i64)>> {
    sql("SELECT c.enrollment_id, c.id
           FROM rows($1, id BIGINT) r
           JOIN codes c ON c.enrollment_id = r.id")
    .bind(rows!(enrollments, id => { id: *id }))
    .all(conn)
    .await
}
