use askama::Template;
use axum::extract::OriginalUri;

use super::store::{self, CallLine};
use crate::db::Cursor;
use crate::query::ListQuery;
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::counted;
use crate::users::Right;
use crate::web::{Chip, Choice, PageResult, Pager, html};
use crate::when::When;

pub fn routes() -> Routes {
    Routes::new().get("/integrations/log", Access::May(Right::Integrations), list)
}

#[derive(Template)]
#[template(path = "calls/list.html")]
struct ListPage {
    frame: Frame,
    q: String,
    keys: Vec<Choice>,
    statuses: Vec<Choice>,
    methods: Vec<Choice>,
    contracts: Vec<Choice>,
    chips: Vec<Chip>,
    rows: Vec<Line>,
    pager: Pager,
    searched: bool,
}

struct Line {
    row: CallLine,
    at: When,
}

impl Line {
    fn tone(&self) -> &'static str {
        match self.row.status {
            500.. => "bad",
            400.. => "warning",
            _ => "good",
        }
    }

    /// "4.2 ms"
    fn took(&self) -> String {
        let (whole, part) = (self.row.micros / 1_000, self.row.micros % 1_000 / 100);
        if whole < 100 { format!("{whole}.{part} ms") } else { format!("{} ms", counted(whole)) }
    }

    fn contract(&self) -> String {
        label(&CONTRACTS, &self.row.contract)
    }

    fn dropped(&self) -> String {
        counted(self.row.dropped)
    }

    fn key(&self) -> &str {
        self.row.key_name.as_deref().unwrap_or("a key")
    }
}

const STATUSES: [(&str, &str); 5] =
    [("", "Any status"), ("2", "2xx answered"), ("refused", "4xx and 5xx"), ("4", "4xx refused"), ("5", "5xx failed")];
const METHODS: [(&str, &str); 7] = [
    ("", "Any method"),
    ("GET", "GET"),
    ("POST", "POST"),
    ("PUT", "PUT"),
    ("PATCH", "PATCH"),
    ("DELETE", "DELETE"),
    ("HEAD", "HEAD"),
];
const CONTRACTS: [(&str, &str); 5] = [
    ("", "Any contract"),
    ("own", "Refdesk"),
    ("rn", "Refairn events"),
    ("cf", "Cashfin leads"),
    ("rf", "Referral Factory"),
];

fn label(list: &[(&'static str, &'static str)], value: &str) -> String {
    list.iter().find(|(known, _)| *known == value).map_or_else(|| value.to_owned(), |(_, words)| (*words).to_owned())
}

fn chips(query: &ListQuery, keys: &[(i64, String)]) -> Vec<Chip> {
    let mut chips = Vec::new();
    if !query.get("q").is_empty() {
        chips.push(Chip::of(query, "q", format!("“{}”", query.get("q"))));
    }
    if !query.get("key").is_empty() {
        let name = keys.iter().find(|(id, _)| id.to_string() == query.get("key"));
        chips.push(Chip::of(query, "key", name.map_or("another key", |(_, name)| name.as_str())));
    }
    for (name, list) in [("status", &STATUSES[..]), ("method", &METHODS[..]), ("contract", &CONTRACTS[..])] {
        if !query.get(name).is_empty() {
            chips.push(Chip::of(query, name, label(list, query.get(name))));
        }
    }
    chips
}

async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = ListQuery::new("/integrations/log", uri.query(), &store::KNOWN);
    let mut conn = page.read().await?;
    let (mut rows, searched) = store::list(&mut conn, page.member.business_id, &query).await?;
    let keys = store::keys(&mut conn, page.member.business_id).await?;
    drop(conn);
    let pager = Pager::cut(&query, &mut rows, |r| Cursor { value: r.at.to_string(), id: r.id }, "");
    let chips = chips(&query, &keys);
    let any = [(String::new(), "Any key".to_owned())];
    let keys = any.into_iter().chain(keys.into_iter().map(|(id, name)| (id.to_string(), name)));
    html(&ListPage {
        q: query.get("q").to_owned(),
        keys: Choice::list(keys, query.get("key")),
        statuses: Choice::list(STATUSES, query.get("status")),
        methods: Choice::list(METHODS, query.get("method")),
        contracts: Choice::list(CONTRACTS, query.get("contract")),
        chips,
        rows: rows.into_iter().map(|row| Line { at: page.when(row.at), row }).collect(),
        pager,
        searched,
        frame: page.frame("integrations").await?,
    })
}
