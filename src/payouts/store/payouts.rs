use crate::business::BusinessRow;
use crate::db::{Conn, DbResult, Listing, Order, Tx, sql, sql_built};
use crate::engine::state::PayoutState;
use crate::money::Currency;
use crate::payout_details::Method;
use crate::payouts::files::Format;
use crate::payouts::wish::NewPayout;
use crate::row;

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
        /// The lines that are in it.
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

/// The lines of a payout, for the progress of a job.
pub async fn size(conn: &mut Conn, id: i64) -> DbResult<i64> {
    sql("SELECT lines
           FROM payouts
          WHERE id = $1")
    .bind(id)
    .scalar(conn)
    .await
}
