use crate::amounts::Amounts;
use crate::db::{Conn, DbResult, sql};
use crate::money::Currency;
use crate::payout_details::Method;
use crate::payouts::line::OutReason;
use crate::{row, rows};

row! {
    /// The referrers of one currency and way of being paid who would be in a payout now, or out of it for one reason.
    #[derive(Debug, Clone)]
    pub struct OwedRow {
        pub currency: Currency,
        /// None where no details say how they are paid.
        pub method: Option<Method>,
        pub out_reason: Option<OutReason>,
        pub referrers: i64,
        /// Minor units.
        pub amount: i64,
        /// The last day of the first hold.
        pub held_until: Option<String>,
    }
}

/// The referrers of a business with anything approved, by what a payout of all campaigns would do with each: the same
/// decisions as those of [`build`](crate::payouts::line::build), for all of them at once.
pub async fn owed(conn: &mut Conn, business_id: i64) -> DbResult<Vec<OwedRow>> {
    let least = super::paying(conn, business_id).await?;
    let least = least.iter().flat_map(|campaign| {
        let amounts: Vec<_> = Amounts::from_json(&campaign.payout_minimum).iter().collect();
        amounts.into_iter().map(|money| (campaign.id, money))
    });
    let least = rows!(least, (campaign_id, money) => {
        campaign_id: campaign_id,
        currency: money.currency,
        least: money.minor,
    });
    sql("WITH u AS (SELECT k.currency, k.referrer_id, k.campaign_id, k.amount, k.hold_until AS held_until,
                          k.payment_id IS NOT NULL AND k.payment_id IN (SELECT y.id
                                                                          FROM payments y
                                                                         WHERE y.business_id = $1
                                                                           AND y.disputed_at IS NOT NULL) AS is_disputed,
                          NOT k.released AND k.enrollment_id IN (SELECT e.id
                                                                   FROM campaigns o
                                                                   CROSS JOIN enrollments e
                                                                  WHERE o.business_id = $1
                                                                    AND e.campaign_id = o.id
                                                                    AND e.archived IN (false, true)
                                                                    AND e.state = 'banned') AS is_banned
                     FROM commissions k
                    WHERE k.business_id = $1
                      AND k.state = 'approved'
                      AND k.line_id IS NULL
                      AND k.test = false
                      AND k.amount > 0
                    UNION ALL
                   SELECT a.currency, a.referrer_id, a.campaign_id, a.amount, CAST(NULL AS TEXT), false,
                          a.amount > 0 AND e.state = 'banned'
                     FROM adjustments a
                     LEFT JOIN enrollments e ON e.id = a.enrollment_id
                    WHERE a.business_id = $1
                      AND a.state = 'posted'
                      AND a.line_id IS NULL),
              w AS (SELECT u.*, d.method, COALESCE(m.least, 0) AS least,
                           u.amount < 0 OR c.payout_methods = ''
                               OR ' ' || c.payout_methods || ' ' LIKE '% ' || COALESCE(d.method, 'hand') || ' %' AS is_offered
                      FROM u
                      LEFT JOIN campaigns c ON c.id = u.campaign_id
                      LEFT JOIN payout_details d ON d.referrer_id = u.referrer_id
                                                AND d.replaced_at IS NULL
                      LEFT JOIN rows($2, campaign_id BIGINT, currency TEXT, least BIGINT) m ON m.campaign_id = u.campaign_id
                                                                                           AND m.currency = u.currency),
              v AS (SELECT w.*, w.is_offered AND NOT w.is_disputed AND NOT w.is_banned AS is_payable
                      FROM w),
              t AS (SELECT v.currency, v.method,
                           sum(CASE WHEN v.is_payable AND v.amount > 0 THEN 1 ELSE 0 END) AS earning,
                           sum(CASE WHEN v.is_payable AND v.amount < 0 THEN 1 ELSE 0 END) AS taken_back,
                           sum(CASE WHEN v.is_offered THEN 0 ELSE 1 END) AS waits,
                           sum(CASE WHEN v.is_banned THEN 1 ELSE 0 END) AS banned,
                           sum(CASE WHEN v.is_payable THEN v.amount ELSE 0 END) AS payable,
                           sum(v.amount) AS whole,
                           min(CASE WHEN v.is_payable AND v.amount > 0 THEN v.least END) AS least,
                           min(CASE WHEN v.is_payable THEN v.held_until END) AS first_payable,
                           min(v.held_until) AS first
                      FROM v
                     GROUP BY v.currency, v.referrer_id, v.method),
              g AS (SELECT t.*, t.earning = 0 AND (t.waits > 0 OR t.taken_back = 0) AS is_kept
                      FROM t),
              s AS (SELECT g.currency, g.method,
                           CASE WHEN g.is_kept AND g.banned > 0 THEN 'banned'
                                WHEN g.is_kept AND g.waits > 0 THEN 'not offered by the campaign'
                                WHEN g.is_kept THEN 'disputed'
                                WHEN g.payable < 0 THEN 'negative balance'
                                WHEN g.payable = 0 THEN 'nothing is left'
                                WHEN g.payable < g.least THEN 'below the minimum'
                           END AS out_reason,
                           CASE WHEN g.is_kept THEN g.whole ELSE g.payable END AS amount,
                           CASE WHEN g.is_kept THEN g.first ELSE g.first_payable END AS held_until
                      FROM g)
         SELECT s.currency, s.method, s.out_reason, count(*) AS referrers, CAST(sum(s.amount) AS BIGINT) AS amount,
                min(s.held_until) AS held_until
           FROM s
          GROUP BY s.currency, s.method, s.out_reason
          ORDER BY s.currency, s.method, s.out_reason")
    .bind(business_id)
    .bind(least)
    .all(conn)
    .await
}
