//! The list of referrers and adding one. A person's page and its forms have files of their own.

mod change;
mod person;

use std::sync::Arc;

use askama::Template;
use axum::extract::OriginalUri;
use axum::http::StatusCode;

use super::store::{self, ReferrerLine};
use super::{AddReferrer, Added};
use crate::db::{Cursor, PAGE};
use crate::query::ListQuery;
use crate::record::pages::{Beside, is_due};
use crate::search::Scope;
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::{counted_up_to, looked_at};
use crate::users::Right;
use crate::web::page::html_with;
use crate::web::{Chip, Flash, Form, PageResult, Pager, Tab, html};
use crate::when::When;

pub fn routes() -> Routes {
    Routes::new()
        .get("/referrers", Access::May(Right::SeeReferrers), list)
        .get("/referrers/new", Access::May(Right::EditReferrers), new)
        .form("/referrers", Access::May(Right::EditReferrers), create)
        .merge(person::routes())
        .merge(change::routes())
}

/// Counts beyond this are shown as "10,000+".
const BOUND: i64 = 10_000;

#[derive(Template)]
#[template(path = "referrers/list.html")]
struct ListPage {
    frame: Frame,
    q: String,
    state: String,
    code: String,
    tabs: Vec<Tab>,
    chips: Vec<Chip>,
    name_sort: (String, &'static str),
    created_sort: (String, &'static str),
    rows: Vec<Line>,
    pager: Pager,
    /// Only some rows were examined. How many were examined, where not all were searched.
    looked: String,
    can_edit: bool,
    can_import: bool,
    empty: bool,
    beside: Beside,
}

struct Line {
    row: ReferrerLine,
    when: When,
    row_id: String,
    can_generate: bool,
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

fn chips(query: &ListQuery) -> Vec<Chip> {
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
    chips
}

async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/referrers", &uri, &store::KNOWN);
    let of = store::Of {
        business_id: page.member.business_id,
        campaign_id: page.campaign.id,
        country: &page.member.country,
    };
    let store::ReferrerPage { mut rows, total, looked } = store::list(&page.app.db, of, &query, PAGE).await?;
    let mut beside = Beside::default();
    if is_due(&query, total) {
        let scope = Scope::referrers(of.business_id);
        let list = |needle| store::texts(of, &query, &needle);
        beside = Beside::meant(&page, &query, scope, scope, list).await?;
    }
    let mut conn = page.read().await?;
    let counts = store::counts(&mut conn, page.campaign.id, BOUND).await?;
    drop(conn);
    let by_name = query.get("sort").trim_start_matches('-') == "name";
    let cursor = |r: &ReferrerLine| Cursor {
        value: if by_name { r.name_fold.clone() } else { r.created_at.to_string() },
        id: r.enrollment_id,
    };
    let found = total.map(|total| total.shown("referrer", "referrers")).unwrap_or_default();
    let pager = Pager::cut(&query, &mut rows, cursor, &found);
    let can_edit = page.member.may(Right::EditReferrers);
    let archived = query.get("state") == "archived";
    let rows: Vec<Line> = rows
        .into_iter()
        .map(|row| Line {
            when: page.when(row.created_at),
            row_id: format!("enrollment_{}", row.enrollment_id),
            can_generate: can_edit && !archived && row.code.is_none() && row.state == "active",
            row,
        })
        .collect();
    html(&ListPage {
        frame: page.frame("referrers").await?,
        q: query.get("q").to_owned(),
        state: query.get("state").to_owned(),
        code: query.get("code").to_owned(),
        tabs: tabs(&query, &counts),
        chips: chips(&query),
        name_sort: query.sort("name", "-created"),
        created_sort: query.sort("created", "-created"),
        empty: counts.all_of_them == 0 && !archived && query.get("q").is_empty(),
        rows,
        pager,
        looked: looked_at(looked),
        can_edit,
        beside,
        can_import: page.member.may(Right::Import),
    })
}

#[derive(Template)]
#[template(path = "referrers/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
}

async fn new(page: Page) -> PageResult {
    html(&NewPage { frame: page.frame("referrers").await?, form: Form::filled(&[("generate", "yes")]) })
}

async fn create(page: Page, mut form: Form) -> PageResult {
    let name = form.line("name", "The name", 120);
    let email = form.email("email", "The e-mail address");
    let phone = form.optional_phone("phone", &page.member.country);
    let company = form.optional_line("company", "The company", 120);
    let (Some(name), Some(email), true) = (name, email, form.is_fine()) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &NewPage { frame: page.frame("referrers").await?, form });
    };
    let new = AddReferrer {
        business_id: page.member.business_id,
        campaign_id: page.campaign.id,
        name,
        email: Some(email),
        phone,
        company,
        generate: form.checked("generate"),
    };
    let name = new.name.clone();
    match super::add(&page.app, &Arc::new(page.member.actor()), new).await? {
        Added::New { code, .. } | Added::Known { enrolled: true, code, .. } => {
            let with = code.map_or_else(String::new, |c| format!(" with the code {c}"));
            page.go("/referrers", Flash::good(format!("{name} was added{with}."))).await
        }
        Added::Known { .. } => {
            form.fail("email", "A referrer with this address is already in this campaign.");
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &NewPage { frame: page.frame("referrers").await?, form })
        }
    }
}
