//! Indexes that are made once at the end of a load.

use super::patient;
use crate::db::{Conn, Db, DbResult, Tx, sql, sql_built};
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct IndexRow {
        pub name: String,
        pub text: String,
    }
}

/// Indexes whose order differs from the order in which the rows are made: building them once at the end is
/// quicker. For the others it is slower, since each build reads its whole table again.
const SCATTERED: &str =
    "'leads_by_name', 'leads_by_referrer', 'payments_by_person', 'commissions_by_referrer', 'ledger_by_referrer'";

/// Takes the scattered indexes away from empty tables, and answers how to make them again.
pub async fn drop_indexes(db: &Db) -> DbResult<Vec<IndexRow>> {
    db.write(vec![], db.is_postgres(), drop_indexes_in).await
}

async fn drop_indexes_in(tx: &mut Tx, &postgres: &bool) -> DbResult<Vec<IndexRow>> {
    let some: i64 = sql("SELECT count(*)
           FROM (SELECT 1 AS one FROM leads LIMIT 1) x")
    .scalar(tx)
    .await?;
    if some > 0 {
        return Ok(Vec::new());
    }
    let indexes: Vec<IndexRow> = if postgres {
        sql_built(format!(
            "SELECT CAST(indexname AS TEXT) AS name, CAST(indexdef AS TEXT) AS text
               FROM pg_indexes
              WHERE schemaname = 'public'
                AND indexname IN ({SCATTERED})"
        ))
        .all(tx)
        .await?
    } else {
        sql_built(format!(
            "SELECT name, sql AS text
               FROM sqlite_master
              WHERE type = 'index'
                AND name IN ({SCATTERED})"
        ))
        .all(tx)
        .await?
    };
    for index in &indexes {
        sql_built(format!("DROP INDEX {}", index.name)).patient().execute(tx).await?;
    }
    Ok(indexes)
}

pub async fn restore_indexes(db: &Db, indexes: Vec<IndexRow>) -> DbResult<()> {
    for index in indexes {
        db.write(vec![], index.text, restore_index).await?;
    }
    db.write(vec![], (), analyze).await
}

#[expect(clippy::ptr_arg, reason = "a write lends its job the input as it owns it")]
async fn restore_index(tx: &mut Tx, text: &String) -> DbResult<()> {
    patient(tx).await?;
    sql_built(text.clone()).patient().execute(tx).await?;
    Ok(())
}

async fn analyze(tx: &mut Tx, (): &()) -> DbResult<()> {
    patient(tx).await?;
    if matches!(&**tx, Conn::Sqlite(_)) {
        // A sample of each index says as much as reading all of it.
        sql("PRAGMA analysis_limit = 1000").execute(tx).await?;
    }
    sql("ANALYZE").patient().execute(tx).await?;
    Ok(())
}
