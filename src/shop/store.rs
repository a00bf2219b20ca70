use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::row;

row! {
    /// An origin on which the script was seen.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Visit {
        pub origin: String,
        pub first_at: i64,
        pub last_at: i64,
    }
}

pub async fn visits(conn: &mut Conn, campaign_id: i64, bound: i64) -> DbResult<Vec<Visit>> {
    sql("SELECT origin, first_at, last_at
           FROM shop_visits
          WHERE campaign_id = $1
          ORDER BY last_at DESC, origin
          LIMIT $2")
    .bind(campaign_id)
    .bind(bound)
    .all(conn)
    .await
}

/// The time of the last visit from an origin.
pub async fn last(conn: &mut Conn, campaign_id: i64, origin: &str) -> DbResult<Option<Instant>> {
    let found: Option<(i64,)> = sql("SELECT last_at
           FROM shop_visits
          WHERE campaign_id = $1
            AND origin = $2")
    .bind(campaign_id)
    .bind(origin)
    .optional(conn)
    .await?;
    Ok(found.map(|(at,)| Instant::from_micros(at)))
}

/// The public id of a campaign's business.
pub async fn business(conn: &mut Conn, campaign_id: i64) -> DbResult<Option<String>> {
    let found: Option<(String,)> = sql("SELECT b.public_id
           FROM campaigns g
           JOIN businesses b ON b.id = g.business_id
          WHERE g.id = $1")
    .bind(campaign_id)
    .optional(conn)
    .await?;
    Ok(found.map(|(id,)| id))
}

pub async fn note(tx: &mut Tx, campaign_id: i64, origin: &str, now: Instant) -> DbResult<()> {
    sql("INSERT INTO shop_visits (campaign_id, origin, first_at, last_at)
         VALUES ($1, $2, $3, $3)
         ON CONFLICT (campaign_id, origin) DO UPDATE
            SET last_at = excluded.last_at")
    .bind(campaign_id)
    .bind(origin)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Keeps the origins that were seen last.
pub async fn forget(tx: &mut Tx, campaign_id: i64, bound: i64) -> DbResult<()> {
    sql("DELETE FROM shop_visits
          WHERE campaign_id = $1
            AND origin IN (SELECT o.origin
                             FROM shop_visits o
                            WHERE o.campaign_id = $1
                            ORDER BY o.last_at DESC, o.origin
                            LIMIT 1000
                           OFFSET $2)")
    .bind(campaign_id)
    .bind(bound)
    .execute(tx)
    .await?;
    Ok(())
}
