//! Rows out: CSV for people and for `refdesk import`, JSON lines for programs.

use std::io::{self, Write};

use crate::imports::table::{sanitise_for_spreadsheet, write_csv_row};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One row a line under the columns' names; cells that a spreadsheet would run begin with an apostrophe
    Csv,
    /// One JSON object a line
    Jsonl,
}

/// The value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Nothing,
    Text(String),
    /// As JSON writes it.
    Number(String),
    Flag(bool),
    /// A JSON object.
    Object(String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<i64> for Cell {
    fn from(n: i64) -> Self {
        Self::Number(n.to_string())
    }
}
impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(maybe: Option<T>) -> Self {
        maybe.map_or(Self::Nothing, Into::into)
    }
}

impl Cell {
    fn csv(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(text) | Self::Object(text) => sanitise_for_spreadsheet(text),
            // Ours, so it runs nothing.
            Self::Number(number) => number.clone(),
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        }
    }

    fn json(&self) -> String {
        match self {
            Self::Nothing => "null".to_owned(),
            Self::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
            Self::Number(number) => number.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::Object(object) => object.clone(),
        }
    }
}

/// A file being written, row by row.
pub struct Out<W> {
    to: W,
    format: Format,
    columns: &'static [&'static str],
    /// Rows so far.
    pub rows: i64,
}

impl<W: Write> Out<W> {
    pub fn new(mut to: W, format: Format, columns: &'static [&'static str]) -> io::Result<Self> {
        if format == Format::Csv {
            write_csv_row(&mut to, columns)?;
        }
        Ok(Self { to, format, columns, rows: 0 })
    }

    pub fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows += 1;
        match self.format {
            Format::Csv => {
                let cells: Vec<String> = cells.iter().map(Cell::csv).collect();
                write_csv_row(&mut self.to, &cells.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Format::Jsonl => {
                let field = |(name, cell): (&&str, &Cell)| format!("\"{name}\":{}", cell.json());
                let fields: Vec<String> = self.columns.iter().zip(cells).map(field).collect();
                writeln!(self.to, "{{{}}}", fields.join(","))
            }
        }
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format, cells: &[Cell]) -> String {
        let mut bytes = Vec::new();
        let mut out = Out::new(&mut bytes, format, &["name", "amount", "test", "code"]).unwrap();
        out.row(cells).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_is_text() {
        for (name, cell) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2+3", "'-2+3"),
            ("+1+1", "'+1+1"),
            ("\tx", "\"'\tx\""),
            ("\rx", "\"'\rx\""),
            ("+254712345678", "+254712345678"),
            ("Jane", "Jane"),
        ] {
            let row = [name.into(), Cell::Number("-20.00".into()), true.into(), Cell::Nothing];
            assert_eq!(written(Format::Csv, &row), format!("name,amount,test,code\r\n{cell},-20.00,yes,\r\n"));
        }
    }

    #[test]
    fn programs_read_what_was_stored() {
        let row = ["=1 \"a\"\n".into(), Cell::Number("1.250".into()), false.into(), Cell::Nothing];
        let line = written(Format::Jsonl, &row);
        assert_eq!(line, "{\"name\":\"=1 \\\"a\\\"\\n\",\"amount\":1.250,\"test\":false,\"code\":null}\n");
    }
}
