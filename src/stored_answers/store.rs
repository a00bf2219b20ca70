use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct StoredAnswer {
        pub fingerprint: String,
        /// None until the answer was given.
        pub status: Option<i64>,
        pub headers: String,
        pub body: String,
    }
}

/// The call of a key that has this `Idempotency-Key`.
pub async fn find(conn: &mut Conn, key_id: i64, text: &str) -> DbResult<Option<StoredAnswer>> {
    sql("SELECT fingerprint, status, headers, body
           FROM stored_answers
          WHERE key_id = $1
            AND text = $2")
    .bind(key_id)
    .bind(text)
    .optional(conn)
    .await
}

row! {
    /// A form that was sent.
    pub struct SentForm {
        pub fingerprint: String,
        /// The outcomes of its writes so far.
        pub outcomes: String,
        /// None while it is being worked on.
        pub status: Option<i64>,
        /// The address that it led to.
        pub headers: String,
        pub begun_at: i64,
    }
}

/// Begins a form of a user under its token, unless it has begun already: then answers what is known of that. A form
/// begins before its first write, since not every write of a page stores its outcome.
pub async fn begin_form(
    tx: &mut Tx,
    &(user_id, ref token, ref fingerprint): &(i64, String, String),
) -> DbResult<Option<SentForm>> {
    let now = tx.now();
    let begun = sql("INSERT INTO stored_answers (key_id, text, fingerprint, outcomes, status, headers, body, begun_at)
                     VALUES ($1, $2, $3, '', NULL, '', '', $4)
                         ON CONFLICT (key_id, text) DO NOTHING")
    .bind(user_id)
    .bind(token)
    .bind(fingerprint)
    .bind(now)
    .execute(tx)
    .await?;
    if begun == 1 {
        return Ok(None);
    }
    sql("SELECT fingerprint, outcomes, status, headers, begun_at
           FROM stored_answers
          WHERE key_id = $1
            AND text = $2")
    .bind(user_id)
    .bind(token)
    .optional(tx)
    .await
}

/// The answer to a call.
pub struct NewAnswer {
    pub key_id: i64,
    pub text: String,
    pub fingerprint: String,
    pub status: i64,
    pub headers: String,
    pub body: String,
}

/// Stores an answer; the first one stays.
pub async fn keep(tx: &mut Tx, answer: &NewAnswer) -> DbResult<()> {
    let now = tx.now();
    sql("INSERT INTO stored_answers (key_id, text, fingerprint, outcomes, status, headers, body, begun_at)
         VALUES ($1, $2, $3, '', $4, $5, $6, $7)
             ON CONFLICT (key_id, text) DO UPDATE
            SET status = excluded.status, headers = excluded.headers, body = excluded.body
          WHERE stored_answers.status IS NULL
            AND stored_answers.fingerprint = excluded.fingerprint")
    .bind(answer.key_id)
    .bind(&answer.text)
    .bind(&answer.fingerprint)
    .bind(answer.status)
    .bind(&answer.headers)
    .bind(&answer.body)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets a call that was refused.
pub async fn forget(tx: &mut Tx, &(key_id, ref text): &(i64, String)) -> DbResult<()> {
    sql("DELETE FROM stored_answers
          WHERE key_id = $1
            AND text = $2
            AND status IS NULL")
    .bind(key_id)
    .bind(text)
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes what was begun before, a bounded number at a time; answers whether there may be more.
pub async fn tidy(tx: &mut Tx, &before: &Instant) -> DbResult<bool> {
    let gone = sql("DELETE FROM stored_answers
                     WHERE (key_id, text) IN (SELECT k.key_id, k.text
                                                FROM stored_answers k
                                               WHERE k.begun_at < $1
                                               ORDER BY k.begun_at
                                               LIMIT 1000)")
    .bind(before)
    .execute(tx)
    .await?;
    Ok(gone == 1000)
}
