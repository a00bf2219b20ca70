//! What people are reached by, read before they are locked.

use std::collections::BTreeSet;

use crate::db::{Conn, DbResult, Table, sql};
use crate::engine::event::{Event, RefundOf};
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

row! {
    pub struct PayerRow {
        pub business_id: i64,
        pub email_key: String,
        pub lead_id: Option<i64>,
    }
}

/// Whose the payments are that refunds and disputes name, live and test.
pub async fn payers(conn: &mut Conn, events: &[Event]) -> DbResult<Vec<PayerRow>> {
    let (mut identities, mut days) = (Vec::new(), Vec::new());
    let ids: BTreeSet<i64> = events.iter().filter_map(|e| e.what.payment_id()).collect();
    for (business, r) in events.iter().filter_map(|e| Some((e.business_id, e.what.refund()?))) {
        match &r.of {
            RefundOf::Event(id) => {
                let names = [format!("event:{id}"), format!("invoice:{id}")];
                identities.extend(names.into_iter().flat_map(|n| [(business, false, n.clone()), (business, true, n)]));
            }
            RefundOf::Date(day) => {
                let day = |test| (r.product_id, test, r.email.key().to_owned(), day.to_string());
                days.extend([day(false), day(true)]);
            }
            RefundOf::Payment(_) | RefundOf::Commission(_) => {}
        }
    }
    let mut found: Vec<PayerRow> = Vec::new();
    if !identities.is_empty() {
        let table = rows!(&identities, (b, t, id) => { business: *b, test: *t, identity: id });
        found = sql(
            "SELECT p.business_id, p.email_key, p.lead_id FROM rows($1, business BIGINT, test BOOLEAN, identity TEXT) r
               JOIN payments p ON p.business_id = r.business AND p.test = r.test AND p.identity = r.identity",
        )
        .bind(table)
        .all(conn)
        .await?;
    }
    if !days.is_empty() {
        let table = rows!(&days, (p, t, k, d) => { product: *p, test: *t, contact: k, day: d });
        let of_days: Vec<PayerRow> = sql(
            "SELECT p.business_id, p.email_key, p.lead_id FROM rows($1, product BIGINT, test BOOLEAN, contact TEXT, day TEXT) r
               JOIN products d ON d.id = r.product
               JOIN payments p ON p.campaign_id = d.campaign_id AND p.test = r.test AND p.email_key = r.contact AND p.payment_date = r.day",
        )
        .bind(table)
        .all(conn)
        .await?;
        found.extend(of_days);
    }
    if !ids.is_empty() {
        let by_id: Vec<PayerRow> = sql(
            "SELECT p.business_id, p.email_key, p.lead_id FROM rows($1, id BIGINT) r JOIN payments p ON p.id = r.id",
        )
        .bind(rows!(&ids, id => { id: *id }))
        .all(conn)
        .await?;
        found.extend(by_id);
    }
    Ok(found)
}
