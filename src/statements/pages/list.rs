//! The months of a referrer, by currency.

use askama::Template;
use axum::extract::Path;

use super::referrer;
use crate::money::{Currency, Money};
use crate::referrers::rows::ReferrerRow;
use crate::shell::{Frame, Page};
use crate::statements::{self, MonthSums};
use crate::web::{PageResult, html};

#[derive(Template)]
#[template(path = "statements/list.html")]
struct ListPage {
    frame: Frame,
    row: ReferrerRow,
    currencies: Vec<InCurrency>,
}

struct InCurrency {
    currency: Currency,
    name: String,
    months: Vec<MonthOf>,
}

struct MonthOf {
    url: String,
    label: String,
    earned: Money,
    paid: Money,
    closing: Money,
    is_open: bool,
}

impl MonthOf {
    fn of(id: i64, m: &MonthSums) -> Self {
        let money = |minor| Money { minor, currency: m.currency };
        Self {
            url: format!("/referrers/{id}/statements/{}?currency={}", m.month, m.currency),
            label: m.month.shown(),
            earned: money(m.earned),
            paid: money(m.paid),
            closing: money(m.closing),
            is_open: m.is_open,
        }
    }
}

pub(super) async fn list(page: Page, Path(id): Path<i64>) -> PageResult {
    let row = referrer(&page, id).await?;
    let now = (page.member.zone, page.app.clock.now());
    let all = statements::months(&mut page.read().await?, id, now).await?;
    let mut currencies: Vec<InCurrency> = Vec::new();
    for m in &all {
        if currencies.last().is_none_or(|last| last.currency != m.currency) {
            currencies.push(InCurrency { currency: m.currency, name: m.currency.name(), months: Vec::new() });
        }
        currencies.iter_mut().last().into_iter().for_each(|last| last.months.push(MonthOf::of(id, m)));
    }
    html(&ListPage { frame: page.frame("referrers").await?, row, currencies })
}
