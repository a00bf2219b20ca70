//! The adjustments of the business, and those that wait for a second person.

use askama::Template;
use axum::extract::OriginalUri;

use crate::adjustments::{self, AdjustmentRow, Filter};
use crate::db::{Cursor, PAGE};
use crate::engine::state::{AdjustmentKind, AdjustmentState, LineState};
use crate::referrers::rows as people;
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::web::{Chip, PageResult, Pager, Tab, html};
use crate::when::When;

#[derive(Template)]
#[template(path = "adjustments/list.html")]
struct ListPage {
    frame: Frame,
    tabs: Vec<Tab>,
    chips: Vec<Chip>,
    clear_url: String,
    rows: Vec<Row>,
    pager: Pager,
    is_waiting: bool,
}

struct Row {
    amount: String,
    is_negative: bool,
    kind: &'static str,
    made: When,
    who: String,
    /// The words and the tone of one that counts.
    counts: Option<(&'static str, &'static str)>,
    is_pending: bool,
    is_mine: bool,
    a: AdjustmentRow,
}

impl Row {
    fn of(a: AdjustmentRow, page: &Page) -> Self {
        Self {
            amount: a.money().shown(),
            is_negative: a.amount < 0,
            kind: match a.kind {
                AdjustmentKind::Bonus => "Bonus",
                AdjustmentKind::Correction => "Correction",
                AdjustmentKind::ClawBack => "Taken back",
            },
            made: page.when(a.created_at),
            who: a.made_by.clone().unwrap_or_else(|| "Automatic".to_owned()),
            counts: (a.state == AdjustmentState::Posted).then_some(match a.line_state {
                Some(LineState::Paid) => ("Paid", "good"),
                Some(_) => ("In a payout", "info"),
                None => ("Counts", "info"),
            }),
            is_pending: a.state == AdjustmentState::Pending,
            is_mine: a.made_by_id == Some(page.member.user_id),
            a,
        }
    }
}

pub(super) async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/adjustments", &uri, &["state", "referrer", "after", "before"]);
    let business = page.member.business_id;
    let state = AdjustmentState::parse(query.get("state"));
    let referrer_id = query.get("referrer").parse().ok();
    let mut conn = page.read().await?;
    let waiting = adjustments::waiting(&mut conn, business).await?;
    let referrer = match referrer_id {
        Some(id) => people::by_id(&mut conn, business, id).await?,
        None => None,
    };
    let list = adjustments::listing(business, Filter { state, referrer_id, campaign_id: None }).turned(&query);
    let mut rows: Vec<AdjustmentRow> = list.build(PAGE + 1).all(&mut conn).await?;
    drop(conn);
    let pager = Pager::cut(
        &query,
        &mut rows,
        |row: &AdjustmentRow| Cursor { value: row.created_at.to_string(), id: row.id },
        "",
    );
    let tab = |label: &str, word: &str, count: String| Tab {
        label: label.to_owned(),
        url: query.with("state", word),
        current: query.get("state") == word,
        count,
    };
    let mut chips = Vec::new();
    if referrer_id.is_some() {
        let name = referrer.map_or("a referrer".to_owned(), |row| format!("of {}", row.name));
        chips.push(Chip::of(&query, "referrer", name));
    }
    html(&ListPage {
        frame: page.frame("payouts").await?,
        tabs: vec![
            tab("All", "", String::new()),
            tab("Waiting for approval", "pending", counted(waiting)),
            tab("Refused", "refused", String::new()),
            tab("Withdrawn", "withdrawn", String::new()),
        ],
        chips,
        clear_url: page.at("/adjustments"),
        rows: rows.into_iter().map(|a| Row::of(a, &page)).collect(),
        pager,
        is_waiting: state == Some(AdjustmentState::Pending),
    })
}
