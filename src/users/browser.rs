//! Browsers from which a person signed in before, known by the text of a cookie.

use super::store;
use crate::db::{Conn, Db, DbResult, Key, Tx};
use crate::id;

/// Remembers a browser by its cookie's text.
pub async fn remember_browser(db: &Db, user_id: i64, cookie: &str) -> DbResult<()> {
    db.write(vec![Key::Row(user_id)], (user_id, id::sha256_hex(cookie)), remember_browser_in).await
}

async fn remember_browser_in(tx: &mut Tx, &(user_id, ref browser): &(i64, String)) -> DbResult<()> {
    store::know_browser(tx, user_id, browser).await
}

/// True when the person signed in from the browser with this cookie before.
pub async fn knows_browser(conn: &mut Conn, user_id: i64, cookie: &str) -> DbResult<bool> {
    store::knows_browser(conn, user_id, &id::sha256_hex(cookie)).await
}
