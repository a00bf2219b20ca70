use crate::clock::Instant;
use crate::db::{DbResult, Tx, sql};
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct KeptRow {
        pub fingerprint: String,
        pub status: Option<i64>,
        pub headers: String,
        pub body: String,
        pub begun_at: i64,
    }
}

/// Begins a call under its text, unless it has begun already: then answers what is known of that one.
pub async fn begin(
    tx: &mut Tx,
    &(key_id, ref text, ref fingerprint): &(i64, String, String),
) -> DbResult<Option<KeptRow>> {
    let now = tx.now();
    let begun = sql("INSERT INTO stored_answers (key_id, text, fingerprint, status, headers, body, begun_at)
                     VALUES ($1, $2, $3, NULL, '', '', $4)
                     ON CONFLICT (key_id, text) DO NOTHING")
    .bind(key_id)
    .bind(text)
    .bind(fingerprint)
    .bind(now)
    .execute(tx)
    .await?;
    if begun == 1 {
        return Ok(None);
    }
    sql("SELECT fingerprint, status, headers, body, begun_at
           FROM stored_answers
          WHERE key_id = $1
            AND text = $2")
    .bind(key_id)
    .bind(text)
    .optional(tx)
    .await
}

/// What a call was answered.
pub struct NewAnswer {
    pub key_id: i64,
    pub text: String,
    pub status: i64,
    pub headers: String,
    pub body: String,
}

pub async fn keep(tx: &mut Tx, answer: &NewAnswer) -> DbResult<()> {
    sql("UPDATE stored_answers
            SET status = $3, headers = $4, body = $5
          WHERE key_id = $1
            AND text = $2
            AND status IS NULL")
    .bind(answer.key_id)
    .bind(&answer.text)
    .bind(answer.status)
    .bind(&answer.headers)
    .bind(&answer.body)
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets a call that did nothing.
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
