//! Why a result file was not read at all.

use std::fmt;

use crate::imports::table::TableError;

/// A bank's answer about 50,000 transfers has about 30 MB.
pub(super) const MOST_BYTES: usize = 50 << 20;

#[derive(Debug)]
pub enum ReadError {
    TooLarge,
    Table(TableError),
    /// The file has no header.
    NoHeader,
    /// A chosen column is not in the file.
    NoColumn {
        column: String,
        has: Vec<String>,
    },
    /// No column was chosen for what every row needs.
    NotChosen(&'static str),
    /// The bytes are not in the encoding that the file names.
    Encoding,
    /// No well-formed XML; the text is the reader's own.
    Xml(String),
    /// A declaration of document types, by which a few bytes can stand for gigabytes.
    Doctype,
    TooDeep,
    /// XML of another kind.
    NotPain002,
    /// A pain.002 that does not say which file it answers.
    NoMessageId,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("The file is larger than 50 MB."),
            Self::Table(error) => write!(f, "{error}"),
            Self::NoHeader => f.write_str("The first line of the file must have the names of its columns."),
            Self::NoColumn { column, has } => {
                write!(f, "The file has no column “{column}”. It has: {}.", has.join(", "))
            }
            Self::NotChosen(what) => write!(f, "Choose the column with {what}."),
            Self::Encoding => f.write_str("The file is not in the encoding that its first line names."),
            Self::Xml(error) => write!(f, "The file is damaged or no XML: {error}."),
            Self::Doctype => f.write_str("The file declares types of its own (DOCTYPE), which no bank does."),
            Self::TooDeep => f.write_str("The file has elements within elements deeper than any pain.002."),
            Self::NotPain002 => {
                f.write_str("The file is no pain.002: its first element is not that of a bank’s answer.")
            }
            Self::NoMessageId => f.write_str("The file does not say which payout it answers (OrgnlMsgId)."),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<TableError> for ReadError {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}
