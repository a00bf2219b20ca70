//! The existing rows that a list of new people may concern, set-wise.

use super::counted;
use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::fold::fold;
use crate::{code, row, rows};

row! {
    /// A referrer as one of the wanted contacts finds them, and their enrollment in the campaign.
    #[derive(Debug, Clone)]
    pub struct Found {
        pub contact: String,
        pub referrer_id: i64,
        pub name: String,
        pub archived_at: Option<i64>,
        pub enrollment_id: Option<i64>,
        pub code: Option<String>,
    }
}

/// Referrers by address, then by phone, oldest first.
pub async fn find(
    conn: &mut Conn,
    business: i64,
    campaign: i64,
    emails: &[&str],
    phones: &[&str],
) -> DbResult<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    if !emails.is_empty() {
        found = sql(
            "SELECT r.k AS contact, p.id AS referrer_id, p.name, p.archived_at, e.id AS enrollment_id, c.text AS code
               FROM rows($1, business BIGINT, campaign BIGINT, k TEXT) r
               JOIN referrers p ON p.business_id = r.business
                               AND p.email_key = r.k
               LEFT JOIN enrollments e ON e.campaign_id = r.campaign
                                      AND e.referrer_id = p.id
               LEFT JOIN codes c ON c.enrollment_id = e.id
                                AND c.state = 'active'
              WHERE p.email_key IS NOT NULL",
        )
        .bind(rows!(emails, k => { business: business, campaign: campaign, k: *k }))
        .all(conn)
        .await?;
    }
    if !phones.is_empty() {
        let by_phone: Vec<Found> = sql(
            "SELECT r.k AS contact, p.id AS referrer_id, p.name, p.archived_at, e.id AS enrollment_id, c.text AS code
               FROM rows($1, business BIGINT, campaign BIGINT, k TEXT) r
               JOIN referrers p ON p.business_id = r.business
                               AND p.phone_key = r.k
               LEFT JOIN enrollments e ON e.campaign_id = r.campaign
                                      AND e.referrer_id = p.id
               LEFT JOIN codes c ON c.enrollment_id = e.id
                                AND c.state = 'active'
              WHERE p.phone_key IS NOT NULL
              ORDER BY p.id",
        )
        .bind(rows!(phones, k => { business: business, campaign: campaign, k: *k }))
        .all(conn)
        .await?;
        found.extend(by_phone);
    }
    Ok(found)
}

row! {
    /// A code that is taken.
    #[derive(Debug, Clone)]
    pub struct Taken {
        pub lookup: String,
        pub enrollment_id: i64,
        pub name: String,
    }
}

