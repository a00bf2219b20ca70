//! The list of codes, and retiring one. Making codes and printing them have files of their own.

mod generate;
mod ready;
mod sheet;

use std::sync::Arc;

use askama::Template;
use axum::extract::{OriginalUri, Path};

use super::lookup::{How, Lookup, look_up};
use super::near::{Near, misheard};
use super::store::{self, CodeLine, Wanted};
use super::{CodeState, Moved};
use crate::db::PAGE;
use crate::figures::{self, Figures};
use crate::money::Money;
use crate::query::ListQuery;
use crate::record::pages::{Beside, is_due};
use crate::search::Scope;
use crate::shell::worklist::{Columns, Sort, Tools, date_chips, sorts};
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::{counted, counted_up_to, looked_at};
use crate::users::Right;
use crate::web::{Chip, Choice, Fault, Flash, Form, PageResult, Pager, Tab, html};
use crate::when::When;

pub fn routes() -> Routes {
    generate::routes()
        .get("/codes", Access::May(Right::SeeReferrers), list)
        .post("/codes/{id}/state", Access::May(Right::EditReferrers), set_state)
        .merge(ready::routes())
        .merge(sheet::routes())
}

/// Counts beyond this are shown as "10,000+".
const BOUND: i64 = 10_000;

const SORTS: [(&str, &str, Sort); 5] = [
    ("created", "Made", Sort::Day),
    ("code", "Code", Sort::Text),
    ("clicks", "Clicks", Sort::Number),
    ("leads", "Leads", Sort::Number),
    ("qualified", "Qualified", Sort::Number),
];

#[derive(Template)]
#[template(path = "codes/list.html")]
struct ListPage {
    frame: Frame,
    q: String,
    tabs: Vec<Tab>,
    chips: Vec<Chip>,
    query: ListQuery,
    tools: Tools,
    columns: Columns,
    sorts: Vec<Choice>,
    /// Values of the list that the filter form has no field for.
    rest: Vec<(String, String)>,
    rows: Vec<Line>,
    pager: Pager,
    /// Only some rows were examined. How many were examined, where not all were searched.
    looked: String,
    /// The meaning of the search, if that is not plain.
    understood: String,
    near: Vec<Near>,
    elsewhere: Option<Elsewhere>,
    print_url: String,
    empty: bool,
    can_edit: bool,
    beside: Beside,
}

impl Near {
    fn list_url(&self) -> String {
        crate::query::url("/codes", &[("campaign", &self.code.campaign_id.to_string()), ("q", &self.code.text)])
    }
}

/// The searched code belongs to another campaign.
struct Elsewhere {
    text: String,
    name: String,
    url: String,
}

struct Line {
    row: CodeLine,
    figures: Figures,
    when: When,
    /// Why it attributes no lead although it is not retired: paused, banned, archived.
    resting: Option<String>,
}

const HEADINGS: [(&str, &str); 7] = [
    ("state", "State"),
    ("referrer", "Referrer"),
    ("clicks", "Clicks"),
    ("leads", "Leads"),
    ("qualified", "Qualified"),
    ("revenue", "Revenue"),
    ("created", "Made"),
];

/// The chosen columns, of those that the role sees.
fn columns(page: &Page, query: &ListQuery) -> Columns {
    let columns = Columns::of(query, &HEADINGS, &HEADINGS.map(|(name, _)| name));
    if page.member.may(Right::SeeMoney) { columns } else { columns.without(&["revenue"]) }
}

impl Line {
    fn clicks(&self) -> String {
        counted(self.figures.clicks())
    }

    fn leads(&self) -> String {
        counted(self.figures.leads())
    }

    fn qualified(&self) -> String {
        counted(self.figures.qualified())
    }

    fn revenue(&self) -> Vec<String> {
        self.figures.revenue().into_iter().map(Money::shown).collect()
    }
}

impl ListPage {
    fn sort(&self, name: &str) -> (String, &'static str) {
        self.query.sort(name, "-created")
    }

    fn number(&self, name: &str) -> (String, &'static str) {
        self.query.sort_number(name, "-created")
    }
}

/// The search as the list runs it, and the words about it.
struct Search {
    wanted: Wanted,
    understood: String,
    near: Vec<Near>,
    elsewhere: Option<Elsewhere>,
}

async fn search(page: &Page, q: &str) -> Result<Search, Fault> {
    let mut search = Search { wanted: Wanted::Any, understood: String::new(), near: Vec::new(), elsewhere: None };
    if q.is_empty() {
        return Ok(search);
    }
    search.wanted = Wanted::of(q, &page.member.country);
    let mut conn = page.read().await?;
    match look_up(&mut conn, page.member.business_id, q).await? {
        Lookup::Found { code, how } if code.campaign_id == page.campaign.id => {
            search.understood = match how {
                How::Exact => String::new(),
                How::Repaired => format!("Read as {}: look-alike characters were mended.", code.text),
                How::Heard => format!("Heard as {}.", code.text),
            };
            search.wanted = Wanted::One(code.id);
        }
        Lookup::Found { code, .. } => {
            let url = crate::query::url("/codes", &[("campaign", &code.campaign_id.to_string()), ("q", &code.text)]);
            search.elsewhere = Some(Elsewhere { text: code.text.clone(), name: code.name.clone(), url });
        }
        Lookup::NotFound { closest } => {
            let mut near = closest;
            if near.is_empty() {
                near = misheard(&mut conn, page.member.business_id, q).await?;
            }
            search.near = near.into_iter().filter(|n| n.code.campaign_id == page.campaign.id).collect();
            let heard = crate::spelling::heard(q);
            if crate::code::lookup_form(&heard) != crate::code::lookup_form(q) {
                search.understood = format!("Heard as {heard}.");
                search.wanted = Wanted::of(&heard, &page.member.country);
            }
        }
    }
    Ok(search)
}

