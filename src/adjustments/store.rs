//! The rows of adjustments.

use std::collections::BTreeSet;

use super::wish::{Decision, NewAdjustment};
use crate::amounts::Amounts;
use crate::db::{Conn, DbError, DbResult, Listing, Order, Tx, sql, sql_built};
use crate::engine::state::{AdjustmentKind, AdjustmentState, LineState};
use crate::money::Currency;
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct AdjustmentRow {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: i64,
        pub campaign: String,
        pub referrer_id: i64,
        pub referrer: String,
        pub enrollment_id: i64,
        pub kind: AdjustmentKind,
        pub state: AdjustmentState,
        pub currency: Currency,
        /// Minor units, signed.
        pub amount: i64,
        /// The commission that is taken back.
        pub commission_id: Option<i64>,
        /// The words of the person who made it.
        pub reason: Option<String>,
        /// None where the engine made it.
        pub made_by: Option<String>,
        /// The user, or the holder of the key.
        pub made_by_id: Option<i64>,
        pub decided_by: Option<String>,
        /// Why it was refused.
        pub note: Option<String>,
        /// The line of a payout that took it, and that payout.
        pub line_id: Option<i64>,
        pub line_state: Option<LineState>,
        pub payout_id: Option<i64>,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

const COLUMNS: &str = "a.id, a.business_id, a.campaign_id, c.name AS campaign, a.referrer_id, p.name AS referrer,
                a.enrollment_id, a.kind, a.state, a.currency, a.amount, a.commission_id, a.reason, a.made_by,
                a.made_by_id, a.decided_by, a.note, a.line_id, l.state AS line_state, l.payout_id, a.created_at,
                a.updated_at";

const JOINS: &str = "JOIN campaigns c ON c.id = a.campaign_id
           JOIN referrers p ON p.id = a.referrer_id
           LEFT JOIN payout_lines l ON l.id = a.line_id";

pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<AdjustmentRow>> {
    sql_built(format!(
        "SELECT {COLUMNS}
           FROM adjustments a
           {JOINS}
          WHERE a.id = $1
            AND a.business_id = $2"
    ))
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

/// The filters of the list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    pub referrer_id: Option<i64>,
    pub campaign_id: Option<i64>,
    pub state: Option<AdjustmentState>,
}

/// The adjustments of a business, the newest first.
pub fn listing(business_id: i64, filter: Filter) -> Listing {
    let mut list = Listing::new(COLUMNS, "adjustments", "a", JOINS, Order::number("created_at", true))
        .and("a.business_id = ?", business_id);
    if let Some(referrer_id) = filter.referrer_id {
        list = list.and("a.referrer_id = ?", referrer_id);
    }
    if let Some(campaign_id) = filter.campaign_id {
        list = list.search("a.campaign_id = ?", campaign_id);
    }
    match filter.state {
        // Few wait, and they have an index of their own.
        Some(AdjustmentState::Pending) => list.and_plain("a.state = 'pending'"),
        Some(state) => list.search("a.state = ?", state),
        None => list,
    }
}

/// The adjustments of a referrer that wait for a second person.
pub async fn pending_of(conn: &mut Conn, business_id: i64, referrer_id: i64) -> DbResult<Vec<AdjustmentRow>> {
    let filter = Filter { referrer_id: Some(referrer_id), state: Some(AdjustmentState::Pending), campaign_id: None };
    listing(business_id, filter).build(20).all(conn).await
}

/// The adjustments that wait for a second person, counted to a hundred.
pub async fn waiting(conn: &mut Conn, business_id: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM (SELECT 1 AS one
                   FROM adjustments
                  WHERE business_id = $1
                    AND state = 'pending'
                  LIMIT 100) a")
    .bind(business_id)
    .scalar(conn)
    .await
}

pub async fn is_referrer(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<bool> {
    let found: Option<(i64,)> = sql("SELECT id
           FROM referrers
          WHERE id = $1
            AND business_id = $2")
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await?;
    Ok(found.is_some())
}

pub async fn enrollment(
    conn: &mut Conn,
    business_id: i64,
    campaign_id: i64,
    referrer_id: i64,
) -> DbResult<Option<i64>> {
    let found: Option<(i64,)> = sql("SELECT id
           FROM enrollments
          WHERE business_id = $1
            AND campaign_id = $2
            AND referrer_id = $3")
    .bind(business_id)
    .bind(campaign_id)
    .bind(referrer_id)
    .optional(conn)
    .await?;
    Ok(found.map(|(id,)| id))
}

/// The campaigns that a referrer is in.
pub async fn campaigns_of(conn: &mut Conn, business_id: i64, referrer_id: i64) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT campaign_id
           FROM enrollments
          WHERE business_id = $1
            AND referrer_id = $2
          ORDER BY campaign_id")
    .bind(business_id)
    .bind(referrer_id)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

row! {
    struct Priced {
        currency: String,
        qualify_least: String,
        reward: String,
        payout_minimum: String,
    }
}

/// The currencies in which a campaign is set up.
pub async fn set_currencies(conn: &mut Conn, campaign_id: i64) -> DbResult<BTreeSet<String>> {
    let of: Option<Priced> = sql("SELECT b.currency, c.qualify_least, c.reward, c.payout_minimum
           FROM campaigns c
           JOIN businesses b ON b.id = c.business_id
          WHERE c.id = $1")
    .bind(campaign_id)
    .optional(conn)
    .await?;
    let flat: Vec<(String,)> = sql("SELECT t.referral_flat
           FROM products p
           JOIN terms t ON t.product_id = p.id
          WHERE p.campaign_id = $1
            AND t.referral_flat IS NOT NULL
          UNION
         SELECT t.recurring_flat
           FROM products p
           JOIN terms t ON t.product_id = p.id
          WHERE p.campaign_id = $1
            AND t.recurring_flat IS NOT NULL")
    .bind(campaign_id)
    .all(conn)
    .await?;
    let mut known = BTreeSet::new();
    let mut texts: Vec<String> = flat.into_iter().map(|(text,)| text).collect();
    if let Some(of) = of {
        known.insert(of.currency);
        texts.extend([of.qualify_least, of.reward, of.payout_minimum]);
    }
    known.extend(texts.iter().flat_map(|text| Amounts::from_json(text).codes().into_keys()));
    Ok(known)
}

pub async fn insert(
    tx: &mut Tx,
    id: i64,
    enrollment_id: i64,
    state: AdjustmentState,
    new: &NewAdjustment,
) -> DbResult<()> {
    let (actor, now) = (tx.actor()?.clone(), tx.now());
    sql("INSERT INTO adjustments (id, business_id, campaign_id, referrer_id, enrollment_id, kind, state, currency,
                amount, reason, made_by, made_by_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)")
    .bind(id)
    .bind(new.business_id)
    .bind(new.campaign_id)
    .bind(new.referrer_id)
    .bind(enrollment_id)
    .bind(new.kind())
    .bind(state)
    .bind(new.money.currency)
    .bind(new.money.minor)
    .bind(&new.reason)
    .bind(&actor.name)
    .bind(new.person)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// The decision about one that waits.
pub async fn decide(tx: &mut Tx, decision: &Decision, state: AdjustmentState, version: i64) -> DbResult<()> {
    let actor = tx.actor()?.clone();
    let done = sql("UPDATE adjustments
            SET state = $2, decided_by = $3, decided_by_id = $4, note = $5, updated_at = $6
          WHERE id = $1
            AND state = 'pending'")
    .bind(decision.id)
    .bind(state)
    .bind(&actor.name)
    .bind(decision.person)
    .bind(decision.reason.as_deref())
    .bind(version)
    .execute(tx)
    .await?;
    if done == 1 { Ok(()) } else { Err(DbError::Lost("an adjustment was decided meanwhile".into())) }
}

pub async fn limits(conn: &mut Conn, business_id: i64) -> DbResult<Amounts> {
    let found: Option<(String,)> = sql("SELECT adjustment_limit
           FROM businesses
          WHERE id = $1")
    .bind(business_id)
    .optional(conn)
    .await?;
    Ok(found.map(|(text,)| Amounts::from_json(&text)).unwrap_or_default())
}

pub async fn set_limits(tx: &mut Tx, business_id: i64, limits: &Amounts) -> DbResult<()> {
    sql("UPDATE businesses
            SET adjustment_limit = $2
          WHERE id = $1")
    .bind(business_id)
    .bind(limits.to_json())
    .execute(tx)
    .await?;
    Ok(())
}
