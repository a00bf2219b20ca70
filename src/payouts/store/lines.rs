use super::PayoutRow;
use crate::clock::Day;
use crate::db::{Conn, DbError, DbResult, Tx, sql, sql_built};
use crate::engine::state::LineState;
use crate::money::Currency;
use crate::payouts::line::OutReason;
use crate::payouts::wish::Settle;
use crate::{row, rows, update_rows};

row! {
    #[derive(Debug, Clone)]
    pub struct LineRow {
        pub id: i64,
        pub payout_id: i64,
        pub referrer_id: i64,
        pub referrer: String,
        pub email: Option<String>,
        pub currency: Currency,
        /// Minor units.
        pub amount: i64,
        pub items: i64,
        pub digest: String,
        pub state: LineState,
        pub out_reason: Option<OutReason>,
        pub minimum: Option<i64>,
        pub since: Option<String>,
        pub details_id: Option<i64>,
        /// Masked.
        pub details: Option<String>,
        pub details_changed_at: Option<i64>,
        /// The end of the last payment to them, if it failed or came back: how, when and why.
        pub failed_state: Option<LineState>,
        pub failed_day: Option<String>,
        pub failed_reason: Option<String>,
        pub reason: Option<String>,
        pub reference: Option<String>,
        pub day: Option<String>,
        pub updated_at: i64,
    }
}

const LINE: &str =
    "l.id, l.payout_id, l.referrer_id, l.name AS referrer, l.email, l.currency, l.amount, l.items, l.digest,
                l.state, l.out_reason, l.minimum, l.since, l.details_id, l.details, l.details_changed_at,
                l.failed_state, l.failed_day, l.failed_reason, l.reason, l.reference, l.day, l.updated_at";

/// The lines of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFilter {
    All,
    /// All but those left out.
    In,
    Out,
    State(LineState),
}

/// A payout's lines in the order of their ids, those behind one of them, at most so many.
pub async fn lines(
    conn: &mut Conn,
    payout_id: i64,
    which: LineFilter,
    after: i64,
    most: usize,
) -> DbResult<Vec<LineRow>> {
    let condition = match which {
        LineFilter::All => "",
        LineFilter::In => "AND l.state <> 'out'",
        LineFilter::Out => "AND l.state = 'out'",
        LineFilter::State(_) => "AND l.state = $3",
    };
    let text = format!(
        "SELECT {LINE}
           FROM payout_lines l
          WHERE l.payout_id = $1
            AND l.id > $2 {condition}
          ORDER BY l.id
          LIMIT {most}"
    );
    let text = sql_built(text).bind(payout_id).bind(after);
    match which {
        LineFilter::State(state) => text.bind(state).all(conn).await,
        LineFilter::All | LineFilter::In | LineFilter::Out => text.all(conn).await,
    }
}

/// The ids and amounts of the lines that the files of a payout have, some behind one of them.
pub async fn amounts_of_files(
    conn: &mut Conn,
    payout: &PayoutRow,
    after: i64,
    most: usize,
) -> DbResult<Vec<(i64, i64)>> {
    sql_built(format!(
        "SELECT l.id, l.amount
           FROM payout_lines l
          WHERE l.payout_id = $1
            AND l.id > $2
            AND l.state <> 'out'
          ORDER BY l.id
          LIMIT {most}"
    ))
    .bind(payout.id)
    .bind(after)
    .all(conn)
    .await
}

/// The lines that the files of a payout have, some behind one and up to another: none once the payout is locked
/// otherwise than when it was read.
pub async fn lines_of_files(
    conn: &mut Conn,
    payout: &PayoutRow,
    after: i64,
    last: i64,
    most: usize,
) -> DbResult<Vec<LineRow>> {
    sql_built(format!(
        "SELECT {LINE}
           FROM payout_lines l
          WHERE l.payout_id = $1
            AND l.id > $2
            AND l.id <= $3
            AND l.state <> 'out'
            AND EXISTS (SELECT 1
                          FROM payouts p
                         WHERE p.id = $1
                           AND p.locked_at IS NOT DISTINCT FROM $4)
          ORDER BY l.id
          LIMIT {most}"
    ))
    .bind(payout.id)
    .bind(after)
    .bind(last)
    .bind(payout.locked_at)
    .all(conn)
    .await
}

/// The next lines of a state.
pub async fn next_lines(conn: &mut Conn, payout_id: i64, state: LineState, most: usize) -> DbResult<Vec<LineRow>> {
    lines(conn, payout_id, LineFilter::State(state), 0, most).await
}

pub async fn line(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<LineRow>> {
    sql_built(format!(
        "SELECT {LINE}
           FROM payout_lines l
          WHERE l.id = $1
            AND l.business_id = $2"
    ))
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

pub async fn lines_by_id(conn: &mut Conn, payout_id: i64, ids: &[i64]) -> DbResult<Vec<LineRow>> {
    sql_built(format!(
        "SELECT {LINE}
           FROM rows($1, id BIGINT) w
           CROSS JOIN payout_lines l
          WHERE l.id = w.id
            AND l.payout_id = $2"
    ))
    .bind(rows!(ids, id => { id: *id }))
    .bind(payout_id)
    .all(conn)
    .await
}

/// Puts a line out of a draft, or in again.
pub async fn choose(tx: &mut Tx, id: i64, out: bool) -> DbResult<()> {
    let now = tx.now();
    let (state, reason) = if out { (LineState::Out, Some(OutReason::ByHand)) } else { (LineState::In, None) };
    sql("UPDATE payout_lines
            SET state = $2, out_reason = $3, updated_at = $4
          WHERE id = $1")
    .bind(id)
    .bind(state)
    .bind(reason.map(OutReason::word))
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Moves lines from one state to another.
pub async fn move_lines(tx: &mut Tx, ids: &[i64], from: LineState, to: LineState) -> DbResult<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let done = sql("UPDATE payout_lines
            SET state = $3, updated_at = $4
          WHERE id IN (SELECT w.id FROM rows($1, id BIGINT) w)
            AND state = $2")
    .bind(rows!(ids, id => { id: *id }))
    .bind(from)
    .bind(to)
    .bind(now)
    .execute(tx)
    .await?;
    expect(done, ids.len())
}

/// Writes how lines ended.
pub async fn end_lines(tx: &mut Tx, lines: &[&(&Settle, LineRow)], today: Day) -> DbResult<()> {
    let now = tx.now();
    let done = update_rows!("payout_lines", lines, (settle, l) => l.id, {
        state TEXT = l.state,
        reason TEXT = settle.reason.as_deref(),
        reference TEXT = settle.reference.as_deref().or(l.reference.as_deref()),
        day TEXT = settle.day.unwrap_or(today),
        updated_at BIGINT = now,
    })
    .execute(tx)
    .await?;
    expect(done, lines.len())
}

fn expect(done: u64, wanted: usize) -> DbResult<()> {
    let same = usize::try_from(done) == Ok(wanted);
    if same { Ok(()) } else { Err(DbError::Lost(format!("payout lines: {done} rows instead of {wanted}"))) }
}
