use crate::db::{Conn, DbResult, sql, sql_built};
use crate::row;

row! {
    /// A code with all that decides where its link leads.
    #[derive(Debug, Clone)]
    pub struct LinkRow {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: i64,
        pub enrollment_id: i64,
        pub text: String,
        pub state: String,
        pub enrollment_state: String,
        pub archived: bool,
        pub campaign_state: String,
        pub destination: String,
        pub link_days: i64,
        pub offer: String,
        pub business: String,
        pub referrer: String,
        pub timezone: String,
        /// True when another business had the same code first.
        pub elder: bool,
    }
}

const LINK: &str = "SELECT c.id, c.business_id, c.campaign_id, c.enrollment_id, c.text, c.state,
                           e.state AS enrollment_state, e.archived, g.state AS campaign_state, g.destination,
                           g.link_days, g.offer, b.name AS business, r.name AS referrer, b.timezone,
                           EXISTS (SELECT 1
                                     FROM codes o
                                    WHERE o.lookup = c.lookup
                                      AND o.business_id <> c.business_id
                                      AND (o.created_at, o.id) < (c.created_at, c.id)) AS elder
                      FROM codes c
                      JOIN enrollments e ON e.id = c.enrollment_id
                      JOIN referrers r ON r.id = e.referrer_id
                      JOIN campaigns g ON g.id = c.campaign_id
                      JOIN businesses b ON b.id = c.business_id";

/// The code with a look-up form: the business's own, or the eldest of all.
pub async fn by_lookup(conn: &mut Conn, business_id: Option<i64>, lookup: &str) -> DbResult<Option<LinkRow>> {
    sql_built(format!(
        "{LINK}
          WHERE c.lookup = $1
            AND (CAST($2 AS BIGINT) IS NULL OR c.business_id = $2)
          ORDER BY c.created_at, c.id
          LIMIT 1"
    ))
    .bind(lookup)
    .bind(business_id)
    .optional(conn)
    .await
}

/// The same for a generated code whose look-alikes were mended.
pub async fn by_repaired(conn: &mut Conn, business_id: Option<i64>, repaired: &str) -> DbResult<Option<LinkRow>> {
    sql_built(format!(
        "{LINK}
          WHERE c.repaired = $1
            AND c.kind = 'generated'
            AND (CAST($2 AS BIGINT) IS NULL OR c.business_id = $2)
          ORDER BY c.created_at, c.id LIMIT 1"
    ))
    .bind(repaired)
    .bind(business_id)
    .optional(conn)
    .await
}

/// The active code of an enrollment.
pub async fn active(conn: &mut Conn, enrollment_id: i64) -> DbResult<Option<LinkRow>> {
    sql_built(format!(
        "{LINK}
          WHERE c.enrollment_id = $1
            AND c.state = 'active'"
    ))
    .bind(enrollment_id)
    .optional(conn)
    .await
}

row! {
    /// A campaign that a link names.
    #[derive(Debug, Clone)]
    pub struct Named {
        pub business_id: i64,
        pub destination: String,
    }
}

pub async fn campaign(conn: &mut Conn, id: i64) -> DbResult<Option<Named>> {
    sql("SELECT business_id, destination
           FROM campaigns
          WHERE id = $1")
    .bind(id)
    .optional(conn)
    .await
}

/// The default campaign of the only business there is; none where there are several.
pub async fn only_default(conn: &mut Conn) -> DbResult<Option<Named>> {
    sql("SELECT g.business_id, g.destination
           FROM businesses b
           JOIN campaigns g ON g.id = b.default_campaign_id
          WHERE NOT EXISTS (SELECT 1 FROM businesses o WHERE o.id <> b.id)")
    .optional(conn)
    .await
}
