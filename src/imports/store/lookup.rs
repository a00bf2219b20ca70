//! The rows to which a chunk refers, each kind by a set-wise read. Every column of an index comes from the
//! rows: given a constant, SQLite walks the index and looks each entry up among the rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::db::{Conn, DbResult, sql};
use crate::{code, row, rows};

row! {
    #[derive(Debug, Clone)]
    pub struct EarlierPerson {
        pub key: String,
        pub line: i64,
        pub code_key: Option<String>,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Earlier {
        pub key: String,
        pub line: i64,
    }
}

/// The accepted row of each person before a line of the file: its line, and the code that it named.
pub async fn earlier_people(
    conn: &mut Conn,
    import: i64,
    before: i64,
    keys: &[String],
) -> DbResult<BTreeMap<String, (i64, Option<String>)>> {
    let found: Vec<EarlierPerson> = sql("SELECT i.person AS key, i.line, i.code_key
           FROM rows($2, import BIGINT, key TEXT) r
           JOIN import_rows i ON i.import_id = r.import
                             AND i.person = r.key
          WHERE i.person IS NOT NULL
            AND i.line < $1
          ORDER BY i.line DESC")
    .bind(before)
    .bind(rows!(keys, key => { import: import, key: key }))
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|e| (e.key, (e.line, e.code_key))).collect())
}

row! {
    /// A row of a person, as it is stored.
    #[derive(Debug, Clone)]
    pub struct EarlierCells {
        pub key: String,
        cells: String,
    }
}

impl EarlierCells {
    pub fn stored_cells(&self) -> Vec<String> {
        serde_json::from_str(&self.cells).unwrap_or_default()
    }
}

/// The rows of these people that were accepted before, in the order of the file.
pub async fn earlier_cells(conn: &mut Conn, import: i64, before: i64, keys: &[String]) -> DbResult<Vec<EarlierCells>> {
    sql("SELECT i.person AS key, i.cells
           FROM rows($2, import BIGINT, key TEXT) r
           JOIN import_rows i ON i.import_id = r.import
                             AND i.person = r.key
          WHERE i.person IS NOT NULL
            AND i.line < $1
          ORDER BY i.line")
    .bind(before)
    .bind(rows!(keys, key => { import: import, key: key }))
    .all(conn)
    .await
}

/// The same for codes that rows bring as their own.
pub async fn earlier_codes(
    conn: &mut Conn,
    import: i64,
    before: i64,
    keys: &[String],
) -> DbResult<BTreeMap<String, i64>> {
    let found: Vec<Earlier> = sql("SELECT i.code_key AS key, min(i.line) AS line
           FROM rows($2, import BIGINT, key TEXT) r
           JOIN import_rows i ON i.import_id = r.import
                             AND i.code_key = r.key
          WHERE i.code_key IS NOT NULL
            AND i.line < $1
          GROUP BY i.code_key")
    .bind(before)
    .bind(rows!(keys, key => { import: import, key: key }))
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|e| (e.key, e.line)).collect())
}

row! {
    #[derive(Debug, Clone)]
    pub struct KnownLead {
        pub id: i64,
        pub email_key: Option<String>,
        pub phone_key: Option<String>,
        pub archived_at: Option<i64>,
    }
}

/// Live leads of a campaign by id.
pub async fn leads_by_id(conn: &mut Conn, campaign_id: i64, ids: &[i64]) -> DbResult<BTreeMap<i64, KnownLead>> {
    let found: Vec<KnownLead> = sql("SELECT l.id, l.email_key, l.phone_key, l.archived_at
           FROM rows($2, id BIGINT) r
           JOIN leads l ON l.id = r.id
          WHERE +l.campaign_id = $1
            AND l.test = false")
    .bind(campaign_id)
    .bind(rows!(ids, id => { id: *id }))
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|l| (l.id, l)).collect())
}

