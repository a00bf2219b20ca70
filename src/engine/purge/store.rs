//! Deletes test rows. What a lot names is looked up again as test rows of its business before anything goes, and
//! the foreign keys see to it that nothing is left behind.

use crate::clock::Instant;
use crate::db::{Conn, DbError, DbResult, Table, Tx, sql, sql_built};
use crate::engine::purge::{Lot, Tally};
use crate::rows;
use crate::search::Scope;

fn table(ids: &[i64]) -> Table {
    rows!(ids, id => { id: *id })
}

async fn ids(conn: &mut Conn, text: &'static str, of: &[i64]) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql(text).bind(table(of)).all(conn).await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Those of some leads that are test leads of the business, with the duplicates of them.
pub async fn with_duplicates(conn: &mut Conn, business_id: i64, leads: &[i64]) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql(
        "SELECT l.id FROM rows($1, id BIGINT) r CROSS JOIN leads l WHERE l.id = r.id AND l.business_id = $2 AND l.test
         UNION
         SELECT d.id FROM rows($1, id BIGINT) r CROSS JOIN leads d WHERE d.duplicate_of = r.id AND d.business_id = $2 AND d.test",
    )
    .bind(table(leads))
    .bind(business_id)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Those of some payments that are test payments of the business.
pub async fn test_payments(conn: &mut Conn, business_id: i64, payments: &[i64]) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> =
        sql("SELECT p.id FROM rows($1, id BIGINT) r CROSS JOIN payments p WHERE p.id = r.id AND p.business_id = $2 AND p.test")
            .bind(table(payments))
            .bind(business_id)
            .all(conn)
            .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Those of some refunds that are test refunds of the business.
pub async fn test_refunds(conn: &mut Conn, business_id: i64, refunds: &[i64]) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> =
        sql("SELECT f.id FROM rows($1, id BIGINT) r CROSS JOIN refunds f WHERE f.id = r.id AND f.business_id = $2 AND f.test")
            .bind(table(refunds))
            .bind(business_id)
            .all(conn)
            .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// By what the people behind some leads and payments are decided about.
pub async fn contacts(conn: &mut Conn, lot: &Lot) -> DbResult<Vec<String>> {
    let found: Vec<(String,)> = sql("SELECT k.contact FROM (
            SELECT l.email_key AS contact FROM rows($1, id BIGINT) r CROSS JOIN leads l WHERE l.id = r.id
            UNION SELECT l.phone_key FROM rows($1, id BIGINT) r CROSS JOIN leads l WHERE l.id = r.id
            UNION SELECT s.email_key FROM rows($1, id BIGINT) r CROSS JOIN sign_ups s WHERE s.lead_id = r.id
            UNION SELECT p.email_key FROM rows($1, id BIGINT) r CROSS JOIN payments p WHERE p.lead_id = r.id
            UNION SELECT p.email_key FROM rows($2, id BIGINT) r CROSS JOIN payments p WHERE p.id = r.id
            UNION SELECT f.email_key FROM rows($3, id BIGINT) r CROSS JOIN refunds f WHERE f.id = r.id) k
          WHERE k.contact IS NOT NULL")
    .bind(table(&lot.leads))
    .bind(table(&lot.payments))
    .bind(table(&lot.refunds))
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(contact,)| contact).collect())
}

/// Deletes a lot that is test data, with all that hangs on it.
pub async fn delete(tx: &mut Tx, lot: &Lot) -> DbResult<Tally> {
    let (business_id, leads) = (lot.business_id, lot.leads.as_slice());
    let mut payments = lot.payments.clone();
    let paid = "SELECT p.id FROM rows($1, id BIGINT) r CROSS JOIN payments p WHERE p.lead_id = r.id AND p.test";
    payments.extend(ids(tx, paid, leads).await?);
    let earned = "SELECT c.id FROM rows($1, id BIGINT) r CROSS JOIN commissions c WHERE c.lead_id = r.id AND c.test";
    let commissions = ids(tx, earned, leads).await?;
    let mut gone = Tally {
        inbox_items: items(tx, leads, &payments).await?,
        refunds: refunds_of(tx, business_id, leads, &payments, &lot.refunds).await?,
        ..Tally::default()
    };
    messages(tx, business_id, [leads, payments.as_slice(), commissions.as_slice()].concat().as_slice()).await?;
    gone.commissions = by(tx, "commissions", "id", "AND test", &commissions).await?;
    by(tx, "customer_rewards", "lead_id", "AND test", leads).await?;
    by(tx, "purchases", "lead_id", "", leads).await?;
    by(tx, "payment_names", "payment_id", "AND test", &payments).await?;
    gone.payments = by(tx, "payments", "id", "AND test", &payments).await?;
    gone.cancellations = by(tx, "cancellations", "lead_id", "AND test", leads).await?;
    gone.sign_ups = by(tx, "sign_ups", "lead_id", "AND test", leads).await?;
    gone.touches = by(tx, "touches", "lead_id", "", leads).await?;
    by(tx, "tagged", "subject_id", "", leads).await?;
    by(tx, "notes", "subject_id", "", leads).await?;
    unlisted(tx, leads).await?;
    gone.leads = by(tx, "leads", "id", "AND test", leads).await?;
    if usize::try_from(gone.leads) == Ok(leads.len()) {
        Ok(gone)
    } else {
        Err(DbError::Fault(format!("{} of {} test leads could be deleted", gone.leads, leads.len())))
    }
}

