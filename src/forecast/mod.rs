//! The forecast: the pending commissions of a business by the day after their hold, for 90 days, from
//! counters.

pub mod pages;
mod store;

use std::collections::BTreeMap;

use crate::clock::Day;
use crate::counters;
use crate::db::{Conn, DbResult};
use crate::engine::payout::due_from;
use crate::money::{Currency, Money};

/// The days that are looked ahead.
pub const DAYS: i64 = 90;

/// One currency's forecast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    pub currency: Currency,
    /// By the day on which it becomes due, those with anything only.
    pub days: Vec<(Day, Money)>,
    /// Within the days that are looked ahead.
    pub total: Money,
    /// Behind them.
    pub later: Money,
    /// The pending ones that are kept back: disputed, or of a banned referrer.
    pub kept_back: Money,
}

/// The forecast of a business by currency; `today` is its own day.
pub async fn forecast(conn: &mut Conn, business_id: i64, today: Day) -> DbResult<Vec<Forecast>> {
    let campaigns = store::campaigns(conn, business_id).await?;
    let mut pending: BTreeMap<(Currency, Day), i64> = BTreeMap::new();
    for row in counters::ahead(conn, &campaigns, today).await? {
        *pending.entry((row.0, row.1)).or_default() += row.2;
    }
    let mut kept: BTreeMap<Currency, i64> = BTreeMap::new();
    for row in store::kept_back(conn, business_id, today).await? {
        let Ok(day) = Day::parse(&row.day) else { continue };
        *pending.entry((row.currency, day)).or_default() -= row.amount;
        *kept.entry(row.currency).or_default() += row.amount;
    }
    let mut all: BTreeMap<Currency, Forecast> = BTreeMap::new();
    let last = today.plus_days(DAYS);
    for ((currency, hold_until), minor) in pending {
        let money = |minor| Money { minor, currency };
        let of = all.entry(currency).or_insert_with(|| Forecast {
            currency,
            days: Vec::new(),
            total: money(0),
            later: money(0),
            kept_back: money(kept.get(&currency).copied().unwrap_or_default()),
        });
        let due = due_from(hold_until);
        if minor == 0 {
            continue;
        }
        if due > last {
            of.later.minor += minor;
        } else {
            of.total.minor += minor;
            of.days.push((due, money(minor)));
        }
    }
    let worth_showing = |f: &Forecast| f.total.minor != 0 || f.later.minor != 0 || f.kept_back.minor != 0;
    Ok(all.into_values().filter(worth_showing).collect())
}