/// Live primary leads of a campaign by address and by phone.
pub async fn leads_by_contact(
    conn: &mut Conn,
    campaign_id: i64,
    emails: &[String],
    phones: &[String],
) -> DbResult<Vec<KnownLead>> {
    let mut found: Vec<KnownLead> = sql("SELECT l.id, l.email_key, l.phone_key, l.archived_at
           FROM rows($1, campaign BIGINT, test BOOLEAN, k TEXT) r
           JOIN leads l ON l.campaign_id = r.campaign
                       AND l.test = r.test
                       AND l.email_key = r.k
          WHERE l.duplicate_of IS NULL
            AND l.email_key IS NOT NULL")
    .bind(rows!(emails, k => { campaign: campaign_id, test: false, k: k }))
    .all(conn)
    .await?;
    if !phones.is_empty() {
        let by_phone: Vec<KnownLead> = sql("SELECT l.id, l.email_key, l.phone_key, l.archived_at
               FROM rows($1, campaign BIGINT, test BOOLEAN, k TEXT) r
               JOIN leads l ON l.campaign_id = r.campaign
                           AND l.test = r.test
                           AND l.phone_key = r.k
              WHERE l.duplicate_of IS NULL
                AND l.phone_key IS NOT NULL
              ORDER BY l.id")
        .bind(rows!(phones, k => { campaign: campaign_id, test: false, k: k }))
        .all(conn)
        .await?;
        found.extend(by_phone);
    }
    Ok(found)
}

row! {
    #[derive(Debug, Clone)]
    pub struct KnownCode {
        pub lookup: String,
        pub repaired: String,
        pub kind: String,
        pub referrer_id: i64,
    }
}

/// The codes of a business that these texts may be.
pub async fn codes(conn: &mut Conn, business_id: i64, texts: &[String]) -> DbResult<Vec<KnownCode>> {
    sql("SELECT c.lookup, c.repaired, c.kind, c.referrer_id
           FROM rows($1, business BIGINT, lookup TEXT, repaired TEXT) r
           JOIN codes c ON c.business_id = r.business
                       AND c.lookup = r.lookup
          UNION
         SELECT c.lookup, c.repaired, c.kind, c.referrer_id
           FROM rows($1, business BIGINT, lookup TEXT, repaired TEXT) r
           JOIN codes c ON c.business_id = r.business
                       AND c.repaired = r.repaired
                       AND c.kind = 'generated'")
    .bind(rows!(texts, t => { business: business_id, lookup: code::lookup_form(t), repaired: code::repaired(t) }))
    .all(conn)
    .await
}

row! {
    #[derive(Debug, Clone)]
    pub struct LeadsOf {
        pub referrer_id: i64,
        pub leads: i64,
        pub qualified: i64,
        pub only: i64,
    }
}

/// The number of live leads of each referrer in a campaign, archived ones left out.
pub async fn leads_of(
    conn: &mut Conn,
    campaign_id: i64,
    referrers: &BTreeSet<i64>,
) -> DbResult<BTreeMap<i64, LeadsOf>> {
    let found: Vec<LeadsOf> = sql("SELECT l.referrer_id, count(*) AS leads,
                CAST(sum(CASE WHEN l.qualified_at IS NULL THEN 0 ELSE 1 END) AS BIGINT) AS qualified,
                min(l.id) AS only
           FROM rows($2, id BIGINT) r
           JOIN leads l ON l.referrer_id = r.id
          WHERE +l.campaign_id = $1
            AND l.test = false
            AND l.archived_at IS NULL
            AND l.referrer_id IS NOT NULL
          GROUP BY l.referrer_id")
    .bind(campaign_id)
    .bind(rows!(referrers, id => { id: *id }))
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|l| (l.referrer_id, l)).collect())
}

row! {
    struct EnrolledBy {
        email_key: String,
        id: i64,
    }
}

/// The enrollments of a campaign by their referrers' addresses.
pub async fn enrollments(
    conn: &mut Conn,
    business_id: i64,
    campaign_id: i64,
    emails: &[String],
) -> DbResult<BTreeMap<String, i64>> {
    let found: Vec<EnrolledBy> = sql("SELECT p.email_key, e.id
           FROM rows($1, business BIGINT, campaign BIGINT, k TEXT) r
           JOIN referrers p ON p.business_id = r.business
                           AND p.email_key = r.k
           JOIN enrollments e ON e.campaign_id = r.campaign
                             AND e.referrer_id = p.id
          WHERE p.email_key IS NOT NULL")
    .bind(rows!(emails, k => { business: business_id, campaign: campaign_id, k: k }))
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|e| (e.email_key, e.id)).collect())
}
