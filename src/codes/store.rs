mod find;
mod list;
pub mod rows;

pub use find::*;
pub use list::*;

use std::collections::BTreeSet;

use super::give::Enrolled;
use crate::campaigns;
use crate::clock::Instant;
use crate::code;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::search::{self, Scope};
use crate::{row, rows};

row! {
    #[derive(Debug, Clone)]
    pub struct CodeRow {
        pub id: i64,
        pub enrollment_id: i64,
        pub text: String,
        pub kind: String,
        pub state: String,
        pub created_at: i64,
    }
}

/// A code about to be stored.
#[derive(Debug, Clone)]
pub struct NewCode {
    pub id: i64,
    pub enrolled: Enrolled,
    pub text: String,
    pub lookup: String,
    pub repaired: String,
    pub search: String,
    pub kind: &'static str,
}

impl NewCode {
    pub fn generated(id: i64, enrolled: &Enrolled, text: String) -> Self {
        Self {
            id,
            enrolled: enrolled.clone(),
            lookup: code::lookup_form(&text),
            repaired: code::repaired(&text),
            search: code::searched(&text),
            text,
            kind: "generated",
        }
    }

    pub fn custom(id: i64, enrolled: &Enrolled, text: String) -> Self {
        Self { kind: "custom", ..Self::generated(id, enrolled, text) }
    }
}

