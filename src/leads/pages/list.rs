use askama::Template;
use axum::extract::OriginalUri;

use crate::db::{EXAMINED, PAGE};
use crate::engine::Status;
use crate::leads::filter::{ARRIVALS, By, Filter, KNOWN};
use crate::leads::store::list::{self as store, LeadLine, Total};
use crate::query::ListQuery;
use crate::record;
use crate::remarks;
use crate::shell::worklist::{Columns, Sort, Tools, date_chips, sorts, tag_chip, tag_choices};
use crate::shell::{Frame, Page};
use crate::text::{counted, looked_at};
use crate::users::Right;
use crate::web::{Chip, Choice, PageResult, Pager, Tab, html};
use crate::when::When;

const SORTS: [(&str, &str, Sort); 2] = [("created", "Created", Sort::Day), ("name", "Name", Sort::Text)];

#[derive(Template)]
#[template(path = "leads/list.html")]
struct ListPage {
    frame: Frame,
    tabs: Vec<Tab>,
    q: String,
    statuses: Vec<Choice>,
    arrivals: Vec<Choice>,
    tags: Vec<Choice>,
    sorts: Vec<Choice>,
    /// Values of the list that the filter form has no field for.
    rest: Vec<(String, String)>,
    chips: Vec<Chip>,
    clear_url: String,
    query: ListQuery,
    tools: Tools,
    columns: Columns,
    rows: Vec<Row>,
    pager: Pager,
    /// The number of leads that "all that match" means; empty when they are too many for one action.
    matching: String,
    /// The number of rows examined, where not all were searched.
    looked: String,
    can_edit: bool,
    can_record: bool,
    view: &'static str,
    nothing_yet: bool,
    beside: record::pages::Beside,
}

pub(super) const HEADINGS: [(&str, &str); 11] = [
    ("status", "Status"),
    ("email", "E-mail"),
    ("phone", "Phone"),
    ("company", "Company"),
    ("country", "Country"),
    ("source", "Campaign source"),
    ("referrer", "Referrer"),
    ("arrival", "Source"),
    ("created", "Created"),
    ("qualified", "Qualified"),
    ("tags", "Tags"),
];
pub(super) const USUAL: [&str; 5] = ["status", "referrer", "arrival", "created", "qualified"];

pub(super) struct Row {
    line: LeadLine,
    tags: Vec<String>,
    created: When,
}

impl Row {
    fn contact(&self) -> &str {
        [&self.line.email, &self.line.phone, &self.line.company]
            .into_iter()
            .flatten()
            .find(|text| !text.is_empty())
            .map_or("", String::as_str)
    }
    fn arrival(&self) -> &str {
        let word = self.line.arrival.as_deref().unwrap_or_default();
        ARRIVALS.iter().find(|(w, _)| *w == word).map_or("", |(_, label)| label)
    }
}

/// Leads that one go of a bulk action takes, at most.
pub(super) const MOST: i64 = 20_000;

/// The filter of a list's address, for the signed-in person: sales see only the leads they recorded.
pub(super) fn filter_of(page: &Page, query: &ListQuery) -> Filter {
    let recorded_by = (!page.member.may(Right::SeeLeads)).then_some(page.member.user_id);
    Filter::of(query, page.campaign.id, page.test, recorded_by, &page.member.country, page.member.zone)
}

