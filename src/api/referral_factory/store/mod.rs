//! Users as rows: leads, and referrers in one of their campaigns. Archived ones are left out.

pub mod find;
pub mod list;

use crate::db::{Conn, DbResult, sql};
use crate::{row, rows};

row! {
    #[derive(Debug, Clone)]
    pub struct LeadRow {
        pub id: i64,
        pub campaign_id: i64,
        pub referrer_id: Option<i64>,
        pub test: bool,
        pub name: String,
        pub email: Option<String>,
        pub source_origin: String,
        pub arrival: Option<String>,
        pub meta: String,
        pub created_at: i64,
        pub qualified_at: Option<i64>,
    }
}

/// Leads of a business and mode, in no order.
pub async fn leads(conn: &mut Conn, business_id: i64, test: bool, ids: &[i64]) -> DbResult<Vec<LeadRow>> {
    sql("SELECT l.id, l.campaign_id, l.referrer_id, l.test, l.name, l.email, l.source_origin, l.arrival, l.meta,
                l.created_at, l.qualified_at
           FROM rows($1, id BIGINT) r
           JOIN leads l ON l.id = r.id
          WHERE +l.business_id = $2
            AND l.test = $3
            AND l.archived_at IS NULL")
    .bind(rows!(ids, id => { id: *id }))
    .bind(business_id)
    .bind(test)
    .all(conn)
    .await
}

row! {
    #[derive(Debug, Clone)]
    pub struct ReferrerRow {
        pub id: i64,
        pub enrollment_id: i64,
        pub campaign_id: i64,
        pub name: String,
        pub email: Option<String>,
        pub meta: String,
        pub created_at: i64,
        /// Their active code.
        pub code: Option<String>,
        /// True when another business had the same code first.
        pub elder: bool,
        /// The kind of actor of the first audit entry: a key, or a person of staff.
        pub added_by: Option<String>,
    }
}

/// Referrers in the campaigns of these enrollments, in no order.
pub async fn enrolled(conn: &mut Conn, business_id: i64, enrollments: &[i64]) -> DbResult<Vec<ReferrerRow>> {
    sql("SELECT p.id, e.id AS enrollment_id, e.campaign_id, p.name, p.email, p.meta, e.created_at, c.text AS code,
                EXISTS (SELECT 1
                          FROM codes o
                         WHERE o.lookup = c.lookup
                           AND o.business_id <> c.business_id
                           AND (o.created_at, o.id) < (c.created_at, c.id)) AS elder,
                (SELECT a.actor_kind
                   FROM audit_entries a
                  WHERE a.referrer_id = p.id
                  ORDER BY a.at, a.id
                  LIMIT 1) AS added_by
           FROM rows($1, id BIGINT) r
           JOIN enrollments e ON e.id = r.id
           JOIN referrers p ON p.id = e.referrer_id
           LEFT JOIN codes c ON c.enrollment_id = e.id
                            AND c.state = 'active'
          WHERE e.business_id = $2
            AND e.archived = false")
    .bind(rows!(enrollments, id => { id: *id }))
    .bind(business_id)
    .all(conn)
    .await
}

/// The first enrollment of each of some referrers.
pub async fn first_enrollments(conn: &mut Conn, referrers: &[i64]) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT min(e.id)
           FROM rows($1, id BIGINT) r
           JOIN enrollments e ON e.referrer_id = r.id
          WHERE e.archived = false
          GROUP BY e.referrer_id")
    .bind(rows!(referrers, id => { id: *id }))
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// (code, enrollment): the counters of some enrollments, beside their own.
pub async fn code_ids(conn: &mut Conn, enrollments: &[i64]) -> DbResult<Vec<(i64, i64)>> {
    sql("SELECT c.id, c.enrollment_id
           FROM rows($1, id BIGINT) r
           JOIN codes c ON c.enrollment_id = r.id")
    .bind(rows!(enrollments, id => { id: *id }))
    .all(conn)
    .await
}
