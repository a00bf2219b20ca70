use askama::Template;
use axum::extract::OriginalUri;

use super::store::{self, EntryLine};
use super::words::{GROUPS, words};
use super::{Change, changes};
use crate::web::routes::{Access, Routes};
use crate::web::{Chip, Choice, Cursor, Frame, ListQuery, Page, PageResult, Pager, Right, When, html};

pub fn routes() -> Routes {
    Routes::new().get("/audit", Access::May(Right::Audit), list)
}

#[derive(Template)]
#[template(path = "audit/list.html")]
struct ListPage {
    frame: Frame,
    q: String,
    who: Vec<Choice>,
    what: Vec<Choice>,
    about: Vec<Choice>,
    chips: Vec<Chip>,
    rows: Vec<Line>,
    pager: Pager,
    searched: bool,
}

struct Line {
    row: EntryLine,
    words: &'static str,
    changes: Vec<Change>,
    /// Where the subject's page is; empty when it has none, or none for this role.
    url: String,
    subject: String,
    at: When,
}

const WHO: [(&str, &str); 5] =
    [("", "Anybody"), ("user", "People"), ("key", "Keys"), ("job", "Jobs"), ("command", "Commands")];

/// The kinds of subject, as the list offers them.
const ABOUT: [(&str, &str); 14] = [
    ("", "About anything"),
    ("lead", "Leads"),
    ("referrer", "Referrers"),
    ("enrollment", "Enrollments"),
    ("code", "Codes"),
    ("commission", "Commissions"),
    ("payment", "Payments"),
    ("campaign", "Campaigns"),
    ("product", "Products"),
    ("key", "Keys"),
    ("user", "Users"),
    ("invitation", "Invitations"),
    ("import", "Imports"),
    ("business", "Business"),
];

/// The page of a subject, for somebody who may see it.
fn url(frame: &Frame, kind: &str, id: Option<i64>) -> String {
    let id = id.unwrap_or_default();
    let (place, url) = match kind {
        "lead" => ("leads", format!("/leads/{id}")),
        "referrer" => ("referrers", format!("/referrers/{id}")),
        "commission" => ("commissions", format!("/commissions/{id}")),
        "campaign" => ("campaign", format!("/campaigns/{id}")),
        "product" => ("campaign", format!("/products/{id}")),
        "import" => ("imports", format!("/imports/{id}")),
        "inbox" | "inbox_item" => ("inbox", "/inbox".to_owned()),
        "key" => ("integrations", format!("/integrations#key_{id}")),
        "user" => ("team", format!("/team#member_{id}")),
        "invitation" => ("team", format!("/team#invitation_{id}")),
        "business" => ("business", "/business".to_owned()),
        _ => return String::new(),
    };
    if frame.can(place) { url } else { String::new() }
}

fn label(list: &[(&'static str, &'static str)], value: &str) -> String {
    list.iter().find(|(known, _)| *known == value).map_or_else(|| value.to_owned(), |(_, words)| (*words).to_owned())
}

fn chips(query: &ListQuery) -> Vec<Chip> {
    let mut chips = Vec::new();
    if !query.get("q").is_empty() {
        chips.push(query.chip("q", format!("by “{}”", query.get("q"))));
    }
    for (name, list) in [("who", &WHO[..]), ("what", &GROUPS[..]), ("about", &ABOUT[..])] {
        if !query.get(name).is_empty() {
            chips.push(query.chip(name, label(list, query.get(name))));
        }
    }
    if !query.get("id").is_empty() {
        chips.push(query.chip("id", format!("number {}", query.get("id"))));
    }
    chips
}

async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = ListQuery::new("/audit", uri.query(), &store::KNOWN);
    let mut conn = page.read().await?;
    let (mut rows, searched) = store::list(&mut conn, page.member.business_id, &query).await?;
    let may_be_gone = |row: &EntryLine| matches!(row.subject_kind.as_str(), "lead" | "commission");
    let asked: Vec<i64> = rows.iter().filter(|row| may_be_gone(row)).filter_map(|row| row.subject_id).collect();
    let there = store::there(&mut conn, page.member.business_id, &asked).await?;
    drop(conn);
    let pager = Pager::cut(&query, &mut rows, |r| Cursor { value: r.at.to_string(), id: r.id }, "");
    let frame = page.frame("audit").await?;
    let line = |row: EntryLine| Line {
        words: words(&row.action),
        changes: changes(row.before.as_deref(), row.after.as_deref()),
        url: if may_be_gone(&row) && row.subject_id.is_none_or(|id| !there.contains(&id)) {
            String::new()
        } else {
            url(&frame, &row.subject_kind, row.subject_id)
        },
        subject: row.subject_id.map_or_else(|| row.subject_kind.clone(), |id| format!("{} {id}", row.subject_kind)),
        at: page.when(row.at),
        row,
    };
    let rows = rows.into_iter().map(line).collect();
    let groups = [("", "Anything")].into_iter().chain(GROUPS);
    html(&ListPage {
        q: query.get("q").to_owned(),
        who: Choice::list(WHO, query.get("who")),
        what: Choice::list(groups, query.get("what")),
        about: Choice::list(ABOUT, query.get("about")),
        chips: chips(&query),
        rows,
        pager,
        searched,
        frame,
    })
}
