//! Codes to hand out: a sheet of cards to print, and a file.

use askama::Template;
use axum::body::Bytes;
use axum::extract::OriginalUri;

use super::{columns, search};
use crate::campaigns;
use crate::codes::store::{self, CodeLine, Wanted};
use crate::figures::{self, Figures};
use crate::links;
use crate::query::ListQuery;
use crate::shell::worklist::{CHUNK, Cell, Parts, file, line};
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::counted;
use crate::users::Right;
use crate::web::list::behind;
use crate::web::{Fault, PageResult, html};

pub fn routes() -> Routes {
    Routes::new().get("/codes/print", Access::May(Right::SeeReferrers), print).get(
        "/codes/export",
        // A file of everybody with their addresses is more than a look-up.
        Access::May(Right::SeeLeads),
        export,
    )
}

/// Cards of one sheet; a browser prints no more at once gladly.
const CARDS: usize = 120;

#[derive(Template)]
#[template(path = "codes/print.html")]
struct SheetPage {
    frame: Frame,
    cards: Vec<Card>,
    /// The campaign's words for customers; empty for none.
    offer: String,
    summary: String,
    next: Option<String>,
    list_url: String,
}

struct Card {
    name: String,
    code: String,
    link: String,
    qr: String,
}

/// White around a QR code on a card, in modules; the card is white as well.
const MARGIN: usize = 1;

async fn print(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let mut query = page.list("/codes/print", &uri, &store::KNOWN_QUERY);
    if query.get("state").is_empty() {
        query.set("state", "active");
    }
    let found = search(&page, query.get("q")).await?;
    let mut rows =
        store::list(&page.app.db, (page.campaign.id, page.member.zone), &query, &found.wanted, CARDS + 1).await?.rows;
    let next = (rows.len() > CARDS).then(|| {
        rows.truncate(CARDS);
        rows.last().map(|last| behind(&query, &store::cursor(&query, last)))
    });
    let cards: Vec<Card> = rows
        .into_iter()
        .filter(|r| r.state != "retired" && !r.archived)
        .map(|r| {
            let link = r.link(&page.app.config.public_url);
            Card { name: r.name, qr: links::svg(&link, MARGIN), link, code: r.text }
        })
        .collect();
    let campaign = campaigns::find(&mut page.read().await?, page.member.business_id, page.campaign.id).await?;
    html(&SheetPage {
        offer: campaign.map(|c| c.offer).unwrap_or_default(),
        frame: page.frame("codes").await?,
        summary: if cards.len() == 1 { "1 card.".into() } else { format!("{} cards.", counted(cards.len() as i64)) },
        cards,
        next: next.flatten(),
        list_url: query.with("after", "").replacen("/codes/print", "/codes", 1),
    })
}

struct Export {
    page: Page,
    query: ListQuery,
    wanted: Wanted,
    columns: Vec<&'static str>,
    over: bool,
}

/// Everything that the list shows, as a file: all its pages, in its order, with its columns.
async fn export(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/codes/export", &uri, &store::KNOWN_QUERY);
    let wanted = search(&page, query.get("q")).await?.wanted;
    let columns: Vec<&'static str> = columns(&page, &query).shown().collect();
    let mut head = vec!["code", "kind", "link"];
    for name in &columns {
        match *name {
            "referrer" => head.extend(["name", "email", "company"]),
            "created" => head.push("made_at"),
            name => head.push(name),
        }
    }
    let state = Export { page, query: query.without("after").without("before"), wanted, columns, over: false };
    file("codes", &head, state)
}

impl Parts for Export {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.over {
            return Ok(None);
        }
        let (db, of) = (&self.page.app.db, (self.page.campaign.id, self.page.member.zone));
        let rows = store::every(db, of, &self.query, &self.wanted, CHUNK).await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let figures = figures::of_codes(&mut db.read().await?, &ids).await?;
        self.over = rows.len() < CHUNK;
        if let Some(last) = rows.last() {
            self.query.set("after", &store::cursor(&self.query, last).text());
        }
        let mut out = Vec::new();
        let none = Figures::default();
        for row in &rows {
            let figures = figures.get(&row.id).unwrap_or(&none);
            line(&self.cells(row, figures), &mut out).map_err(|e| Fault::Ours(e.to_string()))?;
        }
        Ok(Some(Bytes::from(out)))
    }
}

impl Export {
    fn cells(&self, row: &CodeLine, figures: &Figures) -> Vec<Cell> {
        let link = row.link(&self.page.app.config.public_url);
        let mut cells = vec![Cell::Text(row.text.clone()), Cell::Plain(row.kind.clone()), Cell::Plain(link)];
        for name in &self.columns {
            match *name {
                "state" => cells.push(Cell::Plain(row.state.clone())),
                "referrer" => cells.extend([
                    Cell::Text(row.name.clone()),
                    Cell::maybe(row.email.as_ref()),
                    Cell::maybe(row.company.as_ref()),
                ]),
                "clicks" => cells.push(Cell::Plain(figures.clicks().to_string())),
                "leads" => cells.push(Cell::Plain(figures.leads().to_string())),
                "qualified" => cells.push(Cell::Plain(figures.qualified().to_string())),
                "revenue" => cells.push(Cell::sums(figures.revenue())),
                _ => cells.push(Cell::at(row.created_at)),
            }
        }
        cells
    }
}
