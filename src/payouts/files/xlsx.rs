//! The table as a workbook: ids, account numbers and phone numbers are text, so that no program drops a leading zero
//! or rounds a long one; amounts are numbers with the decimals of their currency.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::fitted::Cell;
use super::payer::TableFile;
use super::row::Head;
use super::table;
use crate::money::Money;

/// A sheet holds 1,048,576 rows, its header among them.
pub(super) const MOST_ROWS: usize = 1_000_000;
/// A cell holds no more characters.
const MOST_TEXT: usize = 32_767;
const WIDTH: f64 = 22.0;

/// The sheet in the making. Its rows wait in a temporary file; the zip can only be written at the end.
pub(super) struct Sheet {
    book: Workbook,
    amount: Format,
    next: u32,
}

impl Sheet {
    pub(super) fn begin(payer: &TableFile, head: &Head) -> io::Result<Self> {
        Self::made(payer, head).map_err(io::Error::other)
    }

    fn made(payer: &TableFile, head: &Head) -> Result<Self, XlsxError> {
        let mut book = Workbook::new();
        let created = ExcelDateTime::from_timestamp(head.created.seconds())?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&created));
        let sheet = book.add_worksheet_with_constant_memory();
        let sheet = sheet?.set_name(&head.id)?.set_freeze_panes(1, 0)?;
        let bold = Format::new().set_bold();
        for (column, title) in (0_u16..).zip(table::header(payer)) {
            sheet.set_column_width(column, WIDTH)?.write_string_with_format(0, column, title, &bold)?;
        }
        let decimals = head.currency.decimals() as usize;
        let point = if decimals == 0 { "" } else { "." };
        let amount = Format::new().set_num_format(format!("#,##0{point}{}", "0".repeat(decimals)));
        Ok(Self { book, amount, next: 1 })
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let (row, amount) = (self.next, &self.amount);
        self.next += 1;
        let sheet = self.book.worksheet_from_index(0).map_err(io::Error::other)?;
        for (column, cell) in (0_u16..).zip(cells) {
            Self::cell(sheet, (row, column), cell, amount).map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn cell(sheet: &mut Worksheet, at: (u32, u16), cell: &Cell, format: &Format) -> Result<(), XlsxError> {
        match cell {
            Cell::Text(text) if text.is_empty() => {}
            Cell::Text(text) => {
                sheet.write_string(at.0, at.1, text.chars().take(MOST_TEXT).collect::<String>())?;
            }
            Cell::Amount(money) => {
                sheet.write_number_with_format(at.0, at.1, nearest(*money), format)?;
            }
        }
        Ok(())
    }

    /// The whole workbook, from its first byte, in a file without a name.
    pub(super) fn end(mut self) -> io::Result<File> {
        let mut out = BufWriter::new(tempfile::tempfile()?);
        self.book.save_to_writer(&mut out).map_err(io::Error::other)?;
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}

/// The number that a spreadsheet keeps for an amount. Both parts of the division are exact, so the result is the
/// nearest there is, which is written and read as the amount's own digits.
fn nearest(money: Money) -> f64 {
    let decimals = i32::try_from(money.currency.decimals()).unwrap_or_default();
    money.minor as f64 / 10_f64.powi(decimals)
}
