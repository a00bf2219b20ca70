use crate::db::{Conn, DbResult, sql};
use crate::row;

/// Rows examined for a figure without a counter; beyond that the page says "over".
pub const MOST: i64 = 10_000;

/// Active enrollments without a code.
pub async fn without_code(conn: &mut Conn, campaign_id: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM (SELECT 1 AS one
                   FROM enrollments
                  WHERE campaign_id = $1
                    AND NOT archived
                    AND NOT has_code
                    AND state = 'active'
                  LIMIT 10000) e")
    .bind(campaign_id)
    .scalar(conn)
    .await
}

/// Active codes of a campaign.
pub async fn with_code(conn: &mut Conn, campaign_id: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM (SELECT 1 AS one
                   FROM codes
                  WHERE campaign_id = $1
                    AND state = 'active'
                  LIMIT 10000) c")
    .bind(campaign_id)
    .scalar(conn)
    .await
}

/// Codes made since an instant.
pub async fn codes_since(conn: &mut Conn, campaign_id: i64, since: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM (SELECT 1 AS one
                   FROM codes
                  WHERE campaign_id = $1
                    AND state = 'active'
                    AND created_at >= $2
                  LIMIT 10000) c")
    .bind(campaign_id)
    .bind(since)
    .scalar(conn)
    .await
}

/// Approved commissions of a business that no payout has taken.
pub async fn payable(conn: &mut Conn, business_id: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM (SELECT 1 AS one
                   FROM commissions
                  WHERE business_id = $1
                    AND state = 'approved'
                    AND line_id IS NULL
                  LIMIT 10000) k")
    .bind(business_id)
    .scalar(conn)
    .await
}

row! {
    /// Money of one currency whose hold ends within a span of days.
    #[derive(Debug, Clone)]
    pub struct Due {
        pub currency: String,
        pub count: i64,
        pub amount: i64,
    }
}

/// Pending commission whose hold ends in a span, per currency. Disputed commissions stay held.
pub async fn holds(conn: &mut Conn, business_id: i64, campaign_id: i64, from: &str, to: &str) -> DbResult<Vec<Due>> {
    sql("SELECT c.currency, count(*) AS count, CAST(sum(c.amount) AS BIGINT) AS amount
           FROM (SELECT currency, amount
                   FROM commissions
                  WHERE campaign_id = $1
                    AND test = false
                    AND state = 'pending'
                    AND hold_until >= $2
                    AND hold_until <= $3
                    AND (payment_id IS NULL
                         OR payment_id NOT IN (SELECT y.id
                                                 FROM payments y
                                                WHERE y.business_id = $4
                                                  AND y.disputed_at IS NOT NULL))
                  LIMIT 10000) c
          GROUP BY c.currency")
    .bind(campaign_id)
    .bind(from)
    .bind(to)
    .bind(business_id)
    .all(conn)
    .await
}

/// Leads a person recorded, counted to a thousand.
pub async fn recorded_by(conn: &mut Conn, user_id: i64, since: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM (SELECT 1 AS one
                   FROM leads
                  WHERE recorded_by = $1
                    AND created_at >= $2
                  LIMIT 1000) l")
    .bind(user_id)
    .bind(since)
    .scalar(conn)
    .await
}

/// When the oldest open item of the inbox came.
pub async fn oldest_item(conn: &mut Conn, business_id: i64) -> DbResult<Option<i64>> {
    let found: Option<(i64,)> = sql("SELECT created_at
           FROM inbox_items
          WHERE business_id = $1
            AND state = 'open'
          ORDER BY created_at, id
          LIMIT 1")
    .bind(business_id)
    .optional(conn)
    .await?;
    Ok(found.map(|(at,)| at))
}
