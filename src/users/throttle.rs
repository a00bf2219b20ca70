//! Failed sign-ins are counted in the database, so that every node sees them. The wait grows with each failure and
//! is short; what is counted is in [`delay`](super::delay).

use super::delay::{Count, LONGEST_WAIT, MOST_IN_A_ROW, from_address, from_browser};
use super::password::{Passwords, Permit};
use super::store;
use crate::clock::Instant;
use crate::core::Core;
use crate::db::{Conn, DbResult};

/// An attempt to sign in, or to prove that it is oneself.
#[derive(Debug, Clone)]
pub struct Trial {
    pub email_key: String,
    pub ip: String,
    counts: Vec<Count>,
}

impl Trial {
    /// An attempt from a browser; `token` is what the browser remembers of an earlier sign-in.
    pub async fn of(conn: &mut Conn, email_key: String, ip: &str, token: Option<&str>) -> DbResult<Self> {
        let hash = token.map(crate::id::sha256_hex);
        let known = match &hash {
            Some(hash) => store::is_known_browser(conn, &email_key, hash).await?,
            None => false,
        };
        let counts = match hash.filter(|_| known) {
            Some(hash) => from_browser(&email_key, &hash),
            None => from_address(&email_key, ip),
        };
        Ok(Self { email_key, ip: ip.to_owned(), counts })
    }

    /// An attempt of a person who is signed in.
    pub fn signed_in(email_key: String, ip: &str, session_hash: &str) -> Self {
        Self { counts: from_browser(&email_key, session_hash), email_key, ip: ip.to_owned() }
    }

    pub(super) fn counts(&self) -> &[Count] {
        &self.counts
    }
}

/// The wait before the next attempt.
enum Wait {
    Seconds(i64),
    Closed,
}

async fn wait(conn: &mut Conn, trial: &Trial, now: Instant) -> DbResult<Wait> {
    let mut longest = 0;
    for count in &trial.counts {
        let Some(found) = store::failures(conn, &count.key).await? else { continue };
        if count.lasting && found.failures >= MOST_IN_A_ROW {
            return Ok(Wait::Closed);
        }
        let left = found.blocked_until - now.micros();
        // Further ahead than the longest wait: the clock was wrong, and went back since.
        if left > 0 && left <= LONGEST_WAIT * 1_000_000 {
            longest = longest.max(left / 1_000_000 + 1);
        }
    }
    Ok(Wait::Seconds(longest))
}

/// The permission to have a password checked, or the time to wait.
pub enum Attempt {
    /// Hold the permit until a failure is counted, so that the next attempt sees it.
    Now(Permit),
    /// In this many seconds: there were too many failures.
    In(i64),
    /// There were too many failures in a row: the password alone does not do.
    Closed,
    /// Too many others wait.
    Later,
}

/// Asks before the queue, so that an attempt that must wait takes no permit, and again after it: those before
/// it may have failed since.
pub async fn permit(core: &Core, passwords: &Passwords, trial: &Trial) -> DbResult<Attempt> {
    let wait = async || wait(&mut core.db.read().await?, trial, core.clock.now()).await;
    match wait().await? {
        Wait::Seconds(0) => {}
        Wait::Seconds(before) => return Ok(Attempt::In(before)),
        Wait::Closed => return Ok(Attempt::Closed),
    }
    let Some(permit) = passwords.permit().await else { return Ok(Attempt::Later) };
    Ok(match wait().await? {
        Wait::Seconds(0) => Attempt::Now(permit),
        Wait::Seconds(behind) => Attempt::In(behind),
        Wait::Closed => Attempt::Closed,
    })
}
