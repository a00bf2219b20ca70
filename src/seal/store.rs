use std::collections::HashMap;

use serde::Serialize;

use super::note::{Chain, digest};
use crate::db::{Conn, DbResult, Tx, sql, sql_built};
use crate::{row, rows};

row! {
    /// Entries that were written together, and their seal.
    #[derive(Debug, Clone)]
    pub struct Note {
        pub first_id: i64,
        pub business_id: i64,
        pub entries: String,
        pub digests: Option<String>,
        pub position: Option<i64>,
        pub seal: Option<String>,
    }
}

row! {
    /// A [`Posted`](super::Posted) as it is read: the same fields in the same order, so that it has the same digest.
    #[derive(Serialize)]
    struct PostedRow {
        id: i64,
        business_id: i64,
        referrer_id: i64,
        currency: String,
        account: String,
        amount: i64,
        kind: String,
        commission_id: Option<i64>,
        adjustment_id: Option<i64>,
        line_id: Option<i64>,
        day: String,
        at: i64,
    }
}

row! {
    /// An [`Audited`](super::Audited) as it is read.
    #[derive(Serialize)]
    struct AuditedRow {
        id: i64,
        business_id: i64,
        at: i64,
        actor_kind: String,
        actor_id: Option<i64>,
        actor_name: String,
        origin: String,
        action: String,
        subject_kind: String,
        subject_id: Option<i64>,
        lead_id: Option<i64>,
        referrer_id: Option<i64>,
        before: Option<String>,
        after: Option<String>,
        reason: Option<String>,
    }
}

row! {
    /// An [`Agreed`](super::Agreed) as it is read.
    #[derive(Serialize)]
    struct AgreedRow {
        id: i64,
        business_id: i64,
        product_id: i64,
        number: i64,
        valid_from: String,
        referral_rate: Option<i64>,
        referral_flat: Option<String>,
        recurring_rate: Option<i64>,
        recurring_flat: Option<String>,
        recurring_limit: String,
        recurring_count: i64,
        hold_days: i64,
        created_by: Option<i64>,
        created_at: i64,
    }
}

