//! Finds a code by its text, its beginning, or similar texts. Every condition is on the unique look-up form
//! or the repaired form, so a hundred thousand codes are never scanned.

use crate::db::{Conn, DbResult, sql, sql_built};
use crate::search::{self, Needle, Scope};
use crate::{row, rows};

row! {
    /// A code with its owner.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Known {
        pub id: i64,
        pub enrollment_id: i64,
        pub campaign_id: i64,
        pub referrer_id: i64,
        pub text: String,
        pub lookup: String,
        pub kind: String,
        pub state: String,
        pub enrollment_state: String,
        pub archived: bool,
        pub name: String,
    }
}

const KNOWN: &str = "c.id, c.enrollment_id, c.campaign_id, c.referrer_id, c.text, c.lookup, c.kind, c.state,
                     e.state AS enrollment_state, e.archived, r.name";
const OWNER: &str = "JOIN enrollments e ON e.id = c.enrollment_id
                     JOIN referrers r ON r.id = c.referrer_id";

pub async fn by_id(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<Known>> {
    sql_built(format!(
        "SELECT {KNOWN}
           FROM codes c {OWNER}
          WHERE c.business_id = $1
            AND c.id = $2"
    ))
    .bind(business_id)
    .bind(id)
    .optional(conn)
    .await
}

pub async fn by_lookup(conn: &mut Conn, business_id: i64, lookup: &str) -> DbResult<Option<Known>> {
    sql_built(format!(
        "SELECT {KNOWN}
           FROM codes c {OWNER}
          WHERE c.business_id = $1
            AND c.lookup = $2"
    ))
    .bind(business_id)
    .bind(lookup)
    .optional(conn)
    .await
}

pub async fn generated_by_repaired(conn: &mut Conn, business_id: i64, repaired: &str) -> DbResult<Option<Known>> {
    sql_built(format!(
        "SELECT {KNOWN}
           FROM codes c {OWNER}
          WHERE c.business_id = $1
            AND c.repaired = $2
            AND c.kind = 'generated'"
    ))
    .bind(business_id)
    .bind(repaired)
    .optional(conn)
    .await
}

/// The codes that a look-up of a new text would meet: the same form, or a generated one it is mended to.
pub async fn reads_like(conn: &mut Conn, business_id: i64, lookup: &str, repaired: &str) -> DbResult<Vec<Known>> {
    sql_built(format!(
        "SELECT {KNOWN}
           FROM codes c {OWNER}
          WHERE c.business_id = $1
            AND c.lookup = $2
          UNION
         SELECT {KNOWN}
           FROM codes c {OWNER}
          WHERE c.business_id = $1
            AND c.repaired = $3
            AND c.kind = 'generated'"
    ))
    .bind(business_id)
    .bind(lookup)
    .bind(repaired)
    .all(conn)
    .await
}

/// Active codes whose look-up form begins with a text.
pub async fn active_from(conn: &mut Conn, business_id: i64, prefix: &str, most: i64) -> DbResult<Vec<Known>> {
    sql_built(format!(
        "SELECT {KNOWN}
           FROM (SELECT *
                   FROM codes
                  WHERE business_id = $1
                    AND lookup >= $2
                    AND lookup < $3
                    AND state = 'active'
                  ORDER BY lookup
                  LIMIT $4) c {OWNER}
          ORDER BY c.lookup"
    ))
    .bind(business_id)
    .bind(prefix)
    .bind(format!("{prefix}\u{10FFFF}"))
    .bind(most)
    .all(conn)
    .await
}

/// Active generated codes whose form begins with a text in which look-alikes are mended.
pub async fn active_repaired_from(conn: &mut Conn, business_id: i64, prefix: &str, most: i64) -> DbResult<Vec<Known>> {
    sql_built(format!(
        "SELECT {KNOWN}
           FROM (SELECT *
                   FROM codes
                  WHERE business_id = $1
                    AND repaired >= $2
                    AND repaired < $3
                    AND state = 'active'
                  ORDER BY repaired
                  LIMIT $4) c {OWNER}
          ORDER BY c.repaired"
    ))
    .bind(business_id)
    .bind(prefix)
    .bind(format!("{prefix}\u{10FFFF}"))
    .bind(most)
    .all(conn)
    .await
}

/// The active codes among some look-up forms.
pub async fn active_among(conn: &mut Conn, business_id: i64, forms: &[String]) -> DbResult<Vec<Known>> {
    let table = rows!(forms, form => { form: form });
    sql_built(format!(
        "SELECT {KNOWN}
           FROM rows($2, form TEXT) q
           JOIN codes c ON c.business_id = $1
                       AND c.lookup = q.form
                       AND c.state = 'active' {OWNER}"
    ))
    .bind(business_id)
    .bind(table)
    .all(conn)
    .await
}

/// Rows of the index that are looked at for pieces of codes, beside those that wait to be indexed.
const LOOKED: usize = 2_000;

/// Codes that are not retired and may have one of some pieces: id, and the text in which pieces are found.
pub async fn with_pieces(conn: &mut Conn, business_id: i64, pieces: &[String]) -> DbResult<Vec<(i64, String)>> {
    if pieces.is_empty() {
        return Ok(Vec::new());
    }
    let campaigns: Vec<(i64,)> = sql("SELECT id
           FROM campaigns
          WHERE business_id = $1
          ORDER BY id")
    .bind(business_id)
    .all(conn)
    .await?;
    let scopes: Vec<Scope> = campaigns.into_iter().map(|(id,)| Scope::codes(id)).collect();
    let ids = search::some(conn, &scopes, &Needle::codes(pieces), LOOKED).await?;
    sql("SELECT c.id, c.search
           FROM rows($2, id BIGINT) q
           CROSS JOIN codes c
          WHERE c.id = q.id
            AND c.business_id = $1
            AND c.state <> 'retired'")
    .bind(business_id)
    .bind(rows!(ids, id => { id: id }))
    .all(conn)
    .await
}

pub async fn by_ids(conn: &mut Conn, business_id: i64, ids: &[i64]) -> DbResult<Vec<Known>> {
    sql_built(format!(
        "SELECT {KNOWN}
           FROM rows($2, id BIGINT) q
           JOIN codes c ON c.id = q.id {OWNER}
          WHERE c.business_id = $1"
    ))
    .bind(business_id)
    .bind(rows!(ids, id => { id: *id }))
    .all(conn)
    .await
}
