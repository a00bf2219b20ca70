use crate::db::{Conn, DbResult, sql, sql_built};
use crate::engine::state::{Account, AdjustmentKind, EntryKind};
use crate::money::Currency;
use crate::row;

row! {
    /// The entries of one kind on one account.
    #[derive(Debug, Clone, Copy)]
    pub struct SumRow {
        pub account: Account,
        pub kind: EntryKind,
        pub entries: i64,
        pub amount: i64,
    }
}

/// All entries of a balance, by account and kind.
pub async fn sums(conn: &mut Conn, referrer_id: i64, currency: Currency) -> DbResult<Vec<SumRow>> {
    sql("SELECT account, kind, count(*) AS entries, CAST(sum(amount) AS BIGINT) AS amount
           FROM ledger_entries
          WHERE referrer_id = $1
            AND currency = $2
          GROUP BY account, kind")
    .bind(referrer_id)
    .bind(currency)
    .all(conn)
    .await
}

row! {
    /// An entry with what it is about.
    #[derive(Debug, Clone)]
    pub struct NewestRow {
        pub id: i64,
        pub account: Account,
        pub kind: EntryKind,
        pub amount: i64,
        pub day: String,
        pub at: i64,
        /// The commission that an amount was taken off, where it was taken back.
        pub commission_id: Option<i64>,
        pub adjustment_id: Option<i64>,
        pub line_id: Option<i64>,
        pub lead: Option<String>,
        pub adjusted_by: Option<AdjustmentKind>,
        /// The words for an adjustment.
        pub reason: Option<String>,
        pub payout_number: Option<i64>,
    }
}

/// The newest entries of a balance.
pub async fn newest(conn: &mut Conn, referrer_id: i64, currency: Currency, most: usize) -> DbResult<Vec<NewestRow>> {
    sql_built(format!(
        "SELECT g.id, g.account, g.kind, g.amount, g.day, g.at,
                COALESCE(g.commission_id, a.commission_id) AS commission_id, g.adjustment_id, g.line_id,
                l.name AS lead, a.kind AS adjusted_by, a.reason, p.number AS payout_number
           FROM (SELECT id, account, kind, amount, day, at, commission_id, adjustment_id, line_id
                   FROM ledger_entries
                  WHERE referrer_id = $1
                    AND currency = $2
                  ORDER BY day DESC, id DESC
                  LIMIT {most}) g
           LEFT JOIN adjustments a ON a.id = g.adjustment_id
           LEFT JOIN commissions k ON k.id = COALESCE(g.commission_id, a.commission_id)
           LEFT JOIN leads l ON l.id = k.lead_id
           LEFT JOIN payout_lines x ON x.id = g.line_id
           LEFT JOIN payouts p ON p.id = x.payout_id
          ORDER BY g.day DESC, g.id DESC"
    ))
    .bind(referrer_id)
    .bind(currency)
    .all(conn)
    .await
}

row! {
    /// Commissions that wait for the end of their hold.
    #[derive(Debug, Clone)]
    pub struct HeldRow {
        pub commissions: i64,
        pub amount: i64,
        /// The last days of the first hold and of the last one.
        pub first: Option<String>,
        pub last: Option<String>,
    }
}

pub async fn held(conn: &mut Conn, referrer_id: i64, currency: Currency) -> DbResult<Option<HeldRow>> {
    sql("SELECT count(*) AS commissions, CAST(COALESCE(sum(amount), 0) AS BIGINT) AS amount, min(hold_until) AS first,
                max(hold_until) AS last
           FROM commissions
          WHERE referrer_id = $1
            AND currency = $2
            AND state = 'pending'
            AND test = false")
    .bind(referrer_id)
    .bind(currency)
    .optional(conn)
    .await
}

row! {
    /// A line of a payout that is on its way.
    #[derive(Debug, Clone)]
    pub struct OnItsWayRow {
        pub amount: i64,
        pub number: i64,
    }
}

/// The lines that hold what is being paid, the oldest first.
pub async fn on_their_way(conn: &mut Conn, referrer_id: i64, currency: Currency) -> DbResult<Vec<OnItsWayRow>> {
    sql("SELECT x.amount, p.number
           FROM payout_lines x
           JOIN payouts p ON p.id = x.payout_id
          WHERE x.referrer_id = $1
            AND x.currency = $2
            AND x.state = 'locked'
          ORDER BY x.id
          LIMIT 50")
    .bind(referrer_id)
    .bind(currency)
    .all(conn)
    .await
}
