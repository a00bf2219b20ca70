use askama::Template;
use axum::extract::OriginalUri;

use crate::db::{Cursor, EXAMINED, PAGE};
use crate::engine::Status;
use crate::leads::filter::{ARRIVALS, By, Filter, KNOWN};
use crate::leads::store::list::{self as store, LeadLine, Total};
use crate::query::ListQuery;
use crate::record;
use crate::shell::{Frame, Page};
use crate::text::{counted, looked_at};
use crate::users::Right;
use crate::web::{Chip, Choice, PageResult, Pager, Tab, html};
use crate::when::When;

#[derive(Template)]
#[template(path = "leads/list.html")]
struct ListPage {
    frame: Frame,
    tabs: Vec<Tab>,
    q: String,
    statuses: Vec<Choice>,
    arrivals: Vec<Choice>,
    /// Values of the list that the filter form has no field for.
    kept: Vec<(&'static str, String)>,
    chips: Vec<Chip>,
    clear_url: String,
    name_sort: (String, &'static str),
    created_sort: (String, &'static str),
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

pub(super) struct Row {
    line: LeadLine,
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
    Filter::of(query, page.campaign.id, page.test, recorded_by, &page.member.country)
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
    drop(conn);
    let pager = Pager::cut(
        &query,
        &mut rows,
        |r| Cursor { value: if filter.by_name { r.name_fold.clone() } else { r.created_at.to_string() }, id: r.id },
        &total.shown("lead", "leads"),
    );
    let chips = chips(&filter, &query, referrer.as_deref());
    let view = filter.view();
    let rows: Vec<Row> = rows.into_iter().map(|line| Row { created: page.when(line.created_at), line }).collect();
    html(&ListPage {
        frame: page.frame("leads").await?,
        tabs: tabs(&page, &filter, counters.as_ref()),
        q: filter.q.clone(),
        statuses: Choice::list(
            std::iter::once(("", "Any status".to_owned())).chain(Status::ALL.map(|s| (s.word(), sentence(s.word())))),
            query.get("status"),
        ),
        arrivals: Choice::list(std::iter::once(("", "Any source")).chain(ARRIVALS), query.get("arrival")),
        kept: ["qualified", "referrer", "archived", "sort"].map(|name| (name, query.get(name).to_owned())).into(),
        nothing_yet: rows.is_empty() && chips.is_empty() && view.is_empty(),
        chips,
        clear_url: page.at(view_url(view)),
        name_sort: query.sort("name", "-created"),
        created_sort: query.sort("created", "-created"),
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
    })
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

const VIEWS: [(&str, &str, &str); 5] = [
    ("", "All", "/leads"),
    ("pending", "Pending", "/leads?qualified=no"),
    ("qualified", "Qualified", "/leads?qualified=yes"),
    ("unattributed", "Unattributed", "/leads?referrer=none"),
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
    chips
}
