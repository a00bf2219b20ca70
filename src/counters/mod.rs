//! Sums stored in the same transaction as the rows they count, read as a sum over slots.

mod store;

use crate::clock::Day;
use crate::money::Currency;

pub use store::{add, ahead, by_day, named, totals};

/// People as lists by page number count them: leads under their campaign, referrers under their business
/// and, as often as they are enrolled, under their campaigns. Archived ones are left out.
pub const USERS_LEADS: &str = "users.leads";
pub const USERS_REFERRERS: &str = "users.referrers";

/// The day under which people are counted beside their total: the UTC day they came, in whatever zone the
/// business is by now, so that a far page is found by adding up days. No other counter has such a day.
pub fn came(created_at: i64) -> String {
    format!("u{}", created_at.div_euclid(MICROS_A_DAY))
}

/// The first instant of a day that [`came`] named.
pub fn came_from(day: &str) -> Option<i64> {
    day.strip_prefix('u')?.parse::<i64>().ok()?.checked_mul(MICROS_A_DAY)
}

/// The counter of a campaign's pending commission, under the days that [`held_to`] names.
pub fn pending(currency: Currency) -> String {
    format!("{PENDING}{currency}")
}

const PENDING: &str = "pending.";

/// The day under which pending commission is counted: the last one of its hold. No other counter has such a day, so
/// that what is ahead is read by itself.
pub fn held_to(hold_until: Day) -> String {
    format!("h{hold_until}")
}

pub const MICROS_A_DAY: i64 = 86_400_000_000;

/// The counter of a business's leads of a status, for lists by page number.
pub fn listed(status: &str) -> String {
    format!("listed.{status}")
}

/// As [`listed`], for one source. It is as long as the lead's field allows, so a name has no limit either.
pub fn listed_from(status: &str, source: &str) -> String {
    format!("listed.{status}|{source}")
}
