//! Why a read or a write did not happen.

use std::fmt;

/// Why a read or a write failed. After every variant but `InDoubt` nothing is stored.
#[derive(Debug, Clone)]
pub enum DbError {
    /// Another write decided first (serialisation failure, deadlock, or a verb that found its facts changed).
    /// The write queue runs the closure again; a caller who gets this may come back later.
    Lost(String),
    /// A unique constraint refused a row. The write queue runs the closure again, since a race ends that way;
    /// when the constraint refuses every try, the row is a conflict and no race.
    Taken(String),
    /// The database is unreachable, full, or too slow: the caller gets a 503.
    Unavailable(String),
    /// The database was lost during COMMIT and did not return in time to be asked.
    InDoubt(String),
    /// The write rolled itself back, and says what it lacks.
    Stopped(Stop),
    /// The statement is wrong for the data or the schema: a fault of ours.
    Fault(String),
}

/// Why a write rolled itself back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The run of ids that was drawn for it is used up: it runs again with a longer one.
    MoreIds,
    /// It found something to decide about that it has not locked: whoever asked comes back with the key.
    OtherKeys,
    /// The subject of the call is something else by now.
    Moved,
    /// Another worker has taken its job over.
    TakenOver,
    /// Its caller refuses what it came to, and keeps the reason.
    Refused,
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(what) => write!(f, "lost a race: {what}"),
            Self::Taken(what) => write!(f, "taken by another row: {what}"),
            Self::Unavailable(what) => write!(f, "database unavailable: {what}"),
            Self::InDoubt(what) => write!(f, "database lost while it stored: {what}"),
            Self::Stopped(why) => write!(f, "write stopped: {why:?}"),
            Self::Fault(what) => write!(f, "database fault: {what}"),
        }
    }
}

impl std::error::Error for DbError {}

impl DbError {
    /// Another try may succeed, because it sees what the winner stored.
    pub fn may_be_a_race(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Taken(_))
    }
}

pub type DbResult<T> = Result<T, DbError>;

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        // PostgreSQL's error would name a line of its own source.
        let text = match &error {
            sqlx::Error::Database(db) => match db.code() {
                Some(code) => format!("{} (code {code})", db.message()),
                None => db.message().to_owned(),
            },
            other => other.to_string(),
        };
        match &error {
            sqlx::Error::Database(db) => {
                let code = db.code().unwrap_or_default();
                if db.is_unique_violation() {
                    return Self::Taken(text);
                }
                match code.as_ref() {
                    // PostgreSQL: serialization_failure, deadlock_detected.
                    "40001" | "40P01" => Self::Lost(text),
                    // PostgreSQL: a lock wait timed out, read only, or idle too long in a transaction.
                    "55P03" | "25006" | "25P03" => Self::Unavailable(text),
                    // SQLite primary codes: BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN.
                    sqlite if sqlite.len() < 5 => match sqlite.parse::<i64>().map(|n| n & 0xff) {
                        Ok(5 | 6 | 8 | 10 | 11 | 13 | 14) => Self::Unavailable(text),
                        _ => Self::Fault(text),
                    },
                    // PostgreSQL's classes: connection, who may connect, where to, resources, intervention, system.
                    postgres
                        if ["08", "28", "3D", "53", "57", "58"].iter().any(|class| postgres.starts_with(class)) =>
                    {
                        Self::Unavailable(text)
                    }
                    _ => Self::Fault(text),
                }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => Self::Unavailable(text),
            _ => Self::Fault(text),
        }
    }
}