pub async fn add(tx: &mut Tx, chain: Chain, notes: &[Note]) -> DbResult<()> {
    if notes.is_empty() {
        return Ok(());
    }
    let table = rows!(notes, n => {
        first_id: n.first_id, business_id: n.business_id, entries: &n.entries, digests: &n.digests,
    });
    sql("INSERT INTO seals (first_id, business_id, chain, entries, digests)
         SELECT r.first_id, r.business_id, $2, r.entries, r.digests
           FROM rows($1, first_id BIGINT, business_id BIGINT, entries TEXT, digests TEXT) r")
    .bind(table)
    .bind(chain.word())
    .execute(tx)
    .await?;
    Ok(())
}

/// Businesses with notes that have no seal yet.
pub async fn businesses(conn: &mut Conn, chain: Chain) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT b.id
           FROM businesses b
          WHERE EXISTS (SELECT 1
                          FROM seals s
                         WHERE s.business_id = b.id
                           AND s.chain = $1
                           AND s.position IS NULL)
          ORDER BY b.id")
    .bind(chain.word())
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

const NOTE: &str = "first_id, business_id, entries, digests, position, seal";

fn most(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// The next notes to seal, after an id.
pub async fn waiting(conn: &mut Conn, chain: Chain, business_id: i64, after: i64, limit: usize) -> DbResult<Vec<Note>> {
    sql_built(format!(
        "SELECT {NOTE}
           FROM seals
          WHERE business_id = $1
            AND chain = $2
            AND position IS NULL
            AND first_id > $3
          ORDER BY first_id
          LIMIT $4"
    ))
    .bind(business_id)
    .bind(chain.word())
    .bind(after)
    .bind(most(limit))
    .all(conn)
    .await
}

/// Sealed notes after a position.
pub async fn sealed(conn: &mut Conn, chain: Chain, business_id: i64, after: i64, limit: usize) -> DbResult<Vec<Note>> {
    sql_built(format!(
        "SELECT {NOTE}
           FROM seals
          WHERE business_id = $1
            AND chain = $2
            AND position > $3
            AND position IS NOT NULL
          ORDER BY position
          LIMIT $4"
    ))
    .bind(business_id)
    .bind(chain.word())
    .bind(after)
    .bind(most(limit))
    .all(conn)
    .await
}

/// The digests of a business's entries as they are now. Each is looked up by its id alone: beside a condition
/// on the business, SQLite would read all of its entries for each.
pub async fn digests(conn: &mut Conn, chain: Chain, business_id: i64, ids: &[i64]) -> DbResult<HashMap<i64, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let table = rows!(ids, id => { id: *id });
    Ok(match chain {
        Chain::Ledger => {
            let found: Vec<PostedRow> = sql(
                "SELECT e.id, e.business_id, e.referrer_id, e.currency, e.account, e.amount, e.kind, e.commission_id,
                        e.adjustment_id, e.line_id, e.day, e.at
                   FROM rows($1, id BIGINT) r
                   CROSS JOIN ledger_entries e
                  WHERE e.id = r.id",
            )
            .bind(table)
            .patient()
            .all(conn)
            .await?;
            found.iter().filter(|e| e.business_id == business_id).map(|e| (e.id, digest(e))).collect()
        }
        Chain::Audit => {
            let found: Vec<AuditedRow> =
                sql("SELECT e.id, e.business_id, e.at, e.actor_kind, e.actor_id, e.actor_name, e.origin, e.action,
                            e.subject_kind, e.subject_id, e.lead_id, e.referrer_id, e.before, e.after, e.reason
                       FROM rows($1, id BIGINT) r
                       CROSS JOIN audit_entries e
                      WHERE e.id = r.id")
                .bind(table)
                .patient()
                .all(conn)
                .await?;
            found.iter().filter(|a| a.business_id == business_id).map(|a| (a.id, digest(a))).collect()
        }
        Chain::Terms => {
            let found: Vec<AgreedRow> = sql(
                "SELECT t.id, p.business_id, t.product_id, t.number, t.valid_from, t.referral_rate, t.referral_flat,
                            t.recurring_rate, t.recurring_flat, t.recurring_limit, t.recurring_count, t.hold_days,
                            t.created_by, t.created_at
                       FROM rows($1, id BIGINT) r
                       CROSS JOIN terms t
                       JOIN products p ON p.id = t.product_id
                      WHERE t.id = r.id",
            )
            .bind(table)
            .patient()
            .all(conn)
            .await?;
            found.iter().filter(|t| t.business_id == business_id).map(|t| (t.id, digest(t))).collect()
        }
    })
}

/// The entries of a business there are.
pub async fn count(conn: &mut Conn, chain: Chain, business_id: i64) -> DbResult<i64> {
    let text = match chain {
        Chain::Ledger => {
            "SELECT count(*)
               FROM ledger_entries
              WHERE business_id = $1"
        }
        Chain::Audit => {
            "SELECT count(*)
               FROM audit_entries
              WHERE business_id = $1"
        }
        Chain::Terms => {
            "SELECT count(*)
               FROM products p
               JOIN terms t ON t.product_id = p.id
              WHERE p.business_id = $1"
        }
    };
    sql(text).bind(business_id).patient().scalar(conn).await
}

/// Writes the seals of a batch: (note, digests, position, seal).
pub async fn seal(tx: &mut Tx, sealed: &[(i64, String, i64, String)]) -> DbResult<()> {
    let table =
        rows!(sealed, (id, digests, position, seal) => { id: *id, digests: digests, position: *position, seal: seal });
    sql("UPDATE seals
            SET digests = r.digests, position = r.position, seal = r.seal
           FROM rows($1, id BIGINT, digests TEXT, position BIGINT, seal TEXT) r
          WHERE seals.first_id = r.id
            AND seals.position IS NULL")
    .bind(table)
    .execute(tx)
    .await?;
    Ok(())
}

/// The end of a chain when it was last sealed: (position, seal).
pub async fn head(conn: &mut Conn, chain: Chain, business_id: i64) -> DbResult<Option<(i64, String)>> {
    sql("SELECT position, seal
           FROM chains
          WHERE business_id = $1
            AND name = $2")
    .bind(business_id)
    .bind(chain.word())
    .optional(conn)
    .await
}

pub async fn set_head(tx: &mut Tx, chain: Chain, business_id: i64, position: i64, seal: &str) -> DbResult<()> {
    sql("INSERT INTO chains (business_id, name, position, seal)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (business_id, name) DO UPDATE
            SET position = excluded.position, seal = excluded.seal")
    .bind(business_id)
    .bind(chain.word())
    .bind(position)
    .bind(seal)
    .execute(tx)
    .await?;
    Ok(())
}
