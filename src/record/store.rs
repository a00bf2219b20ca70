//! Finding people by the beginning of any of their words, and what the pages say of them.

use crate::db::{Conn, DbResult, Value, sql, sql_built};
use crate::fold::fold;
use crate::{row, rows};

/// People that a first word finds, at most; the other words choose among them.
const CANDIDATES: usize = 10_000;

row! {
    #[derive(Debug, Clone)]
    pub struct ReferrerOf {
        pub id: i64,
        pub name: String,
        pub company: Option<String>,
    }
}

/// A referrer outside the archive.
pub async fn referrer(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<ReferrerOf>> {
    sql("SELECT id, name, company
           FROM referrers
          WHERE id = $2
            AND business_id = $1
            AND archived_at IS NULL")
    .bind(business_id)
    .bind(id)
    .optional(conn)
    .await
}

row! {
    #[derive(Debug, Clone)]
    pub struct EnrollmentOf {
        pub id: i64,
        pub referrer_id: i64,
        pub campaign_id: i64,
        pub campaign: String,
        pub campaign_state: String,
        pub state: String,
        pub code: Option<String>,
    }
}

/// The enrollments of a referrer outside the archive, oldest first.
pub async fn enrollments(conn: &mut Conn, business_id: i64, referrer_id: i64) -> DbResult<Vec<EnrollmentOf>> {
    sql("SELECT e.id, e.referrer_id, e.campaign_id, g.name AS campaign, g.state AS campaign_state, e.state,
                c.text AS code
           FROM enrollments e
           JOIN campaigns g ON g.id = e.campaign_id
           LEFT JOIN codes c ON c.enrollment_id = e.id
                            AND c.state = 'active'
          WHERE e.referrer_id = $2
            AND e.business_id = $1
            AND NOT e.archived
          ORDER BY e.id")
    .bind(business_id)
    .bind(referrer_id)
    .all(conn)
    .await
}

row! {
    /// What an undo asks of a lead.
    #[derive(Debug, Clone)]
    pub struct LeadNow {
        pub referrer_id: Option<i64>,
        pub qualified: bool,
        pub paid: bool,
    }
}

pub async fn lead_now(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<LeadNow>> {
    sql("SELECT l.referrer_id, l.qualified_at IS NOT NULL AS qualified,
                EXISTS (SELECT 1 FROM payments p WHERE p.lead_id = l.id) AS paid
           FROM leads l
          WHERE l.id = $2
            AND l.business_id = $1
            AND l.archived_at IS NULL")
    .bind(business_id)
    .bind(id)
    .optional(conn)
    .await
}

pub async fn lead_created_at(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<i64>> {
    let found: Option<(i64,)> = sql("SELECT created_at
           FROM leads
          WHERE id = $2
            AND business_id = $1")
    .bind(business_id)
    .bind(id)
    .optional(conn)
    .await?;
    Ok(found.map(|(at,)| at))
}

/// People who have, for each searched word, a word that begins with it; people whose name begins with the
/// typed text come first. `asked` has, for each word, the forms under which it may be stored.
pub async fn by_words(
    conn: &mut Conn,
    business_id: i64,
    typed: &str,
    asked: &[Vec<String>],
    most: usize,
) -> DbResult<Vec<i64>> {
    let asked = rarest_first(conn, business_id, asked).await?;
    let Some((first, rest)) = asked.split_first() else { return Ok(Vec::new()) };
    let mut values = vec![Value::from(business_id)];
    let mut found = format!(
        "SELECT DISTINCT w.referrer_id AS id
           FROM referrer_words w
          WHERE w.business_id = $1
            AND {}",
        beginning("w", first, &mut values)
    );
    for forms in rest {
        let also = beginning("x", forms, &mut values);
        found.push_str(&format!(
            " AND EXISTS (SELECT 1 FROM referrer_words x WHERE x.referrer_id = w.referrer_id AND {also})"
        ));
    }
    let typed = fold(typed);
    values.push(format!("{typed}\u{10FFFF}").into());
    values.push(typed.into());
    let n = values.len();
    let text = format!(
        "SELECT r.id
           FROM ({found} LIMIT {CANDIDATES}) f
           JOIN referrers r ON r.id = f.id
          WHERE r.archived_at IS NULL
          ORDER BY CASE WHEN r.search >= ${n} AND r.search < ${} THEN 0 ELSE 1 END, r.search, r.id
          LIMIT {most}",
        n - 1
    );
    let rows: Vec<(i64,)> = sql_built(text).bind_all(values).all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The condition that a word begins with one of some forms.
fn beginning(alias: &str, forms: &[String], values: &mut Vec<Value>) -> String {
    let ranges: Vec<String> = forms
        .iter()
        .map(|form| {
            values.push(form.as_str().into());
            values.push(format!("{form}\u{10FFFF}").into());
            format!("{alias}.word >= ${} AND {alias}.word < ${}", values.len() - 1, values.len())
        })
        .collect();
    format!("({})", ranges.join(" OR "))
}

/// The words in the order in which they leave the fewest people, counted up to a bound.
async fn rarest_first<'w>(
    conn: &mut Conn,
    business_id: i64,
    asked: &'w [Vec<String>],
) -> DbResult<Vec<&'w Vec<String>>> {
    let mut counted = Vec::with_capacity(asked.len());
    for forms in asked {
        let mut count = 0;
        if asked.len() > 1 {
            let mut values = vec![Value::from(business_id)];
            let begins = beginning("w", forms, &mut values);
            let text = format!(
                "SELECT count(*)
                   FROM (SELECT 1 AS one
                           FROM referrer_words w
                          WHERE w.business_id = $1
                            AND {begins}
                          LIMIT 5000) n"
            );
            count = sql_built(text).bind_all(values).scalar::<i64>(conn).await?;
        }
        counted.push((count, forms));
    }
    counted.sort_by_key(|(count, _)| *count);
    Ok(counted.into_iter().map(|(_, forms)| forms).collect())
}

row! {
    /// A person as a search shows them.
    #[derive(Debug, Clone)]
    pub struct PersonLine {
        pub id: i64,
        pub name: String,
        pub company: Option<String>,
        pub email: Option<String>,
        pub archived: bool,
        /// Their newest lead.
        pub last_at: Option<i64>,
    }
}

pub async fn people(conn: &mut Conn, business_id: i64, ids: &[i64]) -> DbResult<Vec<PersonLine>> {
    let table = rows!(ids, id => { id: *id });
    sql("SELECT r.id, r.name, r.company, r.email, r.archived_at IS NOT NULL AS archived,
                (SELECT max(l.created_at)
                   FROM leads l
                  WHERE l.referrer_id = r.id
                    AND NOT l.test) AS last_at
           FROM rows($2, id BIGINT) q
           JOIN referrers r ON r.id = q.id
          WHERE r.business_id = $1")
    .bind(business_id)
    .bind(table)
    .all(conn)
    .await
}

/// The enrollments of some people outside the archive.
pub async fn enrollments_of(conn: &mut Conn, business_id: i64, ids: &[i64]) -> DbResult<Vec<EnrollmentOf>> {
    let table = rows!(ids, id => { id: *id });
    sql("SELECT e.id, e.referrer_id, e.campaign_id, g.name AS campaign, g.state AS campaign_state, e.state,
                c.text AS code
           FROM rows($2, id BIGINT) q
           JOIN enrollments e ON e.referrer_id = q.id
           JOIN campaigns g ON g.id = e.campaign_id
           LEFT JOIN codes c ON c.enrollment_id = e.id
                            AND c.state = 'active'
          WHERE e.business_id = $1
            AND NOT e.archived
          ORDER BY e.id")
    .bind(business_id)
    .bind(table)
    .all(conn)
    .await
}
