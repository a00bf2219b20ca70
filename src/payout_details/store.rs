use super::Method;
use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::{insert_rows, row, rows};

row! {
    /// The details that count for a referrer, as pages, answers and exports show them.
    #[derive(Debug, Clone)]
    pub struct CurrentRow {
        pub id: i64,
        pub referrer_id: i64,
        pub method: Method,
        pub masked: String,
        pub created_at: i64,
        pub actor_kind: String,
        pub actor_name: String,
        /// Others counted before.
        pub is_change: bool,
    }
}

/// The details that count for some referrers, of those who have any.
pub async fn current_of(conn: &mut Conn, business_id: i64, referrers: &[i64]) -> DbResult<Vec<CurrentRow>> {
    sql("SELECT d.id, d.referrer_id, d.method, d.masked, d.created_at, d.actor_kind, d.actor_name,
                EXISTS (SELECT 1
                          FROM payout_details o
                         WHERE o.referrer_id = d.referrer_id
                           AND o.id < d.id) AS is_change
           FROM rows($1, id BIGINT) r
           JOIN payout_details d ON d.referrer_id = r.id
                                AND d.replaced_at IS NULL
          WHERE d.business_id = $2
          ORDER BY d.referrer_id")
    .bind(rows!(referrers, id => { id: *id }))
    .bind(business_id)
    .all(conn)
    .await
}

row! {
    /// A version as it is stored.
    #[derive(Debug, Clone)]
    pub struct SealedRow {
        pub id: i64,
        pub business_id: i64,
        pub referrer_id: i64,
        pub method: Method,
        pub masked: String,
        pub sealed: String,
    }
}

/// Some versions, those that count and those that did.
pub async fn sealed(conn: &mut Conn, business_id: i64, ids: &[i64]) -> DbResult<Vec<SealedRow>> {
    sql("SELECT d.id, d.business_id, d.referrer_id, d.method, d.masked, d.sealed
           FROM rows($1, id BIGINT) r
           JOIN payout_details d ON d.id = r.id
          WHERE d.business_id = $2
          ORDER BY d.id")
    .bind(rows!(ids, id => { id: *id }))
    .bind(business_id)
    .all(conn)
    .await
}

/// The versions that count for some referrers.
pub async fn current(conn: &mut Conn, business_id: i64, referrers: &[i64]) -> DbResult<Vec<SealedRow>> {
    sql("SELECT d.id, d.business_id, d.referrer_id, d.method, d.masked, d.sealed
           FROM rows($1, id BIGINT) r
           JOIN payout_details d ON d.referrer_id = r.id
                                AND d.replaced_at IS NULL
          WHERE d.business_id = $2
          ORDER BY d.id")
    .bind(rows!(referrers, id => { id: *id }))
    .bind(business_id)
    .all(conn)
    .await
}

/// True for a referrer of the business.
pub async fn is_referrer(conn: &mut Conn, business_id: i64, referrer_id: i64) -> DbResult<bool> {
    sql("SELECT EXISTS (SELECT 1
                          FROM referrers
                         WHERE id = $1
                           AND business_id = $2)")
    .bind(referrer_id)
    .bind(business_id)
    .scalar(conn)
    .await
}

/// A version to store.
#[derive(Debug, Clone)]
pub struct NewVersion {
    pub business_id: i64,
    pub referrer_id: i64,
    pub method: Method,
    pub masked: String,
    pub sealed: String,
    pub key_id: String,
}

/// The versions that count for some referrers count no more.
pub async fn replace(tx: &mut Tx, referrers: &[i64]) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE payout_details
            SET replaced_at = $2
          WHERE referrer_id IN (SELECT r.id
                                  FROM rows($1, id BIGINT) r)
            AND replaced_at IS NULL")
    .bind(rows!(referrers, id => { id: *id }))
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Stores versions, each with its id.
pub async fn add(tx: &mut Tx, versions: &[(i64, NewVersion)], now: Instant) -> DbResult<()> {
    let actor = tx.actor()?.clone();
    insert_rows!("payout_details", versions, (id, new) => {
        id BIGINT = *id,
        business_id BIGINT = new.business_id,
        referrer_id BIGINT = new.referrer_id,
        method TEXT = new.method,
        sealed TEXT = &new.sealed,
        masked TEXT = &new.masked,
        key_id TEXT = &new.key_id,
        actor_kind TEXT = actor.kind.word(),
        actor_id BIGINT = actor.id,
        actor_name TEXT = &actor.name,
        created_at BIGINT = now.micros(),
    })
    .execute(tx)
    .await?;
    Ok(())
}
