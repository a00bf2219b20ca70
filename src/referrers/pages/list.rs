//! The list of a campaign's referrers, and its file.

use std::collections::BTreeMap;

use askama::Template;
use axum::body::Bytes;
use axum::extract::OriginalUri;

use super::bulk::MOST;
use crate::db::PAGE;
use crate::figures::{self, Figures};
use crate::money::Money;
use crate::query::ListQuery;
use crate::record::pages::{Beside, is_due};
use crate::referrers::store::{self, ReferrerLine};
use crate::remarks;
use crate::search::{Scope, Total};
use crate::shell::worklist::{
    CHUNK, Cell, Columns, Parts, Sort, Tools, date_chips, file, line, sorts, tag_chip, tag_choices,
};
use crate::shell::{Frame, Page};
use crate::text::{counted, counted_up_to, looked_at};
use crate::users::Right;
use crate::web::{Chip, Choice, Fault, PageResult, Pager, Tab, html};
use crate::when::When;

/// Counts beyond this are shown as "10,000+".
const BOUND: i64 = 10_000;

const HEADINGS: [(&str, &str); 11] = [
    ("state", "State"),
    ("code", "Referral code"),
    ("phone", "Phone"),
    ("company", "Company"),
    ("leads", "Leads"),
    ("qualified", "Qualified"),
    ("revenue", "Revenue"),
    ("earned", "Earned"),
    ("last", "Last referral"),
    ("created", "Added"),
    ("tags", "Tags"),
];
const USUAL: [&str; 7] = ["state", "code", "leads", "qualified", "revenue", "earned", "last"];

const SORTS: [(&str, &str, Sort); 5] = [
    ("created", "Added", Sort::Day),
    ("name", "Name", Sort::Text),
    ("leads", "Leads", Sort::Number),
    ("qualified", "Qualified", Sort::Number),
    ("last", "Last referral", Sort::Day),
];

#[derive(Template)]
#[template(path = "referrers/list.html")]
struct ListPage {
    frame: Frame,
    query: ListQuery,
    q: String,
    tabs: Vec<Tab>,
    tools: Tools,
    columns: Columns,
    tags: Vec<Choice>,
    /// The other campaigns, to enroll in.
    campaigns: Vec<Choice>,
    /// The number of referrers that "all that match" means; empty when they are too many for one action.
    matching: String,
    sorts: Vec<Choice>,
    /// Values of the list that the filter form has no field for.
    rest: Vec<(String, String)>,
    chips: Vec<Chip>,
    rows: Vec<Line>,
    pager: Pager,
    /// The number of rows examined, where not all were searched.
    looked: String,
    can_edit: bool,
    can_import: bool,
    empty: bool,
    beside: Beside,
}

impl ListPage {
    fn sort(&self, name: &str) -> (String, &'static str) {
        self.query.sort(name, "-created")
    }

    fn number(&self, name: &str) -> (String, &'static str) {
        self.query.sort_number(name, "-created")
    }
}

struct Line {
    row: ReferrerLine,
    figures: Figures,
    tags: Vec<String>,
    last: Option<When>,
    when: When,
    row_id: String,
    can_generate: bool,
}

impl Line {
    fn leads(&self) -> String {
        counted(self.figures.leads())
    }

    fn qualified(&self) -> String {
        counted(self.figures.qualified())
    }

    fn revenue(&self) -> Vec<String> {
        self.figures.revenue().into_iter().map(Money::shown).collect()
    }

    fn earned(&self) -> Vec<String> {
        self.figures.earned().into_iter().map(Money::shown).collect()
    }
}

