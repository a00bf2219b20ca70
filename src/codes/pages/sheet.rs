//! Codes to hand out: a sheet of cards to print, and a file.

use askama::Template;
use axum::body::Body;
use axum::body::Bytes;
use axum::extract::OriginalUri;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;

use super::{Figures, search};
use crate::app::App;
use crate::clock::Instant;
use crate::codes::store::{self, CodeLine, Wanted};
use crate::counters;
use crate::imports::table::{sanitise_for_spreadsheet, write_csv_row};
use crate::links;
use crate::query::ListQuery;
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
    let mut rows = store::list(&page.app.db, page.campaign.id, &query, &found.wanted, CARDS + 1).await?.rows;
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
    html(&SheetPage {
        frame: page.frame("codes").await?,
        summary: if cards.len() == 1 { "1 card.".into() } else { format!("{} cards.", counted(cards.len() as i64)) },
        cards,
        next: next.flatten(),
        list_url: query.with("after", "").replacen("/codes/print", "/codes", 1),
    })
}

/// Rows read at a time while a file is sent.
const CHUNK: usize = 1_000;

struct Export {
    app: App,
    query: ListQuery,
    wanted: Wanted,
    campaign_id: i64,
    /// The business whose revenue columns the file has; none for roles that see no money.
    currencies: Vec<String>,
    last: Option<CodeLine>,
    over: bool,
}

async fn export(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/codes/export", &uri, &store::KNOWN_QUERY);
    let wanted = search(&page, query.get("q")).await?.wanted;
    let mut currencies = Vec::new();
    if page.member.may(Right::SeeMoney) {
        let totals = counters::totals(&mut page.read().await?, &[page.campaign.id]).await?;
        currencies = totals.keys().filter_map(|(_, name)| name.strip_prefix("revenue.").map(str::to_owned)).collect();
    }
    let revenue: Vec<String> = currencies.iter().map(|c| format!("revenue_{}", c.to_lowercase())).collect();
    let mut head =
        vec!["code", "state", "kind", "name", "email", "company", "link", "clicks", "leads", "qualified", "created_at"];
    head.extend(revenue.iter().map(String::as_str));
    let mut first = Vec::new();
    write_csv_row(&mut first, &head).map_err(|e| Fault::Ours(e.to_string()))?;
    let campaign_id = page.campaign.id;
    let export = Export { app: page.app.clone(), query, wanted, campaign_id, currencies, last: None, over: false };
    let rest = stream::try_unfold(export, |mut export| async move {
        let chunk = export.next().await.map_err(|fault| std::io::Error::other(format!("{fault:?}")))?;
        Ok::<_, std::io::Error>(chunk.map(|bytes| (bytes, export)))
    });
    let first = stream::once(async move { Ok::<_, std::io::Error>(Bytes::from(first)) });
    let body = Body::from_stream(futures::StreamExt::chain(first, rest));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"codes.csv\""),
    ];
    Ok::<Response, Fault>((headers, body).into_response())
}

impl Export {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.over {
            return Ok(None);
        }
        let (db, last) = (&self.app.db, self.last.take());
        let rows = store::list_behind(db, self.campaign_id, &self.query, &self.wanted, last.as_ref(), CHUNK).await?;
        let figures = Figures::of(&mut db.read().await?, &rows).await?;
        self.over = rows.len() < CHUNK;
        let mut out = Vec::new();
        for row in &rows {
            self.write(&mut out, row, &figures).map_err(|e| Fault::Ours(e.to_string()))?;
        }
        self.last = rows.into_iter().last();
        Ok(Some(Bytes::from(out)))
    }

    fn write(&self, out: &mut Vec<u8>, row: &CodeLine, figures: &Figures) -> std::io::Result<()> {
        let revenue = figures.revenue(row.id);
        let mut cells = vec![
            sanitise_for_spreadsheet(&row.text),
            row.state.clone(),
            row.kind.clone(),
            sanitise_for_spreadsheet(&row.name),
            sanitise_for_spreadsheet(row.email.as_deref().unwrap_or_default()),
            sanitise_for_spreadsheet(row.company.as_deref().unwrap_or_default()),
            row.link(&self.app.config.public_url),
            figures.number(row.id, "clicks").to_string(),
            figures.number(row.id, "leads").to_string(),
            figures.number(row.id, "qualified").to_string(),
            Instant::from_micros(row.created_at).to_rfc3339_millis(),
        ];
        for currency in &self.currencies {
            let amount = revenue.iter().find(|m| m.currency.code() == currency);
            cells.push(amount.map_or_else(|| "0".to_owned(), |m| m.plain()));
        }
        write_csv_row(out, &cells.iter().map(String::as_str).collect::<Vec<_>>())
    }
}
