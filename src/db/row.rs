//! Rows as a driver hands them over, and the types that are read from them. Each kind of column is read by
//! one function for both drivers, so a type of rows costs its fields and none of a driver's machinery.

use sqlx::postgres::{PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Decode, Row as _, Type};

use super::DbResult;

/// A row of either database.
pub enum Row<'r> {
    Sqlite(&'r SqliteRow),
    Postgres(&'r PgRow),
}

/// The index of a column in its row.
#[derive(Clone, Copy)]
pub enum At {
    Name(&'static str),
    Number(usize),
}

impl<'r> Row<'r> {
    /// The value of a column, by its name.
    pub fn get<T: Column>(&self, name: &'static str) -> DbResult<T> {
        T::at(At::Name(name), self)
    }

    fn read<T>(&self, at: At) -> DbResult<T>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
    {
        Ok(match (self, at) {
            (Self::Sqlite(row), At::Name(name)) => row.try_get(name)?,
            (Self::Sqlite(row), At::Number(number)) => row.try_get(number)?,
            (Self::Postgres(row), At::Name(name)) => row.try_get(name)?,
            (Self::Postgres(row), At::Number(number)) => row.try_get(number)?,
        })
    }
}

/// A type that a column is read as.
pub trait Column: Sized {
    fn at(at: At, row: &Row<'_>) -> DbResult<Self>;
}

macro_rules! column {
    ($($ty:ty),*) => {$(
        impl Column for $ty {
            fn at(at: At, row: &Row<'_>) -> DbResult<Self> {
                row.read(at)
            }
        }
    )*};
}
column! { i64, Option<i64>, String, Option<String>, bool, Option<bool> }

/// A type that is read from a row: those of [`row!`](crate::row), and tuples, whose columns go by position.
pub trait FromDb: Sized + Send {
    fn from_db(row: &Row<'_>) -> DbResult<Self>;
}

macro_rules! tuple {
    ($($ty:ident $number:literal),*) => {
        impl<$($ty: Column + Send),*> FromDb for ($($ty,)*) {
            fn from_db(row: &Row<'_>) -> DbResult<Self> {
                Ok(($($ty::at(At::Number($number), row)?,)*))
            }
        }
    };
}
tuple! { A 0 }
tuple! { A 0, B 1 }
tuple! { A 0, B 1, C 2 }
tuple! { A 0, B 1, C 2, D 3 }
tuple! { A 0, B 1, C 2, D 3, E 4 }
tuple! { A 0, B 1, C 2, D 3, E 4, F 5 }
tuple! { A 0, B 1, C 2, D 3, E 4, F 5, G 6 }
tuple! { A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7 }
tuple! { A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8 }

/// The rows of an answer.
pub enum Rows {
    Sqlite(Vec<SqliteRow>),
    Postgres(Vec<PgRow>),
}

impl Rows {
    pub fn all<T: FromDb>(&self) -> DbResult<Vec<T>> {
        (0..self.count()).filter_map(|number| self.row(number)).map(|row| T::from_db(&row)).collect()
    }

    pub fn first<T: FromDb>(&self) -> DbResult<Option<T>> {
        self.row(0).map(|row| T::from_db(&row)).transpose()
    }

    fn count(&self) -> usize {
        match self {
            Self::Sqlite(rows) => rows.len(),
            Self::Postgres(rows) => rows.len(),
        }
    }

    fn row(&self, number: usize) -> Option<Row<'_>> {
        match self {
            Self::Sqlite(rows) => rows.get(number).map(Row::Sqlite),
            Self::Postgres(rows) => rows.get(number).map(Row::Postgres),
        }
    }
}
