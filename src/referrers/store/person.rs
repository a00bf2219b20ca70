//! The data of a referrer's page: enrollments, codes, leads, balances, history.

use crate::db::{Conn, DbResult, Tx, sql};
use crate::engine::ids::LeadId;
use crate::row;

row! {
    /// A referrer in a campaign.
    #[derive(Debug, Clone)]
    pub struct EnrollmentLine {
        pub id: i64,
        pub campaign_id: i64,
        pub campaign: String,
        pub campaign_state: String,
        pub state: String,
        pub created_at: i64,
    }
}

pub async fn enrollments(conn: &mut Conn, business_id: i64, referrer_id: i64) -> DbResult<Vec<EnrollmentLine>> {
    sql("SELECT e.id, e.campaign_id, c.name AS campaign, c.state AS campaign_state, e.state, e.created_at
           FROM enrollments e
           JOIN campaigns c ON c.id = e.campaign_id
          WHERE e.referrer_id = $2
            AND e.business_id = $1
          ORDER BY e.id")
    .bind(business_id)
    .bind(referrer_id)
    .all(conn)
    .await
}

row! {
    #[derive(Debug, Clone)]
    pub struct EnrollmentOf {
        pub id: i64,
        pub campaign_id: i64,
        pub campaign: String,
        pub referrer_id: i64,
        pub name: String,
        pub state: String,
    }
}

pub async fn enrollment_by_id(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<EnrollmentOf>> {
    sql("SELECT e.id, e.campaign_id, c.name AS campaign, e.referrer_id, r.name, e.state
           FROM enrollments e
           JOIN referrers r ON r.id = e.referrer_id
           JOIN campaigns c ON c.id = e.campaign_id
          WHERE e.id = $2
            AND e.business_id = $1")
    .bind(business_id)
    .bind(id)
    .optional(conn)
    .await
}

pub async fn set_enrollment_state(tx: &mut Tx, id: i64, referrer_id: i64, state: &str) -> DbResult<()> {
    super::touched(tx, referrer_id).await?;
    sql("UPDATE enrollments
            SET state = $2
          WHERE id = $1")
    .bind(id)
    .bind(state)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn has_campaign(conn: &mut Conn, business_id: i64, campaign_id: i64) -> DbResult<bool> {
    let found: Option<(i64,)> = sql("SELECT id
           FROM campaigns
          WHERE id = $2
            AND business_id = $1")
    .bind(business_id)
    .bind(campaign_id)
    .optional(conn)
    .await?;
    Ok(found.is_some())
}

row! {
    /// A code on a referrer's page.
    #[derive(Debug, Clone)]
    pub struct CodeOf {
        pub id: i64,
        pub enrollment_id: i64,
        pub campaign_id: i64,
        pub text: String,
        pub state: String,
        /// True when another business had the same code first.
        pub elder: bool,
    }
}

/// Every code of a referrer, the active one of each enrollment first.
pub async fn codes(conn: &mut Conn, business_id: i64, referrer_id: i64) -> DbResult<Vec<CodeOf>> {
    sql("SELECT c.id, c.enrollment_id, c.campaign_id, c.text, c.state,
                EXISTS (SELECT 1
                          FROM codes o
                         WHERE o.lookup = c.lookup
                           AND o.business_id <> c.business_id
                           AND (o.created_at, o.id) < (c.created_at, c.id)) AS elder
           FROM codes c
          WHERE c.referrer_id = $2
            AND c.business_id = $1
          ORDER BY c.enrollment_id, c.state, c.id DESC")
    .bind(business_id)
    .bind(referrer_id)
    .all(conn)
    .await
}

row! {
    #[derive(Debug, Clone)]
    pub struct LeadOf {
        pub id: i64,
        pub name: String,
        pub email: Option<String>,
        pub phone: Option<String>,
        pub status: String,
        pub test: bool,
        pub created_at: i64,
    }
}

/// The newest leads of a referrer; with `recorder`, only those that person recorded.
pub async fn leads(
    conn: &mut Conn,
    business_id: i64,
    referrer_id: i64,
    recorder: Option<i64>,
    most: i64,
) -> DbResult<Vec<LeadOf>> {
    sql("SELECT id, name, email, phone, status, test, created_at
           FROM leads
          WHERE referrer_id = $2
            AND business_id = $1
            AND archived_at IS NULL
            AND (CAST($3 AS BIGINT) IS NULL OR recorded_by = $3)
          ORDER BY created_at DESC, id DESC
          LIMIT $4")
    .bind(business_id)
    .bind(referrer_id)
    .bind(recorder)
    .bind(most)
    .all(conn)
    .await
}

row! {
    /// The balance of one account of a referrer in one currency.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Balance {
        pub currency: String,
        pub account: String,
        pub amount: i64,
    }
}

/// A referrer's balances: the sums of their ledger entries.
pub async fn balances(conn: &mut Conn, business_id: i64, referrer_id: i64) -> DbResult<Vec<Balance>> {
    sql("SELECT currency, account, CAST(sum(amount) AS BIGINT) AS amount
           FROM ledger_entries
          WHERE referrer_id = $2
            AND business_id = $1
          GROUP BY currency, account
          ORDER BY currency, account")
    .bind(business_id)
    .bind(referrer_id)
    .all(conn)
    .await
}

/// The part of a referrer's held money that is approved but disputed: by currency.
pub async fn disputed(conn: &mut Conn, business_id: i64, referrer_id: i64) -> DbResult<Vec<(String, i64)>> {
    sql("SELECT k.currency, CAST(sum(k.amount) AS BIGINT)
           FROM payments y
           CROSS JOIN commissions k
          WHERE y.business_id = $1
            AND y.disputed_at IS NOT NULL
            AND k.payment_id = y.id
            AND k.referrer_id = $2
            AND k.test = false
            AND k.state = 'approved'
            AND k.line_id IS NULL
          GROUP BY k.currency
         HAVING sum(k.amount) <> 0
          ORDER BY k.currency")
    .bind(business_id)
    .bind(referrer_id)
    .all(conn)
    .await
}

row! {
    /// Unpaid commissions of an enrollment, by state and currency.
    #[derive(Debug, Clone)]
    pub struct Unpaid {
        pub state: String,
        pub currency: String,
        pub commissions: i64,
        pub amount: i64,
    }
}

/// The unpaid earnings of an enrollment.
pub async fn unpaid(conn: &mut Conn, referrer_id: i64, enrollment_id: i64) -> DbResult<Vec<Unpaid>> {
    sql("SELECT CASE WHEN k.state = 'approved' AND y.disputed_at IS NOT NULL THEN 'approved but disputed' ELSE k.state
                     END AS state,
                k.currency, count(*) AS commissions, CAST(sum(k.amount) AS BIGINT) AS amount
           FROM commissions k
           LEFT JOIN payments y ON y.id = k.payment_id
          WHERE k.referrer_id = $1
            AND k.enrollment_id = $2
            AND k.state IN ('pending', 'approved')
            AND NOT k.test
          GROUP BY 1, 2
          ORDER BY 1 DESC, 2")
    .bind(referrer_id)
    .bind(enrollment_id)
    .all(conn)
    .await
}

row! {
    /// An audit entry about a referrer.
    #[derive(Debug, Clone)]
    pub struct EntryOf {
        pub at: i64,
        pub actor_kind: String,
        pub actor_name: String,
        pub action: String,
        pub before: Option<String>,
        pub after: Option<String>,
        pub reason: Option<String>,
        /// The customer that it is about.
        pub lead: Option<String>,
    }
}

/// The newest audit entries about a referrer, and each enrollment by a job, whose entry speaks of many; `own` leaves
/// out what is about leads and money, and without `paid_by` nothing says how they are paid.
pub async fn entries(
    conn: &mut Conn,
    business_id: i64,
    referrer_id: i64,
    own: bool,
    paid_by: bool,
    most: i64,
) -> DbResult<Vec<EntryOf>> {
    sql("SELECT at, id, actor_kind, actor_name, action, before, after, reason, lead
           FROM (SELECT a.at, a.id, a.actor_kind, a.actor_name, a.action, a.before, a.after, a.reason, l.name AS lead
                   FROM audit_entries a
                   LEFT JOIN leads l ON l.id = a.lead_id
                  WHERE a.referrer_id = $2
                    AND a.business_id = $1
                    AND ($3 = false OR a.subject_kind IN ('referrer', 'enrollment', 'code'))
                    AND ($4 OR a.action NOT LIKE 'referrer.details%')
                  ORDER BY a.at DESC, a.id DESC
                  LIMIT $5) told
          UNION ALL
         SELECT e.created_at, e.id, j.actor_kind, j.actor_name, 'referrer.enrolled', NULL,
                '{\"campaign\":' || CAST(e.campaign_id AS TEXT) || '}', NULL, NULL
           FROM enrollments e
           JOIN jobs j ON j.id = e.job_id
          WHERE e.referrer_id = $2
            AND e.business_id = $1
          ORDER BY at DESC, id DESC
          LIMIT $5")
    .bind(business_id)
    .bind(referrer_id)
    .bind(own)
    .bind(paid_by)
    .bind(most)
    .all(conn)
    .await
}

/// The leads of a referrer that have the referrer's own e-mail address or phone number.
pub async fn leads_with_own_contact(conn: &mut Conn, referrer_id: i64) -> DbResult<Vec<LeadId>> {
    let found: Vec<(LeadId,)> = sql("SELECT l.id
           FROM referrers p
           JOIN enrollments e ON e.referrer_id = p.id
           JOIN leads l ON l.campaign_id = e.campaign_id AND l.email_key = p.email_key AND l.test IN (TRUE, FALSE)
          WHERE p.id = $1
            AND p.email_key IS NOT NULL
            AND l.enrollment_id = e.id
          UNION
         SELECT l.id
           FROM referrers p
           JOIN enrollments e ON e.referrer_id = p.id
           JOIN leads l ON l.campaign_id = e.campaign_id AND l.phone_key = p.phone_key AND l.test IN (TRUE, FALSE)
          WHERE p.id = $1
            AND p.phone_key IS NOT NULL
            AND l.enrollment_id = e.id")
    .bind(referrer_id)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}
