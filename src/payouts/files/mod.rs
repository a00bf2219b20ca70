//! The files that a payout is paid by, as pure code: rows in, bytes out, the same bytes for the same rows.
//!
//! Enter at [`fit`]: it says how a row will be sent, or in plain words why it cannot be. [`Parts`] cuts a payout into
//! as many files as the format needs; a [`Writer`] writes each of them, row by row, and finishes none whose number
//! of rows or sum is not what its [`Head`] says. A [`Payer`] is what a business sets once for a format.

mod cells;
mod column;
mod fit;
mod fitted;
mod format;
pub(super) mod line;
mod marks;
mod parts;
mod payer;
mod payers;
mod paypal;
mod problem;
mod row;
mod sepa;
mod table;
mod typed;
mod wise;
mod writer;
mod xlsx;

#[cfg(test)]
mod tests;

pub use column::Column;
pub use fit::fit;
pub use format::{Format, suits};
pub use marks::{DecimalMark, Delimiter};
pub use parts::{Part, Parts, is_one_file};
pub use payer::{Payer, PaypalFile, Secret, TableFile};
pub use payers::Payers;
pub use problem::{Field, Problem};
pub use row::{Head, Row, Shown};
pub use sepa::{SepaFile, WithoutBic};
pub use typed::{read, texts};
pub use wise::{Fixed, SavedRecipient, Template, WiseFile, saved_recipients};
pub use writer::{FileError, Writer};
