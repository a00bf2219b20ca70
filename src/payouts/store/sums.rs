use crate::db::{Conn, DbResult, sql};
use crate::engine::state::LineState;
use crate::{row, rows};

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
    /// The lines of a payout that were not paid after all.
    #[derive(Debug, Clone)]
    pub struct Unpaid {
        pub payout_id: i64,
        pub lines: i64,
        pub amount: i64,
    }
}

/// The failed and returned lines of some payouts, of those that have any.
pub async fn unpaid(conn: &mut Conn, payouts: &[i64]) -> DbResult<Vec<Unpaid>> {
    sql("SELECT l.payout_id, count(*) AS lines, CAST(sum(l.amount) AS BIGINT) AS amount
           FROM rows($1, id BIGINT) w
           CROSS JOIN payout_lines l
          WHERE l.payout_id = w.id
            AND l.state IN ('failed', 'returned')
          GROUP BY l.payout_id")
    .bind(rows!(payouts, id => { id: *id }))
    .all(conn)
    .await
}
