//! A row of a statement's file.

use crate::clock::Day;
use crate::money::Money;
use crate::statements::{LineRow, Statement};

/// The people of a statement.
#[derive(Debug, Clone)]
pub struct Head {
    pub business: String,
    /// The business's address: some lines, or none.
    pub address: String,
    pub referrer: String,
    pub email: Option<String>,
    /// The last day that the statement tells of.
    pub until: Day,
}

/// The columns of a statement's table.
pub(super) const COLUMNS: [&str; 9] =
    ["day", "entry", "lead", "product", "payment_date", "explanation", "amount", "balance", "currency"];

/// The cells of a row, those of people apart from amounts.
pub(super) struct Row {
    pub texts: [String; 6],
    pub amount: Option<Money>,
    pub balance: Money,
}

impl Row {
    pub fn of(line: &LineRow, balance: i64) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let money = |minor| Money { minor, currency: line.currency };
        Self {
            texts: [
                line.day.clone(),
                line.title().to_owned(),
                text(&line.lead),
                text(&line.product),
                text(&line.payment_date),
                line.about(),
            ],
            amount: Some(money(line.effect())),
            balance: money(balance),
        }
    }

    pub fn opening(s: &Statement) -> Self {
        Self::balance(s.month.first().to_string(), "Opening balance", s.money(s.opening.owed()))
    }

    pub fn closing(s: &Statement) -> Self {
        let title = if s.is_open { "Balance so far" } else { "Closing balance" };
        Self::balance(s.month.last().to_string(), title, s.money(s.closing.owed()))
    }

    fn balance(day: String, title: &str, balance: Money) -> Self {
        let empty = String::new;
        Self { texts: [day, title.to_owned(), empty(), empty(), empty(), empty()], amount: None, balance }
    }
}
