//! The shop's own pages: a script for them that keeps the code of `?ref=CODE` and hands it on, the lines with which
//! a shop loads it, and the shops in which it was seen.
//!
//! A [`Watch`] is printed with the lines and names its own end, so that the script asks nothing of Refdesk before or
//! after, and a stranger without it can note no visit.

mod lines;
pub mod pages;
mod store;
mod visits;
mod watch;

pub use lines::Lines;
pub use store::Visit;
pub use visits::{MOST, note, of_campaign};
pub use watch::Watch;
