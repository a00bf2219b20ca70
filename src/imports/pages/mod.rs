//! The pages of imports: upload, columns, dry run, progress, result.

mod new;
mod show;

use askama::Template;
use axum::extract::OriginalUri;

use super::store;
use crate::db::Cursor;
use crate::query::ListQuery;
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::counted;
use crate::users::Right;
use crate::web::{PageResult, Pager, html};
use crate::when::When;

pub fn routes() -> Routes {
    let import = Access::May(Right::Import);
    let routes = Routes::new().get("/imports", import, list);
    show::routes(new::routes(routes, import), import)
}

#[derive(Template)]
#[template(path = "imports/list.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Line>,
    pager: Pager,
}

struct Line {
    id: i64,
    file_name: String,
    kind: &'static str,
    campaign: String,
    state: &'static str,
    tone: &'static str,
    rows: String,
    came_of: String,
    at: When,
    by: String,
}

async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = ListQuery::new("/imports", uri.query(), &store::KNOWN);
    let mut rows = store::list(&mut page.read().await?, page.member.business_id, &query).await?;
    let at = |i: &super::Import| Cursor { value: i.created_at.to_string(), id: i.id };
    let pager = Pager::cut(&query, &mut rows, at, "");
    let rows = rows
        .into_iter()
        .map(|i| {
            let (state, tone) = state_words(&i.state);
            let counts = i.counts();
            let taken = counts.taken(i.kind());
            let came_of = match i.state.as_str() {
                "done" => format!("{} taken, {} to correct", counted(taken), counted(counts.rejected())),
                "checked" => format!("{} would be taken, {} to correct", counted(taken), counted(counts.rejected())),
                _ => String::new(),
            };
            Line {
                id: i.id,
                kind: i.kind().label(),
                state,
                tone,
                rows: counted(i.rows_total),
                came_of,
                at: page.when(i.created_at),
                by: i.by.unwrap_or_default(),
                file_name: i.file_name,
                campaign: i.campaign_name,
            }
        })
        .collect();
    html(&ListPage { frame: page.frame("imports").await?, rows, pager })
}

/// A state in words, and the meaning its colour has.
fn state_words(state: &str) -> (&'static str, &'static str) {
    match state {
        "staged" => ("Columns to check", "info"),
        "checking" => ("Dry run going on", "info"),
        "checked" => ("Ready to run", "info"),
        "running" => ("Running", "info"),
        "done" => ("Done", "good"),
        _ => ("Reading", "neutral"),
    }
}
