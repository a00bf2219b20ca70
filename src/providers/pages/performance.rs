//! The performance of the codes of a campaign: their leads, payments and earnings, and the state of each at Stripe.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{OriginalUri, Path};

use super::campaign::{find, named};
use super::codes::counts;
use crate::campaigns::Campaign;
use crate::code;
use crate::codes::{self, CodeState};
use crate::counters;
use crate::engine::state::Account as Balance;
use crate::figures::{self, Figures};
use crate::money::{Currency, Money};
use crate::providers::accounts::{self, Account};
use crate::providers::standing::{self, Owner, Standing};
use crate::providers::store::performance::{self as store, CodeLine, KNOWN};
use crate::providers::store::uses;
use crate::providers::stripe::rules::Rules;
use crate::query::ListQuery;
use crate::shell::worklist::{Sort, sorts};
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::users::Right;
use crate::web::{Chip, Choice, Fault, PageResult, Pager, html};

/// Codes, and messages that name them, looked at for the figure of all uses.
const LOOKED: i64 = 10_000;
/// Messages looked at for the uses of one code in the list.
const LOOKED_OF_CODE: i64 = 1_000;
/// Codes added up for the revenue, those with the most leads.
const ADDED: i64 = 4_000;

const SORTS: [(&str, &str, Sort); 4] = [
    ("leads", "Leads", Sort::Number),
    ("revenue", "Revenue", Sort::Number),
    ("code", "Code", Sort::Text),
    ("created", "Made", Sort::Day),
];

/// A figure, with the words under it.
type Tile = (String, String);

#[derive(Template)]
#[template(path = "providers/performance.html")]
struct PerformancePage {
    frame: Frame,
    campaign: Campaign,
    accounts: Vec<Held>,
    only_test: bool,
    can_edit: bool,
    with_code: Tile,
    leads: Tile,
    uses: String,
    revenue: Tile,
    commissions: Tile,
    q: String,
    query: ListQuery,
    chips: Vec<Chip>,
    sorts: Vec<Choice>,
    rows: Vec<Line>,
    pager: Pager,
}

/// The discount and rules of the codes at one account.
struct Held {
    name: String,
    connected: bool,
    discount: String,
    coupon: String,
    rules: Vec<String>,
    codes: String,
    url: String,
}

struct Line {
    row: CodeLine,
    url: String,
    standing: Standing,
    uses: String,
    figures: Figures,
    earned: Vec<String>,
}

impl Line {
    /// The state of a code that is not the active one.
    fn state(&self) -> Option<&str> {
        Some(self.row.state.as_str()).filter(|word| CodeState::parse(word) != Some(CodeState::Active))
    }

    fn leads(&self) -> String {
        counted(self.figures.leads())
    }

    fn revenue(&self) -> Vec<String> {
        shown(self.figures.revenue())
    }
}

/// Sums of several currencies, ready to read.
pub(super) fn shown(sums: Vec<Money>) -> Vec<String> {
    sums.into_iter().map(Money::shown).collect()
}

/// The largest sum as the figure, the others under it.
fn tile(mut sums: Vec<Money>, words: &str) -> Tile {
    sums.sort_by_key(|money| std::cmp::Reverse(money.minor));
    let mut all = shown(sums).into_iter();
    let first = all.next().unwrap_or_else(|| "0".to_owned());
    let others: Vec<String> = all.collect();
    if others.is_empty() { (first, words.to_owned()) } else { (first, format!("and {}; {words}", others.join(", "))) }
}

/// The sums of a campaign's counters that begin and end like this, by currency.
fn sums(totals: &BTreeMap<String, i64>, prefix: &str) -> Vec<Money> {
    let of = |(name, minor): (&String, &i64)| {
        let currency = Currency::parse(name.strip_prefix(prefix)?).ok()?;
        Some(Money { minor: *minor, currency })
    };
    totals.iter().filter_map(of).collect()
}

/// The earnings of the referrers of a campaign: held, due, on their way and paid, in each currency.
fn earned(totals: &BTreeMap<String, i64>) -> Vec<Money> {
    let mut by_currency: BTreeMap<Currency, i64> = BTreeMap::new();
    for account in Balance::ALL {
        for money in sums(totals, &format!("money.{account}.")) {
            *by_currency.entry(money.currency).or_default() += money.minor;
        }
    }
    let all = by_currency.into_iter().filter(|(_, minor)| *minor != 0);
    all.map(|(currency, minor)| Money { minor, currency }).collect()
}

