use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};

/// Texts of one user, at most; the oldest goes first.
const OF_ONE: i64 = 20;

pub struct NewText {
    pub token_hash: String,
    pub user_id: i64,
    pub text: String,
}

/// Stores a text; false when there is no such user.
pub async fn keep(tx: &mut Tx, new: &NewText) -> DbResult<bool> {
    sql("DELETE FROM kept_texts
          WHERE token_hash IN (SELECT token_hash
                                 FROM kept_texts
                                WHERE user_id = $1
                                ORDER BY created_at DESC
                                LIMIT 1000 OFFSET $2)")
    .bind(new.user_id)
    .bind(OF_ONE - 1)
    .execute(tx)
    .await?;
    let now = tx.now();
    let stored = sql("INSERT INTO kept_texts (token_hash, user_id, text, created_at)
                      SELECT $1, id, $3, $4
                        FROM users
                       WHERE id = $2")
    .bind(&new.token_hash)
    .bind(new.user_id)
    .bind(&new.text)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(stored == 1)
}

pub async fn find(conn: &mut Conn, user_id: i64, token_hash: &str, since: Instant) -> DbResult<Option<String>> {
    let found: Option<(String,)> = sql("SELECT text
           FROM kept_texts
          WHERE token_hash = $1
            AND user_id = $2
            AND created_at > $3")
    .bind(token_hash)
    .bind(user_id)
    .bind(since)
    .optional(conn)
    .await?;
    Ok(found.map(|(text,)| text))
}

pub async fn forget(tx: &mut Tx, &(user_id, ref token_hash): &(i64, String)) -> DbResult<()> {
    sql("DELETE FROM kept_texts
          WHERE token_hash = $1
            AND user_id = $2")
    .bind(token_hash)
    .bind(user_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes what was kept before, a bounded number at a time; true when there may be more.
pub async fn tidy(tx: &mut Tx, &before: &Instant) -> DbResult<bool> {
    let gone = sql("DELETE FROM kept_texts
                     WHERE token_hash IN (SELECT token_hash
                                            FROM kept_texts
                                           WHERE created_at < $1
                                           ORDER BY created_at
                                           LIMIT 500)")
    .bind(before)
    .execute(tx)
    .await?;
    Ok(gone == 500)
}
