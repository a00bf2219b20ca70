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
mod file;
mod ids;
mod job;
mod list;
mod locks;
mod migrate;
mod once;
mod rehearse;
mod row;
mod set;
mod sql;
mod table;
mod texts;
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
pub use once::{Earlier, Part, StoredPart, earlier, store};
pub use rehearse::Rehearsal;
pub use row::{At, Column, FromDb, Row};
pub use sql::{Conn, Sql, Value, sql, sql_built};
pub use table::{Field, Table};
pub use texts::{TextColumn, Texts};
pub use tx::Tx;
pub use typed::unknown_word;
pub use write::{TURN, Terms};

/// Declares a struct and how it is read from a row of either database, by column name. A last field behind a
/// semicolon is read from columns of the same row by itself, as [`Texts`] are.
#[macro_export]
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$fmeta:meta])* $fvis:vis $field:ident : $ty:ty),* $(,)?
        $(; $(#[$tmeta:meta])* $tvis:vis $texts:ident : $tty:ty)?
    }) => {
        $(#[$meta])*
        $vis struct $name { $($(#[$fmeta])* $fvis $field: $ty,)* $($(#[$tmeta])* $tvis $texts: $tty)? }

        impl $crate::db::FromDb for $name {
            fn from_db(row: &$crate::db::Row<'_>) -> $crate::db::DbResult<Self> {
                Ok(Self {
                    $($field: row.get(stringify!($field))?,)*
                    $($texts: <$tty as $crate::db::FromDb>::from_db(row)?)?
                })
            }
        }
    };
}

/// Builds the parameter of a `rows(…)` table: `rows!(leads, l => { id: l.id, name: &l.name })`. [`Texts`] stand
/// last, behind a semicolon and with the type of their columns: `rows!(leads, l => { id: l.id; LeadFact: l.facts })`.
#[macro_export]
macro_rules! rows {
    ($items:expr, $item:pat => { $($name:ident : $value:expr),* $(,)? $(; $columns:ty : $texts:expr)? }) => {{
        let table = $crate::db::Table::new(&[$(stringify!($name)),*]);
        $(let table = table.and::<$columns>();)?
        let mut table = table;
        for $item in $items {
            $($crate::db::Field::put(&$value, &mut table);)*
            $($crate::db::Field::put(&$texts, &mut table);)?
        }
        table
    }};
}