pub(super) async fn show(page: Page, Path(id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    let campaign = find(&page, id).await?;
    let business_id = page.member.business_id;
    let query = ListQuery::new(format!("/campaigns/{id}/payments/performance"), uri.query(), &KNOWN);
    let mut conn = page.read().await?;
    let accounts = standing::accounts(accounts::of(&mut conn, business_id).await?, id);
    let mut rows = store::codes(&mut conn, id, &query, &code::lookup_form(query.get("q"))).await?;
    let pager = Pager::cut(&query, &mut rows, |row| store::cursor(&query, row), "");
    let coverage = codes::coverage(&mut conn, id).await?;
    let used = uses::count(&mut conn, id, LOOKED).await?;
    let (revenue, is_cut) = figures::revenue_of_codes(&mut conn, id, ADDED).await?;
    let totals: BTreeMap<String, i64> =
        counters::totals(&mut conn, &[id]).await?.into_iter().map(|((_, name), value)| (name, value)).collect();
    drop(conn);
    let total = |name: &str| totals.get(name).copied().unwrap_or_default();
    let rows = lines(&page, id, rows, &accounts).await?;
    let mut chips = Vec::new();
    if !query.get("q").is_empty() {
        chips.push(Chip::of(&query, "q", format!("“{}”", query.get("q"))));
    }
    let mut held = Vec::new();
    for account in &accounts {
        held.extend(Held::of(&page, account, id).await?);
    }
    html(&PerformancePage {
        only_test: !accounts.is_empty() && accounts.iter().all(|a| a.row.test),
        can_edit: page.member.may(Right::EditCampaigns),
        with_code: (
            counted(coverage.have),
            format!("of {} who are active", counted(coverage.have + coverage.codeless)),
        ),
        leads: (counted(total("leads.arrival.code")), format!("of {}", counted(total("leads")))),
        uses: used.shown(),
        revenue: if is_cut {
            tile(revenue, &format!("by the {} codes with the most leads", counted(ADDED)))
        } else {
            tile(revenue, "by codes and their links")
        },
        commissions: tile(earned(&totals), "of all referrers of the campaign"),
        q: query.get("q").to_owned(),
        sorts: sorts(&query, "-leads", &SORTS),
        accounts: held,
        chips,
        rows,
        pager,
        query,
        campaign,
        frame: page.frame("campaign").await?,
    })
}

impl Held {
    async fn of(page: &Page, account: &Account, campaign_id: i64) -> Result<Option<Self>, Fault> {
        let Some(link) = account.link(campaign_id) else { return Ok(None) };
        let mut rules = Rules::read(&link.rules).sentences();
        if rules.is_empty() {
            rules.push("None: any customer, any order, any number of times.".to_owned());
        }
        let codes = counts(page, account.row.id, campaign_id).await?.sentence();
        Ok(Some(Self {
            name: named(account).to_owned(),
            connected: account.is_connected(),
            discount: link.coupon_words.clone(),
            coupon: link.coupon.clone(),
            rules,
            codes: if account.is_connected() { codes } else { format!("{codes}; the account is disconnected") },
            url: format!("/campaigns/{campaign_id}/payments/accounts/{}/codes", account.row.id),
        }))
    }
}

async fn lines(page: &Page, campaign_id: i64, rows: Vec<CodeLine>, accounts: &[Account]) -> Result<Vec<Line>, Fault> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let enrollments: Vec<i64> = rows.iter().map(|row| row.enrollment_id).collect();
    let mut conn = page.read().await?;
    let mut figures = figures::of_codes(&mut conn, &ids).await?;
    let of_referrers = figures::of_enrollments(&mut conn, &enrollments).await?;
    let used = uses::counts(&mut conn, &ids, LOOKED_OF_CODE).await?;
    let used: BTreeMap<i64, String> = used.into_iter().map(|used| (used.id, used.shown())).collect();
    let at_stripe = uses::at_stripe(&mut conn, &ids).await?;
    let line = |row: CodeLine| {
        let own: Vec<_> = at_stripe.iter().filter(|one| one.code_id == row.id).cloned().collect();
        let owner = Owner { state: row.enrollment_state.clone(), archived: row.archived };
        Line {
            url: format!("/campaigns/{campaign_id}/payments/codes/{}", row.id),
            standing: standing::best(accounts, campaign_id, &owner, CodeState::parse(&row.state), &own),
            uses: used.get(&row.id).cloned().unwrap_or_default(),
            figures: figures.remove(&row.id).unwrap_or_default(),
            earned: of_referrers.get(&row.enrollment_id).map(|f| shown(f.earned())).unwrap_or_default(),
            row,
        }
    };
    Ok(rows.into_iter().map(line).collect())
}
