use crate::db::{Conn, DbResult, sql};
use crate::engine::state::LineState;
use crate::payout_details::Method;
use crate::row;

row! {
    /// The lines of one state.
    #[derive(Debug, Clone)]
    pub struct Sum {
        pub state: LineState,
        pub lines: i64,
        pub amount: i64,
    }
}

/// A payout's lines by state.
pub async fn sums(conn: &mut Conn, id: i64) -> DbResult<Vec<Sum>> {
    sql("SELECT state, count(*) AS lines, CAST(sum(amount) AS BIGINT) AS amount
           FROM payout_lines
          WHERE payout_id = $1
          GROUP BY state")
    .bind(id)
    .all(conn)
    .await
}

pub async fn count(conn: &mut Conn, id: i64, state: LineState) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM payout_lines
          WHERE payout_id = $1
            AND state = $2")
    .bind(id)
    .bind(state)
    .scalar(conn)
    .await
}

/// True when a line was paid, failed or returned.
pub async fn is_settled(conn: &mut Conn, id: i64) -> DbResult<bool> {
    let found: Option<(i64,)> = sql("SELECT id
           FROM payout_lines
          WHERE payout_id = $1
            AND state IN ('paid', 'failed', 'returned')
          LIMIT 1")
    .bind(id)
    .optional(conn)
    .await?;
    Ok(found.is_some())
}

row! {
    /// The sum due in one currency to the referrers who are paid in one way, of campaigns that offer the way or of
    /// those that do not.
    #[derive(Debug, Clone)]
    pub struct Owed {
        pub currency: String,
        pub method: Option<Method>,
        pub is_offered: bool,
        pub referrers: i64,
        pub amount: i64,
        /// The day since which the oldest part is due.
        pub since: Option<String>,
    }
}

/// The sums owed to the referrers of a business that could be in a payout now.
pub async fn owed(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Owed>> {
    sql("SELECT s.currency, s.method, s.is_offered, count(*) AS referrers, CAST(sum(s.amount) AS BIGINT) AS amount,
                min(s.since) AS since
           FROM (SELECT u.currency, u.referrer_id, d.method,
                        u.amount < 0 OR c.payout_methods = ''
                            OR ' ' || c.payout_methods || ' ' LIKE '% ' || COALESCE(d.method, 'hand') || ' %' AS is_offered,
                        CAST(sum(u.amount) AS BIGINT) AS amount, min(u.since) AS since
                   FROM (SELECT k.currency, k.referrer_id, k.campaign_id, k.amount, k.hold_until AS since
                           FROM commissions k
                          WHERE k.business_id = $1
                            AND k.state = 'approved'
                            AND k.line_id IS NULL
                            AND k.test = false
                          UNION ALL
                         SELECT a.currency, a.referrer_id, a.campaign_id, a.amount, CAST(NULL AS TEXT)
                           FROM adjustments a
                          WHERE a.business_id = $1
                            AND a.state = 'posted'
                            AND a.line_id IS NULL) u
                   JOIN campaigns c ON c.id = u.campaign_id
                   LEFT JOIN payout_details d ON d.referrer_id = u.referrer_id
                                             AND d.replaced_at IS NULL
                  GROUP BY u.currency, u.referrer_id, d.method, 4) s
          WHERE s.amount > 0
          GROUP BY s.currency, s.method, s.is_offered
          ORDER BY s.currency, s.method, s.is_offered DESC")
    .bind(business_id)
    .all(conn)
    .await
}
