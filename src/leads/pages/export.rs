//! The list of leads as a file.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::OriginalUri;

use super::list::{HEADINGS, USUAL, filter_of};
use crate::leads::filter::{Filter, KNOWN};
use crate::leads::store::list::{self as store, LeadLine};
use crate::query::ListQuery;
use crate::remarks;
use crate::shell::Page;
use crate::shell::worklist::{CHUNK, Cell, Columns, Parts, file, line};
use crate::web::{Fault, PageResult};

struct Export {
    page: Page,
    filter: Filter,
    query: ListQuery,
    columns: Vec<&'static str>,
    over: bool,
}

/// Everything that the list shows: all its pages, in its order, with its columns. Names, addresses and numbers
/// have columns of their own.
pub(super) async fn export(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/leads/export", &uri, &KNOWN).without("after").without("before");
    let contacts = ["email", "phone", "company"];
    let columns = Columns::of(&query, &HEADINGS, &USUAL);
    let columns: Vec<&'static str> = columns.shown().filter(|name| !contacts.contains(name)).collect();
    let mut head = vec!["name", "email", "phone", "company"];
    for name in &columns {
        match *name {
            "referrer" => head.extend(["referrer", "code"]),
            "arrival" => head.push("source"),
            "source" => head.push("campaign_source"),
            "created" => head.push("created_at"),
            "qualified" => head.push("qualified_at"),
            name => head.push(name),
        }
    }
    let filter = filter_of(&page, &query);
    let state = Export { page, filter, query, columns, over: false };
    file("leads", &head, state)
}

impl Parts for Export {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.over {
            return Ok(None);
        }
        let rows = store::every(&self.page.app.db, &self.filter, &self.query, CHUNK).await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let tags = remarks::tags_of(&mut self.page.app.db.read().await?, &ids).await?;
        self.over = rows.len() < CHUNK;
        if let Some(last) = rows.last() {
            self.query.set("after", &store::cursor(&self.filter, last).text());
        }
        let mut out = Vec::new();
        for row in &rows {
            line(&self.cells(row, &tags), &mut out).map_err(|e| Fault::Ours(e.to_string()))?;
        }
        Ok(Some(Bytes::from(out)))
    }
}

impl Export {
    fn cells(&self, row: &LeadLine, tags: &BTreeMap<i64, Vec<String>>) -> Vec<Cell> {
        let mut cells = vec![Cell::Text(row.name.clone())];
        cells.extend([&row.email, &row.phone, &row.company].map(|text| Cell::maybe(text.as_ref())));
        for name in &self.columns {
            match *name {
                "status" => cells.push(Cell::Plain(row.status.clone())),
                "referrer" => cells.extend([&row.referrer, &row.code].map(|text| Cell::maybe(text.as_ref()))),
                "arrival" => cells.push(Cell::maybe(row.arrival.as_ref())),
                "source" => cells.push(Cell::maybe(row.source.as_ref())),
                "country" => cells.push(Cell::maybe(row.country.as_ref())),
                "tags" => cells.push(Cell::Text(tags.get(&row.id).map(|tags| tags.join(", ")).unwrap_or_default())),
                "created" => cells.push(Cell::at(row.created_at)),
                _ => cells.push(row.qualified_at.map_or_else(|| Cell::Plain(String::new()), Cell::at)),
            }
        }
        cells
    }
}
