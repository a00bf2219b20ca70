use std::collections::BTreeMap;

use askama::Template;
use axum::extract::OriginalUri;

use crate::commissions::store::{self, CommissionRow, Filter, KNOWN, STATES};
use crate::db::{Conn, DbResult, EXAMINED};
use crate::money::Money;
use crate::query::ListQuery;
use crate::record;
use crate::record::pages::{Beside, is_due};
use crate::search::Total;
use crate::shell::worklist::{Columns, Sort, Tools, date_chips, sorts};
use crate::shell::{Frame, Page};
use crate::text::{counted, looked_at};
use crate::users::Right;
use crate::web::{Chip, Choice, PageResult, Pager, Tab, html};
use crate::when::When;

const SORTS: [(&str, &str, Sort); 3] =
    [("hold", "Hold until", Sort::Day), ("created", "Created", Sort::Day), ("amount", "Amount", Sort::Number)];

#[derive(Template)]
#[template(path = "commissions/list.html")]
struct ListPage {
    frame: Frame,
    tabs: Vec<Tab>,
    q: String,
    kinds: Vec<Choice>,
    sorts: Vec<Choice>,
    /// Values of the list that the filter form has no field for.
    rest: Vec<(String, String)>,
    chips: Vec<Chip>,
    clear_url: String,
    query: ListQuery,
    /// The usual order.
    order: &'static str,
    tools: Tools,
    columns: Columns,
    rows: Vec<Row>,
    /// The totals of the state: (amount, words).
    sums: Vec<(String, String)>,
    pager: Pager,
    matching: String,
    /// The number of rows examined, where not all were searched.
    looked: String,
    can_decide: bool,
    state: &'static str,
    nothing_yet: bool,
    beside: Beside,
}

pub(super) const HEADINGS: [(&str, &str); 8] = [
    ("state", "State"),
    ("kind", "Kind"),
    ("product", "Product"),
    ("referrer", "Referrer"),
    ("payment", "Paid on"),
    ("amount", "Amount"),
    ("hold", "Hold until"),
    ("created", "Created"),
];
pub(super) const USUAL: [&str; 5] = ["state", "referrer", "amount", "hold", "created"];

struct Row {
    c: CommissionRow,
    arithmetic: String,
    hold: When,
    created: When,
}

/// Commissions that one go of a bulk action takes, at most.
pub(super) const MOST: i64 = 20_000;

fn title_of(state: &str) -> &'static str {
    match state {
        "approved" => "Approved",
        "paid" => "Paid",
        "void" => "Void",
        _ => "Pending",
    }
}

