//! The rows of payouts and their lines.

mod formats;
mod lines;
mod reports;
mod rhythm;

use std::collections::HashMap;

use super::files::Format;
use super::wish::NewPayout;
use crate::business::BusinessRow;
use crate::db::{Conn, DbResult, Listing, Order, Tx, sql, sql_built};
use crate::engine::state::{LineState, PayoutState};
use crate::money::Currency;
use crate::payout_details::Method;
use crate::{row, rows, words};

pub use formats::{
    Sealed, SettingsRow, add_settings, choose_settings, current, drop_unused, freeze, frozen, reading, set_reading,
    thaw,
};
pub use lines::{
    LineFilter, LineRow, amounts_of_files, choose, clear, end_lines, left_out, line, lines, lines_by_id,
    lines_of_files, move_lines, next_lines, put_lines,
};
pub use reports::{drop_old_reports, drop_report, insert_report, report, set_report_reading};
pub use rhythm::{due_campaigns, due_kinds, mark_month, set_day};

words! {
    /// The people who have to agree to a locked payout before it is paid.
    pub enum Approval {
        None = "none",
        /// An owner who did not lock it.
        Owner = "owner",
        /// Anybody else who may pay.
        Anyone = "anyone",
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct PayoutRow {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: Option<i64>,
        pub campaign: Option<String>,
        pub number: i64,
        pub currency: Currency,
        pub method: Method,
        /// The kind of file it is made for.
        pub format: Format,
        pub state: PayoutState,
        /// Why it was given back.
        pub note: Option<String>,
        /// Those that are in.
        pub lines: i64,
        /// Minor units.
        pub amount: i64,
        pub fingerprint: String,
        pub made_by: String,
        pub locked_by: Option<String>,
        pub locked_by_id: Option<i64>,
        /// The name of the business at the lock; none of a draft.
        pub payer: Option<String>,
        /// Its time zone at the lock.
        pub timezone: Option<String>,
        pub approved_by: Option<String>,
        pub created_at: i64,
        pub updated_at: i64,
        pub locked_at: Option<i64>,
        pub approved_at: Option<i64>,
        pub file_at: Option<i64>,
        pub closed_at: Option<i64>,
    }
}

const PAYOUT: &str = "p.id, p.business_id, p.campaign_id, c.name AS campaign, p.number, p.currency, p.method, p.format,
                p.state, p.note, p.lines, p.amount, p.fingerprint, p.made_by, p.locked_by, p.locked_by_id, p.payer,
                p.timezone, p.approved_by, p.created_at, p.updated_at, p.locked_at, p.approved_at, p.file_at, p.closed_at";

pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<PayoutRow>> {
    sql_built(format!(
        "SELECT {PAYOUT}
           FROM payouts p
           LEFT JOIN campaigns c ON c.id = p.campaign_id
          WHERE p.id = $1
            AND p.business_id = $2"
    ))
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

pub async fn by_number(conn: &mut Conn, business_id: i64, number: i64) -> DbResult<Option<PayoutRow>> {
    sql_built(format!(
        "SELECT {PAYOUT}
           FROM payouts p
           LEFT JOIN campaigns c ON c.id = p.campaign_id
          WHERE p.business_id = $1
            AND p.number = $2"
    ))
    .bind(business_id)
    .bind(number)
    .optional(conn)
    .await
}

/// The payouts of a business, the newest first.
pub fn listing(business_id: i64) -> Listing {
    let joins = "LEFT JOIN campaigns c ON c.id = p.campaign_id";
    Listing::new(PAYOUT, "payouts", "p", joins, Order::number("created_at", true)).and("p.business_id = ?", business_id)
}

pub async fn approval(conn: &mut Conn, business_id: i64) -> DbResult<Approval> {
    let found: Option<Asked> = sql("SELECT payout_approval AS asked
           FROM businesses
          WHERE id = $1")
    .bind(business_id)
    .optional(conn)
    .await?;
    Ok(found.map_or(Approval::None, |found| found.asked))
}

row! {
    struct Asked {
        asked: Approval,
    }
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

pub async fn next_number(conn: &mut Conn, business_id: i64) -> DbResult<i64> {
    sql("SELECT COALESCE(max(number), 0) + 1
           FROM payouts
          WHERE business_id = $1")
    .bind(business_id)
    .scalar(conn)
    .await
}

pub async fn insert(tx: &mut Tx, id: i64, number: i64, new: &NewPayout, format: Format) -> DbResult<()> {
    let (actor, now) = (tx.actor()?.clone(), tx.now());
    sql("INSERT INTO payouts (id, business_id, campaign_id, number, currency, method, format, state, made_by,
                made_by_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)")
    .bind(id)
    .bind(new.business_id)
    .bind(new.campaign_id)
    .bind(number)
    .bind(new.currency)
    .bind(new.method)
    .bind(format)
    .bind(PayoutState::Building)
    .bind(&actor.name)
    .bind(actor.id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_state(tx: &mut Tx, id: i64, state: PayoutState) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE payouts
            SET state = $2, updated_at = $3
          WHERE id = $1")
    .bind(id)
    .bind(state)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Its lines are no longer what they were.
pub async fn touch(tx: &mut Tx, id: i64) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE payouts
            SET updated_at = $2
          WHERE id = $1")
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Lines that are in, or in no longer.
pub async fn grow(tx: &mut Tx, id: i64, lines: i64, amount: i64, fingerprint: &str) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE payouts
            SET lines = lines + $2, amount = amount + $3, fingerprint = $4, updated_at = $5
          WHERE id = $1")
    .bind(id)
    .bind(lines)
    .bind(amount)
    .bind(fingerprint)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_locking(
    tx: &mut Tx,
    id: i64,
    state: PayoutState,
    person: Option<i64>,
    business: &BusinessRow,
) -> DbResult<()> {
    let (actor, now) = (tx.actor()?.clone(), tx.now());
    sql("UPDATE payouts
            SET state = $2, note = NULL, locked_by = $3, locked_by_id = $4, payer = $5, timezone = $6, updated_at = $7
          WHERE id = $1")
    .bind(id)
    .bind(state)
    .bind(&actor.name)
    .bind(person)
    .bind(&business.name)
    .bind(&business.timezone)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_locked(tx: &mut Tx, id: i64, state: PayoutState) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE payouts
            SET state = $2, locked_at = $3, updated_at = $3
          WHERE id = $1")
    .bind(id)
    .bind(state)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_unlocking(tx: &mut Tx, id: i64, state: PayoutState, why: &str) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE payouts
            SET state = $2, note = $3, locked_by = NULL, locked_by_id = NULL, payer = NULL, timezone = NULL,
                locked_at = NULL, approved_by = NULL, approved_by_id = NULL, approved_at = NULL, file_at = NULL,
                updated_at = $4
          WHERE id = $1")
    .bind(id)
    .bind(state)
    .bind(why)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Its first file was made.
pub async fn set_file(tx: &mut Tx, id: i64) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE payouts
            SET file_at = $2, updated_at = $2
          WHERE id = $1
            AND file_at IS NULL")
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_approved(tx: &mut Tx, id: i64, state: PayoutState) -> DbResult<()> {
    let (actor, now) = (tx.actor()?.clone(), tx.now());
    sql("UPDATE payouts
            SET state = $2, approved_by = $3, approved_by_id = $4, approved_at = $5, updated_at = $5
          WHERE id = $1")
    .bind(id)
    .bind(state)
    .bind(&actor.name)
    .bind(actor.id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_closed(tx: &mut Tx, id: i64, state: PayoutState) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE payouts
            SET state = $2, closed_at = $3, updated_at = $3
          WHERE id = $1")
    .bind(id)
    .bind(state)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    /// A campaign, the least amounts that it pays out, and when.
    #[derive(Debug, Clone)]
    pub struct Least {
        pub id: i64,
        pub name: String,
        /// A JSON object of currency to minor units.
        pub payout_minimum: String,
        /// The day of each month on which drafts are made by themselves.
        pub payout_day: Option<i64>,
    }
}

pub async fn least(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Least>> {
    sql("SELECT id, name, payout_minimum, payout_day
           FROM campaigns
          WHERE business_id = $1
          ORDER BY id")
    .bind(business_id)
    .all(conn)
    .await
}

pub async fn set_minimum(tx: &mut Tx, campaign_id: i64, minimum: &str) -> DbResult<()> {
    sql("UPDATE campaigns
            SET payout_minimum = $2
          WHERE id = $1")
    .bind(campaign_id)
    .bind(minimum)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_approval(tx: &mut Tx, business_id: i64, approval: Approval) -> DbResult<()> {
    sql("UPDATE businesses
            SET payout_approval = $2
          WHERE id = $1")
    .bind(business_id)
    .bind(approval)
    .execute(tx)
    .await?;
    Ok(())
}

/// The least amount that each campaign of a business pays out in a currency.
pub async fn minimums(conn: &mut Conn, business_id: i64, currency: Currency) -> DbResult<HashMap<i64, i64>> {
    let in_currency = |l: Least| Some((l.id, crate::engine::facts::in_currency(&l.payout_minimum, currency)?));
    Ok(least(conn, business_id).await?.into_iter().filter_map(in_currency).collect())
}

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

/// The lines of a payout, for the progress of a job.
pub async fn size(conn: &mut Conn, id: i64) -> DbResult<i64> {
    sql("SELECT lines
           FROM payouts
          WHERE id = $1")
    .bind(id)
    .scalar(conn)
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
    /// The sum due in one currency to the referrers who are paid in one way.
    #[derive(Debug, Clone)]
    pub struct Owed {
        pub currency: String,
        pub method: Option<Method>,
        pub referrers: i64,
        pub amount: i64,
        /// The day since which the oldest part is due.
        pub since: Option<String>,
    }
}

/// The sums owed to the referrers of a business that could be in a payout now.
pub async fn owed(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Owed>> {
    sql("SELECT s.currency, d.method, count(*) AS referrers, CAST(sum(s.amount) AS BIGINT) AS amount,
                min(s.since) AS since
           FROM (SELECT u.currency, u.referrer_id, CAST(sum(u.amount) AS BIGINT) AS amount, min(u.since) AS since
                   FROM (SELECT k.currency, k.referrer_id, k.amount, k.hold_until AS since
                           FROM commissions k
                          WHERE k.business_id = $1
                            AND k.state = 'approved'
                            AND k.line_id IS NULL
                            AND k.test = false
                          UNION ALL
                         SELECT a.currency, a.referrer_id, a.amount, CAST(NULL AS TEXT)
                           FROM adjustments a
                          WHERE a.business_id = $1
                            AND a.state = 'posted'
                            AND a.line_id IS NULL) u
                  GROUP BY u.currency, u.referrer_id) s
           LEFT JOIN payout_details d ON d.referrer_id = s.referrer_id
                                     AND d.replaced_at IS NULL
          WHERE s.amount > 0
          GROUP BY s.currency, d.method
          ORDER BY s.currency, d.method")
    .bind(business_id)
    .all(conn)
    .await
}
