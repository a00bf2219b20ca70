use std::collections::BTreeMap;

use askama::Template;
use axum::extract::OriginalUri;

use super::store::{self, EntryLine};
use super::words::{AUTOMATIC, GROUPS, tells_of_payout_details, words};
use super::{Change, changes, runs};
use crate::actor::ActorKind;
use crate::db::Cursor;
use crate::query::ListQuery;
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::{Chip, Choice, PageResult, Pager, Tab, html};
use crate::when::When;

pub fn routes() -> Routes {
    Routes::new().get("/audit", Access::May(Right::Audit), list)
}

#[derive(Template)]
#[template(path = "audit/list.html")]
struct ListPage {
    frame: Frame,
    q: String,
    /// The chosen tab, which the filters keep.
    who: String,
    what: Vec<Choice>,
    about: Vec<Choice>,
    chips: Vec<Chip>,
    /// Everything, people's own deeds, what happened by itself.
    tabs: Vec<Tab>,
    runs: Vec<Run>,
    pager: Pager,
    searched: bool,
}

struct Line {
    row: EntryLine,
    words: &'static str,
    changes: Vec<Change>,
    /// The page of the subject; empty when it has none, or none for this role.
    url: String,
    subject: String,
    /// The lead and the referrer that it also concerns. The lead is the link when the subject has no page, so
    /// that a line has one link and not three on top of each other.
    beside: Vec<(String, String)>,
    at: When,
}

/// Entries of one run, newest first: of a task, an upload, or a deed on many. Most runs are of one entry.
struct Run {
    lines: Vec<Line>,
}

impl Run {
    fn first(&self) -> Option<&Line> {
        self.lines.first()
    }

    fn last(&self) -> Option<&Line> {
        self.lines.last().filter(|_| self.lines.len() > 1)
    }
}

impl Line {
    fn who(&self) -> &str {
        if self.is_automatic() { AUTOMATIC } else { &self.row.actor_name }
    }

    fn is_automatic(&self) -> bool {
        self.row.actor_kind == ActorKind::Job.word()
    }
}

const WHO: [(&str, &str); 5] =
    [("", "Everything"), ("user", "People"), ("job", AUTOMATIC), ("key", "Keys"), ("command", "Commands")];

/// The kinds of subject, as the list offers them.
const ABOUT: [(&str, &str); 17] = [
    ("", "About anything"),
    ("lead", "Leads"),
    ("referrer", "Referrers"),
    ("enrollment", "Enrollments"),
    ("code", "Codes"),
    ("commission", "Commissions"),
    ("payment", "Payments"),
    ("payout", "Payouts"),
    ("adjustment", "Adjustments"),
    ("campaign", "Campaigns"),
    ("product", "Products"),
    ("provider_message", "Messages about payments"),
    ("key", "Keys"),
    ("user", "Users"),
    ("invitation", "Invitations"),
    ("import", "Imports"),
    ("business", "Business"),
];

/// The page of a subject, for people with the right to see it.
fn url(frame: &Frame, kind: &str, id: Option<i64>) -> String {
    let id = id.unwrap_or_default();
    let (place, url) = match kind {
        "lead" => ("leads", format!("/leads/{id}")),
        "referrer" => ("referrers", format!("/referrers/{id}")),
        "commission" => ("commissions", format!("/commissions/{id}")),
        "payout" => ("payouts", format!("/payouts/{id}")),
        "adjustment" => ("payouts", "/adjustments".to_owned()),
        "campaign" => ("campaign", format!("/campaigns/{id}")),
        "product" => ("campaign", format!("/products/{id}")),
        "provider_message" => ("campaign", format!("/provider-messages/{id}")),
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
        chips.push(Chip::of(query, "q", format!("by “{}”", query.get("q"))));
    }
    for (name, list) in [("what", &GROUPS[..]), ("about", &ABOUT[..])] {
        if !query.get(name).is_empty() {
            chips.push(Chip::of(query, name, label(list, query.get(name))));
        }
    }
    if !query.get("id").is_empty() {
        chips.push(Chip::of(query, "id", format!("number {}", query.get("id"))));
    }
    chips
}

