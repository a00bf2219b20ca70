//! The faults of a file or a row, in sentences for the person who uploaded it.

use std::fmt;
use std::io;

/// Why a file cannot be read, or not to its end.
#[derive(Debug)]
pub enum TableError {
    /// There is nothing in it but perhaps blank lines.
    Empty,
    /// The file is no text.
    Binary,
    /// A well-known kind of file that is no text table.
    NotText(Lookalike),
    /// The header is there but cannot be read.
    BadHeader {
        /// Its line in the file.
        line: u64,
        /// The fault of the field.
        reason: BadReason,
    },
    /// More than `Limits::max_bytes`.
    TooManyBytes {
        /// The limit.
        limit: u64,
    },
    /// More than `Limits::max_rows`.
    TooManyRows {
        /// The limit.
        limit: u64,
    },
    /// More than `Limits::max_columns`.
    TooManyColumns {
        /// The limit.
        limit: usize,
    },
    /// The encoding or delimiter in `Choices` is none we know.
    UnknownChoice(String),
    /// The upload itself failed.
    Read(io::Error),
}

/// A kind of file that is often uploaded instead of a CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookalike {
    /// XLSX and its relatives.
    Excel,
    /// XLS, or another file of the old Office programs.
    OldExcel,
    /// ODS.
    OpenDocument,
    /// Any other ZIP archive.
    Zip,
    /// A gzip file.
    Gzip,
    /// A PDF document.
    Pdf,
}

/// Why a row cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadReason {
    /// A cell is missing, and it is unknown which.
    TooFewCells {
        /// Cells in the row.
        found: usize,
        /// Columns of the file.
        expected: usize,
    },
    /// There is something in a cell that belongs to no column.
    TooManyCells {
        /// Cells in the row, without empty ones at its end.
        found: usize,
        /// Columns of the file.
        expected: usize,
    },
    /// A cell has more than `Limits::max_cell_chars`.
    CellTooLong {
        /// Its column, from 1.
        column: usize,
        /// The limit.
        limit: usize,
    },
    /// Some bytes mean nothing in the file's encoding.
    Undecodable {
        /// The encoding.
        encoding: &'static str,
    },
    /// There is a NUL character, which no database column can hold.
    Nul,
    /// A quotation mark opens a cell and the file ends before it is closed.
    UnclosedQuote {
        /// The last line that was read into the cell.
        last_line: u64,
    },
}

impl std::error::Error for TableError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TableError::Read(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableError::Empty => f.write_str("This file is empty."),
            TableError::Binary => f.write_str("This is not a text file. Save your list as CSV and upload that."),
            TableError::NotText(kind) => kind.fmt(f),
            TableError::BadHeader { line, reason } => {
                write!(f, "The header in line {line} cannot be read. {reason}")
            }
            TableError::TooManyBytes { limit } => {
                write!(f, "This file is larger than {}, which is the limit. Split it into several files.", size(*limit))
            }
            TableError::TooManyRows { limit } => {
                write!(
                    f,
                    "This file has more than {} rows, which is the limit. Split it into several files.",
                    grouped(*limit)
                )
            }
            TableError::TooManyColumns { limit } => {
                write!(f, "This file has more than {limit} columns, which is the limit. Remove those you do not need.")
            }
            TableError::UnknownChoice(choice) => {
                write!(f, "“{}” is not an encoding or a separator we know.", choice.escape_debug())
            }
            TableError::Read(_) => f.write_str("The file could not be read to its end. Please upload it again."),
        }
    }
}

impl fmt::Display for Lookalike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lookalike::Excel => "This is an Excel file; save it as CSV and upload that.",
            Lookalike::OldExcel => "This is an old Excel or Office file; save it as CSV and upload that.",
            Lookalike::OpenDocument => "This is an OpenDocument file; save it as CSV and upload that.",
            Lookalike::Zip => "This is a ZIP archive; unpack it and upload the file that is in it.",
            Lookalike::Gzip => "This is a gzip archive; unpack it and upload the file that is in it.",
            Lookalike::Pdf => "This is a PDF document; export your list as CSV and upload that.",
        })
    }
}

impl fmt::Display for BadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadReason::TooFewCells { found, expected } => {
                write!(
                    f,
                    "This row has {}, but the file has {}.",
                    counted(*found, "cell"),
                    counted(*expected, "column")
                )
            }
            BadReason::TooManyCells { found, expected } => write!(
                f,
                "This row has {}, but the file has {}. Give every column a name, and put a cell that contains the separator in quotation marks.",
                counted(*found, "cell"),
                counted(*expected, "column"),
            ),
            BadReason::CellTooLong { column, limit } => {
                write!(
                    f,
                    "The cell in column {column} is longer than {} characters, which is the limit.",
                    grouped(*limit as u64)
                )
            }
            BadReason::Undecodable { encoding } => write!(
                f,
                "Some characters cannot be read as {encoding}. Choose another encoding, or save the file as “CSV UTF-8” and upload that.",
            ),
            BadReason::Nul => f.write_str("There is a NUL character in this row, which is not text."),
            BadReason::UnclosedQuote { last_line } => write!(
                f,
                "A quotation mark that opens here is never closed, so everything down to line {last_line} was taken for one cell.",
            ),
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn size(bytes: u64) -> String {
    match bytes {
        0 => "0 bytes".to_owned(),
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MB", grouped(bytes >> 20)),
        _ if bytes.is_multiple_of(1_000_000) => format!("{} MB", grouped(bytes / 1_000_000)),
        _ => format!("{} bytes", grouped(bytes)),
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
