//! The contacts of people, read before they are locked.

use std::collections::BTreeSet;

use super::{ids, money};
use crate::db::{Conn, DbResult, sql};
use crate::engine::ids::{BusinessId, CommissionId, InboxItemId, LeadId};
use crate::engine::names::SoughtBy;
use crate::engine::subjects::Subjects;
use crate::{row, rows};

row! {
    pub struct ContactRow {
        pub id: LeadId,
        pub business_id: BusinessId,
        pub email_key: Option<String>,
        pub phone_key: Option<String>,
    }
}

pub async fn of_leads(conn: &mut Conn, leads: &BTreeSet<LeadId>) -> DbResult<Vec<ContactRow>> {
    sql("SELECT l.id, l.business_id, l.email_key, l.phone_key
           FROM rows($1, id BIGINT) r
           JOIN leads l ON l.id = r.id")
    .bind(ids(leads))
    .all(conn)
    .await
}

pub async fn leads_of_commissions(conn: &mut Conn, commissions: &BTreeSet<CommissionId>) -> DbResult<Vec<LeadId>> {
    let found: Vec<(LeadId,)> = sql("SELECT c.lead_id
           FROM rows($1, id BIGINT) r
           JOIN commissions c ON c.id = r.id")
    .bind(ids(commissions))
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Business and e-mail of the payments behind inbox items.
pub async fn payers_of_items(conn: &mut Conn, items: &BTreeSet<InboxItemId>) -> DbResult<Vec<(BusinessId, String)>> {
    sql("SELECT i.business_id, p.email_key
           FROM rows($1, id BIGINT) r
           JOIN inbox_items i ON i.id = r.id
           JOIN payments p ON p.id = i.payment_id")
    .bind(ids(items))
    .all(conn)
    .await
}

row! {
    pub struct PayerRow {
        pub business_id: BusinessId,
        pub email_key: String,
        pub lead_id: Option<LeadId>,
    }
}

/// The people who made the payments that refunds and disputes name.
pub async fn payers(conn: &mut Conn, about: &Subjects) -> DbResult<Vec<PayerRow>> {
    let mut found: Vec<PayerRow> = Vec::new();
    if !about.names.is_empty() {
        let named: Vec<PayerRow> = sql("SELECT p.business_id, p.email_key, p.lead_id
               FROM rows($1, business BIGINT, test BOOLEAN, name TEXT) r
               JOIN payment_names n ON n.business_id = r.business
                AND n.test = r.test
                AND n.name = r.name
               JOIN payments p ON p.id = n.payment_id")
        .bind(money::named(&about.names))
        .all(conn)
        .await?;
        found.extend(named);
    }
    if about.sought.iter().any(|sought| matches!(sought.by, SoughtBy::Day(..))) {
        let table = rows!(&about.paid_on, (of, email, day) => {
            campaign: of.scope.campaign_id, test: of.scope.test, contact: email, day: *day,
        });
        let of_days: Vec<PayerRow> = sql("SELECT p.business_id, p.email_key, p.lead_id
               FROM rows($1, campaign BIGINT, test BOOLEAN, contact TEXT, day TEXT) r
               JOIN payments p ON p.campaign_id = r.campaign AND p.test = r.test AND p.email_key = r.contact
                AND p.payment_date = r.day")
        .bind(table)
        .all(conn)
        .await?;
        found.extend(of_days);
    }
    if !about.payments.is_empty() {
        let by_id: Vec<PayerRow> = sql("SELECT p.business_id, p.email_key, p.lead_id
               FROM rows($1, id BIGINT) r
               JOIN payments p ON p.id = r.id")
        .bind(ids(&about.payments))
        .all(conn)
        .await?;
        found.extend(by_id);
    }
    Ok(found)
}
