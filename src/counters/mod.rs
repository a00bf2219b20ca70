//! Sums kept in the same transaction as the rows they count, read as a sum over slots.

mod store;

pub use store::{add, by_day, totals};