/// The codes of a business that are one of these.
pub async fn taken(conn: &mut Conn, business: i64, codes: &[&str]) -> DbResult<Vec<Taken>> {
    sql("SELECT c.enrollment_id, c.lookup, p.name
           FROM rows($1, business BIGINT, lookup TEXT) r
           JOIN codes c ON c.business_id = r.business
                       AND c.lookup = r.lookup
           JOIN referrers p ON p.id = c.referrer_id")
    .bind(rows!(codes, t => { business: business, lookup: code::lookup_form(t) }))
    .all(conn)
    .await
}

row! {
    /// A referrer who is active in a campaign.
    #[derive(Debug, Clone)]
    pub struct Source {
        pub enrollment_id: i64,
        pub referrer_id: i64,
        pub created_at: i64,
    }
}

/// The active referrers of a campaign behind a position, oldest first; with a tag, or any for 0.
pub async fn source(
    conn: &mut Conn,
    business: i64,
    campaign: i64,
    tag: i64,
    after: (i64, i64),
    most: usize,
) -> DbResult<Vec<Source>> {
    sql("SELECT e.id AS enrollment_id, e.referrer_id, e.created_at
           FROM enrollments e
          WHERE e.campaign_id = $2
            AND e.archived = false
            AND e.state = 'active'
            AND e.business_id = $1
            AND ($3 = 0 OR EXISTS (SELECT 1
                                     FROM tagged d
                                    WHERE d.tag_id = $3
                                      AND d.subject_id = e.referrer_id))
            AND (e.created_at, e.id) > ($4, $5)
          ORDER BY e.created_at, e.id
          LIMIT $6")
    .bind(business)
    .bind(campaign)
    .bind(tag)
    .bind(after.0)
    .bind(after.1)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .all(conn)
    .await
}

/// The number of them.
pub async fn count(conn: &mut Conn, business: i64, campaign: i64, tag: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM enrollments e
          WHERE e.campaign_id = $2
            AND e.archived = false
            AND e.state = 'active'
            AND e.business_id = $1
            AND ($3 = 0 OR EXISTS (SELECT 1
                                     FROM tagged d
                                    WHERE d.tag_id = $3
                                      AND d.subject_id = e.referrer_id))")
    .bind(business)
    .bind(campaign)
    .bind(tag)
    .scalar(conn)
    .await
}

/// Takes people out of the archive, with all their enrollments.
pub async fn restore(tx: &mut Tx, referrers: &[i64], now: Instant) -> DbResult<()> {
    if referrers.is_empty() {
        return Ok(());
    }
    let enrolled = counted::enrolled(tx, referrers, true).await?;
    counted::count(tx, &enrolled, 1).await?;
    let json = rows!(referrers, id => { id: *id });
    sql("UPDATE referrers
            SET archived_at = NULL, updated_at = $2
           FROM rows($1, id BIGINT) r
          WHERE referrers.id = r.id")
    .bind(json.clone())
    .bind(now)
    .execute(tx)
    .await?;
    sql("UPDATE enrollments
            SET archived = false
           FROM rows($1, id BIGINT) r
          WHERE enrollments.referrer_id = r.id")
    .bind(json)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    /// A referrer who may be enrolled.
    #[derive(Debug, Clone)]
    pub struct Candidate {
        pub referrer_id: i64,
        pub name: String,
        pub archived_at: Option<i64>,
        /// Their enrollment in the campaign.
        pub enrollment_id: Option<i64>,
    }
}

/// The referrers of a business among some ids.
pub async fn candidates(conn: &mut Conn, business: i64, campaign: i64, ids: &[i64]) -> DbResult<Vec<Candidate>> {
    sql("SELECT p.id AS referrer_id, p.name, p.archived_at, e.id AS enrollment_id
           FROM rows($1, id BIGINT) r
           JOIN referrers p ON p.id = r.id
           LEFT JOIN enrollments e ON e.campaign_id = $3
                                  AND e.referrer_id = p.id
          WHERE p.business_id = $2")
    .bind(rows!(ids, id => { id: *id }))
    .bind(business)
    .bind(campaign)
    .all(conn)
    .await
}

/// Enrolls referrers in a campaign: each with the id of the enrollment.
pub async fn enroll(
    tx: &mut Tx,
    business: i64,
    campaign: i64,
    new: &[(i64, &Candidate)],
    job: Option<i64>,
) -> DbResult<()> {
    let now = tx.now();
    let table = rows!(new, (id, c) => { id: *id, referrer: c.referrer_id, name: fold(&c.name) });
    sql("INSERT INTO enrollments
                (id, business_id, campaign_id, referrer_id, state, has_code, name_fold, archived, created_at, job_id)
         SELECT r.id, $2, $3, r.referrer, 'active', false, r.name, false, $4, $5
           FROM rows($1, id BIGINT, referrer BIGINT, name TEXT) r")
    .bind(table.clone())
    .bind(business)
    .bind(campaign)
    .bind(now)
    .bind(job)
    .execute(tx)
    .await?;
    // As one alone: a change of their campaigns is a change of theirs.
    sql("UPDATE referrers
            SET updated_at = $2
           FROM rows($1, id BIGINT, referrer BIGINT, name TEXT) r
          WHERE referrers.id = r.referrer
            AND referrers.updated_at < $2")
    .bind(table)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
