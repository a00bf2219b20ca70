//! The statement as a workbook: amounts are numbers with the decimals of their currency.

use std::io;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};

use super::row::{COLUMNS, Head, Row};
use crate::clock::Instant;
use crate::money::Money;
use crate::statements::Statement;

/// A cell holds no more characters.
const MOST_TEXT: usize = 32_767;
const WIDTHS: [f64; COLUMNS.len()] = [12.0, 22.0, 28.0, 20.0, 14.0, 52.0, 14.0, 14.0, 10.0];
/// The rows above the table: business, referrer, month.
const TABLE: u32 = 4;

/// The sheet in the making. Its rows wait in a temporary file.
pub(super) struct Sheet {
    book: Workbook,
    amount: Format,
    next: u32,
}

impl Sheet {
    pub(super) fn begin(head: &Head, s: &Statement, made: Instant) -> io::Result<Self> {
        let mut sheet = Self::made(head, s, made).map_err(io::Error::other)?;
        sheet.row(&Row::opening(s))?;
        Ok(sheet)
    }

    fn made(head: &Head, s: &Statement, made: Instant) -> Result<Self, XlsxError> {
        let mut book = Workbook::new();
        let created = ExcelDateTime::from_timestamp(made.seconds())?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&created));
        let sheet = book.add_worksheet_with_constant_memory();
        let sheet = sheet?.set_name(format!("{} {}", s.month, s.currency))?.set_freeze_panes(TABLE + 1, 0)?;
        let bold = Format::new().set_bold();
        for (column, width) in (0_u16..).zip(WIDTHS) {
            sheet.set_column_width(column, width)?;
        }
        let title = format!("Statement of {} in {}", s.month.shown(), s.currency);
        for (row, text) in (0_u32..).zip([&head.business, &head.referrer, &title]) {
            sheet.write_string_with_format(row, 0, cut(text), &bold)?;
        }
        for (column, title) in (0_u16..).zip(COLUMNS) {
            sheet.write_string_with_format(TABLE, column, title, &bold)?;
        }
        let decimals = s.currency.decimals() as usize;
        let point = if decimals == 0 { "" } else { "." };
        let amount = Format::new().set_num_format(format!("#,##0{point}{}", "0".repeat(decimals)));
        Ok(Self { book, amount, next: TABLE + 1 })
    }

    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        self.written(row).map_err(io::Error::other)
    }

    fn written(&mut self, row: &Row) -> Result<(), XlsxError> {
        let at = self.next;
        self.next += 1;
        let sheet = self.book.worksheet_from_index(0)?;
        let mut column = 0_u16;
        for text in &row.texts {
            if !text.is_empty() {
                sheet.write_string(at, column, cut(text))?;
            }
            column += 1;
        }
        for money in [row.amount, Some(row.balance)] {
            if let Some(money) = money {
                sheet.write_number_with_format(at, column, nearest(money), &self.amount)?;
            }
            column += 1;
        }
        sheet.write_string(at, column, row.balance.currency.code())?;
        Ok(())
    }

    pub(super) fn end(mut self, s: &Statement) -> io::Result<Vec<u8>> {
        self.row(&Row::closing(s))?;
        self.book.save_to_buffer().map_err(io::Error::other)
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MOST_TEXT).collect()
}

/// The number that a spreadsheet keeps for an amount: the nearest there is, which is shown as the amount's own digits.
fn nearest(money: Money) -> f64 {
    let decimals = i32::try_from(money.currency.decimals()).unwrap_or_default();
    money.minor as f64 / 10_f64.powi(decimals)
}