/// Inserts one active code; an existing text makes this a lost race.
pub async fn insert(tx: &mut Tx, c: &NewCode, now: Instant) -> DbResult<()> {
    sql("INSERT INTO codes
                (id, business_id, campaign_id, enrollment_id, referrer_id, text, lookup, repaired, search, kind,
                 state, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'active', $11, $11)")
    .bind(c.id)
    .bind(c.enrolled.business_id)
    .bind(c.enrolled.campaign_id)
    .bind(c.enrolled.enrollment_id)
    .bind(c.enrolled.referrer_id)
    .bind(&c.text)
    .bind(&c.lookup)
    .bind(&c.repaired)
    .bind(&c.search)
    .bind(c.kind)
    .bind(now)
    .execute(tx)
    .await?;
    to_be_found(tx, std::slice::from_ref(c)).await
}

/// People are found by their codes, and codes by their people.
async fn to_be_found(tx: &mut Tx, codes: &[NewCode]) -> DbResult<()> {
    let of_code = |c: &NewCode| (Scope::codes(c.enrolled.campaign_id), c.id);
    let of_person = |c: &NewCode| (Scope::referrers(c.enrolled.business_id), c.enrolled.referrer_id);
    let both: BTreeSet<(i64, i64)> =
        codes.iter().flat_map(|c| [of_code(c), of_person(c)]).map(|(scope, id)| (scope.number(), id)).collect();
    search::enqueue(tx, rows!(both, (scope, id) => { scope: scope, id: id })).await
}

pub async fn set_state(tx: &mut Tx, id: i64, state: &str) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE codes
            SET state = $2, updated_at = $3
          WHERE id = $1")
    .bind(id)
    .bind(state)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Another spelling of the same code; its look-up form stays.
pub async fn set_text(tx: &mut Tx, id: i64, text: &str) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE codes
            SET text = $2, updated_at = $3
          WHERE id = $1")
    .bind(id)
    .bind(text)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Inserts active codes where the enrollment has none and the text is free; the others are left out. A
/// generated code avoids everything it could be mistaken for; a custom code is found by its exact spelling
/// first.
pub async fn insert_missing(tx: &mut Tx, now: Instant, new: &[NewCode]) -> DbResult<u64> {
    // An unused id is skipped when its turn in the queue comes.
    to_be_found(tx, new).await?;
    let table = rows!(new, c => {
        id: c.id, business_id: c.enrolled.business_id, campaign_id: c.enrolled.campaign_id,
        enrollment_id: c.enrolled.enrollment_id,
        referrer_id: c.enrolled.referrer_id, text: &c.text, lookup: &c.lookup, repaired: &c.repaired, search: &c.search, kind: c.kind,
        at: now,
    });
    sql("INSERT INTO codes
                (id, business_id, campaign_id, enrollment_id, referrer_id, text, lookup, repaired, search, kind,
                 state, created_at, updated_at)
         SELECT r.id, r.business_id, r.campaign_id, r.enrollment_id, r.referrer_id, r.text, r.lookup, r.repaired,
                r.search, r.kind, 'active', r.at, r.at
           FROM rows($1, id BIGINT, business_id BIGINT, campaign_id BIGINT, enrollment_id BIGINT, referrer_id BIGINT,
                     text TEXT, lookup TEXT, repaired TEXT, search TEXT, kind TEXT, at BIGINT) r
          WHERE NOT EXISTS (SELECT 1
                              FROM codes c
                             WHERE c.enrollment_id = r.enrollment_id
                               AND c.state = 'active')
            AND (r.kind = 'custom'
                 OR NOT EXISTS (SELECT 1
                                  FROM codes c
                                 WHERE c.business_id = r.business_id
                                   AND c.repaired = r.repaired))
         ON CONFLICT DO NOTHING")
    .bind(table)
    .execute(tx)
    .await
}

/// The active codes of some enrollments.
pub async fn active(conn: &mut Conn, enrollments: &[i64]) -> DbResult<Vec<CodeRow>> {
    let table = rows!(enrollments, id => { id: *id });
    sql("SELECT c.id, c.enrollment_id, c.text, c.kind, c.state, c.created_at
           FROM rows($1, id BIGINT) r
           JOIN codes c ON c.enrollment_id = r.id
                       AND c.state = 'active'")
    .bind(table)
    .all(conn)
    .await
}

/// Notes on one enrollment whether it has an active code now, and on its referrer that the code changed.
pub async fn note_whether_coded(tx: &mut Tx, enrollment_id: i64) -> DbResult<()> {
    touch_referrers(tx, &[enrollment_id]).await?;
    sql("UPDATE enrollments
            SET has_code = EXISTS (SELECT 1 FROM codes c WHERE c.enrollment_id = $1 AND c.state = 'active')
          WHERE id = $1")
    .bind(enrollment_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// A referrer is shown with the codes: a change of those is a change of theirs.
async fn touch_referrers(tx: &mut Tx, enrollments: &[i64]) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE referrers
            SET updated_at = $2
          WHERE updated_at < $2
            AND id IN (SELECT e.referrer_id
                         FROM rows($1, id BIGINT) r
                         JOIN enrollments e ON e.id = r.id)")
    .bind(rows!(enrollments, id => { id: *id }))
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes on enrollments that they have an active code.
pub async fn mark(tx: &mut Tx, enrollments: &[i64]) -> DbResult<()> {
    touch_referrers(tx, enrollments).await?;
    let table = rows!(enrollments, id => { id: *id });
    sql("UPDATE enrollments
            SET has_code = true
           FROM rows($1, id BIGINT) r
          WHERE enrollments.id = r.id
            AND NOT enrollments.has_code
            AND EXISTS (SELECT 1
                          FROM codes c
                         WHERE c.enrollment_id = r.id
                           AND c.state = 'active')")
    .bind(table)
    .execute(tx)
    .await?;
    Ok(())
}

/// Every code an enrollment has had, newest first.
pub async fn of_enrollment(conn: &mut Conn, enrollment_id: i64) -> DbResult<Vec<CodeRow>> {
    sql("SELECT id, enrollment_id, text, kind, state, created_at
           FROM codes
          WHERE enrollment_id = $1
          ORDER BY id DESC")
    .bind(enrollment_id)
    .all(conn)
    .await
}

row! {
    /// An enrollment with the name of its referrer.
    #[derive(Debug, Clone)]
    pub struct EnrollmentRow {
        pub enrollment_id: i64,
        pub business_id: i64,
        pub campaign_id: i64,
        pub referrer_id: i64,
        pub state: String,
        pub archived: bool,
        pub name: String,
        pub created_at: i64,
    }
}

impl EnrollmentRow {
    pub fn enrolled(&self) -> Enrolled {
        Enrolled {
            enrollment_id: self.enrollment_id,
            business_id: self.business_id,
            campaign_id: self.campaign_id,
            referrer_id: self.referrer_id,
        }
    }
}

pub async fn enrollment(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<EnrollmentRow>> {
    sql("SELECT e.id AS enrollment_id, e.business_id, e.campaign_id, e.referrer_id, e.state, e.archived, r.name,
                e.created_at
           FROM enrollments e
           JOIN referrers r ON r.id = e.referrer_id
          WHERE e.id = $2
            AND e.business_id = $1")
    .bind(business_id)
    .bind(id)
    .optional(conn)
    .await
}

row! {
    /// A referrer with their code in a campaign, as a ready text needs them.
    pub struct Told {
        pub referrer_id: i64,
        pub campaign_id: i64,
        pub name: String,
        pub email: Option<String>,
        /// In E.164.
        pub phone: Option<String>,
        pub enrollment_state: String,
        pub archived: bool,
        pub campaign: String,
        pub campaign_state: String,
        pub ready_text: String,
        /// As the settings store it.
        pub reward: String,
        pub offer: String,
        pub code: Option<String>,
    }
}

impl Told {
    /// The reason why the code counts for nobody now; empty where it does.
    pub fn resting(&self) -> String {
        match (self.archived, self.enrollment_state.as_str()) {
            (true, _) => format!("{} is archived: new referrals with this code do not count.", self.name),
            (false, "active") => campaigns::resting(&self.campaign, &self.campaign_state),
            (false, state) => format!("{} is {state}: new referrals with this code do not count.", self.name),
        }
    }
}

pub async fn told(conn: &mut Conn, business_id: i64, enrollment_id: i64) -> DbResult<Option<Told>> {
    sql("SELECT e.referrer_id, e.campaign_id, r.name, r.email, r.phone_key AS phone, e.state AS enrollment_state, e.archived,
                g.name AS campaign, g.state AS campaign_state, g.ready_text, g.reward,
                g.offer, c.text AS code
           FROM enrollments e
           JOIN referrers r ON r.id = e.referrer_id
           JOIN campaigns g ON g.id = e.campaign_id
           LEFT JOIN codes c ON c.enrollment_id = e.id
                            AND c.state = 'active'
          WHERE e.id = $2
            AND e.business_id = $1")
    .bind(business_id)
    .bind(enrollment_id)
    .optional(conn)
    .await
}

row! {
    pub struct Coverage {
        pub codeless: i64,
        pub have: i64,
        pub resting: i64,
    }
}

/// A campaign's enrollments by what they have and whether they would get a code: exact, in one index.
pub async fn coverage(conn: &mut Conn, campaign_id: i64) -> DbResult<Coverage> {
    sql("SELECT (SELECT count(*)
                   FROM enrollments
                  WHERE campaign_id = $1
                    AND archived = false
                    AND has_code = false
                    AND state = 'active') AS codeless,
                (SELECT count(*)
                   FROM enrollments
                  WHERE campaign_id = $1
                    AND archived = false
                    AND has_code = true
                    AND state = 'active') AS have,
                (SELECT count(*)
                   FROM enrollments
                  WHERE campaign_id = $1
                    AND archived = false
                    AND has_code = false
                    AND state <> 'active') AS resting")
    .bind(campaign_id)
    .one(conn)
    .await
}

/// Active enrollments without an active code, oldest first, behind a row.
pub async fn codeless(
    conn: &mut Conn,
    business_id: i64,
    campaign_id: i64,
    after: (i64, i64),
    most: usize,
) -> DbResult<Vec<EnrollmentRow>> {
    sql("SELECT e.id AS enrollment_id, e.business_id, e.campaign_id, e.referrer_id, e.state, e.archived, '' AS name,
                e.created_at
           FROM enrollments e
          WHERE e.campaign_id = $2
            AND e.archived = false
            AND e.has_code = false
            AND e.state = 'active'
            AND e.business_id = $1
            AND (e.created_at, e.id) > ($3, $4)
          ORDER BY e.created_at, e.id
          LIMIT $5")
    .bind(business_id)
    .bind(campaign_id)
    .bind(after.0)
    .bind(after.1)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .all(conn)
    .await
}

/// Those of some enrollments that are still active and without an active code.
pub async fn still_codeless(conn: &mut Conn, enrollments: &[i64]) -> DbResult<Vec<i64>> {
    let table = rows!(enrollments, id => { id: *id });
    let found: Vec<(i64,)> = sql("SELECT e.id
           FROM rows($1, id BIGINT) r
           JOIN enrollments e ON e.id = r.id
          WHERE e.state = 'active'
            AND NOT e.archived
            AND NOT EXISTS (SELECT 1
                              FROM codes c
                             WHERE c.enrollment_id = e.id
                               AND c.state = 'active')")
    .bind(table)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}