fn tabs(query: &ListQuery, counts: &store::Counts) -> Vec<Tab> {
    let base = query.bare();
    let tab = |label: &str, name: &str, value: &str, count: i64| Tab {
        label: label.to_owned(),
        url: base.with(name, value),
        current: if value.is_empty() {
            query.get("state").is_empty() && query.get("code").is_empty()
        } else {
            query.get(name) == value
        },
        count: counted_up_to(count, BOUND),
    };
    vec![
        tab("All", "state", "", counts.all_of_them),
        tab("Without a code", "code", "none", counts.codeless),
        tab("Paused", "state", "paused", counts.paused),
        tab("Banned", "state", "banned", counts.banned),
    ]
}

fn chips(page: &Page, query: &ListQuery) -> Vec<Chip> {
    let mut chips = Vec::new();
    if !query.get("q").is_empty() {
        chips.push(Chip::of(query, "q", format!("“{}”", query.get("q"))));
    }
    // The tabs say the others.
    if ["active", "archived"].contains(&query.get("state")) {
        chips.push(Chip::of(query, "state", query.get("state")));
    }
    if query.get("code") == "some" {
        chips.push(Chip::of(query, "code", "with a code"));
    }
    chips.extend(date_chips(query, page.dates(query)));
    chips
}

/// "1,000+" where more match: the decision itself counts them to the end.
fn page_matching(total: Option<Total>) -> String {
    match total {
        Some(Total::Exact(n)) if n <= MOST => counted(n),
        Some(Total::AtLeast(n)) => format!("{}+", counted(n)),
        _ => String::new(),
    }
}

pub(super) fn of(page: &Page) -> store::Of<'_> {
    store::Of {
        business_id: page.member.business_id,
        campaign_id: page.campaign.id,
        country: &page.member.country,
        zone: page.member.zone,
    }
}

/// The chosen columns, of those that the role sees.
fn columns(page: &Page, query: &ListQuery) -> Columns {
    let columns = Columns::of(query, &HEADINGS, &USUAL);
    if page.member.may(Right::SeeMoney) { columns } else { columns.without(&["revenue", "earned"]) }
}

pub(super) async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/referrers", &uri, &store::KNOWN);
    let store::ReferrerPage { mut rows, total, looked } = store::list(&page.app.db, of(&page), &query, PAGE).await?;
    let mut beside = Beside::default();
    if is_due(&query, total) {
        let scope = Scope::referrers(page.member.business_id);
        let list = |needle| store::texts(of(&page), &query, &needle);
        beside = Beside::meant(&page, &query, scope, scope, list).await?;
    }
    let mut conn = page.read().await?;
    let counts = store::counts(&mut conn, page.campaign.id, BOUND).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.enrollment_id).collect();
    let mut figures = figures::of_enrollments(&mut conn, &ids).await?;
    let columns = columns(&page, &query);
    let people: Vec<i64> = if columns.has("tags") { rows.iter().map(|row| row.id).collect() } else { Vec::new() };
    let mut tagged = remarks::tags_of(&mut conn, &people).await?;
    let tags = remarks::all_tags(&mut conn, page.member.business_id).await?;
    let campaigns = page.campaigns().iter().filter(|c| c.id != page.campaign.id);
    let campaigns = Choice::list(campaigns.map(|c| (c.id, c.name.clone())), "");
    drop(conn);
    let found = total.map(|total| total.shown("referrer", "referrers")).unwrap_or_default();
    let pager = Pager::cut(&query, &mut rows, |row| store::cursor(&query, row), &found);
    let can_edit = page.member.may(Right::EditReferrers);
    let archived = query.get("state") == "archived";
    let rows: Vec<Line> = rows
        .into_iter()
        .map(|row| Line {
            tags: tagged.remove(&row.id).unwrap_or_default(),
            figures: figures.remove(&row.enrollment_id).unwrap_or_default(),
            last: (row.last_lead_at > 0).then(|| page.when(row.last_lead_at)),
            when: page.when(row.created_at),
            row_id: format!("enrollment_{}", row.enrollment_id),
            can_generate: can_edit && !archived && row.code.is_none() && row.state == "active",
            row,
        })
        .collect();
    let frame = page.frame("referrers").await?;
    let export = page.member.may(Right::SeeLeads).then_some("/referrers/export");
    let worklist = page.worklist(&frame, "referrers", &query, &columns, export).await?;
    let mut chips = chips(&page, &query);
    chips.extend(tag_chip(&query, &tags));
    html(&ListPage {
        frame,
        q: query.get("q").to_owned(),
        tabs: tabs(&query, &counts).into_iter().chain(worklist.views).collect(),
        tools: worklist.tools,
        columns,
        tags: tag_choices(&query, &tags),
        campaigns,
        matching: page_matching(total),
        rest: query.rest(&["q", "sort", "tag", "from", "to", "campaign"]),
        sorts: sorts(&query, "-created", &SORTS),
        empty: counts.all_of_them == 0 && !archived && chips.is_empty(),
        chips,
        rows,
        pager,
        looked: looked_at(looked),
        can_edit,
        can_import: page.member.may(Right::Import),
        beside,
        query,
    })
}