pub(super) async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/commissions", &uri, &KNOWN);
    if let Some(answer) = record::pages::whose(&page, &query, "commissions", "commissions").await? {
        return Ok(answer);
    }
    let filter = Filter::of(&query, page.campaign.id, page.test, &page.member.country, page.member.zone);
    let store::CommissionPage { mut rows, total, looked } = store::page(&page.app.db, &filter, &query).await?;
    let mut conn = page.read().await?;
    let sums = sums(&mut conn, page.member.business_id, &filter).await?;
    let referrer = match filter.referrer {
        Some(id) => store::referrer_name(&mut conn, page.member.business_id, id).await?,
        None => None,
    };
    drop(conn);
    let mut beside = Beside::default();
    if is_due(&query, Some(total)) {
        let list = |needle| store::texts(&Filter { needle, ..filter.clone() });
        let leads = store::scope(&filter);
        beside = Beside::meant(&page, &query, leads, leads, list).await?.with_people(&page, &query).await?;
    }
    let pager = Pager::cut(&query, &mut rows, |row| filter.cursor(row), &total.shown("commission", "commissions"));
    let mut chips = Vec::new();
    if !filter.q.is_empty() {
        chips.push(Chip::of(&query, "q", format!("“{}”", filter.q)));
    }
    if filter.referrer.is_some() {
        chips.push(Chip::of(&query, "referrer", referrer.map_or("a referrer".to_owned(), |name| format!("by {name}"))));
    }
    if let Some(kind) = filter.kind {
        chips.push(Chip::of(&query, "kind", kind));
    }
    let order = if filter.referrer.is_some() { "-created" } else { "hold" };
    let today = page.today();
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|c| Row {
            arithmetic: c.arithmetic().sum(),
            hold: When::on_text(today, &c.hold_until),
            created: page.when(c.created_at),
            c,
        })
        .collect();
    chips.extend(date_chips(&query, filter.dates));
    let frame = page.frame("commissions").await?;
    let columns = Columns::of(&query, &HEADINGS, &USUAL);
    let worklist = page.worklist(&frame, "commissions", &query, &columns, Some("/commissions/export")).await?;
    html(&ListPage {
        frame,
        tabs: STATES
            .iter()
            .map(|state| Tab {
                label: title_of(state).to_owned(),
                url: query.with("state", if *state == "pending" { "" } else { state }),
                current: *state == filter.state,
                count: String::new(),
            })
            .chain(worklist.views)
            .collect(),
        kinds: Choice::list(
            [("", "Any kind"), ("referral", "Referral"), ("recurring", "Recurring"), ("reward", "Reward")],
            query.get("kind"),
        ),
        rest: query.rest(&["q", "sort", "by", "kind", "from", "to", "campaign"]),
        sorts: sorts(&query, order, &SORTS),
        nothing_yet: rows.is_empty() && chips.is_empty(),
        clear_url: page.at(&format!("/commissions?state={}", filter.state)),
        q: filter.q.clone(),
        chips,
        order,
        tools: worklist.tools,
        columns,
        rows,
        sums,
        pager,
        matching: match total {
            Total::Exact(n) => counted(n),
            // The decision itself counts them to the end.
            Total::AtLeast(n) if !filter.needle.is_empty() && looked.is_none() => format!("{}+", counted(n)),
            Total::AtLeast(_) => String::new(),
        },
        looked: looked_at(looked),
        can_decide: page.member.may(Right::DecideMoney) && ["pending", "approved"].contains(&filter.state),
        state: filter.state,
        beside,
        query,
    })
}

impl ListPage {
    fn sort(&self, name: &str) -> (String, &'static str) {
        self.query.sort(name, self.order)
    }

    fn number(&self, name: &str) -> (String, &'static str) {
        self.query.sort_number(name, self.order)
    }
}

/// The totals of a state per currency: from the ledger's counters if they have them, else added up. Approved
/// but disputed amounts are held, and named beside either sum.
async fn sums(conn: &mut Conn, business_id: i64, f: &Filter) -> DbResult<Vec<(String, String)>> {
    // They are of the whole state: over some of its rows they would mislead.
    if f.kind.is_some() || f.referrer.is_some() || !f.needle.is_empty() || !f.dates.is_any() {
        return Ok(Vec::new());
    }
    let account = match f.state {
        "pending" => Some(("held", "of it approved, but disputed")),
        "approved" => Some(("due", "approved, but disputed and so held")),
        "paid" => Some(("paid", "")),
        _ => None,
    };
    if let Some((account, aside)) = account.filter(|_| !f.test) {
        let mut by_currency: BTreeMap<String, i64> = BTreeMap::new();
        for (name, currency, value) in store::balances(conn, f.campaign_id).await? {
            if name == account {
                *by_currency.entry(currency).or_default() += value;
            }
        }
        let disputed =
            if aside.is_empty() { Vec::new() } else { store::disputed(conn, business_id, f.campaign_id).await? };
        let shown = |words: &'static str| {
            move |(currency, minor): (String, i64)| (Money::shown_in(minor, &currency), words.to_owned())
        };
        return Ok(by_currency.into_iter().map(shown(account)).chain(disputed.into_iter().map(shown(aside))).collect());
    }
    let sums = store::sums(conn, f.campaign_id, f.test, f.state).await?;
    let rows: i64 = sums.iter().map(|s| s.n).sum();
    let words = if usize::try_from(rows).unwrap_or(0) > EXAMINED {
        format!("{}, of the first {}", f.state, counted(i64::try_from(EXAMINED).unwrap_or(i64::MAX)))
    } else {
        f.state.to_owned()
    };
    Ok(sums.into_iter().map(|s| (Money::shown_in(s.amount, &s.currency), words.clone())).collect())
}
