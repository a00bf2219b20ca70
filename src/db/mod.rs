//! The only place that knows there are two databases.
//!
//! Everything else writes one SQL text with `$n` parameters and hands it to [`sql`]. Reads take a
//! connection from [`Db::read`]; every change goes through [`Db::write`], which is one transaction,
//! committed to disk before it answers. `rows($1, id BIGINT, …) r` in a FROM clause is a table of values
//! made by [`rows!`](crate::rows), so that a slice of any length is one statement.

mod backup;
mod connect;
mod dialect;
mod ids;
mod list;
mod locks;
mod migrate;
mod rehearse;
mod sql;
mod table;
mod write;

use std::fmt;

pub use backup::{Settled, copy_into, look, settle};
pub use connect::{Db, file_of};
pub use ids::Ids;
pub use list::{EXAMINED, Listing, Look, Order};
pub use locks::Key;
pub use migrate::{known, migrate, migrate_to};
pub use rehearse::Rehearsal;
pub use sql::{Conn, FromDb, Sql, Value, sql, sql_built};
pub use table::{Field, Table};
pub use write::{TURN, Tx};

/// Why a read or a write did not happen. Every variant but one means that nothing was stored.
#[derive(Debug, Clone)]
pub enum DbError {
    /// Somebody else decided first (unique violation, serialisation failure, deadlock, or a verb
    /// that found its facts changed). The write queue runs the closure again.
    Lost(String),
    /// The database cannot be reached, is full, or did not answer in time: the caller gets a 503.
    Unavailable(String),
    /// The database was lost while it committed, and did not come back in time to be asked.
    InDoubt(String),
    /// The statement is wrong for the data or the schema: a fault of ours.
    Fault(String),
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(what) => write!(f, "lost a race: {what}"),
            Self::Unavailable(what) => write!(f, "database unavailable: {what}"),
            Self::InDoubt(what) => write!(f, "database lost while it stored: {what}"),
            Self::Fault(what) => write!(f, "database fault: {what}"),
        }
    }
}

impl std::error::Error for DbError {}

pub type DbResult<T> = Result<T, DbError>;

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        let text = error.to_string();
        match &error {
            sqlx::Error::Database(db) => {
                let code = db.code().unwrap_or_default();
                if db.is_unique_violation() {
                    return Self::Lost(text);
                }
                match code.as_ref() {
                    // PostgreSQL: serialization_failure, deadlock_detected.
                    "40001" | "40P01" => Self::Lost(text),
                    // PostgreSQL: a lock not had in time, read only, idle too long in a transaction.
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

/// Declares a struct and how it is read from a row of either database, by column name.
#[macro_export]
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$fmeta:meta])* $fvis:vis $field:ident : $ty:ty),* $(,)?
    }) => {
        $(#[$meta])*
        $vis struct $name { $($(#[$fmeta])* $fvis $field: $ty),* }

        impl<'r, R: ::sqlx::Row> ::sqlx::FromRow<'r, R> for $name
        where
            for<'c> &'c str: ::sqlx::ColumnIndex<R>,
            $($ty: ::sqlx::Decode<'r, R::Database> + ::sqlx::Type<R::Database>,)*
        {
            fn from_row(row: &'r R) -> ::sqlx::Result<Self> {
                Ok(Self { $($field: row.try_get(stringify!($field))?),* })
            }
        }
    };
}

/// Builds the parameter of a `rows(…)` table: `rows!(leads, l => { id: l.id, name: &l.name })`.
#[macro_export]
macro_rules! rows {
    ($items:expr, $item:pat => { $($name:ident : $value:expr),* $(,)? }) => {{
        let mut table = $crate::db::Table::new(&[$(stringify!($name)),*]);
        for $item in $items {
            $($crate::db::Field::put(&$value, &mut table);)*
        }
        table
    }};
}
