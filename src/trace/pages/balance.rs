//! Why a balance is as it is: what it is the sum of, its newest entries, and what stands between it and money.

use askama::Template;
use axum::extract::Path;

use super::share::Links;
use crate::engine::state::Account;
use crate::money::{Currency, Money};
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::trace::{self, BalanceTrace, Reader, Thing};
use crate::web::{Fault, PageResult, html};
use crate::when::When;

#[derive(Template)]
#[template(path = "trace/balance.html")]
struct BalancePage {
    frame: Frame,
    t: BalanceTrace,
    parts: Parts,
    referrer_url: String,
    statements_url: String,
    share: Links,
}

/// The tables of a balance, ready to be read.
pub(super) struct Parts {
    pub rows: Vec<PartLine>,
    pub totals: Vec<Cell>,
    pub newest: Vec<EntryLine>,
    /// "The newest 50 of 1,204.", where some are not shown.
    pub of_all: String,
}

pub(super) struct PartLine {
    pub title: &'static str,
    pub entries: String,
    pub cells: Vec<Cell>,
}

/// A sum on an account; nothing is shown of an account that the entries leave as it was.
pub(super) struct Cell {
    pub label: &'static str,
    pub amount: Option<Money>,
}

pub(super) struct EntryLine {
    pub title: &'static str,
    pub about: String,
    pub account: &'static str,
    pub amount: Money,
    pub when: When,
    /// Empty where nothing explains it further.
    pub url: String,
}

fn label(account: Account) -> &'static str {
    match account {
        Account::Held => "Held",
        Account::Due => "Due",
        Account::Paying => "Being paid",
        Account::Paid => "Paid",
    }
}

impl Parts {
    /// A stranger's have no addresses.
    pub fn of(t: &BalanceTrace, reader: Reader, when: impl Fn(i64) -> When) -> Self {
        let rows = t.parts.iter().map(|part| {
            let cells = Account::ALL.iter().zip(part.sums);
            PartLine {
                title: part.title,
                entries: counted(part.entries),
                cells: cells
                    .map(|(account, sum)| Cell { label: label(*account), amount: (sum != 0).then(|| t.money(sum)) })
                    .collect(),
            }
        });
        let total = |account| Cell { label: label(account), amount: Some(t.money(t.of(account))) };
        let newest = t.newest.iter().map(|entry| EntryLine {
            title: entry.title,
            about: entry.about.clone(),
            account: label(entry.account),
            amount: entry.amount,
            when: when(entry.at),
            url: match reader {
                Reader::Staff => entry.thing.map(Thing::path).unwrap_or_default(),
                Reader::Stranger => String::new(),
            },
        });
        let shown = i64::try_from(t.newest.len()).unwrap_or(i64::MAX);
        Self {
            rows: rows.collect(),
            totals: Account::ALL.map(total).into(),
            newest: newest.collect(),
            of_all: match shown < t.entries {
                true => format!("The newest {shown} of {}.", counted(t.entries)),
                false => String::new(),
            },
        }
    }
}

pub(super) fn currency_of(text: &str) -> Result<Currency, Fault> {
    Currency::parse(text).map_err(|_| Fault::NotFound)
}

pub(super) async fn show(page: Page, Path((id, text)): Path<(i64, String)>) -> PageResult {
    let currency = currency_of(&text)?;
    let found = trace::balance(&mut page.read().await?, page.member.business_id, id, currency, Reader::Staff).await?;
    let t = found.ok_or(Fault::NotFound)?;
    html(&BalancePage {
        frame: page.frame("referrers").await?,
        parts: Parts::of(&t, Reader::Staff, |at| page.when(at)),
        referrer_url: format!("/referrers/{id}"),
        statements_url: format!("/referrers/{id}/statements"),
        share: Links::of(&page, Thing::Balance(id, currency)).await?,
        t,
    })
}
