//! Writes a file row by row, so that a long one is never in memory: the caller takes the bytes away between rows.

use std::fmt;
use std::fs::File;
use std::io;
use std::sync::Arc;

use super::fit::fitted;
use super::fitted::Content;
use super::payer::Payer;
use super::problem::Problem;
use super::row::{Head, Row};
use super::xlsx::Sheet;
use super::{sepa, table};
use crate::imports::table::write_row;
use crate::money::{Currency, Money};

/// A file in the making.
pub struct Writer {
    payer: Arc<Payer>,
    head: Head,
    /// Of a workbook.
    sheet: Option<Sheet>,
    rows: usize,
    total: i64,
}

/// Why a file was not finished.
#[derive(Debug)]
pub enum FileError {
    /// The settings make no file.
    Payer(Problem),
    /// The row of this line of the payout cannot be sent.
    Row {
        line: String,
        problem: Problem,
    },
    /// A row in another currency than the head's.
    Currency {
        line: String,
        has: Currency,
        needs: Currency,
    },
    /// The rows were others than the head announced.
    Sums {
        rows: usize,
        total: Money,
        head: Head,
    },
    Write(io::Error),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payer(problem) => write!(f, "{problem}"),
            Self::Row { line, problem } => write!(f, "Line {line}: {problem}"),
            Self::Currency { line, has, needs } => write!(f, "Line {line} is in {has}, and the file in {needs}."),
            Self::Sums { rows, total, head } => {
                let announced = Money { minor: head.total, currency: head.currency };
                let (total, announced) = (total.shown(), announced.shown());
                write!(f, "The file has {rows} rows of {total} together, its head says {} of {announced}.", head.rows)
            }
            Self::Write(error) => write!(f, "The file could not be written: {error}."),
        }
    }
}

impl std::error::Error for FileError {}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl Writer {
    /// Begins a file of its own for each head of [`Parts`](super::Parts).
    ///
    /// # Errors
    /// [`FileError::Payer`], [`FileError::Write`].
    pub fn begin(payer: &Arc<Payer>, head: &Head, out: &mut Vec<u8>) -> Result<Self, FileError> {
        if let Some(problem) = payer.problems().into_iter().next() {
            return Err(FileError::Payer(problem));
        }
        let mut sheet = None;
        match payer.as_ref() {
            Payer::Paypal(_) => {}
            Payer::Wise(payer) => write_row(out, ',', &payer.header(head.currency))?,
            Payer::Sepa(payer) => sepa::begin(payer, head, out),
            Payer::Csv(payer) => write_row(out, payer.delimiter.mark(), &table::header(payer))?,
            Payer::Xlsx(payer) => sheet = Some(Sheet::begin(payer, head)?),
        }
        Ok(Self { payer: payer.clone(), head: head.clone(), sheet, rows: 0, total: 0 })
    }

    /// # Errors
    /// [`FileError::Row`] with the reason of [`fit`](super::fit), [`FileError::Currency`].
    pub fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>) -> Result<(), FileError> {
        let (has, needs) = (row.amount.currency, self.head.currency);
        if has != needs {
            return Err(FileError::Currency { line: row.line.to_owned(), has, needs });
        }
        let failed = |problem| FileError::Row { line: row.line.to_owned(), problem };
        let fitted = fitted(&self.payer, row).map_err(failed)?;
        match (fitted.content, self.payer.as_ref(), &mut self.sheet) {
            (Content::Transfer(transfer), Payer::Sepa(payer), _) => sepa::transfer(payer, &transfer, out),
            (Content::Texts { delimiter, texts }, ..) => write_row(out, delimiter, &texts)?,
            (Content::Cells(cells), _, Some(sheet)) => sheet.row(&cells)?,
            (Content::Transfer(_) | Content::Cells(_), ..) => {}
        }
        self.rows += 1;
        self.total += row.amount.minor;
        Ok(())
    }

    /// Ends the file, unless its rows were others than its head says. A workbook has all its bytes in the file that is
    /// answered, which nobody else can open.
    ///
    /// # Errors
    /// [`FileError::Sums`], [`FileError::Write`].
    pub fn end(self, out: &mut Vec<u8>) -> Result<Option<File>, FileError> {
        let Self { payer, head, sheet, rows, total } = self;
        if rows != head.rows || total != head.total {
            return Err(FileError::Sums { rows, total: Money { minor: total, currency: head.currency }, head });
        }
        match (payer.as_ref(), sheet) {
            (_, Some(sheet)) => return Ok(Some(sheet.end()?)),
            (Payer::Sepa(_), _) => sepa::end(out),
            _ => {}
        }
        Ok(None)
    }
}