fn may_be_gone(row: &EntryLine) -> bool {
    matches!(row.subject_kind.as_str(), "lead" | "commission")
}

type Names = BTreeMap<i64, String>;

/// The name of something, where it has one and is there.
fn name(names: &Names, id: Option<i64>) -> Option<&str> {
    names.get(&id?).map(String::as_str).filter(|name| !name.is_empty())
}

/// "Lead Jane Njeri"; "commission 1234" for what has no name.
fn subject(row: &EntryLine, names: &Names) -> String {
    let kind = row.subject_kind.replace('_', " ");
    match (name(names, row.subject_id), row.subject_id) {
        (Some(name), _) => format!("{kind} {name}"),
        (None, Some(id)) => format!("{kind} {id}"),
        (None, None) => kind,
    }
}

fn beside(frame: &Frame, row: &EntryLine, names: &Names, is_linked: bool) -> Vec<(String, String)> {
    let others = [("lead", row.lead_id), ("referrer", row.referrer_id)];
    let others = others.into_iter().filter(|(_, id)| *id != row.subject_id);
    let mut linked = is_linked;
    let named = others.filter_map(|(kind, id)| Some((name(names, id)?.to_owned(), url(frame, kind, id))));
    named
        .map(|(name, url)| if std::mem::replace(&mut linked, true) { (name, String::new()) } else { (name, url) })
        .collect()
}

fn tab(query: &ListQuery, who: &str, label: &str) -> Tab {
    Tab { label: label.to_owned(), url: query.with("who", who), current: query.get("who") == who, count: String::new() }
}

async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = ListQuery::new("/audit", uri.query(), &store::KNOWN);
    let mut conn = page.read().await?;
    let (mut rows, searched) = store::list(&mut conn, page.member.business_id, &query).await?;
    let ends = runs::of(&mut rows, !query.get("before").is_empty());
    let mut asked: Vec<i64> =
        rows.iter().flat_map(|row| [row.subject_id, row.lead_id, row.referrer_id]).flatten().collect();
    asked.sort_unstable();
    asked.dedup();
    let names = store::names(&mut conn, page.member.business_id, &asked).await?;
    drop(conn);
    let pager = Pager::of(&query, &rows, ends.more, |r| Cursor { value: r.at.to_string(), id: r.id });
    let frame = page.frame("audit").await?;
    let address = |row: &EntryLine| match row.subject_id {
        id if may_be_gone(row) && id.is_none_or(|id| !names.contains_key(&id)) => String::new(),
        id => url(&frame, &row.subject_kind, id),
    };
    let is_hidden = |action: &str| tells_of_payout_details(action) && !page.member.may(Right::Pay);
    let line = |row: EntryLine| Line {
        words: words(&row.action),
        changes: match is_hidden(&row.action) {
            true => Vec::new(),
            false => changes(row.before.as_deref(), row.after.as_deref()),
        },
        url: address(&row),
        subject: subject(&row, &names),
        beside: beside(&frame, &row, &names, !address(&row).is_empty()),
        at: page.when(row.at),
        row,
    };
    let mut lines = rows.into_iter().map(line);
    let runs = ends.lengths.iter().map(|n| Run { lines: lines.by_ref().take(*n).collect() }).collect();
    let groups = [("", "Anything")].into_iter().chain(GROUPS);
    html(&ListPage {
        q: query.get("q").to_owned(),
        tabs: WHO.map(|(who, label)| tab(&query, who, label)).into(),
        who: query.get("who").to_owned(),
        what: Choice::list(groups, query.get("what")),
        about: Choice::list(ABOUT, query.get("about")),
        chips: chips(&query),
        runs,
        pager,
        searched,
        frame,
    })
}
