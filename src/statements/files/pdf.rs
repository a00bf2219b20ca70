//! The statement as a PDF: the same table as on its page, tagged for readers of the screen.

use std::io;

use super::paper::{Letter, Line, Paper};
use super::row::Head;
use crate::clock::Day;
use crate::id::sha256_hex;
use crate::money::Money;
use crate::pdf::{About, Broken};
use crate::statements::{LineRow, Statement};

/// "1,250.00": the currency stands in the head of the column.
fn bare(money: Money) -> String {
    let shown = money.shown();
    shown.rsplit_once(' ').map_or(shown.as_str(), |(amount, _)| amount).to_owned()
}

fn failed(why: Broken) -> io::Error {
    io::Error::other(why.0)
}

pub(super) struct Sheet {
    paper: Paper,
    until: Day,
}

impl Sheet {
    pub(super) fn begin(head: &Head, s: &Statement) -> io::Result<Self> {
        let title = format!("Statement of {}", s.month.shown());
        let money = |minor| s.money(minor).shown();
        let sum = |label: &str, minor| (label.to_owned(), money(minor), String::new());
        let until = head.until.shown();
        let letter = Letter {
            sender: head.business.clone(),
            address: head.address.lines().map(str::to_owned).collect(),
            recipient: [Some(head.referrer.clone()), head.email.clone()].into_iter().flatten().collect(),
            sums: vec![
                sum("Owed at the start", s.opening.owed()),
                sum("Earned", s.earned()),
                sum("Paid", s.paid),
                (format!("Owed on {until}"), money(s.closing.owed()), s.accounts()),
            ],
            note: if s.is_open {
                format!("This month is not over. The statement is as of {until}.")
            } else {
                String::new()
            },
            currency: s.currency.code(),
            about: about(head, s, &title),
            title,
        };
        let mut sheet = Self { paper: Paper::begin(letter).map_err(failed)?, until: head.until };
        sheet.balance("Opening balance", s.month.first(), s.money(s.opening.owed()))?;
        Ok(sheet)
    }

    fn balance(&mut self, title: &str, day: Day, owed: Money) -> io::Result<()> {
        let (title, day, owed) = (title.to_owned(), day.shown(), bare(owed));
        self.paper.row(&Line { title, day, owed, is_balance: true, ..Line::default() }).map_err(failed)
    }

    pub(super) fn row(&mut self, row: &LineRow, balance: i64) -> io::Result<()> {
        let money = |minor| bare(Money { minor, currency: row.currency });
        let line = Line {
            title: row.title().to_owned(),
            about: row.about(),
            day: Day::parse(&row.day).map_or_else(|_| row.day.clone(), Day::shown),
            lead: row.lead.clone().unwrap_or_default(),
            product: row.product.clone().unwrap_or_default(),
            amount: money(row.effect()),
            owed: money(balance),
            is_balance: false,
        };
        self.paper.row(&line).map_err(failed)
    }

    pub(super) fn end(mut self, s: &Statement) -> io::Result<Vec<u8>> {
        let title = if s.is_open { "Balance so far" } else { "Closing balance" };
        self.balance(title, self.until, s.money(s.closing.owed()))?;
        self.paper.end().map_err(failed)
    }
}

/// Dated by the last day that it tells of, and named by the statement: made again, the document is the same.
fn about(head: &Head, s: &Statement, title: &str) -> About {
    let name = format!("{}:{}:{}:{}", s.referrer_id, s.month, s.currency, head.until);
    let mut id = [0; 16];
    for (byte, of) in id.iter_mut().zip(sha256_hex(&name).into_bytes()) {
        *byte = of;
    }
    About {
        title: format!("{title} in {}, {}", s.currency, head.referrer),
        author: head.business.clone(),
        language: "en",
        day: numbers(head.until),
        id,
    }
}

/// A day as year, month and day.
fn numbers(day: Day) -> (u16, u8, u8) {
    let text = day.to_string();
    let mut parts = text.split('-');
    let mut next = |usual: u16| parts.next().and_then(|part| part.parse::<u16>().ok()).unwrap_or(usual);
    let (year, month, day) = (next(1970), next(1), next(1));
    (year, u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
}
