//! The list of codes, and retiring one. Making codes and printing them have files of their own.

mod generate;
mod sheet;

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{OriginalUri, Path};

use super::lookup::{How, Lookup, look_up};
use super::near::{Near, misheard};
use super::store::{self, CodeLine, Wanted};
use super::{CodeState, Moved};
use crate::counters;
use crate::db::PAGE;
use crate::money::{Currency, Money};
use crate::record::pages::{Beside, is_due};
use crate::search::Scope;
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::{counted, counted_up_to, looked_at};
use crate::users::Right;
use crate::web::{Chip, Fault, Flash, Form, PageResult, Pager, Tab, html};
use crate::when::When;

pub fn routes() -> Routes {
    generate::routes()
        .get("/codes", Access::May(Right::SeeReferrers), list)
        .post("/codes/{id}/state", Access::May(Right::EditReferrers), set_state)
        .merge(sheet::routes())
}

/// Counts beyond this are shown as "10,000+".
const BOUND: i64 = 10_000;

#[derive(Template)]
#[template(path = "codes/list.html")]
struct ListPage {
    frame: Frame,
    q: String,
    state: String,
    tabs: Vec<Tab>,
    chips: Vec<Chip>,
    code_sort: (String, &'static str),
    created_sort: (String, &'static str),
    rows: Vec<Line>,
    pager: Pager,
    /// Only some rows were examined. How many were examined, where not all were searched.
    looked: String,
    /// The meaning of the search, if that is not plain.
    understood: String,
    near: Vec<Near>,
    elsewhere: Option<Elsewhere>,
    print_url: String,
    export_url: String,
    empty: bool,
    can_edit: bool,
    can_export: bool,
    sees_money: bool,
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
    clicks: String,
    leads: String,
    qualified: String,
    revenue: Vec<String>,
    when: When,
    /// Why it attributes no lead although it is not retired: paused, banned, archived.
    resting: Option<String>,
}

/// The figures of some codes: clicks, leads, qualified, and revenue per currency.
struct Figures(BTreeMap<(i64, String), i64>);

impl Figures {
    async fn of(conn: &mut crate::db::Conn, rows: &[CodeLine]) -> Result<Self, Fault> {
        let ids: Vec<i64> = rows.iter().map(|r| r.id).collect();
        Ok(Self(counters::totals(conn, &ids).await?))
    }

    fn number(&self, code: i64, name: &str) -> i64 {
        self.0.get(&(code, name.to_owned())).copied().unwrap_or_default()
    }

    fn revenue(&self, code: i64) -> Vec<Money> {
        self.0
            .range((code, "revenue.".to_owned())..(code, "revenue/".to_owned()))
            .filter(|(_, minor)| **minor != 0)
            .filter_map(|((_, name), minor)| {
                let currency = Currency::parse(name.strip_prefix("revenue.")?).ok()?;
                Some(Money { minor: *minor, currency })
            })
            .collect()
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
        store::list(&page.app.db, page.campaign.id, &query, &wanted, PAGE + 1).await?;
    let mut beside = Beside::default();
    if is_due(&query, total) {
        let list = |needle| store::texts(page.campaign.id, &query, needle);
        let (words_of, rows_of) = (Scope::referrers(page.member.business_id), Scope::codes(page.campaign.id));
        beside = Beside::meant(&page, &query, words_of, rows_of, list).await?;
    }
    let mut conn = page.read().await?;
    let figures = Figures::of(&mut conn, &rows).await?;
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
            clicks: counted(figures.number(row.id, "clicks")),
            leads: counted(figures.number(row.id, "leads")),
            qualified: counted(figures.number(row.id, "qualified")),
            revenue: figures.revenue(row.id).into_iter().map(Money::shown).collect(),
            when: page.when(row.created_at),
            resting: match (row.archived, row.enrollment_state.as_str()) {
                (true, _) => Some("archived".to_owned()),
                (false, "active") => None,
                (false, other) => Some(other.to_owned()),
            },
            row,
        })
        .collect();
    let part = |path: &str| query.with("after", "").replacen("/codes", path, 1);
    html(&ListPage {
        frame: page.frame("codes").await?,
        q: query.get("q").to_owned(),
        state: query.get("state").to_owned(),
        empty: rows.is_empty() && chips.is_empty() && query.get("state").is_empty(),
        tabs,
        chips,
        code_sort: query.sort("code", "-created"),
        created_sort: query.sort("created", "-created"),
        rows,
        pager,
        looked: looked_at(looked),
        understood,
        near,
        elsewhere,
        print_url: part("/codes/print"),
        export_url: part("/codes/export"),
        can_edit: page.member.may(Right::EditReferrers),
        can_export: page.member.may(Right::SeeLeads),
        sees_money: page.member.may(Right::SeeMoney),
        beside,
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
                CodeState::Alias => format!("{text} is an alias again and attributes."),
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
