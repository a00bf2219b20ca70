use crate::clock::Day;
use crate::db::{Conn, DbResult, sql};
use crate::money::Currency;
use crate::row;

pub async fn campaigns(conn: &mut Conn, business_id: i64) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT id
           FROM campaigns
          WHERE business_id = $1
          ORDER BY id")
    .bind(business_id)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

row! {
    /// Pending money by the last day of its hold.
    pub struct KeptRow {
        pub currency: Currency,
        pub day: String,
        pub amount: i64,
    }
}

/// The pending commissions that no hold lets go: of disputed payments, and of banned referrers. Both are few.
pub async fn kept_back(conn: &mut Conn, business_id: i64, from: Day) -> DbResult<Vec<KeptRow>> {
    sql("SELECT k.currency, k.hold_until AS day, CAST(sum(k.amount) AS BIGINT) AS amount
           FROM (SELECT k.id
                   FROM payments y
                   CROSS JOIN commissions k
                  WHERE y.business_id = $1
                    AND y.disputed_at IS NOT NULL
                    AND k.payment_id = y.id
                  UNION
                 SELECT k.id
                   FROM campaigns c
                   CROSS JOIN enrollments e
                   CROSS JOIN commissions k
                  WHERE c.business_id = $1
                    AND e.campaign_id = c.id
                    AND e.archived IN (false, true)
                    AND e.state = 'banned'
                    AND k.referrer_id = e.referrer_id
                    AND k.enrollment_id = e.id) h
           JOIN commissions k ON k.id = h.id
          WHERE k.state = 'pending'
            AND k.test = false
            AND k.hold_until >= $2
          GROUP BY k.currency, k.hold_until")
    .bind(business_id)
    .bind(from)
    .all(conn)
    .await
}
