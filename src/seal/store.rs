use serde_json::json;

use super::{Chain, Link};
use crate::db::{Conn, DbResult, Tx, sql, sql_built};
use crate::{row, rows};

fn table(chain: Chain) -> &'static str {
    match chain {
        Chain::Ledger => "ledger_entries",
        Chain::Audit => "audit_entries",
    }
}

row! {
    struct Entry {
        id: i64,
        business_id: i64,
        referrer_id: i64,
        currency: String,
        account: String,
        amount: i64,
        kind: String,
        commission_id: Option<i64>,
        day: String,
        at: i64,
        seal_position: Option<i64>,
        seal: Option<String>,
    }
}

row! {
    struct Audited {
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
        seal_position: Option<i64>,
        seal: Option<String>,
    }
}

const ENTRY: &str =
    "id, business_id, referrer_id, currency, account, amount, kind, commission_id, day, at, seal_position, seal";
const AUDITED: &str =
    "id, business_id, at, actor_kind, actor_id, actor_name, origin, action, subject_kind, subject_id, lead_id,
    referrer_id, before, after, reason, seal_position, seal";

impl From<Entry> for Link {
    fn from(e: Entry) -> Self {
        let text = json!([
            e.id,
            e.business_id,
            e.referrer_id,
            e.currency,
            e.account,
            e.amount,
            e.kind,
            e.commission_id,
            e.day,
            e.at
        ]);
        Self { id: e.id, position: e.seal_position, seal: e.seal, text: text.to_string() }
    }
}

impl From<Audited> for Link {
    fn from(a: Audited) -> Self {
        let text = json!([
            a.id,
            a.business_id,
            a.at,
            a.actor_kind,
            a.actor_id,
            a.actor_name,
            a.origin,
            a.action,
            a.subject_kind,
            a.subject_id,
            a.lead_id,
            a.referrer_id,
            a.before,
            a.after,
            a.reason
        ]);
        Self { id: a.id, position: a.seal_position, seal: a.seal, text: text.to_string() }
    }
}

/// Businesses with entries that have no seal yet.
pub async fn businesses(conn: &mut Conn, chain: Chain) -> DbResult<Vec<i64>> {
    let table = table(chain);
    let text = format!(
        "SELECT b.id FROM businesses b
          WHERE EXISTS (SELECT 1 FROM {table} e WHERE e.business_id = b.id AND e.seal_position IS NULL) ORDER BY b.id"
    );
    let found: Vec<(i64,)> = sql_built(text).all(conn).await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

async fn links(conn: &mut Conn, chain: Chain, rest: &str, values: [i64; 3]) -> DbResult<Vec<Link>> {
    let values = values.map(Into::into);
    Ok(match chain {
        Chain::Ledger => {
            let text = format!("SELECT {ENTRY} FROM ledger_entries WHERE {rest}");
            let found: Vec<Entry> = sql_built(text).bind_all(values).all(conn).await?;
            found.into_iter().map(Link::from).collect()
        }
        Chain::Audit => {
            let text = format!("SELECT {AUDITED} FROM audit_entries WHERE {rest}");
            let found: Vec<Audited> = sql_built(text).bind_all(values).all(conn).await?;
            found.into_iter().map(Link::from).collect()
        }
    })
}

fn most(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// The next entries to seal.
pub async fn unsealed(conn: &mut Conn, chain: Chain, business_id: i64, limit: usize) -> DbResult<Vec<Link>> {
    let rest = "business_id = $1 AND id > $2 AND seal_position IS NULL ORDER BY id LIMIT $3";
    links(conn, chain, rest, [business_id, 0, most(limit)]).await
}

/// Sealed entries behind a position.
pub async fn sealed(conn: &mut Conn, chain: Chain, business_id: i64, after: i64, limit: usize) -> DbResult<Vec<Link>> {
    let rest = "business_id = $1 AND seal_position > $2 AND seal_position IS NOT NULL ORDER BY seal_position LIMIT $3";
    links(conn, chain, rest, [business_id, after, most(limit)]).await
}

pub async fn count_unsealed(conn: &mut Conn, chain: Chain, business_id: i64) -> DbResult<i64> {
    let text = format!("SELECT count(*) FROM {} WHERE business_id = $1 AND seal_position IS NULL", table(chain));
    sql_built(text).bind(business_id).scalar(conn).await
}

/// Writes the seals of a batch: (entry, position, seal).
pub async fn seal(tx: &mut Tx, chain: Chain, sealed: &[(i64, i64, String)]) -> DbResult<()> {
    let table = table(chain);
    let text = format!(
        "UPDATE {table} SET seal_position = r.position, seal = r.seal FROM rows($1, id BIGINT, position BIGINT, seal TEXT) r
          WHERE {table}.id = r.id AND {table}.seal_position IS NULL"
    );
    let json = rows!(sealed, (id, position, seal) => { id: *id, position: *position, seal: seal });
    sql_built(text).bind(json).execute(tx).await?;
    Ok(())
}

/// Where a chain ended when it was last sealed: (position, seal).
pub async fn head(conn: &mut Conn, chain: Chain, business_id: i64) -> DbResult<Option<(i64, String)>> {
    sql("SELECT position, seal FROM chains WHERE business_id = $1 AND name = $2")
        .bind(business_id)
        .bind(chain.word())
        .optional(conn)
        .await
}

pub async fn set_head(tx: &mut Tx, chain: Chain, business_id: i64, position: i64, seal: &str) -> DbResult<()> {
    sql("INSERT INTO chains (business_id, name, position, seal) VALUES ($1, $2, $3, $4)
         ON CONFLICT (business_id, name) DO UPDATE SET position = excluded.position, seal = excluded.seal")
    .bind(business_id)
    .bind(chain.word())
    .bind(position)
    .bind(seal)
    .execute(tx)
    .await?;
    Ok(())
}
