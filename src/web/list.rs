//! Parts that lists share: tabs, chips and the foot.

use crate::db::{Cursor, PAGE};
use crate::query::ListQuery;

/// A saved view above a list.
#[derive(Debug, Clone)]
pub struct Tab {
    pub label: String,
    pub url: String,
    pub current: bool,
    /// The count, ready to read; empty for none.
    pub count: String,
}

/// An active filter that can be taken away.
#[derive(Debug, Clone)]
pub struct Chip {
    pub label: String,
    pub remove_url: String,
}

impl Chip {
    /// The chip of a name that the list's URL says.
    pub fn of(query: &ListQuery, name: &str, label: impl Into<String>) -> Self {
        Self { label: label.into(), remove_url: query.with(name, "") }
    }
}

/// The list from behind a row on.
pub fn behind(query: &ListQuery, row: &Cursor) -> String {
    turned(query, "after", row)
}

fn turned(query: &ListQuery, name: &str, row: &Cursor) -> String {
    let base = query.with("after", "");
    let joint = if base.contains('?') { '&' } else { '?' };
    format!("{base}{joint}{name}={}", row.text())
}

/// The foot of a list.
#[derive(Debug, Clone, Default)]
pub struct Pager {
    pub summary: String,
    pub prev: Option<String>,
    pub next: Option<String>,
}

impl Pager {
    /// Cuts the one row that was read too many, and gives the position to continue from. With `forward` false
    /// the rows were read backwards (`before`) and are reversed here.
    pub fn cut<T>(query: &ListQuery, rows: &mut Vec<T>, at: impl Fn(&T) -> Cursor, total: &str) -> Self {
        let more = rows.len() > PAGE;
        rows.truncate(PAGE);
        if !query.get("before").is_empty() {
            rows.reverse();
        }
        Self { summary: total.to_owned(), ..Self::of(query, rows, more, at) }
    }

    /// The foot of rows as they are shown; `more` says that further rows follow in the direction of reading.
    pub fn of<T>(query: &ListQuery, rows: &[T], more: bool, at: impl Fn(&T) -> Cursor) -> Self {
        let back = !query.get("before").is_empty();
        let (has_prev, has_next) = if back { (more, true) } else { (!query.get("after").is_empty(), more) };
        let link = |name: &str, row: Option<&T>| row.map(|row| turned(query, name, &at(row)));
        Self {
            summary: String::new(),
            prev: has_prev.then(|| link("before", rows.first())).flatten(),
            next: has_next.then(|| link("after", rows.last())).flatten(),
        }
    }
}
