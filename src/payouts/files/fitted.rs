//! A row made ready for its file. Not `Debug`: a log is no place for accounts.

use super::row::Shown;
use super::sepa::Transfer;
use crate::money::Money;

/// A row as it will be sent, and what is written of it.
pub(super) struct Fitted {
    pub shown: Shown,
    pub content: Content,
}

/// The written part of a row.
pub(super) enum Content {
    /// For a file of delimited texts.
    Texts { delimiter: char, texts: Vec<String> },
    /// For a bank.
    Transfer(Box<Transfer>),
    /// For a workbook.
    Cells(Vec<Cell>),
}

/// A cell of a workbook.
pub(super) enum Cell {
    Text(String),
    Amount(Money),
}
