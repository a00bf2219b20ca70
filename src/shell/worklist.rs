//! What is offered beside a list: its days, its columns, its saved views, and its file.

use std::io;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::IntoResponse;
use futures::{StreamExt, stream};

use super::{Frame, Page};
use crate::clock::Instant;
use crate::imports::table::{sanitise_for_spreadsheet, write_csv_row};
use crate::money::Money;
use crate::query::{Dates, ListQuery};
use crate::users::Right;
use crate::views;
use crate::web::{Chip, Choice, Fault, PageResult, Stamp, Tab};

/// The columns of a list that a person may choose: (name in the address, heading).
pub type Headings = [(&'static str, &'static str)];

/// The columns that are shown.
#[derive(Debug, Clone)]
pub struct Columns {
    all: Vec<(&'static str, &'static str)>,
    shown: Vec<&'static str>,
}

impl Columns {
    /// Those that the address names; where it names none, the usual ones.
    pub fn of(query: &ListQuery, all: &Headings, usual: &[&'static str]) -> Self {
        let asked: Vec<&str> = query.all("cols").flat_map(|names| names.split(',')).collect();
        let named = all.iter().map(|(name, _)| *name).filter(|name| asked.contains(name));
        let named: Vec<&'static str> = named.collect();
        let usual = all.iter().map(|(name, _)| *name).filter(|name| usual.contains(name));
        Self { all: all.to_vec(), shown: if named.is_empty() { usual.collect() } else { named } }
    }

    /// Without the columns that a role does not see.
    pub fn without(mut self, hidden: &[&str]) -> Self {
        self.all.retain(|(name, _)| !hidden.contains(name));
        self.shown.retain(|name| !hidden.contains(name));
        self
    }

    pub fn has(&self, name: &str) -> bool {
        self.shown.contains(&name)
    }

    /// In the order of the table.
    pub fn shown(&self) -> impl Iterator<Item = &'static str> {
        self.shown.iter().copied()
    }
}

/// A saved view that may be removed.
struct Removable {
    id: i64,
    name: String,
    shared: bool,
}

/// The tools above a list.
#[derive(Template)]
#[template(path = "ui/tools.html")]
pub struct Tools {
    list: &'static str,
    columns: Vec<Choice>,
    /// The rest of the list's address, for the form of the columns.
    rest: Vec<(String, String)>,
    removable: Vec<Removable>,
    export_url: String,
    stamp: Stamp,
    path: String,
}

/// The tools of a list, and the tabs of its saved views.
pub struct Worklist {
    pub tools: Tools,
    pub views: Vec<Tab>,
}

impl Page {
    /// What is offered beside a list. Without `export` it has no file for this role.
    pub async fn worklist(
        &self,
        frame: &Frame,
        list: &'static str,
        query: &ListQuery,
        columns: &Columns,
        export: Option<&'static str>,
    ) -> Result<Worklist, Fault> {
        let (business, user) = (self.member.business_id, self.member.user_id);
        let saved = views::of_list(&mut self.read().await?, business, user, list).await?;
        let here = query.text();
        let tabs = saved.iter().map(|view| Tab {
            label: view.name.clone(),
            url: self.at(&format!("/{list}?{}", view.query)),
            current: view.query == here,
            count: String::new(),
        });
        let views = tabs.collect();
        let may_remove = |view: &views::View| view.user_id == user || self.member.may(Right::Team);
        let removable = saved.into_iter().filter(may_remove);
        let removable = removable.map(|view| Removable { id: view.id, name: view.name, shared: view.shared });
        let choice = |(name, heading): &(&'static str, &'static str)| Choice {
            value: (*name).to_owned(),
            label: (*heading).to_owned(),
            selected: columns.has(name),
        };
        let tools = Tools {
            list,
            columns: columns.all.iter().map(choice).collect(),
            rest: query.rest(&["cols"]),
            removable: removable.collect(),
            export_url: export.map_or_else(String::new, |path| query.with("after", "").replacen(query.path(), path, 1)),
            stamp: frame.stamp(),
            path: frame.path.clone(),
        };
        Ok(Worklist { tools, views })
    }

    /// The days of a list's address, in the business's zone.
    pub fn dates(&self, query: &ListQuery) -> Dates {
        query.dates(self.member.zone)
    }
}

/// The kind of what a list is sorted by, which says how both directions are called.
#[derive(Debug, Clone, Copy)]
pub enum Sort {
    Text,
    Number,
    Day,
}

