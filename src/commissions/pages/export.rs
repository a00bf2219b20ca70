//! The list of commissions as a file.

use axum::body::Bytes;
use axum::extract::OriginalUri;

use super::list::{HEADINGS, USUAL};
use crate::commissions::store::{self, CommissionRow, Filter, KNOWN};
use crate::query::ListQuery;
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

/// Everything that the list shows: all its pages, in its order, with its columns.
pub(super) async fn export(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/commissions/export", &uri, &KNOWN).without("after").without("before");
    let columns: Vec<&'static str> = Columns::of(&query, &HEADINGS, &USUAL).shown().collect();
    let mut head = vec!["id", "lead", "arithmetic"];
    for name in &columns {
        match *name {
            "state" => head.extend(["state", "reason"]),
            "payment" => head.push("payment_date"),
            "amount" => head.extend(["amount", "currency"]),
            "hold" => head.push("hold_until"),
            "created" => head.push("created_at"),
            name => head.push(name),
        }
    }
    let filter = Filter::of(&query, page.campaign.id, page.test, &page.member.country, page.member.zone);
    let state = Export { page, filter, query, columns, over: false };
    file("commissions", &head, state)
}

impl Parts for Export {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.over {
            return Ok(None);
        }
        let rows = store::every(&self.page.app.db, &self.filter, &self.query, CHUNK).await?;
        self.over = rows.len() < CHUNK;
        if let Some(last) = rows.last() {
            self.query.set("after", &self.filter.cursor(last).text());
        }
        let mut out = Vec::new();
        for row in &rows {
            line(&self.cells(row), &mut out).map_err(|e| Fault::Ours(e.to_string()))?;
        }
        Ok(Some(Bytes::from(out)))
    }
}

impl Export {
    fn cells(&self, row: &CommissionRow) -> Vec<Cell> {
        let plain = |text: &str| Cell::Plain(text.to_owned());
        let mut cells = vec![plain(&row.id.to_string()), Cell::Text(row.lead.clone()), plain(&row.arithmetic().sum())];
        for name in &self.columns {
            match *name {
                "state" => cells.extend([plain(&row.state), Cell::maybe(row.reason.as_ref())]),
                "kind" => cells.push(plain(&row.kind)),
                "product" => cells.push(Cell::maybe(row.product.as_ref())),
                "referrer" => cells.push(Cell::Text(row.referrer.clone())),
                "payment" => cells.push(plain(row.payment_date.as_deref().unwrap_or_default())),
                "amount" => cells.extend([plain(&row.plain()), plain(&row.currency)]),
                "hold" => cells.push(plain(&row.hold_until)),
                _ => cells.push(Cell::at(row.created_at)),
            }
        }
        cells
    }
}
