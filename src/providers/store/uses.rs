use super::codes::CodeState;
use super::messages::MessageRow;
use crate::db::{Conn, DbResult, sql};
use crate::{row, rows};

row! {
    struct Used {
        code_id: i64,
        payments: i64,
    }
}

/// The payments in which each of some codes was used, at accounts in live mode: (code, payments).
pub async fn counts(conn: &mut Conn, business_id: i64, codes: &[i64]) -> DbResult<Vec<(i64, i64)>> {
    let found: Vec<Used> = sql("SELECT r.id AS code_id,
                (SELECT count(DISTINCT m.payment_id)
                   FROM provider_messages m
                  WHERE m.code_id = r.id
                    AND m.account_id IN (SELECT a.id
                                           FROM provider_accounts a
                                          WHERE a.business_id = $2
                                            AND a.test = false)) AS payments
           FROM rows($1, id BIGINT) r")
    .bind(rows!(codes, id => { id: *id }))
    .bind(business_id)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|used| (used.code_id, used.payments)).collect())
}

/// The payments in which a code of the campaign was used, at accounts in live mode, counted up to a bound.
pub async fn count(conn: &mut Conn, business_id: i64, campaign_id: i64, bound: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM (SELECT DISTINCT m.code_id, m.payment_id
                   FROM codes c
                   JOIN provider_messages m ON m.code_id = c.id
                  WHERE c.campaign_id = $1
                    AND m.payment_id IS NOT NULL
                    AND m.account_id IN (SELECT a.id
                                           FROM provider_accounts a
                                          WHERE a.business_id = $2
                                            AND a.test = false)
                  LIMIT $3) found")
    .bind(campaign_id)
    .bind(business_id)
    .bind(bound)
    .scalar(conn)
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
