//! Sums kept in the same transaction as the rows they count, read as a sum over slots.

mod store;

pub use store::{add, by_day, named, totals};

/// What a business's leads of a status are counted under, for lists by page number.
pub fn listed(status: &str) -> String {
    format!("listed.{status}")
}

/// As [`listed`], of one source. It is as long as the lead's field allows, so a name is not long either.
pub fn listed_from(status: &str, source: &str) -> String {
    format!("listed.{status}|{source}")
}
