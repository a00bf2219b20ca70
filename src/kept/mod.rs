//! Texts that are kept for one browser for an hour: a form that was sent after its session had ended, and a page
//! that answers a form.
//!
//! A text lies under the hash of a token that only the browser has, encrypted with that token, so that a copy of
//! the table shows nothing. It is given to the user it was kept for, and to nobody else.

mod cipher;
mod store;

use crate::clock::Instant;
use crate::db::{Conn, Db, DbResult};
use crate::id;
use cipher::Cipher;

/// The time that a text is kept.
pub const KEPT_SECONDS: i64 = 60 * 60;
/// The largest text; what is larger is not kept.
const MOST: usize = 512 * 1024;

/// Keeps a text for a user, and gives the token that finds it again. `None` when it is too large, or the user does
/// not exist.
pub async fn keep(db: &Db, user_id: i64, text: &str) -> DbResult<Option<String>> {
    let token = id::new_token(&mut rand::rng());
    let Some(text) = Some(text).filter(|text| text.len() <= MOST).and_then(|text| Cipher::of(&token).encrypt(text))
    else {
        return Ok(None);
    };
    let new = store::NewText { token_hash: id::sha256_hex(&token), user_id, text };
    let kept = db.write(vec![], new, store::keep).await?;
    Ok(kept.then_some(token))
}

/// The text that was kept for this user under this token.
pub async fn find(conn: &mut Conn, user_id: i64, token: &str, now: Instant) -> DbResult<Option<String>> {
    let since = now.plus_seconds(-KEPT_SECONDS);
    let found = store::find(conn, user_id, &id::sha256_hex(token), since).await?;
    Ok(found.and_then(|text| Cipher::of(token).decrypt(&text)))
}

/// Forgets a text.
pub async fn forget(db: &Db, user_id: i64, token: &str) -> DbResult<()> {
    db.write(vec![], (user_id, id::sha256_hex(token)), store::forget).await
}

/// Forgets what is older than an hour; true when there may be more.
pub async fn tidy(db: &Db, now: Instant) -> DbResult<bool> {
    db.write(vec![], now.plus_seconds(-KEPT_SECONDS), store::tidy).await
}
