//! The statement as a table for programs and spreadsheets.

use std::io;

use super::row::{COLUMNS, Head, Row};
use crate::imports::table::{sanitise_for_spreadsheet, write_csv_row};
use crate::statements::Statement;

pub(super) struct Table(Vec<u8>);

impl Table {
    pub(super) fn begin(_: &Head, s: &Statement) -> io::Result<Self> {
        let mut table = Self(Vec::new());
        write_csv_row(&mut table.0, &COLUMNS)?;
        table.row(&Row::opening(s))?;
        Ok(table)
    }

    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        let mut cells: Vec<String> = row.texts.iter().map(|text| sanitise_for_spreadsheet(text)).collect();
        cells.push(row.amount.map(|amount| amount.plain()).unwrap_or_default());
        cells.extend([row.balance.plain(), row.balance.currency.code().to_owned()]);
        write_csv_row(&mut self.0, &cells.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub(super) fn end(mut self, s: &Statement) -> io::Result<Vec<u8>> {
        self.row(&Row::closing(s))?;
        Ok(self.0)
    }
}
