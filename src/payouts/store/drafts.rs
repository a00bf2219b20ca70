//! The lines of drafts: what is known of the referrers, and what is written.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::PayoutRow;
use crate::clock::Day;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::engine::state::LineState;
use crate::payouts::line::{Built, OutReason};
use crate::{row, rows};

/// The referrers of a list whom staff left out of a payout.
pub async fn left_out(conn: &mut Conn, payout_id: i64, referrers: &[i64]) -> DbResult<HashSet<i64>> {
    let found: Vec<(i64,)> = sql("SELECT l.referrer_id
           FROM rows($1, id BIGINT) w
           CROSS JOIN payout_lines l
          WHERE l.payout_id = $2
            AND l.referrer_id = w.id
            AND l.out_reason = 'by hand'")
    .bind(rows!(referrers, id => { id: *id }))
    .bind(payout_id)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

row! {
    /// A line that ended.
    #[derive(Debug, Clone)]
    pub struct Ended {
        pub referrer_id: i64,
        pub state: LineState,
        pub day: Option<String>,
        pub reason: Option<String>,
    }
}

/// The referrers of a list whose last payment in other payouts failed or came back. The bounds repeat the list, as for the
/// candidates of a payout: whatever a planner believes, it reads the lines of a lot and no others.
pub async fn last_failed(conn: &mut Conn, payout_id: i64, referrers: &[i64]) -> DbResult<HashMap<i64, Ended>> {
    let found: Vec<Ended> = sql("SELECT l.referrer_id, l.state, l.day, l.reason
           FROM rows($1, id BIGINT) w
           CROSS JOIN payout_lines l
          WHERE l.referrer_id = w.id
            AND l.referrer_id BETWEEN $3 AND $4
            AND l.payout_id <> $2
            AND l.state IN ('paid', 'failed', 'returned')
          ORDER BY l.updated_at, l.id")
    .bind(rows!(referrers, id => { id: *id }))
    .bind(payout_id)
    .bind(referrers.iter().min().copied())
    .bind(referrers.iter().max().copied())
    .all(conn)
    .await?;
    let mut last: HashMap<i64, Ended> = found.into_iter().map(|ended| (ended.referrer_id, ended)).collect();
    last.retain(|_, ended| ended.state != LineState::Paid);
    Ok(last)
}

/// Empties a draft; whom staff left out is remembered. No line is deleted: one that was locked before is named in
/// the ledger.
pub async fn clear(tx: &mut Tx, payout_id: i64) -> DbResult<()> {
    sql("UPDATE payout_lines
            SET state = $2, out_reason = $3, amount = 0, items = 0, digest = '', minimum = NULL, since = NULL
          WHERE payout_id = $1
            AND (out_reason IS NULL OR out_reason <> $4)")
    .bind(payout_id)
    .bind(LineState::Out)
    .bind(OutReason::Nothing)
    .bind(OutReason::ByHand)
    .patient()
    .execute(tx)
    .await?;
    sql("UPDATE payouts
            SET lines = 0, amount = 0, fingerprint = '', note = NULL
          WHERE id = $1")
    .bind(payout_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// The times that the marks of lines depend on.
#[derive(Debug, Clone, Copy)]
pub struct Marks {
    /// Details that changed after this instant are marked.
    pub recent: i64,
    /// Nothing is due since a later day.
    pub today: Day,
}

/// Writes the lines of some referrers, each over the one it had.
pub async fn put_lines(
    tx: &mut Tx,
    payout: &PayoutRow,
    lines: &[Built],
    ids: Range<i64>,
    marks: Marks,
) -> DbResult<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let table = rows!(ids.zip(lines), (id, l) => {
        id: id,
        referrer_id: l.referrer_id,
        amount: l.amount,
        items: l.items,
        digest: &l.digest,
        state: if l.out.is_some() { LineState::Out } else { LineState::In },
        out_reason: l.out,
        reason: &l.reason,
        minimum: l.minimum,
        since: l.since.map(|day| day.min(marks.today)),
        details_id: l.details.as_ref().map(|d| d.id),
        details: l.details.as_ref().map(|d| d.masked.as_str()),
        failed_state: l.failed.as_ref().map(|f| f.state),
        failed_day: l.failed.as_ref().and_then(|f| f.day.as_deref()),
        failed_reason: l.failed.as_ref().and_then(|f| f.reason.as_deref()),
        changed_at: l.details.as_ref().filter(|d| d.is_change).map(|d| d.created_at).filter(|at| *at > marks.recent),
    });
    sql("INSERT INTO payout_lines (id, business_id, payout_id, referrer_id, name, email, currency, amount, items, digest,
                state, out_reason, reason, minimum, since, details_id, details, details_changed_at, failed_state,
                failed_day, failed_reason, updated_at)
         SELECT r.id, $2, $3, r.referrer_id, p.name, p.email, $4, r.amount, r.items, r.digest, r.state, r.out_reason,
                r.reason, r.minimum, r.since, r.details_id, r.details, r.changed_at, r.failed_state, r.failed_day,
                r.failed_reason, $5
           FROM rows($1, id BIGINT, referrer_id BIGINT, amount BIGINT, items BIGINT, digest TEXT, state TEXT,
                out_reason TEXT, reason TEXT, minimum BIGINT, since TEXT, details_id BIGINT, details TEXT,
                failed_state TEXT, failed_day TEXT, failed_reason TEXT, changed_at BIGINT) r
           JOIN referrers p ON p.id = r.referrer_id
          WHERE true
         ON CONFLICT (payout_id, referrer_id) DO UPDATE
            SET name = excluded.name,
                email = excluded.email,
                amount = excluded.amount,
                items = excluded.items,
                digest = excluded.digest,
                state = excluded.state,
                out_reason = excluded.out_reason,
                reason = excluded.reason,
                minimum = excluded.minimum,
                since = excluded.since,
                details_id = excluded.details_id,
                details = excluded.details,
                details_changed_at = excluded.details_changed_at,
                failed_state = excluded.failed_state,
                failed_day = excluded.failed_day,
                failed_reason = excluded.failed_reason,
                updated_at = excluded.updated_at")
    .bind(table)
    .bind(payout.business_id)
    .bind(payout.id)
    .bind(payout.currency)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    /// A referrer by name.
    pub struct Named {
        pub id: i64,
        pub name: String,
        pub email: Option<String>,
    }
}

/// The names of some referrers.
pub async fn names(conn: &mut Conn, referrers: &[i64]) -> DbResult<Vec<Named>> {
    sql("SELECT p.id, p.name, p.email
           FROM rows($1, id BIGINT) w
           CROSS JOIN referrers p
          WHERE p.id = w.id")
    .bind(rows!(referrers, id => { id: *id }))
    .all(conn)
    .await
}
