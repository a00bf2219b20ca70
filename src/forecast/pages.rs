//! The page of what becomes due.

use askama::Template;

use super::{DAYS, Forecast};
use crate::clock::Day;
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::{PageResult, html};
use crate::when::When;

pub fn routes() -> Routes {
    Routes::new().get("/payouts/forecast", Access::May(Right::SeeMoney), show)
}

#[derive(Template)]
#[template(path = "forecast/show.html")]
struct ShowPage {
    frame: Frame,
    currencies: Vec<InCurrency>,
    axis: [String; 3],
}

struct InCurrency {
    f: Forecast,
    name: String,
    columns: Vec<Column>,
    days: Vec<DayOf>,
}

/// A day of the chart.
struct Column {
    label: String,
    value: String,
    percent: i64,
}

/// A day of the table, with the sum up to it.
struct DayOf {
    when: When,
    amount: String,
    sum: String,
}

impl InCurrency {
    fn of(f: Forecast, today: Day) -> Self {
        let most = f.days.iter().map(|(_, money)| money.minor).max().unwrap_or(0).max(1);
        let columns = (1..=DAYS).map(|n| {
            let day = today.plus_days(n);
            let minor = f.days.iter().find(|(d, _)| *d == day).map_or(0, |(_, money)| money.minor);
            let money = crate::money::Money { minor, currency: f.currency };
            let percent = i64::try_from(i128::from(minor.max(0)) * 100 / i128::from(most)).unwrap_or(100);
            Column { label: day.shown(), value: money.shown(), percent }
        });
        let columns = columns.collect();
        let mut sum = 0;
        let days = f.days.iter().map(|(day, money)| {
            sum += money.minor;
            let so_far = crate::money::Money { minor: sum, currency: f.currency };
            DayOf { when: When::on(today, *day), amount: money.shown(), sum: so_far.shown() }
        });
        let days = days.collect();
        Self { name: f.currency.name(), columns, days, f }
    }
}

async fn show(page: Page) -> PageResult {
    let today = page.today();
    let all = super::forecast(&mut page.read().await?, page.member.business_id, today).await?;
    let axis = [1, DAYS / 2, DAYS].map(|n| today.plus_days(n).shown());
    html(&ShowPage {
        frame: page.frame("payouts").await?,
        currencies: all.into_iter().map(|f| InCurrency::of(f, today)).collect(),
        axis,
    })
}
