//! The customers' rewards of the campaign.

use askama::Template;
use axum::body::Bytes;
use axum::extract::OriginalUri;

use crate::clock::Day;
use crate::customer_rewards::{self, CustomerRewardRow, Filter};
use crate::db::{Cursor, PAGE};
use crate::engine::state::{CustomerRewardKind, CustomerRewardState as State};
use crate::query::ListQuery;
use crate::shell::worklist::{CHUNK, Cell, Parts, file, line};
use crate::shell::{Frame, Page};
use crate::text::counted_up_to;
use crate::users::Right;
use crate::web::{Fault, PageResult, Pager, Tab, html};
use crate::when::When;

#[derive(Template)]
#[template(path = "customer_rewards/list.html")]
struct ListPage {
    frame: Frame,
    tabs: Vec<Tab>,
    rows: Vec<Row>,
    pager: Pager,
    state: State,
    export_url: String,
    /// Due ones whose hold is over, counted up to a bound; empty for none.
    ready: String,
    can_decide: bool,
    /// To set the reward in the campaign.
    can_edit: bool,
    /// Customers of the campaign get something.
    is_set: bool,
}

struct Row {
    shown: String,
    kind: &'static str,
    is_held: bool,
    since: When,
    given: Option<When>,
    w: CustomerRewardRow,
}

pub(super) fn kind_words(kind: CustomerRewardKind) -> &'static str {
    match kind {
        CustomerRewardKind::Money => "Money",
        CustomerRewardKind::Credit => "Credit",
        CustomerRewardKind::Voucher => "Voucher",
    }
}

fn row(w: CustomerRewardRow, page: &Page, today: Day) -> Row {
    Row {
        shown: w.shown(),
        kind: kind_words(w.kind),
        is_held: w.is_held(today),
        since: page.when(w.created_at),
        given: w.given_at.map(|at| page.when(at)),
        w,
    }
}

const KNOWN: [&str; 3] = ["state", "after", "before"];

fn state_of(query: &ListQuery) -> State {
    State::parse(query.get("state")).unwrap_or(State::Due)
}

fn position(row: &CustomerRewardRow) -> Cursor {
    Cursor { value: row.created_at.to_string(), id: row.id }
}

/// Due ones are counted up to this.
const MOST: i64 = 10_000;

pub(super) async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/customer-rewards", &uri, &KNOWN);
    let state = state_of(&query);
    let filter = Filter { campaign_id: Some(page.campaign.id), state: Some(state), ..Filter::default() };
    let today = page.today();
    let mut conn = page.read().await?;
    let list = customer_rewards::listing(page.member.business_id, page.test, filter).turned(&query);
    let mut rows: Vec<CustomerRewardRow> = list.build(PAGE + 1).all(&mut conn).await?;
    let ready = customer_rewards::count_ready(&mut conn, page.campaign.id, page.test, today, MOST).await?;
    let campaign = crate::campaigns::find(&mut conn, page.member.business_id, page.campaign.id).await?;
    drop(conn);
    let pager = Pager::cut(&query, &mut rows, position, "");
    let tab = |label: &str, of: State| Tab {
        label: label.to_owned(),
        url: query.with("state", if of == State::Due { "" } else { of.word() }),
        current: of == state,
        count: String::new(),
    };
    html(&ListPage {
        frame: page.frame("commissions").await?,
        tabs: vec![
            tab("Due", State::Due),
            tab("Given", State::Given),
            tab("Void", State::Void),
            tab("Given, then reversed", State::Reversed),
        ],
        export_url: query.with("after", "").replacen("/customer-rewards", "/customer-rewards/export", 1),
        rows: rows.into_iter().map(|w| row(w, &page, today)).collect(),
        pager,
        state,
        ready: if ready == 0 { String::new() } else { counted_up_to(ready, MOST) },
        can_decide: page.member.may(Right::DecideMoney),
        can_edit: page.member.may(Right::EditCampaigns),
        is_set: campaign.is_some_and(|c| c.customer_reward_kind != "none"),
    })
}

struct Export {
    page: Page,
    query: ListQuery,
    over: bool,
}

const HEAD: [&str; 16] = [
    "id",
    "state",
    "kind",
    "amount",
    "currency",
    "voucher",
    "lead_id",
    "lead",
    "email",
    "phone",
    "referrer",
    "held_until",
    "due_since",
    "given_at",
    "given_by",
    "reason",
];

/// Everything that the list shows, all its pages.
pub(super) async fn export(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/customer-rewards/export", &uri, &KNOWN).without("after").without("before");
    file("customer-rewards", &HEAD, Export { page, query, over: false })
}

impl Parts for Export {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.over {
            return Ok(None);
        }
        let page = &self.page;
        let filter =
            Filter { campaign_id: Some(page.campaign.id), state: Some(state_of(&self.query)), ..Filter::default() };
        let list = customer_rewards::listing(page.member.business_id, page.test, filter).turned(&self.query);
        let rows: Vec<CustomerRewardRow> = list.build(CHUNK).all(&mut page.read().await?).await?;
        self.over = rows.len() < CHUNK;
        if let Some(last) = rows.last() {
            self.query.set("after", &position(last).text());
        }
        let mut out = Vec::new();
        for row in &rows {
            line(&cells(row), &mut out).map_err(|e| Fault::Ours(e.to_string()))?;
        }
        Ok(Some(Bytes::from(out)))
    }
}

fn cells(w: &CustomerRewardRow) -> Vec<Cell> {
    let plain = |text: String| Cell::Plain(text);
    vec![
        plain(w.id.to_string()),
        plain(w.state.to_string()),
        plain(w.kind.to_string()),
        plain(w.money().map(crate::money::Money::plain).unwrap_or_default()),
        plain(w.currency.map(|c| c.code().to_owned()).unwrap_or_default()),
        Cell::maybe(w.words.as_ref()),
        plain(w.lead_id.to_string()),
        Cell::Text(w.lead.clone()),
        Cell::maybe(w.email.as_ref()),
        Cell::maybe(w.phone.as_ref()),
        Cell::maybe(w.referrer.as_ref()),
        plain(w.hold_until.clone()),
        Cell::at(w.created_at),
        w.given_at.map_or_else(|| plain(String::new()), Cell::at),
        Cell::maybe(w.given_by.as_ref()),
        Cell::maybe(w.reason.as_ref()),
    ]
}
