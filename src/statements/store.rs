use crate::db::{Conn, DbResult, sql, sql_built};
use crate::engine::state::{Account, AdjustmentKind, CommissionKind, EntryKind};
use crate::money::Currency;
use crate::month::Month;
use crate::payout_details::Method;
use crate::row;

row! {
    /// An account up to a month, and within it.
    pub struct SumRow {
        pub account: Account,
        pub before: i64,
        pub within: i64,
    }
}

pub async fn sums(conn: &mut Conn, referrer_id: i64, currency: Currency, month: Month) -> DbResult<Vec<SumRow>> {
    sql("SELECT account,
                CAST(sum(CASE WHEN day < $3 THEN amount ELSE 0 END) AS BIGINT) AS before,
                CAST(sum(CASE WHEN day < $3 THEN 0 ELSE amount END) AS BIGINT) AS within
           FROM ledger_entries
          WHERE referrer_id = $1
            AND currency = $2
            AND day <= $4
          GROUP BY account")
    .bind(referrer_id)
    .bind(currency)
    .bind(month.first())
    .bind(month.last())
    .all(conn)
    .await
}

row! {
    /// A month's change of what is owed, and of what is paid.
    pub struct MonthRow {
        pub currency: Currency,
        pub month: String,
        pub owed: i64,
        pub paid: i64,
    }
}

pub async fn months(conn: &mut Conn, referrer_id: i64) -> DbResult<Vec<MonthRow>> {
    sql("SELECT currency, substr(day, 1, 7) AS month,
                CAST(sum(CASE WHEN account = 'paid' THEN 0 ELSE amount END) AS BIGINT) AS owed,
                CAST(sum(CASE WHEN account = 'paid' THEN amount ELSE 0 END) AS BIGINT) AS paid
           FROM ledger_entries
          WHERE referrer_id = $1
          GROUP BY 1, 2")
    .bind(referrer_id)
    .all(conn)
    .await
}

row! {
    /// A currency of a ledger, and the day of its first entry.
    #[derive(Debug, Clone)]
    pub struct CurrencyRow {
        pub currency: Currency,
        pub first: String,
    }
}

pub async fn currencies(conn: &mut Conn, referrer_id: i64) -> DbResult<Vec<CurrencyRow>> {
    sql("SELECT currency, min(day) AS first
           FROM ledger_entries
          WHERE referrer_id = $1
          GROUP BY currency
          ORDER BY currency")
    .bind(referrer_id)
    .all(conn)
    .await
}

row! {
    /// A line with what never changes of its subject, so that it reads the same for ever.
    #[derive(Debug, Clone)]
    pub struct LineRow {
        /// The entry, of a payout's line the first one.
        pub id: i64,
        pub day: String,
        pub kind: EntryKind,
        /// Signed; of a payout's line what it moved.
        pub amount: i64,
        pub currency: Currency,
        pub commission_id: Option<i64>,
        pub adjustment_id: Option<i64>,
        pub line_id: Option<i64>,
        pub earned_by: Option<CommissionKind>,
        pub rate: Option<i64>,
        pub flat: Option<i64>,
        pub base_amount: Option<i64>,
        pub terms_number: Option<i64>,
        pub lead_id: Option<i64>,
        pub lead: Option<String>,
        pub product: Option<String>,
        pub payment_date: Option<String>,
        pub adjusted_by: Option<AdjustmentKind>,
        pub payout_id: Option<i64>,
        pub payout_number: Option<i64>,
        pub method: Option<Method>,
        /// The words for an adjustment, or for a line that failed or came back.
        pub reason: Option<String>,
    }
}

/// The lines of a month in the order they were written, those behind an entry. Entries that leave what is owed as it
/// is are none; a payout's line is one, of whatever many items.
pub async fn lines(
    conn: &mut Conn,
    referrer_id: i64,
    currency: Currency,
    month: Month,
    after: i64,
    most: usize,
) -> DbResult<Vec<LineRow>> {
    sql_built(format!(
        "SELECT u.id, u.day, u.kind, u.amount, u.currency, u.commission_id, u.adjustment_id, u.line_id,
                k.kind AS earned_by, k.rate, k.flat, k.base_amount, k.terms_number, k.lead_id, l.name AS lead,
                d.name AS product, y.payment_date, a.kind AS adjusted_by, p.id AS payout_id,
                p.number AS payout_number, p.method,
                CASE WHEN u.kind = 'paid' THEN NULL ELSE COALESCE(x.reason, a.reason) END AS reason
           FROM (SELECT *
                   FROM (SELECT g.id, g.day, g.kind, g.amount, g.currency, g.commission_id, g.adjustment_id, g.line_id
                           FROM ledger_entries g
                          WHERE g.referrer_id = $1
                            AND g.currency = $2
                            AND g.day >= $3
                            AND g.day <= $4
                            AND (g.day, g.id) > (COALESCE((SELECT b.day
                                                             FROM ledger_entries b
                                                            WHERE b.id = $5), ''), $5)
                            AND g.kind IN ('created', 'restored', 'voided', 'refunded', 'clawed back', 'adjusted')
                          ORDER BY g.day, g.id
                          LIMIT {most}) e
                  UNION ALL
                 SELECT *
                   FROM (SELECT min(g.id) AS id, g.day, g.kind,
                                CAST(-sum(CASE WHEN g.account = CASE g.kind WHEN 'returned' THEN 'paid' ELSE 'paying' END
                                               THEN g.amount
                                               ELSE 0 END) AS BIGINT) AS amount,
                                g.currency, CAST(NULL AS BIGINT) AS commission_id, CAST(NULL AS BIGINT) AS adjustment_id,
                                g.line_id
                           FROM ledger_entries g
                          WHERE g.referrer_id = $1
                            AND g.currency = $2
                            AND g.day >= $3
                            AND g.day <= $4
                            AND g.kind IN ('paid', 'failed', 'returned')
                          GROUP BY g.day, g.kind, g.line_id, g.currency
                         HAVING (g.day, min(g.id)) > (COALESCE((SELECT b.day
                                                                  FROM ledger_entries b
                                                                 WHERE b.id = $5), ''), $5)
                          ORDER BY g.day, min(g.id)
                          LIMIT {most}) f) u
           LEFT JOIN commissions k ON k.id = u.commission_id
           LEFT JOIN leads l ON l.id = k.lead_id
           LEFT JOIN products d ON d.id = k.product_id
           LEFT JOIN payments y ON y.id = k.payment_id
           LEFT JOIN adjustments a ON a.id = u.adjustment_id
           LEFT JOIN payout_lines x ON x.id = u.line_id
           LEFT JOIN payouts p ON p.id = x.payout_id
          ORDER BY u.day, u.id
          LIMIT {most}"
    ))
    .bind(referrer_id)
    .bind(currency)
    .bind(month.first())
    .bind(month.last())
    .bind(after)
    .all(conn)
    .await
}
