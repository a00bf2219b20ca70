//! The answers of PayPal, Wise or a bank about the lines of a payout, as pure code. [`look`] shows a table and proposes
//! the meaning of its columns and statuses, [`table`] reads it by what a person chose, [`pain002`] reads a bank's
//! answer; [`judge`] says for each row which line it is about and what follows. What is not matched changes nothing.

mod columns;
mod error;
mod matching;
mod pain002;
mod reasons;
mod recipients;
mod report;
mod table;

#[cfg(test)]
mod tests;

pub use columns::{Columns, Meaning, Reading};
pub use error::ReadError;
pub use matching::{Change, Judged, Line, State, Verdict, judge};
pub use pain002::pain002;
pub use recipients::recipients;
pub use report::{Outcome, Report, Reported, Unread, Whole};
pub use table::{Look, look, table};
