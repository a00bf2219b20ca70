//! Text columns that are read, listed and written together, keyed by an enum: where a noun has many plain
//! fields, one table names them, and no statement and no row type does.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use super::table::{Field, Table};
use super::{DbResult, FromDb, Row};

/// One of the columns. Its index in `ALL` is its discriminant.
pub trait TextColumn: Copy + Send + 'static {
    const ALL: &'static [Self];

    fn name(self) -> &'static str;

    fn index(self) -> usize;
}

/// A text, or none, in each of the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts<C>(Vec<Option<String>>, PhantomData<C>);

impl<C: TextColumn> Default for Texts<C> {
    fn default() -> Self {
        Self(vec![None; C::ALL.len()], PhantomData)
    }
}

impl<C: TextColumn> Index<C> for Texts<C> {
    type Output = Option<String>;

    fn index(&self, column: C) -> &Option<String> {
        &self.0[column.index()]
    }
}

impl<C: TextColumn> IndexMut<C> for Texts<C> {
    fn index_mut(&mut self, column: C) -> &mut Option<String> {
        &mut self.0[column.index()]
    }
}

impl<C: TextColumn> Texts<C> {
    /// This one with a text in a column.
    pub fn with(mut self, column: C, text: impl Into<String>) -> Self {
        self[column] = Some(text.into());
        self
    }

    pub fn text(&self, column: C) -> Option<&str> {
        self[column].as_deref()
    }

    /// Takes the texts of another where it has none itself.
    pub fn fill(&mut self, from: &Self) {
        for column in C::ALL {
            if self[*column].is_none() {
                self[*column].clone_from(&from[*column]);
            }
        }
    }

    /// The columns with something before and behind each: `columns(", l.", "")` is `, l.company, l.budget`.
    pub fn columns(before: &str, behind: &str) -> String {
        C::ALL.iter().map(|column| format!("{before}{}{behind}", column.name())).collect()
    }

    /// For SET: `assigned(", ", "r.")` is `, company = r.company, budget = r.budget`.
    pub fn assigned(before: &str, from: &str) -> String {
        C::ALL.iter().map(|column| format!("{before}{0} = {from}{0}", column.name())).collect()
    }
}

impl<C: TextColumn> FromDb for Texts<C> {
    fn from_db(row: &Row<'_>) -> DbResult<Self> {
        let texts = C::ALL.iter().map(|column| row.get(column.name()));
        Ok(Self(texts.collect::<DbResult<_>>()?, PhantomData))
    }
}

impl<C: TextColumn> Field for Texts<C> {
    fn put(&self, table: &mut Table) {
        for text in &self.0 {
            text.put(table);
        }
    }
}
