//! The formats, and a row made ready for one of them.

use super::payer::Payer;
use super::problem::{Field, Problem};
use super::row::{Row, Shown};
use super::table::Cell;
use super::{paypal, table};
use crate::payout_details::Method;
use crate::words;

words! {
    /// A kind of file.
    pub enum Format { Paypal = "paypal", Csv = "csv", Xlsx = "xlsx" }
}

impl Format {
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Paypal | Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Paypal | Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// True for a format that can pay by a method; a table takes every method.
pub fn suits(format: Format, method: Method) -> bool {
    match format {
        Format::Paypal => method == Method::Paypal,
        Format::Csv | Format::Xlsx => true,
    }
}

/// A row as it will be sent, and what is written of it.
pub(super) struct Fitted {
    pub shown: Shown,
    pub content: Content,
}

/// The written part of a row.
pub(super) enum Content {
    /// For a file of delimited texts.
    Texts { delimiter: char, texts: Vec<String> },
    /// For a workbook.
    Cells(Vec<Cell>),
}

/// Says how a row will be sent in the payer's format.
///
/// # Errors
/// The first reason why it cannot be.
pub fn fit(payer: &Payer, row: &Row<'_>) -> Result<Shown, Problem> {
    fitted(payer, row).map(|fitted| fitted.shown)
}

pub(super) fn fitted(payer: &Payer, row: &Row<'_>) -> Result<Fitted, Problem> {
    if row.amount.minor <= 0 {
        let reason = format!("{} is owed {}: only more than 0 can be sent.", row.person(), row.amount.shown());
        return Err(Problem::new(Field::Amount, reason));
    }
    match payer {
        Payer::Paypal(payer) => paypal::fit(payer, row),
        Payer::Csv(payer) => Ok(table::csv(payer, row)),
        Payer::Xlsx(payer) => Ok(table::xlsx(payer, row)),
    }
}