pub(super) async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/leads", &uri, &KNOWN);
    if let Some(answer) = record::pages::whose(&page, &query, "leads", "leads").await? {
        return Ok(answer);
    }
    let filter = filter_of(&page, &query);
    let store::LeadPage { mut rows, total, looked } = store::page(&page.app.db, &filter, &query, PAGE).await?;
    let mut conn = page.read().await?;
    let counters = store::kept(&mut conn, filter.campaign_id, filter.test).await?;
    let counters = counters.filter(|_| filter.recorded_by.is_none());
    // A list this short was examined whole.
    let few =
        counters.as_ref().is_some_and(|kept| usize::try_from(kept.all() + kept.archived).is_ok_and(|n| n <= EXAMINED));
    let looked = looked.filter(|_| !few || !filter.needle.is_empty());
    let total = match total {
        Some(total) => total,
        None => store::total(&mut conn, &filter, counters.as_ref()).await?,
    };
    drop(conn);
    let beside = beside(&page, &query, &filter, total).await?;
    let mut conn = page.read().await?;
    let referrer = match filter.by {
        By::Referrer(id) => store::referrer_name(&mut conn, page.member.business_id, id).await?,
        _ => None,
    };
    let columns = Columns::of(&query, &HEADINGS, &USUAL);
    let ids: Vec<i64> = if columns.has("tags") { rows.iter().map(|row| row.id).collect() } else { Vec::new() };
    let mut tagged = remarks::tags_of(&mut conn, &ids).await?;
    let tags = remarks::all_tags(&mut conn, page.member.business_id).await?;
    drop(conn);
    let pager = Pager::cut(&query, &mut rows, |row| store::cursor(&filter, row), &total.shown("lead", "leads"));
    let mut chips = chips(&filter, &query, referrer.as_deref());
    chips.extend(tag_chip(&query, &tags));
    let view = filter.view();
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|line| Row {
            created: page.when(line.created_at),
            tags: tagged.remove(&line.id).unwrap_or_default(),
            line,
        })
        .collect();
    let frame = page.frame("leads").await?;
    let worklist = page.worklist(&frame, "leads", &query, &columns, Some("/leads/export")).await?;
    html(&ListPage {
        frame,
        tabs: tabs(&page, &filter, counters.as_ref()).into_iter().chain(worklist.views).collect(),
        q: filter.q.clone(),
        statuses: Choice::list(
            std::iter::once(("", "Any status".to_owned())).chain(Status::ALL.map(|s| (s.word(), sentence(s.word())))),
            query.get("status"),
        ),
        tags: tag_choices(&query, &tags),
        arrivals: Choice::list(std::iter::once(("", "Any source")).chain(ARRIVALS), query.get("arrival")),
        rest: query.rest(&["q", "sort", "by", "status", "arrival", "tag", "from", "to", "campaign"]),
        sorts: sorts(&query, "-created", &SORTS),
        nothing_yet: rows.is_empty() && chips.is_empty() && view.is_empty(),
        chips,
        clear_url: page.at(view_url(view)),
        tools: worklist.tools,
        columns,
        rows,
        pager,
        matching: match total {
            Total::Exact(n) if n <= MOST => counted(n),
            // The decision itself counts them to the end.
            Total::AtLeast(n) if !filter.needle.is_empty() && looked.is_none() => format!("{}+", counted(n)),
            _ => String::new(),
        },
        looked: looked_at(looked),
        can_edit: page.member.may(Right::EditLeads),
        can_record: page.member.may(Right::Record),
        view,
        beside,
        query,
    })
}

impl ListPage {
    fn sort(&self, name: &str) -> (String, &'static str) {
        self.query.sort(name, "-created")
    }

    fn number(&self, name: &str) -> (String, &'static str) {
        self.query.sort_number(name, "-created")
    }
}

/// What else may have been meant: other leads, or those of a referrer.
async fn beside(
    page: &Page,
    query: &ListQuery,
    filter: &Filter,
    total: Total,
) -> Result<record::pages::Beside, crate::web::Fault> {
    if !record::pages::is_due(query, Some(total)) {
        return Ok(record::pages::Beside::default());
    }
    let list = |needle| store::texts(&Filter { needle, ..filter.clone() });
    let meant = record::pages::Beside::meant(page, query, filter.scope(), filter.scope(), list).await?;
    if page.member.may(Right::SeeReferrers) { meant.with_people(page, query).await } else { Ok(meant) }
}

/// A word with its first letter large.
pub(super) fn sentence(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

const VIEWS: [(&str, &str, &str); 6] = [
    ("", "All", "/leads"),
    ("pending", "Pending", "/leads?qualified=no"),
    ("qualified", "Qualified", "/leads?qualified=yes"),
    ("unattributed", "Without a referrer", "/leads?referrer=none"),
    ("no_email", "No e-mail", "/leads?email=none"),
    ("archived", "Archived", "/leads?archived=yes"),
];

fn view_url(view: &str) -> &'static str {
    VIEWS.iter().find(|(name, ..)| *name == view).map_or("/leads", |(.., url)| url)
}

fn tabs(page: &Page, filter: &Filter, kept: Option<&store::Kept>) -> Vec<Tab> {
    let count = |name: &str| {
        let kept = kept?;
        Some(match name {
            "" => kept.all(),
            "pending" => kept.all() - kept.qualified(),
            "qualified" => kept.qualified(),
            "unattributed" => kept.unattributed(),
            "no_email" => return None,
            _ => kept.archived,
        })
    };
    let view = filter.view();
    VIEWS
        .iter()
        .map(|(name, label, url)| Tab {
            label: (*label).to_owned(),
            url: page.at(url),
            current: *name == view,
            count: count(name).map(counted).unwrap_or_default(),
        })
        .collect()
}

/// The filters beside the saved view.
fn chips(filter: &Filter, query: &ListQuery, referrer: Option<&str>) -> Vec<Chip> {
    let mut chips = Vec::new();
    if !filter.q.is_empty() {
        chips.push(Chip::of(query, "q", format!("“{}”", filter.q)));
    }
    if let Some(status) = filter.status {
        chips.push(Chip::of(query, "status", status.word()));
    }
    if let Some(arrival) = filter.arrival {
        chips.push(Chip::of(query, "arrival", format!("by {}", arrival)));
    }
    if let By::Referrer(_) = filter.by {
        chips.push(Chip::of(query, "referrer", referrer.map_or("a referrer".to_owned(), |name| format!("by {name}"))));
    }
    if filter.view().is_empty()
        && let Some(qualified) = filter.qualified
    {
        chips.push(Chip::of(query, "qualified", if qualified { "qualified" } else { "pending" }));
    }
    chips.extend(date_chips(query, filter.dates));
    chips
}