async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/codes", &uri, &store::KNOWN_QUERY);
    let Search { wanted, understood, near, elsewhere } = search(&page, query.get("q")).await?;
    let store::Codes { mut rows, total, looked } =
        store::list(&page.app.db, (page.campaign.id, page.member.zone), &query, &wanted, PAGE + 1).await?;
    let mut beside = Beside::default();
    if is_due(&query, total) {
        let list = |needle| store::texts((page.campaign.id, page.member.zone), &query, needle);
        let (words_of, rows_of) = (Scope::referrers(page.member.business_id), Scope::codes(page.campaign.id));
        beside = Beside::meant(&page, &query, words_of, rows_of, list).await?;
    }
    let mut conn = page.read().await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut figures = figures::of_codes(&mut conn, &ids).await?;
    let mut tabs = Vec::new();
    for (word, label) in [("", "All"), ("active", "Active"), ("alias", "Alias"), ("retired", "Retired")] {
        let n = store::count(&mut conn, page.campaign.id, Some(word).filter(|w| !w.is_empty()), BOUND).await?;
        tabs.push(Tab {
            label: label.to_owned(),
            url: query.with("state", word),
            current: query.get("state") == word,
            count: counted_up_to(n, BOUND),
        });
    }
    drop(conn);
    let found = total.map(|total| total.shown("code", "codes")).unwrap_or_default();
    let pager = Pager::cut(&query, &mut rows, |r| store::cursor(&query, r), &found);
    let mut chips = Vec::new();
    if !query.get("q").is_empty() {
        chips.push(Chip::of(&query, "q", format!("“{}”", query.get("q"))));
    }
    if !query.get("since").is_empty() {
        chips.push(Chip::of(&query, "since", "made in the last batch"));
    }
    let rows: Vec<Line> = rows
        .into_iter()
        .map(|row| Line {
            figures: figures.remove(&row.id).unwrap_or_default(),
            when: page.when(row.created_at),
            resting: match (row.archived, row.enrollment_state.as_str()) {
                (true, _) => Some("archived".to_owned()),
                (false, "active") => None,
                (false, other) => Some(other.to_owned()),
            },
            row,
        })
        .collect();
    chips.extend(date_chips(&query, page.dates(&query)));
    let frame = page.frame("codes").await?;
    let columns = columns(&page, &query);
    // A file of everybody with their addresses is more than a look-up.
    let export = page.member.may(Right::SeeLeads).then_some("/codes/export");
    let worklist = page.worklist(&frame, "codes", &query, &columns, export).await?;
    html(&ListPage {
        frame,
        q: query.get("q").to_owned(),
        empty: rows.is_empty() && chips.is_empty() && query.get("state").is_empty(),
        tabs: tabs.into_iter().chain(worklist.views).collect(),
        chips,
        tools: worklist.tools,
        columns,
        rest: query.rest(&["q", "sort", "from", "to", "campaign"]),
        sorts: sorts(&query, "-created", &SORTS),
        rows,
        pager,
        looked: looked_at(looked),
        understood,
        near,
        elsewhere,
        print_url: query.with("after", "").replacen("/codes", "/codes/print", 1),
        can_edit: page.member.may(Right::EditReferrers),
        beside,
        query,
    })
}

async fn set_state(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let Some(to) = form.choice("to", "The state", CodeState::parse) else {
        return Err(Fault::Bad("A code is active, alias or retired.".into()));
    };
    let actor = Arc::new(page.member.actor());
    let back = form.back("/codes").to_owned();
    let flash = match super::move_to(&page.app, &actor, page.member.business_id, id, to).await? {
        Moved::Done { text, was } => {
            let said = match to {
                CodeState::Retired => format!("{text} is retired. New referrals with it no longer count."),
                CodeState::Alias => format!("{text} works again as an alias."),
                CodeState::Active => format!("{text} is the active code now."),
            };
            let undo = Flash::good(said);
            // Another code took its place when the active code became an alias; one click cannot undo that.
            if to == CodeState::Retired {
                undo.undo(format!("/codes/{id}/state"), "Undo", &[("to", was.word()), ("back", &back)])
            } else {
                undo
            }
        }
        Moved::Already { text } => Flash::info(format!("{text} is {} already.", to.word())),
        Moved::NeedsAnother => {
            Flash::bad("Rename the code, or make another one active: then this one becomes an alias.")
        }
        Moved::Archived => Flash::bad("Its referrer is archived. Restore them first."),
        Moved::NotFound => return Err(Fault::NotFound),
    };
    page.go(&back, flash).await
}
