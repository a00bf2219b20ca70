//! A result file as it was understood.

use crate::money::Money;

/// The fate of the money. The text is the reason as it was given, and may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Paid,
    Failed(String),
    /// It was sent, and came back.
    Returned(String),
    /// Nothing is decided yet.
    Pending,
}

/// A row about one transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The number of the row's first line in the file.
    pub at: u64,
    /// The cell that has our id of the line, alone or among other words.
    pub line: Option<String>,
    /// The id of the file that it answers.
    pub batch: Option<String>,
    pub recipient: Option<String>,
    pub amount: Option<Money>,
    pub outcome: Outcome,
    /// The sender's own number of the transfer; may be empty.
    pub reference: String,
}

/// A status that stands for every transfer of a file which has none of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    pub batch: String,
    pub outcome: Outcome,
}

/// A row that says nothing, and a sentence why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    pub at: u64,
    pub reason: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub rows: Vec<Reported>,
    pub unread: Vec<Unread>,
    pub whole: Option<Whole>,
}
