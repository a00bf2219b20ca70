//! What people are reached by, read before they are locked.

use std::collections::BTreeSet;

use crate::db::{Conn, DbResult, Table, sql};
use crate::{row, rows};

row! {
    pub struct ContactRow {
        pub id: i64,
        pub business_id: i64,
        pub email_key: Option<String>,
        pub phone_key: Option<String>,
    }
}

fn ids(set: &BTreeSet<i64>) -> Table {
    rows!(set, id => { id: *id })
}

pub async fn of_leads(conn: &mut Conn, leads: &BTreeSet<i64>) -> DbResult<Vec<ContactRow>> {
    sql("SELECT l.id, l.business_id, l.email_key, l.phone_key FROM rows($1, id BIGINT) r JOIN leads l ON l.id = r.id")
        .bind(ids(leads))
        .all(conn)
        .await
}

pub async fn leads_of_commissions(conn: &mut Conn, commissions: &BTreeSet<i64>) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT c.lead_id FROM rows($1, id BIGINT) r JOIN commissions c ON c.id = r.id")
        .bind(ids(commissions))
        .all(conn)
        .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Business and e-mail of the payments behind inbox items.
pub async fn payers_of_items(conn: &mut Conn, items: &BTreeSet<i64>) -> DbResult<Vec<(i64, String)>> {
    sql("SELECT i.business_id, p.email_key FROM rows($1, id BIGINT) r
           JOIN inbox_items i ON i.id = r.id JOIN payments p ON p.id = i.payment_id")
    .bind(ids(items))
    .all(conn)
    .await
}