/// Everything that the list shows, as a file: all its pages, in its order, with its columns.
pub(super) async fn export(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/referrers/export", &uri, &store::KNOWN);
    let columns: Vec<&'static str> = columns(&page, &query).shown().collect();
    let head: Vec<&str> = ["name", "email"].into_iter().chain(columns.iter().map(|name| in_file(name))).collect();
    let state = Export { page, query: query.without("after").without("before"), columns, over: false };
    file("referrers", &head, state)
}

/// The heading of a column in a file.
fn in_file(name: &'static str) -> &'static str {
    match name {
        "code" => "referral_code",
        "last" => "last_referral_at",
        "created" => "added_at",
        name => name,
    }
}

struct Export {
    page: Page,
    query: ListQuery,
    columns: Vec<&'static str>,
    over: bool,
}

impl Parts for Export {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.over {
            return Ok(None);
        }
        let db = &self.page.app.db;
        let rows = store::every(db, of(&self.page), &self.query, CHUNK).await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.enrollment_id).collect();
        let mut conn = db.read().await?;
        let figures = figures::of_enrollments(&mut conn, &ids).await?;
        let tags = remarks::tags_of(&mut conn, &rows.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
        drop(conn);
        self.over = rows.len() < CHUNK;
        if let Some(last) = rows.last() {
            self.query.set("after", &store::cursor(&self.query, last).text());
        }
        let mut out = Vec::new();
        for row in &rows {
            line(&self.cells(row, &figures, &tags), &mut out).map_err(|e| Fault::Ours(e.to_string()))?;
        }
        Ok(Some(Bytes::from(out)))
    }
}

impl Export {
    fn cells(
        &self,
        row: &ReferrerLine,
        figures: &BTreeMap<i64, Figures>,
        tags: &BTreeMap<i64, Vec<String>>,
    ) -> Vec<Cell> {
        let none = Figures::default();
        let figures = figures.get(&row.enrollment_id).unwrap_or(&none);
        let mut cells = vec![Cell::Text(row.name.clone()), Cell::maybe(row.email.as_ref())];
        cells.extend(self.columns.iter().map(|name| match *name {
            "state" => Cell::Plain(row.state.clone()),
            "code" => Cell::maybe(row.code.as_ref()),
            "phone" => Cell::maybe(row.phone.as_ref()),
            "company" => Cell::maybe(row.company.as_ref()),
            "leads" => Cell::Plain(figures.leads().to_string()),
            "qualified" => Cell::Plain(figures.qualified().to_string()),
            "revenue" => Cell::sums(figures.revenue()),
            "earned" => Cell::sums(figures.earned()),
            "tags" => Cell::Text(tags.get(&row.id).map(|tags| tags.join(", ")).unwrap_or_default()),
            "last" if row.last_lead_at == 0 => Cell::Plain(String::new()),
            "last" => Cell::at(row.last_lead_at),
            _ => Cell::at(row.created_at),
        }));
        cells
    }
}
