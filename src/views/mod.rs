//! Saved views: a list's filters, order and columns under a name, for one person or for everybody in the business.

pub mod pages;
mod store;

pub use store::{View, of_list};

/// The lists that have saved views, by the path of their page.
pub const LISTS: [&str; 4] = ["leads", "referrers", "codes", "commissions"];

/// Characters of a name, at most.
pub const LONGEST: usize = 60;
/// Views that one person may save of one list.
pub const MOST: usize = 50;
