//! Reads an uploaded text file into rows, whichever program wrote it.
//!
//! Enter at [`Table::open`]: it detects encoding, delimiter and header from the first 64 KiB, then the table
//! is an iterator of [`Line`]s, each a good [`Row`] or a [`BadRow`] with its reason, numbered as a text
//! editor numbers them. Memory is bounded by [`Limits`], never by the file: bytes are decoded as they come
//! (`decode`) and cut into cells by our own splitter (`split`). The csv crate would hold a whole record, so
//! one unclosed quotation mark would pull in the file; it also ignores a lone CR as a line break. The tests
//! compare the splitter with it. [`write_csv_row`] and [`sanitise_for_spreadsheet`] write such files.

use std::io::Read;

mod decode;
mod error;
pub mod json_lines;
mod sniff;
mod split;
mod write;

#[cfg(test)]
mod tests;

pub use error::{BadReason, Lookalike, TableError};
pub use write::{as_it_was, sanitise_for_spreadsheet, write_csv_row, write_row};

use decode::{Head, Text};
use split::{Record, Splitter};

/// The limits of a file; going over any of them is an error that names the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of the file as uploaded, in bytes.
    pub max_bytes: u64,
    /// Rows below the header, bad ones included, blank lines not.
    pub max_rows: u64,
    /// Characters in one cell. A longer one makes its row bad, not the file.
    pub max_cell_chars: usize,
    /// Columns of the header, or of the first row when there is no header.
    pub max_columns: usize,
}

impl Default for Limits {
    /// 200 MB, a million rows, and per cell what a spreadsheet cell can hold.
    fn default() -> Limits {
        Limits { max_bytes: 200 << 20, max_rows: 1_000_000, max_cell_chars: 32_767, max_columns: 256 }
    }
}

/// A person's choices on the preview page. `None` means: detect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// Any label of the WHATWG encoding standard, such as `windows-1252`. A byte order mark overrules it.
    pub encoding: Option<String>,
    /// One of [`DELIMITERS`].
    pub delimiter: Option<char>,
    /// True when the first row is a header.
    pub header: Option<bool>,
}

/// The possible delimiters.
pub const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// The number of rows that [`Table::sample`] returns.
const SAMPLE_ROWS: usize = 20;

/// A row with exactly one cell per column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// 1-based number of the row's first line in the file.
    pub line: u64,
    /// The cells as written, not trimmed.
    pub cells: Vec<String>,
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// 1-based number of the row's first line in the file.
    pub line: u64,
    /// Its readable part, cut at the limits, for the file of rejected rows.
    pub cells: Vec<String>,
    /// Why it is bad; its `Display` is a sentence for the person who uploaded the file.
    pub reason: BadReason,
}

/// One row of the file, good or bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// It has one cell per column.
    Row(Row),
    /// It is to be reported and left out.
    Bad(BadRow),
}

/// An open file. Iterate over it for its rows; after an `Err` the iterator is at its end.
pub struct Table<R> {
    text: Text<R>,
    splitter: Splitter,
    first_row: Option<Record>,
    encoding_is_a_guess: bool,
    delimiter: char,
    header: Option<Vec<String>>,
    columns: Vec<String>,
    sample: Vec<Row>,
    rows: u64,
    max_rows: u64,
    done: bool,
}

impl<R: Read> Table<R> {
    /// Reads the beginning of the file and finds out what it is.
    pub fn open(reader: R, limits: &Limits) -> Result<Table<R>, TableError> {
        Table::open_with(reader, limits, &Choices::default())
    }