async fn by(tx: &mut Tx, of: &'static str, column: &str, and: &str, keys: &[i64]) -> DbResult<i64> {
    if keys.is_empty() {
        return Ok(0);
    }
    let text = format!("DELETE FROM {of} WHERE {column} IN (SELECT r.id FROM rows($1, id BIGINT) r) {and}");
    Ok(i64::try_from(sql_built(text).bind(table(keys)).execute(tx).await?).unwrap_or(i64::MAX))
}

async fn items(tx: &mut Tx, leads: &[i64], payments: &[i64]) -> DbResult<i64> {
    let touches = "SELECT t.id FROM rows($1, id BIGINT) r CROSS JOIN touches t WHERE t.lead_id = r.id";
    let touches = ids(tx, touches, leads).await?;
    let of_leads = by(tx, "inbox_items", "lead_id", "", leads).await?;
    let of_payments = by(tx, "inbox_items", "payment_id", "", payments).await?;
    Ok(of_leads + of_payments + by(tx, "inbox_items", "touch_id", "", &touches).await?)
}

/// Refunds of these payments, those that are named, and what waits in vain for a payment of these people.
async fn refunds_of(tx: &mut Tx, business_id: i64, leads: &[i64], payments: &[i64], refunds: &[i64]) -> DbResult<i64> {
    let waiting: Vec<(i64,)> = sql("SELECT f.id FROM refunds f
          WHERE f.business_id = $2 AND f.test = true AND f.payment_id IS NULL
            AND (f.campaign_id, f.email_key) IN (SELECT l.campaign_id, l.email_key FROM rows($1, id BIGINT) r CROSS JOIN leads l
                  WHERE l.id = r.id AND l.duplicate_of IS NULL AND l.email_key IS NOT NULL)")
    .bind(table(leads))
    .bind(business_id)
    .all(tx)
    .await?;
    let mut all: Vec<i64> = waiting.into_iter().map(|(id,)| id).chain(refunds.iter().copied()).collect();
    all.extend(
        ids(tx, "SELECT f.id FROM rows($1, id BIGINT) r CROSS JOIN refunds f WHERE f.payment_id = r.id", payments)
            .await?,
    );
    all.sort_unstable();
    all.dedup();
    by(tx, "refund_names", "refund_id", "AND test", &all).await?;
    by(tx, "refunds", "id", "AND test", &all).await
}

async fn messages(tx: &mut Tx, business_id: i64, about: &[i64]) -> DbResult<()> {
    sql(
        "DELETE FROM outbox WHERE business_id = $2 AND test AND subject_id IN (SELECT r.id FROM rows($1, id BIGINT) r)",
    )
    .bind(table(about))
    .bind(business_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Nobody waits any more to be found. What a segment of the search says of them leads nowhere, and is gone
/// when it is merged.
async fn unlisted(tx: &mut Tx, leads: &[i64]) -> DbResult<()> {
    let found: Vec<(i64, i64)> =
        sql("SELECT l.campaign_id, l.id FROM rows($1, id BIGINT) r CROSS JOIN leads l WHERE l.id = r.id AND l.test")
            .bind(table(leads))
            .all(tx)
            .await?;
    let queued = rows!(&found, (campaign, id) => { scope: Scope::leads(*campaign, true).number(), id: *id });
    sql(
        "DELETE FROM search_queue WHERE (scope, id) IN (SELECT r.scope, r.id FROM rows($1, scope BIGINT, id BIGINT) r)",
    )
    .bind(queued)
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets answers that were stored for keys: (key, text).
pub async fn forget(tx: &mut Tx, answers: &[(i64, String)]) -> DbResult<i64> {
    let table = rows!(answers, (key, text) => { key_id: *key, text: text });
    let gone = sql("DELETE FROM stored_answers WHERE status IS NOT NULL
           AND (key_id, text) IN (SELECT r.key_id, r.text FROM rows($1, key_id BIGINT, text TEXT) r)")
    .bind(table)
    .execute(tx)
    .await?;
    Ok(i64::try_from(gone).unwrap_or(i64::MAX))
}

/// Messages about test data up to an instant.
pub async fn silence(tx: &mut Tx, business_id: i64, until: Instant) -> DbResult<()> {
    sql("DELETE FROM outbox WHERE business_id = $1 AND test AND at <= $2")
        .bind(business_id)
        .bind(until)
        .execute(tx)
        .await?;
    Ok(())
}
