//! One statement: a page that prints well, and its files.

use askama::Template;
use axum::extract::{OriginalUri, Path};
use axum::http::header;
use axum::response::IntoResponse;

use super::referrer;
use crate::clock::{Day, Instant};
use crate::money::{Currency, Money};
use crate::month::Month;
use crate::query::ListQuery;
use crate::referrers::rows::ReferrerRow;
use crate::shell::{Frame, Page};
use crate::statements::files::{self, Format, Head};
use crate::statements::{self, CurrencyRow, LineRow, Statement};
use crate::text::counted;
use crate::web::{Fault, Flash, PageResult, Tab, html};

/// Lines of the page; the files have any number.
const MOST: usize = 1_000;

#[derive(Template)]
#[template(path = "statements/show.html")]
struct ShowPage {
    frame: Frame,
    row: ReferrerRow,
    s: Statement,
    title: String,
    opening: Money,
    earned: Money,
    paid: Money,
    closing: Money,
    /// The business's address, a line each.
    address: Vec<String>,
    /// The accounts that are owed at the end.
    accounts: String,
    tabs: Vec<Tab>,
    lines: Vec<Line>,
    more: bool,
    /// The addresses of the months beside it, and of its files.
    before: Option<String>,
    next: Option<String>,
    files: [(String, &'static str); 3],
    until: String,
}

struct Line {
    day: String,
    title: &'static str,
    about: String,
    row: LineRow,
    amount: Money,
    balance: Money,
}

impl Line {
    fn of(row: LineRow, balance: i64) -> Self {
        let money = |minor| Money { minor, currency: row.currency };
        Self {
            day: Day::parse(&row.day).map_or_else(|_| row.day.clone(), Day::shown),
            title: row.title(),
            about: row.about(),
            amount: money(row.effect()),
            balance: money(balance),
            row,
        }
    }
}

/// "2026-10", with the ending of a file or without.
fn asked(text: &str) -> Option<(Month, Option<Format>)> {
    match text.split_once('.') {
        Some((month, ending)) => Some((Month::parse(month)?, Some(Format::parse(ending)?))),
        None => Some((Month::parse(text)?, None)),
    }
}

pub(super) async fn show(
    page: Page,
    Path((id, text)): Path<(i64, String)>,
    OriginalUri(uri): OriginalUri,
) -> PageResult {
    let row = referrer(&page, id).await?;
    let (month, format) = asked(&text).ok_or(Fault::NotFound)?;
    let query = ListQuery::new("/", uri.query(), &["currency"]);
    let now = page.app.clock.now();
    let zone = page.member.zone;
    let mut conn = page.read().await?;
    let currencies = statements::currencies(&mut conn, id).await?;
    let currency = match query.get("currency") {
        "" => currencies.iter().map(|row| row.currency).find(|c| *c == page.member.currency),
        code => Some(Currency::parse(code).map_err(|_| Fault::NotFound)?),
    };
    let first = currencies.first().map(|row| row.currency);
    let currency = currency.or(first).unwrap_or(page.member.currency);
    let begins = currencies.iter().find(|row| row.currency == currency).map(|row| row.first.clone());
    if month > Month::of(page.today()) {
        return Err(Fault::NotFound);
    }
    let s = statements::find(&mut conn, id, month, currency, (zone, now)).await?;
    let business = crate::business::by_id(&mut conn, page.member.business_id).await?;
    let address = business.map(|business| business.address).unwrap_or_default();
    if let Some(format) = format {
        drop(conn);
        return file(&page, &row, &s, format, address).await;
    }
    let mut rows = statements::lines(&mut conn, id, currency, month, 0, MOST + 1).await?;
    drop(conn);
    let more = rows.len() > MOST;
    rows.truncate(MOST);
    let mut balance = s.opening.owed();
    let lines = rows.into_iter().map(|row| {
        balance += row.effect();
        Line::of(row, balance)
    });
    let lines = lines.collect();
    let own = |month: Month, ending: &str, currency: Currency| {
        format!("/referrers/{id}/statements/{month}{ending}?currency={currency}")
    };
    let tab = |c: &CurrencyRow| Tab {
        label: c.currency.code().to_owned(),
        url: own(month, "", c.currency),
        current: c.currency == currency,
        count: String::new(),
    };
    html(&ShowPage {
        frame: page.frame("referrers").await?,
        title: format!("Statement of {}", month.shown()),
        opening: s.money(s.opening.owed()),
        earned: s.money(s.earned()),
        paid: s.money(s.paid),
        closing: s.money(s.closing.owed()),
        accounts: s.accounts(),
        address: address.lines().map(str::to_owned).collect(),
        tabs: if currencies.len() > 1 { currencies.iter().map(tab).collect() } else { Vec::new() },
        lines,
        more,
        before: begins.filter(|first| **first < *month.first().to_string()).map(|_| own(month.before(), "", currency)),
        next: Some(month.next()).filter(|next| *next <= Month::of(page.today())).map(|next| own(next, "", currency)),
        files: [
            (own(month, ".pdf", currency), "PDF"),
            (own(month, ".csv", currency), "CSV"),
            (own(month, ".xlsx", currency), "Excel"),
        ],
        until: until(&page, &s).shown(),
        row,
        s,
    })
}

/// The last day that a statement tells of.
fn until(page: &Page, s: &Statement) -> Day {
    if s.is_open { page.today() } else { s.month.last() }
}

async fn file(page: &Page, row: &ReferrerRow, s: &Statement, format: Format, address: String) -> PageResult {
    let head = Head {
        business: page.member.business_name.clone(),
        address,
        referrer: row.name.clone(),
        email: row.email.clone(),
        until: until(page, s),
    };
    let made: Instant = page.member.zone.start_of(s.month.next().first());
    let Some(bytes) = files::file(&page.app.db, &head, s, format, made).await? else {
        let own = format!("/referrers/{}/statements/{}?currency={}", row.id, s.month, s.currency);
        let most = counted(i64::try_from(files::LONGEST_PDF).unwrap_or(i64::MAX));
        let why = format!("This statement has more than {most} lines, too many for a PDF. Take CSV or Excel.");
        return page.go(&own, Flash::bad(why)).await;
    };
    let name = format!("attachment; filename=\"statement-{}-{}-{}.{}\"", row.id, s.month, s.currency, format.ending());
    let headers = [(header::CONTENT_TYPE, format.content_type().to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, bytes).into_response())
}
