//! Failed sign-ins are counted in the database, so that every node sees them: per account and per
//! address. The wait grows with each failure and is short enough that a victim is not locked out.

use super::delay::keys;
use super::password::{Passwords, Permit};
use crate::clock::Instant;
use crate::core::Core;
use crate::db::{Conn, Db, DbResult};

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

/// The permission to have a password checked, or the time to wait.
pub enum Attempt {
    /// Hold the permit until a failure is counted, so that the next attempt sees it.
    Now(Permit),
    /// In this many seconds: there were too many failures.
    In(i64),
    /// Too many others wait.
    Later,
}

/// Asks before the queue, so that an attempt that must wait takes no permit, and again after it: those before
/// it may have failed since.
pub async fn permit(core: &Core, passwords: &Passwords, email_key: &str, ip: &str) -> DbResult<Attempt> {
    let wait = async || wait(&mut core.db.read().await?, email_key, ip, core.clock.now()).await;
    let before = wait().await?;
    if before > 0 {
        return Ok(Attempt::In(before));
    }
    let Some(permit) = passwords.permit().await else { return Ok(Attempt::Later) };
    let behind = wait().await?;
    Ok(if behind > 0 { Attempt::In(behind) } else { Attempt::Now(permit) })
}

fn is_over(until: i64, now: Instant) -> bool {
    until <= now.micros()
}

pub async fn failed(db: &Db, email_key: &str, ip: &str, now: Instant) -> DbResult<()> {
    super::store::count_failure(db, keys(email_key, ip), now).await
}

pub async fn succeeded(db: &Db, email_key: &str, ip: &str) -> DbResult<()> {
    let [(account, _), _] = keys(email_key, ip);
    super::store::forget_failures(db, account).await
}
