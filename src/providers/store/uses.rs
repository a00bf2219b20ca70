use super::codes::CodeState;
use super::messages::MessageRow;
use crate::db::{Conn, DbResult, sql};
use crate::text::counted;
use crate::{row, rows};

row! {
    /// The payments that named a code, test payments left out.
    #[derive(Debug, Clone, Copy)]
    pub struct Uses {
        /// The code, or the campaign.
        pub id: i64,
        pub payments: i64,
        /// There are more messages than were looked at.
        pub cut: bool,
    }
}

impl Uses {
    /// "12", or "1,000+" where not all messages were looked at.
    pub fn shown(&self) -> String {
        format!("{}{}", counted(self.payments), if self.cut { "+" } else { "" })
    }
}

/// The uses of some codes, each by so many of its newest messages.
pub async fn counts(conn: &mut Conn, codes: &[i64], most: i64) -> DbResult<Vec<Uses>> {
    // The mode of a payment is looked up by its key: a join may read all payments once for every code.
    sql("SELECT r.id,
                (SELECT count(DISTINCT CASE WHEN (SELECT y.test
                                                    FROM payments y
                                                   WHERE y.id = f.payment_id) = false
                                            THEN f.payment_id END)
                   FROM (SELECT m.payment_id
                           FROM provider_messages m
                          WHERE m.code_id = r.id
                          ORDER BY m.id DESC
                          LIMIT $2) f) AS payments,
                EXISTS (SELECT 1
                          FROM provider_messages n
                         WHERE n.code_id = r.id
                         ORDER BY n.id DESC
                         LIMIT 1 OFFSET $2) AS cut
           FROM rows($1, id BIGINT) r")
    .bind(rows!(codes, id => { id: *id }))
    .bind(most)
    .all(conn)
    .await
}

/// The uses of the codes of a campaign: so many codes are looked at, those with the most leads first, and so many of
/// their messages.
pub async fn count(conn: &mut Conn, campaign_id: i64, most: i64) -> DbResult<Uses> {
    // BETWEEN is an equality without a hash join, by which PostgreSQL could read the messages of all businesses.
    sql("WITH own AS (
           SELECT c.id
             FROM codes c
            WHERE c.campaign_id = $1
            ORDER BY c.leads DESC, c.id DESC
            LIMIT $2
         ), found AS (
           SELECT m.payment_id
             FROM own
            CROSS JOIN provider_messages m
            WHERE m.code_id BETWEEN own.id AND own.id
            LIMIT $2
         )
         SELECT $1 AS id,
                count(DISTINCT CASE WHEN (SELECT y.test
                                            FROM payments y
                                           WHERE y.id = f.payment_id) = false
                                    THEN f.payment_id END) AS payments,
                count(*) >= $2 OR (SELECT count(*) FROM own) >= $2 AS cut
           FROM found f")
    .bind(campaign_id)
    .bind(most)
    .one(conn)
    .await
}

/// The newest message that says that a code was used.
pub async fn newest(conn: &mut Conn, code_id: i64) -> DbResult<Option<MessageRow>> {
    sql("SELECT id, business_id, account_id, identity, kind, happened_at, received_at, body, state, outcome, applied_at,
                payment_id, lead_id, code_id
           FROM provider_messages
          WHERE code_id = $1
          ORDER BY id DESC
          LIMIT 1")
    .bind(code_id)
    .optional(conn)
    .await
}

/// The messages about a payment, the oldest first, at most 60.
pub async fn about(conn: &mut Conn, business_id: i64, payment_id: i64) -> DbResult<Vec<MessageRow>> {
    sql("SELECT m.id, m.business_id, m.account_id, m.identity, m.kind, m.happened_at, m.received_at, m.body, m.state,
                m.outcome, m.applied_at, m.payment_id, m.lead_id, m.code_id
           FROM provider_messages m
          WHERE m.id IN (SELECT n.message_id
                           FROM provider_accounts a
                           CROSS JOIN payment_names y
                           JOIN provider_mentions n ON n.account_id = a.id
                                                   AND n.text = y.name
                                                   AND n.role = 'names'
                          WHERE a.business_id = $1
                            AND y.payment_id = $2)
          ORDER BY m.id
          LIMIT 60")
    .bind(business_id)
    .bind(payment_id)
    .all(conn)
    .await
}

row! {
    pub struct PaymentBefore {
        pub amount: i64,
        pub currency: String,
        pub payment_date: String,
    }
}

/// The first payment that came from the same address before a payment.
pub async fn payment_before(conn: &mut Conn, payment_id: i64) -> DbResult<Option<PaymentBefore>> {
    sql("SELECT e.amount, e.currency, e.payment_date
           FROM payments y
           JOIN payments e ON e.campaign_id = y.campaign_id
                          AND e.test = y.test
                          AND e.email_key = y.email_key
          WHERE y.id = $1
            AND (e.received_at, e.id) < (y.received_at, y.id)
          ORDER BY e.payment_date, e.id
          LIMIT 1")
    .bind(payment_id)
    .optional(conn)
    .await
}

/// The newest message of an account that the provider sent; what Refdesk asked for is none.
pub async fn last(conn: &mut Conn, account_id: i64) -> DbResult<Option<MessageRow>> {
    sql("SELECT id, business_id, account_id, identity, kind, happened_at, received_at, body, state, outcome, applied_at,
                payment_id, lead_id, code_id
           FROM provider_messages
          WHERE account_id = $1
            AND identity NOT LIKE 'asked:%'
          ORDER BY id DESC
          LIMIT 1")
    .bind(account_id)
    .optional(conn)
    .await
}

row! {
    /// A code as one account at Stripe has it, under one set of rules.
    #[derive(Debug, Clone)]
    pub struct AtStripe {
        pub id: i64,
        pub account_id: i64,
        pub code_id: i64,
        pub digest: String,
        pub promotion: String,
        pub state: CodeState,
        pub why: String,
        pub updated_at: i64,
    }
}

/// Some codes as the accounts at Stripe have them, the newest first.
pub async fn at_stripe(conn: &mut Conn, codes: &[i64]) -> DbResult<Vec<AtStripe>> {
    sql("SELECT p.id, p.account_id, p.code_id, p.digest, p.promotion, p.state, p.why, p.updated_at
           FROM rows($1, id BIGINT) r
           JOIN provider_codes p ON p.code_id = r.id
          ORDER BY p.id DESC")
    .bind(rows!(codes, id => { id: *id }))
    .all(conn)
    .await
}

/// The code of a campaign that was made last at some accounts.
pub async fn newest_made(conn: &mut Conn, campaign_id: i64, accounts: &[i64]) -> DbResult<Option<i64>> {
    let found: Option<(i64,)> = sql("SELECT p.code_id
           FROM rows($1, id BIGINT) r
           JOIN provider_codes p ON p.account_id = r.id
                                AND p.campaign_id = $2
                                AND p.state = 'made'
          ORDER BY p.id DESC
          LIMIT 1")
    .bind(rows!(accounts, id => { id: *id }))
    .bind(campaign_id)
    .optional(conn)
    .await?;
    Ok(found.map(|(id,)| id))
}
