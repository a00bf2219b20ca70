//! Users by what a call names them by.

use crate::code;
use crate::db::{Conn, DbResult, sql};
use crate::{row, rows};

row! {
    /// A lead that a call may mean.
    #[derive(Debug, Clone)]
    pub struct KnownLead {
        pub id: i64,
        pub campaign_id: i64,
        pub referrer_id: Option<i64>,
        pub email_key: Option<String>,
        pub phone_key: Option<String>,
        pub duplicate_of: Option<i64>,
    }
}

pub async fn lead(conn: &mut Conn, business_id: i64, test: bool, id: i64) -> DbResult<Option<KnownLead>> {
    sql("SELECT id, campaign_id, referrer_id, email_key, phone_key, duplicate_of
           FROM leads
          WHERE id = $1
            AND +business_id = $2
            AND test = $3
            AND archived_at IS NULL")
    .bind(id)
    .bind(business_id)
    .bind(test)
    .optional(conn)
    .await
}

/// The primary leads with an address, one for each of some campaigns, in the order of their ids.
pub async fn leads_by_email(
    conn: &mut Conn,
    campaigns: &[i64],
    test: bool,
    email_key: &str,
) -> DbResult<Vec<KnownLead>> {
    sql("SELECT l.id, l.campaign_id, l.referrer_id, l.email_key, l.phone_key, l.duplicate_of
           FROM rows($1, campaign BIGINT, test BOOLEAN, k TEXT) r
           JOIN leads l ON l.campaign_id = r.campaign
                       AND l.test = r.test
                       AND l.email_key = r.k
          WHERE l.duplicate_of IS NULL
            AND l.email_key IS NOT NULL
            AND l.archived_at IS NULL
          ORDER BY l.id")
    .bind(rows!(campaigns, c => { campaign: *c, test: test, k: email_key }))
    .all(conn)
    .await
}

/// The primary leads of a campaign with a phone number, at most two.
pub async fn leads_by_phone(
    conn: &mut Conn,
    campaign_id: i64,
    test: bool,
    phone_key: &str,
) -> DbResult<Vec<KnownLead>> {
    sql("SELECT id, campaign_id, referrer_id, email_key, phone_key, duplicate_of
           FROM leads
          WHERE campaign_id = $1
            AND test = $2
            AND phone_key = $3
            AND duplicate_of IS NULL
            AND phone_key IS NOT NULL
            AND archived_at IS NULL
          ORDER BY id
          LIMIT 2")
    .bind(campaign_id)
    .bind(test)
    .bind(phone_key)
    .all(conn)
    .await
}

/// A referrer's enrollment: in a campaign, or their first one.
pub async fn enrollment(
    conn: &mut Conn,
    business_id: i64,
    referrer_id: i64,
    campaign_id: Option<i64>,
) -> DbResult<Option<i64>> {
    let found: Option<(i64,)> = sql("SELECT id
           FROM enrollments
          WHERE referrer_id = $1
            AND business_id = $2
            AND archived = false
            AND (CAST($3 AS BIGINT) IS NULL OR campaign_id = $3)
          ORDER BY id
          LIMIT 1")
    .bind(referrer_id)
    .bind(business_id)
    .bind(campaign_id)
    .optional(conn)
    .await?;
    Ok(found.map(|(id,)| id))
}

pub async fn referrer_by_email(conn: &mut Conn, business_id: i64, email_key: &str) -> DbResult<Option<i64>> {
    let found: Option<(i64,)> = sql("SELECT id
           FROM referrers
          WHERE business_id = $1
            AND email_key = $2
            AND archived_at IS NULL")
    .bind(business_id)
    .bind(email_key)
    .optional(conn)
    .await?;
    Ok(found.map(|(id,)| id))
}

row! {
    /// The owner of a code.
    #[derive(Debug, Clone)]
    pub struct KnownCode {
        pub referrer_id: i64,
        pub enrollment_id: i64,
        pub campaign_id: i64,
        pub archived: bool,
    }
}

/// The code of a business that a text means: as it is written, else with look-alikes mended, as the engine
/// looks it up.
pub async fn code(conn: &mut Conn, business_id: i64, text: &str) -> DbResult<Option<KnownCode>> {
    sql("SELECT c.referrer_id, c.enrollment_id, c.campaign_id, e.archived, 1 AS nth
           FROM codes c
           JOIN enrollments e ON e.id = c.enrollment_id
          WHERE c.business_id = $1
            AND c.lookup = $2
          UNION ALL
         SELECT c.referrer_id, c.enrollment_id, c.campaign_id, e.archived, 2
           FROM codes c
           JOIN enrollments e ON e.id = c.enrollment_id
          WHERE c.business_id = $1
            AND c.repaired = $3
            AND c.kind = 'generated'
          ORDER BY nth
          LIMIT 1")
    .bind(business_id)
    .bind(code::lookup_form(text))
    .bind(code::repaired(text))
    .optional(conn)
    .await
}

row! {
    /// The leads a referrer has in a campaign.
    #[derive(Debug, Clone)]
    pub struct LeadsOf {
        pub leads: i64,
        pub qualified: i64,
        pub only: Option<i64>,
    }
}

/// Counted to 10,000: more than one is too many already.
pub async fn leads_of(conn: &mut Conn, campaign_id: i64, test: bool, referrer_id: i64) -> DbResult<LeadsOf> {
    sql("SELECT count(*) AS leads,
                CAST(COALESCE(sum(CASE WHEN l.qualified_at IS NULL THEN 0 ELSE 1 END), 0) AS BIGINT) AS qualified,
                min(l.id) AS only
           FROM (SELECT id, qualified_at
                   FROM leads
                  WHERE referrer_id = $3
                    AND +campaign_id = $1
                    AND test = $2
                    AND archived_at IS NULL
                    AND duplicate_of IS NULL
                  LIMIT 10000) l")
    .bind(campaign_id)
    .bind(test)
    .bind(referrer_id)
    .one(conn)
    .await
}
