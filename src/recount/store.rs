use std::collections::BTreeSet;

use crate::counters;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::{row, rows};

/// The slot that recounts alone write; those of writers begin at 0.
const SLOT: i64 = -1;
/// The counter of recounts. No row has the id of its scope.
const NUMBER: (i64, &str) = (0, "recounts");
/// Clicks are counted and not stored one by one: their counter is all there is of them.
pub const CLICKS: &str = "clicks";

/// Begins a recount, and answers its number.
pub async fn begin(tx: &mut Tx) -> DbResult<i64> {
    let (scope, name) = NUMBER;
    counters::add(tx, &[(&(scope, name.to_owned(), String::new()), &1)]).await?;
    current(tx).await
}

/// The number of the last recount that began.
pub async fn current(conn: &mut Conn) -> DbResult<i64> {
    let (scope, name) = NUMBER;
    counters::named(conn, scope, &[name.to_owned()]).await
}

row! {
    /// A counter, added up over its slots.
    #[derive(Debug, Clone)]
    pub struct Counted {
        pub scope_id: i64,
        pub name: String,
        pub day: String,
        pub value: i64,
        /// The part of it that recounts added.
        pub added: i64,
    }
}

/// The counters of a business, its campaigns, enrollments and codes.
pub async fn counted(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Counted>> {
    sql("SELECT k.scope_id, k.name, k.day, CAST(sum(k.value) AS BIGINT) AS value,
                CAST(sum(CASE WHEN k.slot = $2 THEN k.value ELSE 0 END) AS BIGINT) AS added
           FROM (SELECT CAST($1 AS BIGINT) AS id
                  UNION ALL
                 SELECT id
                   FROM campaigns
                  WHERE business_id = $1
                  UNION ALL
                 SELECT e.id
                   FROM campaigns c
                   JOIN enrollments e ON e.campaign_id = c.id
                  WHERE c.business_id = $1
                  UNION ALL
                 SELECT o.id
                   FROM campaigns c
                   JOIN codes o ON o.campaign_id = c.id
                  WHERE c.business_id = $1) s
           JOIN counters k ON k.scope_id = s.id
          GROUP BY k.scope_id, k.name, k.day")
    .bind(business_id)
    .bind(SLOT)
    .patient()
    .all(conn)
    .await
}

/// Counters of scopes that are not there.
pub async fn of_nothing(conn: &mut Conn) -> DbResult<Vec<Counted>> {
    sql("SELECT k.scope_id, k.name, k.day, CAST(sum(k.value) AS BIGINT) AS value,
                CAST(sum(CASE WHEN k.slot = $1 THEN k.value ELSE 0 END) AS BIGINT) AS added
           FROM counters k
          WHERE k.scope_id <> $2
            AND k.name <> $3
            AND NOT EXISTS (SELECT 1 FROM businesses b WHERE b.id = k.scope_id)
            AND NOT EXISTS (SELECT 1 FROM campaigns c WHERE c.id = k.scope_id)
            AND NOT EXISTS (SELECT 1 FROM enrollments e WHERE e.id = k.scope_id)
            AND NOT EXISTS (SELECT 1 FROM codes o WHERE o.id = k.scope_id)
          GROUP BY k.scope_id, k.name, k.day
         HAVING sum(k.value) <> 0")
    .bind(SLOT)
    .bind(NUMBER.0)
    .bind(CLICKS)
    .patient()
    .all(conn)
    .await
}

/// A counter, and what recounts add to it from now on.
#[derive(Debug, Clone)]
pub struct Correction {
    pub scope_id: i64,
    pub name: String,
    pub day: String,
    pub added: i64,
}

/// Sets the part that recounts add. A write that runs twice sets the same.
pub async fn correct(tx: &mut Tx, corrections: &[Correction]) -> DbResult<()> {
    let table = rows!(corrections, c => { scope_id: c.scope_id, name: &c.name, day: &c.day, value: c.added });
    sql("INSERT INTO counters (scope_id, name, day, slot, value)
         SELECT r.scope_id, r.name, r.day, $2, r.value
           FROM rows($1, scope_id BIGINT, name TEXT, day TEXT, value BIGINT) r
          WHERE true
         ON CONFLICT (scope_id, name, day, slot) DO UPDATE
            SET value = excluded.value")
    .bind(table)
    .bind(SLOT)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn campaigns(conn: &mut Conn, business_id: i64) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT id
           FROM campaigns
          WHERE business_id = $1
          ORDER BY id")
    .bind(business_id)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

row! {
    /// A live lead, as counters see it.
    #[derive(Debug, Clone)]
    pub struct Lead {
        pub id: i64,
        pub status: String,
        pub source: Option<String>,
        pub arrival: Option<String>,
        pub enrollment_id: Option<i64>,
        pub code_id: Option<i64>,
        pub created_at: i64,
        pub qualified_at: Option<i64>,
        pub archived_at: Option<i64>,
    }
}

/// Live leads of a campaign, in the order of their creation, behind one of them.
pub async fn leads(conn: &mut Conn, campaign_id: i64, behind: (i64, i64), most: i64) -> DbResult<Vec<Lead>> {
    sql("SELECT id, status, source, arrival, enrollment_id, code_id, created_at, qualified_at, archived_at
           FROM leads
          WHERE campaign_id = $1
            AND test = false
            AND (created_at, id) > ($2, $3)
          ORDER BY created_at, id
          LIMIT $4")
    .bind(campaign_id)
    .bind(behind.0)
    .bind(behind.1)
    .bind(most)
    .patient()
    .all(conn)
    .await
}

row! {
    /// A sum of rows, by the counter that should have it.
    #[derive(Debug, Clone)]
    pub struct Sum {
        pub scope_id: i64,
        pub name: String,
        pub day: String,
        pub value: i64,
    }
}

/// The referrers of a business and of its campaigns, with the UTC days they came.
pub async fn people(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Sum>> {
    sql("SELECT business_id AS scope_id, 'users.referrers' AS name,
                'u' || CAST(created_at / 86400000000 AS TEXT) AS day, count(*) AS value
           FROM referrers
          WHERE business_id = $1
            AND archived_at IS NULL
          GROUP BY 1, 3
          UNION ALL
         SELECT e.campaign_id, 'users.referrers', 'u' || CAST(e.created_at / 86400000000 AS TEXT), count(*)
           FROM campaigns c
           JOIN enrollments e ON e.campaign_id = c.id
          WHERE c.business_id = $1
            AND NOT e.archived
          GROUP BY 1, 3")
    .bind(business_id)
    .patient()
    .all(conn)
    .await
}

/// The revenue of a business by campaign and day.
pub async fn revenue(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Sum>> {
    sql("SELECT campaign_id AS scope_id, 'revenue.' || currency AS name, payment_date AS day,
                CAST(sum(amount - refunded) AS BIGINT) AS value
           FROM payments
          WHERE business_id = $1
            AND test = false
          GROUP BY campaign_id, currency, payment_date")
    .bind(business_id)
    .patient()
    .all(conn)
    .await
}

/// The revenue of a business by code, or by enrollment where a lead came without one; and what each campaign's and
/// each enrollment's ledger entries add up to; and its pending commission by the end of its hold.
pub async fn money(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Sum>> {
    sql("SELECT COALESCE(l.code_id, l.enrollment_id) AS scope_id, 'revenue.' || p.currency AS name, '' AS day,
                CAST(sum(p.amount - p.refunded) AS BIGINT) AS value
           FROM payments p
           JOIN leads l ON l.id = p.lead_id
          WHERE p.business_id = $1
            AND p.test = false
            AND l.enrollment_id IS NOT NULL
          GROUP BY 1, 2
          UNION ALL
         SELECT COALESCE(c.campaign_id, a.campaign_id), 'money.' || e.account || '.' || e.currency, '', CAST(sum(e.amount) AS BIGINT)
           FROM ledger_entries e
           LEFT JOIN commissions c ON c.id = e.commission_id
           LEFT JOIN adjustments a ON a.id = e.adjustment_id
          WHERE e.business_id = $1
            AND COALESCE(c.id, a.id) IS NOT NULL
          GROUP BY 1, 2
          UNION ALL
         SELECT campaign_id, 'pending.' || currency, 'h' || hold_until, CAST(sum(amount) AS BIGINT)
           FROM commissions
          WHERE business_id = $1
            AND state = 'pending'
            AND NOT test
          GROUP BY 1, 2, 3
          UNION ALL
         SELECT COALESCE(c.enrollment_id, a.enrollment_id), 'earned.' || e.currency, '', CAST(sum(e.amount) AS BIGINT)
           FROM ledger_entries e
           LEFT JOIN commissions c ON c.id = e.commission_id
           LEFT JOIN adjustments a ON a.id = e.adjustment_id
          WHERE e.business_id = $1
            AND COALESCE(c.id, a.id) IS NOT NULL
          GROUP BY 1, 2")
    .bind(business_id)
    .patient()
    .all(conn)
    .await
}

row! {
    /// An enrollment with its copies of counters.
    #[derive(Debug, Clone)]
    pub struct Enrolled {
        pub id: i64,
        pub leads: i64,
        pub qualified: i64,
        pub revenue: i64,
        pub earned: i64,
        pub last_lead_at: i64,
    }
}

pub async fn enrollments(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Enrolled>> {
    sql("SELECT e.id, e.leads, e.qualified, e.revenue, e.earned, e.last_lead_at
           FROM campaigns c
           JOIN enrollments e ON e.campaign_id = c.id
          WHERE c.business_id = $1")
    .bind(business_id)
    .patient()
    .all(conn)
    .await
}

row! {
    /// A code with its copies of counters.
    #[derive(Debug, Clone)]
    pub struct Coded {
        pub id: i64,
        pub enrollment_id: i64,
        pub clicks: i64,
        pub leads: i64,
        pub qualified: i64,
        pub revenue: i64,
    }
}

pub async fn codes(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Coded>> {
    sql("SELECT o.id, o.enrollment_id, o.clicks, o.leads, o.qualified, o.revenue
           FROM campaigns c
           JOIN codes o ON o.campaign_id = c.id
          WHERE c.business_id = $1")
    .bind(business_id)
    .patient()
    .all(conn)
    .await
}

/// The codes, enrollments and businesses whose copies wait to be made.
pub async fn waiting(conn: &mut Conn) -> DbResult<BTreeSet<i64>> {
    let found: Vec<(i64,)> = sql("SELECT scope_id
           FROM figures_queue
          GROUP BY scope_id")
    .patient()
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}
