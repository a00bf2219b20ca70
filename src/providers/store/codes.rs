use super::messages;
use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::{insert_rows, row, rows, words};

words! {
    /// The state of a code at Stripe.
    pub enum CodeState {
        /// To be made.
        Waiting = "waiting",
        Made = "made",
        /// Stripe said no.
        Refused = "refused",
        /// To be ended.
        Ending = "ending",
        Ended = "ended",
    }
}

row! {
    /// A code at Stripe.
    #[derive(Debug, Clone)]
    pub struct StripeCode {
        pub id: i64,
        pub code_id: i64,
        pub text: String,
        pub state: CodeState,
        pub promotion: String,
        pub tries: i64,
    }
}

/// The codes that a campaign wants at Stripe.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub business_id: i64,
    pub account_id: i64,
    pub campaign_id: i64,
    /// The digest of the rules and the coupon.
    pub digest: String,
    pub keeps_renamed: bool,
    pub most: i64,
}

/// Notes codes that are to be made, and those that are to be ended.
pub async fn note_wanted(tx: &mut Tx, wanted: &Wanted) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE provider_codes
            SET state = CASE WHEN promotion = '' THEN 'ended' ELSE 'ending' END, next_at = 0, tries = 0, why = '',
                updated_at = $4
          WHERE id IN (SELECT p.id
                         FROM provider_codes p
                         JOIN codes c ON c.id = p.code_id
                        WHERE p.account_id = $1
                          AND p.campaign_id = $2
                          AND p.state IN ('waiting', 'made', 'refused')
                          AND (p.digest <> $3
                               OR c.state = 'retired'
                               OR (c.state = 'alias' AND (NOT $5 OR p.state <> 'made')))
                        ORDER BY p.id
                        LIMIT $6)")
    .bind(wanted.account_id)
    .bind(wanted.campaign_id)
    .bind(&wanted.digest)
    .bind(now)
    .bind(wanted.keeps_renamed)
    .bind(wanted.most)
    .execute(tx)
    .await?;
    let lacking: Vec<(i64, String)> = sql("SELECT c.id, c.text
           FROM codes c
           LEFT JOIN provider_codes p ON p.code_id = c.id
                                     AND p.account_id = $1
                                     AND p.digest = $3
          WHERE c.campaign_id = $2
            AND c.state = 'active'
            AND (p.id IS NULL OR p.state = 'ended')
          ORDER BY c.id
          LIMIT $4")
    .bind(wanted.account_id)
    .bind(wanted.campaign_id)
    .bind(&wanted.digest)
    .bind(wanted.most)
    .all(tx)
    .await?;
    if lacking.is_empty() {
        return Ok(());
    }
    let mut new = Vec::new();
    for (code_id, text) in lacking {
        new.push((tx.id()?, code_id, text));
    }
    // A code that came back to life, or rules that did, are a new promotion code.
    sql("DELETE FROM provider_codes
          WHERE account_id = $2
            AND digest = $3
            AND state = 'ended'
            AND code_id IN (SELECT r.id
                              FROM rows($1, id BIGINT) r)")
    .bind(rows!(&new, (_, code_id, _) => { id: *code_id }))
    .bind(wanted.account_id)
    .bind(&wanted.digest)
    .execute(tx)
    .await?;
    insert_rows!("provider_codes", &new, (id, code_id, text) => {
        id BIGINT = *id,
        business_id BIGINT = wanted.business_id,
        account_id BIGINT = wanted.account_id,
        campaign_id BIGINT = wanted.campaign_id,
        code_id BIGINT = *code_id,
        text TEXT = text.as_str(),
        digest TEXT = &wanted.digest,
        promotion TEXT = "",
        state TEXT = "waiting",
        why TEXT = "",
        tries BIGINT = 0_i64,
        next_at BIGINT = 0_i64,
        updated_at BIGINT = now.micros(),
    })
    .execute(tx)
    .await?;
    Ok(())
}

/// Codes with something to be done about them, those to be ended first. One is not made while another of its text is
/// to be ended.
pub async fn due(
    conn: &mut Conn,
    account_id: i64,
    campaign_id: i64,
    now: Instant,
    most: i64,
) -> DbResult<Vec<StripeCode>> {
    sql("SELECT p.id, p.code_id, p.text, p.state, p.promotion, p.tries
           FROM provider_codes p
          WHERE p.account_id = $1
            AND p.campaign_id = $2
            AND p.next_at <= $3
            AND p.state IN ('waiting', 'ending')
            AND (p.state = 'ending'
                 OR NOT EXISTS (SELECT 1
                                  FROM provider_codes o
                                 WHERE o.account_id = p.account_id
                                   AND o.text = p.text
                                   AND o.state = 'ending'))
          ORDER BY p.state, p.id
          LIMIT $4")
    .bind(account_id)
    .bind(campaign_id)
    .bind(now)
    .bind(most)
    .all(conn)
    .await
}

/// True while a connected account that gives discounts has a code to make, to end or to look at.
pub async fn any_due(conn: &mut Conn, now: Instant) -> DbResult<bool> {
    sql("SELECT EXISTS (SELECT 1
                          FROM provider_campaigns l
                          JOIN provider_accounts a ON a.id = l.account_id
                         WHERE l.coupon <> ''
                           AND a.disconnected_at IS NULL
                           AND a.masked <> ''
                           AND (EXISTS (SELECT 1
                                          FROM provider_codes p
                                         WHERE p.account_id = l.account_id
                                           AND p.campaign_id = l.campaign_id
                                           AND p.next_at <= $1
                                           AND (p.state = 'ending'
                                                OR (p.state = 'waiting'
                                                    AND NOT EXISTS (SELECT 1
                                                                      FROM provider_codes o
                                                                     WHERE o.account_id = p.account_id
                                                                       AND o.text = p.text
                                                                       AND o.state = 'ending'))))
                                OR EXISTS (SELECT 1
                                             FROM codes c
                                             LEFT JOIN provider_codes p ON p.code_id = c.id
                                                                       AND p.account_id = l.account_id
                                                                       AND p.digest = l.digest
                                            WHERE c.campaign_id = l.campaign_id
                                              AND c.state = 'active'
                                              AND (p.id IS NULL OR p.state = 'ended'))
                                OR EXISTS (SELECT 1
                                             FROM provider_codes p
                                             JOIN codes c ON c.id = p.code_id
                                            WHERE p.account_id = l.account_id
                                              AND p.campaign_id = l.campaign_id
                                              AND p.state IN ('waiting', 'made', 'refused')
                                              AND (p.digest <> l.digest
                                                   OR c.state = 'retired'
                                                   OR (c.state = 'alias' AND (NOT l.keeps_renamed OR p.state <> 'made'))))))")
    .bind(now)
    .scalar(conn)
    .await
}

/// What became of a code at Stripe.
#[derive(Debug, Clone)]
pub struct Done {
    pub id: i64,
    pub state: CodeState,
    pub promotion: String,
    pub why: String,
    /// When it is tried again, where it is to be.
    pub next_at: i64,
}

/// Stores what became of some codes of an account. Messages that waited to learn their texts are applied again.
pub async fn settle(tx: &mut Tx, (account_id, done): &(i64, Vec<Done>)) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE provider_codes
            SET state = r.state, promotion = r.promotion, why = r.why, tries = tries + 1, next_at = r.next_at, updated_at = $2
           FROM rows($1, id BIGINT, state TEXT, promotion TEXT, why TEXT, next_at BIGINT) r
          WHERE provider_codes.id = r.id")
    .bind(rows!(done, d => {
        id: d.id, state: d.state, promotion: d.promotion.as_str(), why: d.why.as_str(), next_at: d.next_at,
    }))
    .bind(now)
    .execute(tx)
    .await?;
    let made: Vec<String> = done.iter().filter(|d| d.state == CodeState::Made).map(|d| d.promotion.clone()).collect();
    messages::wake(tx, *account_id, &made).await?;
    Ok(())
}

/// Leaves all codes of a campaign at an account alone until a moment.
pub async fn pause(tx: &mut Tx, &(account_id, campaign_id, until): &(i64, i64, i64)) -> DbResult<u64> {
    sql("UPDATE provider_codes
            SET next_at = $3
          WHERE account_id = $1
            AND campaign_id = $2
            AND state IN ('waiting', 'ending')
            AND next_at < $3")
    .bind(account_id)
    .bind(campaign_id)
    .bind(until)
    .execute(tx)
    .await
}

/// The text of a promotion code that Refdesk made.
pub async fn text_of(conn: &mut Conn, account_id: i64, promotion: &str) -> DbResult<Option<String>> {
    let found: Option<(String,)> = sql("SELECT text
           FROM provider_codes
          WHERE account_id = $1
            AND promotion = $2
          LIMIT 1")
    .bind(account_id)
    .bind(promotion)
    .optional(conn)
    .await?;
    Ok(found.map(|(text,)| text))
}

/// The codes of a campaign at Stripe, by state.
pub async fn counts(conn: &mut Conn, account_id: i64, campaign_id: i64) -> DbResult<Vec<(String, i64)>> {
    sql("SELECT state, count(*) AS codes
           FROM provider_codes
          WHERE account_id = $1
            AND campaign_id = $2
          GROUP BY state
          ORDER BY state")
    .bind(account_id)
    .bind(campaign_id)
    .all(conn)
    .await
}

/// Codes that Stripe refused, or that could not be made yet: text and reason, some of them.
pub async fn troubled(
    conn: &mut Conn,
    account_id: i64,
    campaign_id: i64,
    most: i64,
) -> DbResult<Vec<(i64, String, String)>> {
    sql("SELECT code_id, text, why
           FROM provider_codes
          WHERE account_id = $1
            AND campaign_id = $2
            AND state IN ('waiting', 'refused', 'ending')
            AND why <> ''
          ORDER BY id
          LIMIT $3")
    .bind(account_id)
    .bind(campaign_id)
    .bind(most)
    .all(conn)
    .await
}

/// Lets refused codes be tried again.
pub async fn try_again(tx: &mut Tx, &(account_id, campaign_id): &(i64, i64)) -> DbResult<u64> {
    let now = tx.now();
    sql("UPDATE provider_codes
            SET state = CASE WHEN state = 'refused' THEN 'waiting' ELSE state END, next_at = 0, updated_at = $3
          WHERE account_id = $1
            AND campaign_id = $2
            AND state IN ('waiting', 'refused', 'ending')")
    .bind(account_id)
    .bind(campaign_id)
    .bind(now)
    .execute(tx)
    .await
}
