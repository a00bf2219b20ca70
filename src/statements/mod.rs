//! Statements: what a referrer was owed in one currency over one month, line by line. Read from the ledger by the
//! day of each entry, so a month that is over never changes: what is corrected later stands in the month of the
//! correction. [`find`] reads the sums, [`lines`] the lines, [`months`] the months there are.
//!
//! Owed is what was earned and not paid yet: the accounts held, due and paying. What moves between these three is
//! no line of a statement.

pub mod files;
mod line;
pub mod pages;
mod store;

use std::collections::BTreeMap;

use crate::clock::{Instant, Zone};
use crate::db::{Conn, DbResult};
use crate::engine::state::Account;
use crate::money::{Currency, Money};
use crate::month::Month;

pub use line::Movement;
pub use store::{CurrencyRow, LineRow, currencies, lines};

/// The sums owed on one day, by account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    pub held: i64,
    pub due: i64,
    pub paying: i64,
}

impl Balance {
    pub fn owed(self) -> i64 {
        self.held + self.due + self.paying
    }

    fn add(&mut self, account: Account, amount: i64) {
        match account {
            Account::Held => self.held += amount,
            Account::Due => self.due += amount,
            Account::Paying => self.paying += amount,
            Account::Paid => {}
        }
    }
}

/// The sums of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    pub referrer_id: i64,
    pub month: Month,
    pub currency: Currency,
    pub opening: Balance,
    pub closing: Balance,
    /// Paid in the month, less what came back.
    pub paid: i64,
    /// True while entries of the month may still come.
    pub is_open: bool,
}

impl Statement {
    /// Earned in the month, less what was taken off again.
    pub fn earned(&self) -> i64 {
        self.closing.owed() - self.opening.owed() + self.paid
    }

    /// "held 2.47 USD, due 20.00 USD": the accounts that are owed at the end, where anything is on them.
    pub fn accounts(&self) -> String {
        let all = [("held", self.closing.held), ("due", self.closing.due), ("being paid", self.closing.paying)];
        let shown = all.iter().filter(|(_, minor)| *minor != 0);
        shown.map(|(word, minor)| format!("{word} {}", self.money(*minor).shown())).collect::<Vec<_>>().join(", ")
    }

    pub fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency }
    }
}

/// A write that began in the last minutes of a month has ended by then.
const SETTLES: i64 = 3_600;

fn is_open(month: Month, zone: Zone, now: Instant) -> bool {
    zone.day_of(now.plus_seconds(-SETTLES)) <= month.last()
}

/// A referrer's statement. The referrer is one of the business that asks.
pub async fn find(
    conn: &mut Conn,
    referrer_id: i64,
    month: Month,
    currency: Currency,
    (zone, now): (Zone, Instant),
) -> DbResult<Statement> {
    let (mut opening, mut closing, mut paid) = (Balance::default(), Balance::default(), 0);
    for row in store::sums(conn, referrer_id, currency, month).await? {
        opening.add(row.account, row.before);
        closing.add(row.account, row.before + row.within);
        if row.account == Account::Paid {
            paid += row.within;
        }
    }
    let is_open = is_open(month, zone, now);
    Ok(Statement { referrer_id, month, currency, opening, closing, paid, is_open })
}

/// A month of a referrer's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthSums {
    pub month: Month,
    pub currency: Currency,
    pub opening: i64,
    pub earned: i64,
    pub paid: i64,
    pub closing: i64,
    pub is_open: bool,
}

/// A referrer's months by currency, the newest first: from the first entry to the month of today, those without an
/// entry too.
pub async fn months(conn: &mut Conn, referrer_id: i64, (zone, now): (Zone, Instant)) -> DbResult<Vec<MonthSums>> {
    let this = Month::of(zone.day_of(now));
    let mut by_currency: BTreeMap<Currency, BTreeMap<Month, (i64, i64)>> = BTreeMap::new();
    for row in store::months(conn, referrer_id).await? {
        if let Some(month) = Month::parse(&row.month) {
            by_currency.entry(row.currency).or_default().insert(month, (row.owed, row.paid));
        }
    }
    let mut all = Vec::new();
    for (currency, moved) in by_currency {
        let Some((first, last)) = moved.keys().next().copied().zip(moved.keys().next_back().copied()) else { continue };
        let (mut month, mut opening, mut of_currency) = (first, 0, Vec::new());
        while month <= last.max(this) {
            let (owed, paid) = moved.get(&month).copied().unwrap_or_default();
            let is_open = is_open(month, zone, now);
            let closing = opening + owed;
            of_currency.push(MonthSums { month, currency, opening, earned: owed + paid, paid, closing, is_open });
            (opening, month) = (closing, month.next());
        }
        all.extend(of_currency.into_iter().rev());
    }
    Ok(all)
}
