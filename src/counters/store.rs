use std::collections::BTreeMap;

use crate::clock::Day;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::money::Currency;
use crate::{row, rows};

type Change<'a> = (&'a (i64, String, String), &'a i64);

/// Adds changes that are sorted by (scope, name, day); the last statement of a transaction.
pub async fn add(tx: &mut Tx, changes: &[Change<'_>]) -> DbResult<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let slot = tx.slot;
    let table =
        rows!(changes, ((scope, name, day), by) => { scope_id: *scope, name: name, day: day, slot: slot, value: **by });
    sql("INSERT INTO counters (scope_id, name, day, slot, value)
         SELECT r.scope_id, r.name, r.day, r.slot, r.value
           FROM rows($1, scope_id BIGINT, name TEXT, day TEXT, slot BIGINT, value BIGINT) r
          WHERE true
         ON CONFLICT (scope_id, name, day, slot) DO UPDATE
            SET value = counters.value + excluded.value")
    .bind(table)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    struct Total {
        scope_id: i64,
        name: String,
        value: i64,
    }
}

/// The running totals of some scopes: (scope, name) to value.
pub async fn totals(conn: &mut Conn, scopes: &[i64]) -> DbResult<BTreeMap<(i64, String), i64>> {
    if scopes.is_empty() {
        return Ok(BTreeMap::new());
    }
    let table = rows!(scopes, id => { id: *id });
    let found: Vec<Total> = sql("SELECT c.scope_id, c.name, CAST(sum(c.value) AS BIGINT) AS value
           FROM rows($1, id BIGINT) r
           JOIN counters c ON c.scope_id = r.id
          WHERE c.day = ''
          GROUP BY c.scope_id, c.name")
    .bind(table)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|t| ((t.scope_id, t.name), t.value)).collect())
}

/// The running totals of some names of one scope, added up.
pub async fn named(conn: &mut Conn, scope: i64, names: &[String]) -> DbResult<i64> {
    sql("SELECT CAST(COALESCE(sum(c.value), 0) AS BIGINT)
           FROM rows($1, name TEXT) r
           JOIN counters c ON c.scope_id = $2
                          AND c.day = ''
                          AND c.name = r.name")
    .bind(rows!(names, name => { name: name }))
    .bind(scope)
    .scalar(conn)
    .await
}

row! {
    struct DayTotal {
        name: String,
        day: String,
        value: i64,
    }
}

/// Values per day of one scope, first day to last day, of the names that begin with a prefix.
pub async fn by_day(
    conn: &mut Conn,
    scope: i64,
    prefix: &str,
    from: &str,
    to: &str,
) -> DbResult<BTreeMap<(String, String), i64>> {
    let found: Vec<DayTotal> = sql("SELECT name, day, CAST(sum(value) AS BIGINT) AS value
           FROM counters
          WHERE scope_id = $1
            AND name >= $2
            AND name < $3
            AND day >= $4
            AND day <= $5
          GROUP BY name, day")
    .bind(scope)
    .bind(prefix)
    .bind(format!("{prefix}\u{10FFFF}"))
    .bind(from)
    .bind(to)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|t| ((t.name, t.day), t.value)).collect())
}

row! {
    struct Ahead {
        name: String,
        day: String,
        value: i64,
    }
}

/// The pending commission of some campaigns by currency and last day of its hold, from a day on.
pub async fn ahead(conn: &mut Conn, campaigns: &[i64], from: Day) -> DbResult<Vec<(Currency, Day, i64)>> {
    let found: Vec<Ahead> = sql("SELECT c.name, c.day, CAST(sum(c.value) AS BIGINT) AS value
           FROM rows($1, id BIGINT) r
           JOIN counters c ON c.scope_id = r.id
          WHERE c.day >= $2
            AND c.day < 'i'
          GROUP BY c.name, c.day
         HAVING sum(c.value) <> 0")
    .bind(rows!(campaigns, id => { id: *id }))
    .bind(super::held_to(from))
    .all(conn)
    .await?;
    let read = |a: Ahead| {
        let currency = Currency::parse(a.name.strip_prefix(super::PENDING)?).ok()?;
        Some((currency, Day::parse(a.day.strip_prefix('h')?).ok()?, a.value))
    };
    Ok(found.into_iter().filter_map(read).collect())
}
