use crate::db::{Conn, DbResult, sql, sql_built};
use crate::leads::store::rows::LeadRow;
use crate::row;

row! {
    /// The names that a lead's page shows beside it.
    #[derive(Debug, Clone)]
    pub struct LeadNames {
        pub campaign: String,
        /// The lead it is a duplicate of.
        pub primary_name: Option<String>,
        pub referrer: Option<String>,
        pub enrollment_state: Option<String>,
        pub recorder: Option<String>,
    }
}

pub async fn names(conn: &mut Conn, lead_id: i64) -> DbResult<Option<LeadNames>> {
    sql("SELECT m.name AS campaign, o.name AS primary_name, p.name AS referrer,
                e.state AS enrollment_state, u.name AS recorder
           FROM leads l
           JOIN campaigns m ON m.id = l.campaign_id
           LEFT JOIN leads o ON o.id = l.duplicate_of
           LEFT JOIN referrers p ON p.id = l.referrer_id
           LEFT JOIN enrollments e ON e.id = l.enrollment_id
           LEFT JOIN users u ON u.id = l.recorded_by
          WHERE l.id = $1")
    .bind(lead_id)
    .optional(conn)
    .await
}

row! {
    #[derive(Debug, Clone)]
    pub struct TouchRow {
        pub id: i64,
        pub kind: String,
        pub code: Option<String>,
        pub referrer_id: Option<i64>,
        pub referrer: Option<String>,
        pub refused: Option<String>,
        pub reason: Option<String>,
        pub user_name: Option<String>,
        pub at: i64,
    }
}

/// The touches of a lead, oldest first, at most 200.
pub async fn touches(conn: &mut Conn, lead_id: i64) -> DbResult<Vec<TouchRow>> {
    sql("SELECT t.id, t.kind, COALESCE(c.text, t.code_text) AS code, t.referrer_id, p.name AS referrer, t.refused,
                t.reason, u.name AS user_name, t.at
           FROM touches t
           LEFT JOIN codes c ON c.id = t.code_id
           LEFT JOIN referrers p ON p.id = t.referrer_id
           LEFT JOIN users u ON u.id = t.user_id
          WHERE t.lead_id = $1
          ORDER BY t.at, t.id
          LIMIT 200")
    .bind(lead_id)
    .all(conn)
    .await
}

row! {
    #[derive(Debug, Clone)]
    pub struct PaymentRow {
        pub id: i64,
        pub product_id: i64,
        pub product: String,
        pub test: bool,
        pub email: String,
        pub amount: i64,
        pub refunded: i64,
        pub currency: String,
        pub payment_date: String,
        pub subscription_status: String,
        pub decision: String,
        pub decision_why: String,
        pub disputed_at: Option<i64>,
        pub repeats: i64,
        pub received_at: i64,
    }
}

const PAYMENT: &str =
    "y.id, y.product_id, d.name AS product, y.test, y.email, y.amount, y.refunded, y.currency, y.payment_date,
     y.subscription_status, y.decision, y.decision_why, y.disputed_at, y.repeats, y.received_at";

/// The payments of a lead, newest first, at most 200.
pub async fn payments(conn: &mut Conn, lead_id: i64) -> DbResult<Vec<PaymentRow>> {
    let text = format!(
        "SELECT {PAYMENT}
           FROM payments y
           JOIN products d ON d.id = y.product_id
          WHERE y.lead_id = $1
          ORDER BY y.payment_date DESC, y.id DESC
          LIMIT 200"
    );
    sql_built(text).bind(lead_id).all(conn).await
}

pub async fn payment(conn: &mut Conn, lead_id: i64, id: i64) -> DbResult<Option<PaymentRow>> {
    let text = format!(
        "SELECT {PAYMENT}
           FROM payments y
           JOIN products d ON d.id = y.product_id
          WHERE y.id = $1
            AND y.lead_id = $2"
    );
    sql_built(text).bind(id).bind(lead_id).optional(conn).await
}

row! {
    /// The refunded amount of a payment, and its day.
    #[derive(Debug, Clone)]
    pub struct RefundRow {
        pub payment_id: i64,
        pub amount: i64,
        pub currency: String,
        pub refund_date: String,
    }
}

/// The refunds of some payments, in the order of their days, at most 400.
pub async fn refunds(conn: &mut Conn, payments: &[i64]) -> DbResult<Vec<RefundRow>> {
    sql("SELECT f.payment_id, f.amount, f.currency, f.refund_date
           FROM rows($1, id BIGINT) r
           CROSS JOIN refunds f
          WHERE f.payment_id = r.id
            AND f.state = 'applied'
          ORDER BY f.refund_date, f.id
          LIMIT 400")
    .bind(crate::rows!(payments, id => { id: *id }))
    .all(conn)
    .await
}

row! {
    /// The state of a lead's subscription to a product.
    #[derive(Debug, Clone)]
    pub struct SubscriptionRow {
        pub product: String,
        pub status: String,
    }
}

pub async fn subscriptions(conn: &mut Conn, lead_id: i64) -> DbResult<Vec<SubscriptionRow>> {
    sql("SELECT d.name AS product, q.subscription_status AS status
           FROM purchases q
           JOIN products d ON d.id = q.product_id
          WHERE q.lead_id = $1
            AND q.subscription_status <> ''
          ORDER BY d.id
          LIMIT 50")
    .bind(lead_id)
    .all(conn)
    .await
}

row! {
    #[derive(Debug, Clone)]
    pub struct AuditRow {
        pub action: String,
        pub actor_kind: String,
        pub actor: String,
        pub origin: String,
        pub before: Option<String>,
        pub after: Option<String>,
        pub reason: Option<String>,
        pub at: i64,
    }
}

/// The changes of a lead, newest first, at most 200.
pub async fn audit(conn: &mut Conn, lead_id: i64) -> DbResult<Vec<AuditRow>> {
    sql("SELECT action, actor_kind, actor_name AS actor, origin, before, after, reason, at
           FROM audit_entries
          WHERE lead_id = $1
          ORDER BY at DESC, id DESC
          LIMIT 200")
    .bind(lead_id)
    .all(conn)
    .await
}

row! {
    #[derive(Debug, Clone)]
    pub struct SignUpRow {
        pub product: String,
        pub at: i64,
    }
}

pub async fn sign_ups(conn: &mut Conn, lead_id: i64) -> DbResult<Vec<SignUpRow>> {
    sql("SELECT d.name AS product, s.at
           FROM sign_ups s
           JOIN products d ON d.id = s.product_id
          WHERE s.lead_id = $1
          ORDER BY s.id
          LIMIT 50")
    .bind(lead_id)
    .all(conn)
    .await
}

row! {
    /// A lead that may be the same person.
    #[derive(Debug, Clone)]
    pub struct AlikeRow {
        pub id: i64,
        pub name: String,
        pub email: Option<String>,
        pub phone: Option<String>,
        pub archived_at: Option<i64>,
    }
}

/// Its duplicates, and other leads of the campaign with the same phone number.
pub async fn alike(conn: &mut Conn, lead: &LeadRow) -> DbResult<Vec<AlikeRow>> {
    sql("SELECT id, name, email, phone, archived_at
           FROM leads
          WHERE duplicate_of = $1
          UNION
         SELECT id, name, email, phone, archived_at
           FROM leads
          WHERE campaign_id = $2
            AND test = $3
            AND phone_key = $4
            AND id <> $1
            AND archived_at IS NULL
          ORDER BY id
          LIMIT 50")
    .bind(lead.id)
    .bind(lead.campaign_id)
    .bind(lead.test)
    .bind(&lead.phone_key)
    .all(conn)
    .await
}

/// Open inbox items about a lead: (id, kind).
pub async fn open_items(conn: &mut Conn, lead_id: i64) -> DbResult<Vec<(i64, String)>> {
    sql("SELECT id, kind
           FROM inbox_items
          WHERE lead_id = $1
            AND state = 'open'
          ORDER BY id
          LIMIT 20")
    .bind(lead_id)
    .all(conn)
    .await
}

row! {
    /// A referrer who could have referred a lead.
    #[derive(Debug, Clone)]
    pub struct CandidateRow {
        pub enrollment_id: i64,
        pub state: String,
        pub name: String,
        pub email: Option<String>,
        pub company: Option<String>,
        pub code: Option<String>,
    }
}

const CANDIDATE: &str = "e.id AS enrollment_id, e.state, p.name, p.email, p.company, c.text AS code";

/// Referrers of a campaign whose name, e-mail, phone, company or code matches, at most 12.
pub async fn candidates(conn: &mut Conn, campaign_id: i64, q: &str) -> DbResult<Vec<CandidateRow>> {
    let by_code = format!(
        "SELECT {CANDIDATE}
           FROM codes x
           JOIN enrollments e ON e.id = x.enrollment_id
           JOIN referrers p ON p.id = e.referrer_id
           LEFT JOIN codes c ON c.enrollment_id = e.id
                            AND c.state = 'active'
          WHERE x.campaign_id = $1
            AND x.state <> 'retired'
            AND x.business_id = (SELECT m.business_id FROM campaigns m WHERE m.id = $1)
            AND x.lookup >= $2
            AND x.lookup < $3
            AND NOT e.archived
          ORDER BY x.lookup
          LIMIT 12"
    );
    let lookup = crate::code::lookup_form(q);
    let mut found: Vec<CandidateRow> = Vec::new();
    if !lookup.is_empty() {
        let end = format!("{lookup}\u{10FFFF}");
        found = crate::db::sql_built(by_code).bind(campaign_id).bind(&lookup).bind(end).all(conn).await?;
    }
    let by_name = format!(
        "SELECT {CANDIDATE}
           FROM (SELECT *
                   FROM enrollments n
                  WHERE n.campaign_id = $1
                    AND n.archived = false
                  ORDER BY n.name_fold, n.id
                  LIMIT 10000) e
           JOIN referrers p ON p.id = e.referrer_id
           LEFT JOIN codes c ON c.enrollment_id = e.id
                            AND c.state = 'active'
          WHERE p.search LIKE $2 ESCAPE '\\'
          ORDER BY e.name_fold, e.id
          LIMIT 12"
    );
    let pattern = crate::text::like_pattern(q);
    found.extend(crate::db::sql_built(by_name).bind(campaign_id).bind(pattern).all::<CandidateRow>(conn).await?);
    let mut seen = std::collections::HashSet::new();
    found.retain(|c| seen.insert(c.enrollment_id));
    found.truncate(12);
    Ok(found)
}

/// One enrollment of a campaign.
pub async fn candidate(conn: &mut Conn, campaign_id: i64, enrollment_id: i64) -> DbResult<Option<CandidateRow>> {
    let text = format!(
        "SELECT {CANDIDATE}
           FROM enrollments e
           JOIN referrers p ON p.id = e.referrer_id
           LEFT JOIN codes c ON c.enrollment_id = e.id
                            AND c.state = 'active'
          WHERE e.id = $1
            AND e.campaign_id = $2"
    );
    crate::db::sql_built(text).bind(enrollment_id).bind(campaign_id).optional(conn).await
}