    /// As [`Table::open`], where a person has overruled some of what was found.
    pub fn open_with(mut reader: R, limits: &Limits, choices: &Choices) -> Result<Table<R>, TableError> {
        let head = Head::read(&mut reader, limits.max_bytes)?;
        let detected = head.detect(choices.encoding.as_deref())?;
        let opening = head.text(&detected)?;

        let declared = sniff::declared_delimiter(&opening);
        let chosen = sniff::chosen_delimiter(choices.delimiter)?.or(declared);
        let found = sniff::sniff(&opening, head.is_whole_file(), chosen, declared.is_some(), limits);

        let mut text = Text::new(head, reader, &detected, limits.max_bytes);
        let mut splitter = Splitter::new(found.delimiter, limits);
        if declared.is_some() {
            next_record(&mut text, &mut splitter)?;
        }
        let first = next_filled_record(&mut text, &mut splitter)?.ok_or(TableError::Empty)?;
        if first.filled > limits.max_columns {
            return Err(TableError::TooManyColumns { limit: limits.max_columns });
        }

        let below: Vec<&Record> = found.records.iter().filter(|record| record.line > first.line).collect();
        let mut table = Table {
            text,
            splitter,
            first_row: None,
            encoding_is_a_guess: detected.guessed,
            delimiter: char::from(found.delimiter),
            header: None,
            columns: Vec::new(),
            sample: Vec::new(),
            rows: 0,
            max_rows: limits.max_rows,
            done: false,
        };
        if choices.header.unwrap_or_else(|| sniff::is_header(&first, &below)) {
            if let Some(reason) = first.fault(table.encoding()) {
                return Err(TableError::BadHeader { line: first.line, reason });
            }
            let mut names: Vec<String> = first.cells.iter().map(|name| name.trim().to_owned()).collect();
            names.truncate(first.filled);
            table.columns = labels(&names);
            table.header = Some(names);
        } else {
            let width = sniff::usual_width(&first, &below).min(limits.max_columns);
            table.columns = labels(&vec![String::new(); width]);
            table.first_row = Some(first.clone());
        }
        table.sample = table
            .first_row
            .iter()
            .chain(below)
            .filter_map(|record| match table.judge(record.clone()) {
                Line::Row(row) => Some(row),
                Line::Bad(_) => None,
            })
            .take(SAMPLE_ROWS)
            .collect();
        Ok(table)
    }

    /// The encoding's name in the WHATWG standard: `UTF-8`, `UTF-16LE`, `windows-1252` …
    pub fn encoding(&self) -> &'static str {
        self.text.encoding()
    }

    /// True when nothing in the file proves the encoding: the preview should show names with accents and ask.
    pub fn encoding_is_a_guess(&self) -> bool {
        self.encoding_is_a_guess
    }

    /// The delimiter: one of [`DELIMITERS`].
    pub fn delimiter(&self) -> char {
        self.delimiter
    }

    /// The names in the first row, trimmed, or `None` when the first row is data. Columns without a name at the right
    /// end are left out; a row with something in them is bad.
    pub fn header(&self) -> Option<&[String]> {
        self.header.as_deref()
    }

    /// A label for each column, no two alike: the name, `Email (2)` for a name that was there before, or `Column 3`.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The first good rows, for a preview and for `Mapping::guess_without_header`. The iterator gives them again.
    pub fn sample(&self) -> &[Row] {
        &self.sample
    }

    fn next_line(&mut self) -> Result<Option<Line>, TableError> {
        let record = match self.first_row.take() {
            Some(record) => Some(record),
            None => next_filled_record(&mut self.text, &mut self.splitter)?,
        };
        let Some(record) = record else {
            return Ok(None);
        };
        if self.rows == self.max_rows {
            return Err(TableError::TooManyRows { limit: self.max_rows });
        }
        self.rows += 1;
        Ok(Some(self.judge(record)))
    }

    fn judge(&self, mut record: Record) -> Line {
        let expected = self.columns.len();
        let ragged = match () {
            () if record.filled > expected => Some(BadReason::TooManyCells { found: record.filled, expected }),
            () if record.count < expected => Some(BadReason::TooFewCells { found: record.count, expected }),
            () => None,
        };
        match record.fault(self.encoding()).or(ragged) {
            Some(reason) => Line::Bad(BadRow { line: record.line, cells: record.cells, reason }),
            None => {
                record.cells.truncate(expected);
                Line::Row(Row { line: record.line, cells: record.cells })
            }
        }
    }
}

impl<R: Read> Iterator for Table<R> {
    type Item = Result<Line, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.next_line().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

fn next_record<R: Read>(text: &mut Text<R>, splitter: &mut Splitter) -> Result<Option<Record>, TableError> {
    loop {
        let bytes = text.fill()?;
        if bytes.is_empty() {
            return Ok(splitter.finish());
        }
        let (used, record) = splitter.push(bytes);
        text.consume(used);
        if record.is_some() {
            return Ok(record);
        }
    }
}

fn next_filled_record<R: Read>(text: &mut Text<R>, splitter: &mut Splitter) -> Result<Option<Record>, TableError> {
    while let Some(record) = next_record(text, splitter)? {
        if !record.is_blank() {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

fn labels(names: &[String]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::with_capacity(names.len());
    for (column, name) in names.iter().enumerate() {
        let plain = if name.is_empty() { format!("Column {}", column + 1) } else { name.clone() };
        let mut label = plain.clone();
        let mut times = 1;
        // A later column whose own name is "Email (2)" keeps it.
        while labels.contains(&label) || (times > 1 && names.contains(&label)) {
            times += 1;
            label = format!("{plain} ({times})");
        }
        labels.push(label);
    }
    labels
}
