//! Failed sign-ins are counted in the database, so that every node sees them: per account and per
//! address. The wait grows with each failure and is short enough that a victim is not locked out.

use super::is_over;
use super::password::Place;
use crate::app::App;
use crate::clock::Instant;
use crate::db::{Conn, Db, DbResult};

/// Failures that cost nothing: people mistype.
const FREE: i64 = 5;
/// The longest wait, in seconds.
const LONGEST_WAIT: i64 = 60;
/// After so long without a failure the count starts again.
pub const FORGET_SECONDS: i64 = 3_600;

/// The keys one attempt is counted under. An address is allowed more than an account: an office shares it.
pub fn keys(email_key: &str, ip: &str) -> [(String, i64); 2] {
    [(format!("account:{}", crate::id::sha256_hex(email_key)), FREE), (format!("address:{ip}"), FREE * 10)]
}

/// Seconds until the next attempt may be made; 0 for now.
pub async fn wait(conn: &mut Conn, email_key: &str, ip: &str, now: Instant) -> DbResult<i64> {
    let mut longest = 0;
    for (key, _) in keys(email_key, ip) {
        if let Some(until) = super::store::blocked_until(conn, &key).await?
            && !is_over(until, now)
        {
            longest = longest.max((until - now.micros()) / 1_000_000 + 1);
        }
    }
    Ok(longest)
}

/// Whose turn it is to have a password checked.
pub enum Turn {
    /// Hold the place until a failure is counted: the next one sees it.
    Now(Place),
    /// In so many seconds: there were too many failures.
    In(i64),
    /// Too many others wait.
    Later,
}

/// Asks before the queue, so that whoever has to wait anyway costs no place in it, and again behind it: those
/// who stood in line before may have failed since.
pub async fn place(app: &App, email_key: &str, ip: &str) -> DbResult<Turn> {
    let wait = async || wait(&mut app.db.read().await?, email_key, ip, app.clock.now()).await;
    let before = wait().await?;
    if before > 0 {
        return Ok(Turn::In(before));
    }
    let Some(place) = app.passwords.place().await else { return Ok(Turn::Later) };
    let behind = wait().await?;
    Ok(if behind > 0 { Turn::In(behind) } else { Turn::Now(place) })
}

/// How long the next attempt waits after this many failures.
pub fn delay(failures: i64, free: i64) -> i64 {
    let over = failures - free;
    if over < 0 { 0 } else { (1_i64 << over.min(6)).min(LONGEST_WAIT) }
}

pub async fn failed(db: &Db, email_key: &str, ip: &str, now: Instant) -> DbResult<()> {
    super::store::count_failure(db, keys(email_key, ip), now).await
}

pub async fn succeeded(db: &Db, email_key: &str, ip: &str) -> DbResult<()> {
    let [(account, _), _] = keys(email_key, ip);
    super::store::forget_failures(db, account).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_stays_short() {
        assert_eq!(delay(4, FREE), 0);
        assert_eq!(delay(5, FREE), 1);
        assert_eq!(delay(8, FREE), 8);
        assert_eq!(delay(500, FREE), LONGEST_WAIT);
    }
}