/// The orders of a list as a choice, for screens without the heads of columns. The usual one has no value, so that the
/// address stays short.
pub fn sorts(query: &ListQuery, usual: &str, all: &[(&str, &str, Sort)]) -> Vec<Choice> {
    let now = Some(query.get("sort")).filter(|now| !now.is_empty()).unwrap_or(usual);
    let mut choices = Vec::new();
    for (name, label, sort) in all {
        let (up, down) = match sort {
            Sort::Text => ("A to Z", "Z to A"),
            Sort::Number => ("lowest first", "highest first"),
            Sort::Day => ("oldest first", "newest first"),
        };
        choices.extend([(format!("-{name}"), down), (name.to_string(), up)].map(|(by, words)| Choice {
            selected: by == now,
            value: if by == usual { String::new() } else { by },
            label: format!("{label}, {words}"),
        }));
    }
    // An order that only a column's head gives stays when the form is sent for something else.
    if choices.iter().all(|choice| !choice.selected) {
        choices.push(Choice { value: now.to_owned(), label: "As it is now".to_owned(), selected: true });
    }
    choices
}

/// The chips of a list's days: what they are, or that a text is no day.
pub fn date_chips(query: &ListQuery, dates: Dates) -> Vec<Chip> {
    let mut chips = Vec::new();
    let unread = |name: &str, day: bool| !query.get(name).is_empty() && !day;
    for (name, is_day) in [("from", dates.first.is_some()), ("to", dates.last.is_some())] {
        if unread(name, is_day) {
            chips.push(Chip::of(query, name, format!("“{}” is not a day", query.get(name))));
        }
    }
    if !dates.is_any() {
        chips.push(Chip { label: dates.shown(), remove_url: query.without("from").with("to", "") });
    }
    chips
}

/// The choice of a tag; empty where the business has none.
pub fn tag_choices(query: &ListQuery, tags: &[(i64, String)]) -> Vec<Choice> {
    if tags.is_empty() {
        return Vec::new();
    }
    let all = tags.iter().map(|(id, name)| (id.to_string(), name.clone()));
    Choice::list(std::iter::once((String::new(), "Any tag".to_owned())).chain(all), query.get("tag"))
}

/// The chip of the chosen tag.
pub fn tag_chip(query: &ListQuery, tags: &[(i64, String)]) -> Option<Chip> {
    let asked = query.get("tag");
    let name = tags.iter().find(|(id, _)| id.to_string() == asked).map(|(_, name)| format!("tagged {name}"));
    (!asked.is_empty()).then(|| Chip::of(query, "tag", name.unwrap_or_else(|| "an unknown tag".to_owned())))
}

/// A cell of a file.
pub enum Cell {
    /// What a person wrote: a spreadsheet must not run it.
    Text(String),
    /// What is ours.
    Plain(String),
}

impl Cell {
    pub fn maybe(text: Option<&String>) -> Self {
        Self::Text(text.cloned().unwrap_or_default())
    }

    /// An instant in microseconds, as RFC 3339 has it.
    pub fn at(micros: i64) -> Self {
        Self::Plain(Instant::from_micros(micros).to_rfc3339_millis())
    }

    /// "12.50 EUR; 3.00 USD": sums in several currencies.
    pub fn sums(sums: Vec<Money>) -> Self {
        let sums = sums.into_iter().map(|sum| format!("{} {}", sum.plain(), sum.currency.code()));
        Self::Plain(sums.collect::<Vec<_>>().join("; "))
    }
}

/// A line of a file, as bytes.
pub fn line(cells: &[Cell], out: &mut Vec<u8>) -> io::Result<()> {
    let cells = cells.iter().map(|cell| match cell {
        Cell::Text(text) => sanitise_for_spreadsheet(text),
        Cell::Plain(text) => text.clone(),
    });
    let cells: Vec<String> = cells.collect();
    write_csv_row(out, &cells.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Rows of a file read at a time.
pub const CHUNK: usize = 1_000;

/// A list that is being sent as a file.
pub trait Parts: Send + 'static {
    /// The next rows as bytes; none behind the last.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Fault>> + Send;
}

/// A CSV file, sent as its parts are read.
pub fn file(name: &str, head: &[&str], parts: impl Parts) -> PageResult {
    let mut first = Vec::new();
    write_csv_row(&mut first, head).map_err(|e| Fault::Ours(e.to_string()))?;
    let first = stream::once(async move { Ok::<_, io::Error>(Bytes::from(first)) });
    let rest = stream::try_unfold(parts, |mut parts| async move {
        let part = parts.next().await.map_err(|fault| io::Error::other(format!("{fault:?}")))?;
        Ok(part.map(|bytes| (bytes, parts)))
    });
    let body = Body::from_stream(first.chain(rest));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")),
    ];
    Ok((headers, body).into_response())
}
