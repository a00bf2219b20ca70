//! The sums that payouts would pay now, and those that they would leave out, of all campaigns: what Home and the page of
//! payouts tell.

use std::collections::BTreeMap;

use super::line::OutReason;
use super::store;
use crate::clock::Day;
use crate::db::{Conn, DbResult};
use crate::engine::payout::due_from;
use crate::money::{Currency, Money};
use crate::payout_details::Method;

/// The sum owed in one currency to those who are paid in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// None where no details say how they are paid.
    pub method: Option<Method>,
    /// The sum that a payout would have.
    pub due: Money,
    pub referrers: i64,
    /// The day since which the oldest part of it is due.
    pub since: Option<Day>,
    pub left_out: Vec<LeftOut>,
}

/// The referrers whom a payout would leave out for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub reason: OutReason,
    pub referrers: i64,
    pub amount: Money,
}

/// The sums owed by a business, by currency and way of being paid; `today` is its own day.
pub async fn owed(conn: &mut Conn, business_id: i64, today: Day) -> DbResult<Vec<Owed>> {
    let mut all: BTreeMap<(Currency, Option<Method>), Owed> = BTreeMap::new();
    for row in store::owed(conn, business_id).await? {
        let money = |minor| Money { minor, currency: row.currency };
        let of = all.entry((row.currency, row.method)).or_insert_with(|| Owed {
            method: row.method,
            due: money(0),
            referrers: 0,
            since: None,
            left_out: Vec::new(),
        });
        if let Some(reason) = row.out_reason {
            of.left_out.push(LeftOut { reason, referrers: row.referrers, amount: money(row.amount) });
        } else {
            (of.due, of.referrers) = (money(row.amount), row.referrers);
            of.since = since(row.held_until.as_deref(), today);
        }
    }
    Ok(all.into_values().collect())
}

/// The sums of each currency, and the day since which the oldest of them is due.
pub fn in_all(owed: &[Owed]) -> (Vec<Money>, Option<Day>) {
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for of in owed.iter().filter(|of| of.due.minor > 0) {
        *sums.entry(of.due.currency).or_default() += of.due.minor;
    }
    let sums = sums.into_iter().map(|(currency, minor)| Money { minor, currency });
    (sums.collect(), owed.iter().filter_map(|of| of.since).min())
}

/// The day since which something is due whose hold ends with a day. Staff may have approved it before: then it is due
/// by `today`.
pub fn since(held_until: Option<&str>, today: Day) -> Option<Day> {
    let held_until = Day::parse(held_until?).ok()?;
    Some(due_from(held_until).min(today))
}
