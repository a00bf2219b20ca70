//! The only place that knows there are two databases.
//!
//! Everything else writes one SQL text with `$n` parameters and hands it to [`sql`]. Reads take a
//! connection from [`Db::read`]; every change goes through [`Db::write`], which is one transaction,
//! committed to disk before it answers. `rows($1, id BIGINT, …) r` in a FROM clause is a table of values
//! made by [`rows!`](crate::rows), so that a slice of any length is one statement.

mod backup;
mod connect;
mod cursor;
mod dialect;
mod error;
mod ids;
mod job;
mod list;
mod locks;
mod migrate;
mod rehearse;
mod row;
mod set;
mod shared;
mod sql;
mod table;
mod tx;
mod typed;
mod write;

pub use backup::{Settled, copy_into, look, settle};
pub use connect::{Db, file_of};
pub use cursor::{Cursor, PAGE};
pub use error::{DbError, DbResult, Stop};
pub use ids::Ids;
pub use job::{Answer, ErasedThen, Job, Then, answered, then};
pub use list::{EXAMINED, Listing, Look, Order};
pub use locks::Key;
pub use migrate::{known, migrate, migrate_to};
pub use rehearse::Rehearsal;
pub use row::{At, Column, FromDb, Row};
pub use sql::{Conn, Sql, Value, sql, sql_built};
pub use table::{Field, Table};
pub use tx::Tx;
pub use typed::unknown_word;
pub use write::{TURN, Terms};

/// Declares a struct and how it is read from a row of either database, by column name.
#[macro_export]
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$fmeta:meta])* $fvis:vis $field:ident : $ty:ty),* $(,)?
    }) => {
        $(#[$meta])*
        $vis struct $name { $($(#[$fmeta])* $fvis $field: $ty),* }

        impl $crate::db::FromDb for $name {
            fn from_db(row: &$crate::db::Row<'_>) -> $crate::db::DbResult<Self> {
                Ok(Self { $($field: row.get(stringify!($field))?),* })
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
