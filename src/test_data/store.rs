use crate::clock::Instant;
use crate::db::{Conn, DbResult, sql};
use crate::engine::purge::Tally;
use crate::row;

row! {
    struct Counted {
        leads: i64,
        payments: i64,
        refunds: i64,
        commissions: i64,
        inbox_items: i64,
    }
}

/// The test data of a business, by what people know of it.
pub async fn count(conn: &mut Conn, business_id: i64) -> DbResult<Tally> {
    let all: Counted = sql("WITH mine AS (SELECT id FROM campaigns WHERE business_id = $1)
                            SELECT (SELECT count(*)
                                      FROM leads
                                     WHERE campaign_id IN (SELECT id FROM mine)
                                       AND test = true) AS leads,
                                   (SELECT count(*)
                                      FROM payments
                                     WHERE campaign_id IN (SELECT id FROM mine)
                                       AND test = true) AS payments,
                                   (SELECT count(*) FROM refunds WHERE business_id = $1 AND test = true) AS refunds,
                                   (SELECT count(*)
                                      FROM commissions
                                     WHERE campaign_id IN (SELECT id FROM mine)
                                       AND test = true) AS commissions,
                                   (SELECT count(*)
                                      FROM inbox_items i
                                      LEFT JOIN leads l ON l.id = i.lead_id
                                      LEFT JOIN payments p ON p.id = i.payment_id
                                     WHERE i.business_id = $1
                                       AND (l.test OR p.test)) AS inbox_items")
    .bind(business_id)
    .one(conn)
    .await?;
    Ok(Tally {
        leads: all.leads,
        payments: all.payments,
        refunds: all.refunds,
        commissions: all.commissions,
        inbox_items: all.inbox_items,
        ..Tally::default()
    })
}

row! {
    struct CountedOne {
        leads: i64,
        touches: i64,
        payments: i64,
        refunds: i64,
        commissions: i64,
        inbox_items: i64,
    }
}

/// The rows that belong to one test lead; `leads` are its duplicates.
pub async fn count_of(conn: &mut Conn, lead_id: i64) -> DbResult<Tally> {
    let all: CountedOne = sql("WITH mine AS (SELECT id
                         FROM leads
                        WHERE id = $1
                        UNION
                       SELECT id
                         FROM leads
                        WHERE duplicate_of = $1)
         SELECT (SELECT count(*) - 1 FROM mine) AS leads,
                (SELECT count(*) FROM touches WHERE lead_id IN (SELECT id FROM mine)) AS touches,
                (SELECT count(*) FROM payments WHERE lead_id IN (SELECT id FROM mine)) AS payments,
                (SELECT count(*)
                   FROM refunds
                  WHERE payment_id IN (SELECT p.id FROM payments p WHERE p.lead_id IN (SELECT id FROM mine)))
                  AS refunds,
                (SELECT count(*) FROM commissions WHERE lead_id IN (SELECT id FROM mine)) AS commissions,
                (SELECT count(*) FROM inbox_items WHERE lead_id IN (SELECT id FROM mine)) AS inbox_items")
    .bind(lead_id)
    .one(conn)
    .await?;
    Ok(Tally {
        leads: all.leads,
        touches: all.touches,
        payments: all.payments,
        refunds: all.refunds,
        commissions: all.commissions,
        inbox_items: all.inbox_items,
        ..Tally::default()
    })
}

pub async fn duplicates(conn: &mut Conn, lead_id: i64, most: i64) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT id
           FROM leads
          WHERE duplicate_of = $1
            AND test
          ORDER BY id
          LIMIT $2")
    .bind(lead_id)
    .bind(most)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// The start of the next batch: after this instant and row.
pub type Position = (i64, i64);

/// The next test leads of a campaign after a position, the oldest first: only duplicates, or all.
pub async fn leads(
    conn: &mut Conn,
    campaign_id: i64,
    repeats: bool,
    until: i64,
    behind: Position,
    most: i64,
) -> DbResult<Vec<(i64, i64)>> {
    sql("SELECT created_at, id
           FROM leads
          WHERE campaign_id = $1
            AND test = true
            AND created_at <= $2
            AND (created_at, id) > ($3, $4)
            AND (NOT $5 OR duplicate_of IS NOT NULL)
          ORDER BY created_at, id
          LIMIT $6")
    .bind(campaign_id)
    .bind(until)
    .bind(behind.0)
    .bind(behind.1)
    .bind(repeats)
    .bind(most)
    .all(conn)
    .await
}

/// Test payments of no lead.
pub async fn payments(conn: &mut Conn, campaign_id: i64, until: i64, most: i64) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT id
           FROM payments
          WHERE campaign_id = $1
            AND test = true
            AND lead_id IS NULL
            AND received_at <= $2
          ORDER BY email_key
          LIMIT $3")
    .bind(campaign_id)
    .bind(until)
    .bind(most)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Test refunds of no payment.
pub async fn refunds(conn: &mut Conn, business_id: i64, until: i64, most: i64) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT id
           FROM refunds
          WHERE business_id = $1
            AND test = true
            AND payment_id IS NULL
            AND received_at <= $2
          ORDER BY identity
          LIMIT $3")
    .bind(business_id)
    .bind(until)
    .bind(most)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

row! {
    #[derive(Debug, Clone)]
    pub struct StoredAnswer {
        pub key_id: i64,
        pub text: String,
        pub body: String,
    }
}

/// Stored answers of the business's test keys that name leads or commissions, after one of them, in the order
/// of keys and texts.
pub async fn stored_answers(
    conn: &mut Conn,
    business_id: i64,
    until: Instant,
    behind: (i64, &str),
    most: i64,
) -> DbResult<Vec<StoredAnswer>> {
    sql("SELECT k.key_id, k.text, k.body
           FROM stored_answers k
           JOIN api_keys a ON a.id = k.key_id
          WHERE a.business_id = $1
            AND a.test
            AND k.status IS NOT NULL
            AND k.begun_at <= $2
            AND (k.key_id, k.text) > ($3, $4)
            AND (k.body LIKE '%lead\\_%' ESCAPE '\\' OR k.body LIKE '%commission%')
          ORDER BY k.key_id, k.text
          LIMIT $5")
    .bind(business_id)
    .bind(until)
    .bind(behind.0)
    .bind(behind.1)
    .bind(most)
    .all(conn)
    .await
}

/// The commissions of a lead and its duplicates, which stored answers may name.
pub async fn commissions(conn: &mut Conn, leads: &[i64]) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT c.id
           FROM rows($1, id BIGINT) r
           CROSS JOIN commissions c
          WHERE c.lead_id = r.id")
    .bind(crate::rows!(leads, id => { id: *id }))
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

row! {
    /// A lead as far as deleting it asks.
    pub struct Lead {
        pub name: String,
        pub test: bool,
    }
}

pub async fn lead(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<Lead>> {
    sql("SELECT name, test
           FROM leads
          WHERE id = $1
            AND business_id = $2")
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}
