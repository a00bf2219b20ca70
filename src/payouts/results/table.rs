//! Reports as a table: CSV in any delimiter and encoding, with a header.

use std::collections::BTreeMap;

use super::columns::{Meaning, Reading};
use super::error::{MOST_BYTES, ReadError};
use super::report::{Outcome, Report, Reported, Unread};
use crate::imports::table::{Choices, Limits, Line, Row, Table};
use crate::money::{Currency, Money};

/// A file as the page shows it that asks for the meaning of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub header: Vec<String>,
    /// The first rows.
    pub sample: Vec<Vec<String>>,
    pub proposed: Reading,
    /// Every status in the proposed column, with its rows and its meaning, if that is known.
    pub statuses: Vec<(String, usize, Option<Meaning>)>,
}

/// More statuses than any sender has: the column is another one.
const MOST_STATUSES: usize = 50;

fn open(bytes: &[u8]) -> Result<Table<&[u8]>, ReadError> {
    let limits = Limits { max_bytes: MOST_BYTES as u64, ..Limits::default() };
    let choices = Choices { header: Some(true), ..Choices::default() };
    let table = Table::open_with(bytes, &limits, &choices)?;
    if table.header().is_some_and(|names| names.iter().any(|name| !name.is_empty())) {
        Ok(table)
    } else {
        Err(ReadError::NoHeader)
    }
}

/// Shows what is in a report, read by `chosen` or by the proposal.
///
/// # Errors
/// [`ReadError`].
pub fn look(bytes: &[u8], chosen: Option<&Reading>) -> Result<Look, ReadError> {
    let table = open(bytes)?;
    let header = table.columns().to_vec();
    let sample = table.sample().iter().map(|row| row.cells.clone()).collect();
    let proposed = chosen.cloned().unwrap_or_else(|| Reading::proposed(&header));
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    if let Some(at) = proposed.columns.status.as_ref().and_then(|name| header.iter().position(|has| has == name)) {
        for line in table {
            if let Line::Row(row) = line?
                && (found.len() < MOST_STATUSES || found.contains_key(row.cells[at].trim()))
            {
                *found.entry(row.cells[at].trim().to_owned()).or_default() += 1;
            }
        }
    }
    let meaning = |(status, rows): (String, usize)| {
        let meaning = proposed.meaning(&status);
        (status, rows, meaning)
    };
    let statuses = found.into_iter().map(meaning).collect();
    Ok(Look { header, sample, proposed, statuses })
}

/// Reads a report by what a person chose. A row without a currency of its own is in the payout's.
///
/// # Errors
/// [`ReadError`]; a bad row is [`Report::unread`] and leaves the others as they are.
pub fn table(bytes: &[u8], reading: &Reading, currency: Currency) -> Result<Report, ReadError> {
    let table = open(bytes)?;
    let places = Places::of(reading, table.columns())?;
    let mut report = Report::default();
    for line in table {
        match line? {
            Line::Bad(bad) => report.unread.push(Unread { at: bad.line, reason: bad.reason.to_string() }),
            Line::Row(row) => match places.read(&row, reading, currency) {
                Ok(Some(reported)) => report.rows.push(reported),
                Ok(None) => {}
                Err(reason) => report.unread.push(Unread { at: row.line, reason }),
            },
        }
    }
    Ok(report)
}

/// The chosen columns by their number.
struct Places {
    status: usize,
    line: Option<usize>,
    recipient: Option<usize>,
    amount: Option<usize>,
    currency: Option<usize>,
    reference: Option<usize>,
    reason: Option<usize>,
}

impl Places {
    fn of(reading: &Reading, header: &[String]) -> Result<Self, ReadError> {
        let place = |name: &Option<String>| {
            let Some(name) = name else { return Ok(None) };
            let missing = || ReadError::NoColumn { column: name.clone(), has: header.to_vec() };
            header.iter().position(|has| has == name).map(Some).ok_or_else(missing)
        };
        let columns = &reading.columns;
        let places = Self {
            status: place(&columns.status)?.ok_or(ReadError::NotChosen("the status"))?,
            line: place(&columns.line)?,
            recipient: place(&columns.recipient)?,
            amount: place(&columns.amount)?,
            currency: place(&columns.currency)?,
            reference: place(&columns.reference)?,
            reason: place(&columns.reason)?,
        };
        match (places.line, places.recipient, places.amount) {
            (Some(_), ..) | (_, Some(_), Some(_)) => Ok(places),
            _ => Err(ReadError::NotChosen("our id of the line, or those with recipient and amount")),
        }
    }

    /// `None` for a row about something else; an error is a sentence.
    fn read(&self, row: &Row, reading: &Reading, currency: Currency) -> Result<Option<Reported>, String> {
        let cell = |at: Option<usize>| at.map(|at| row.cells[at].trim()).filter(|cell| !cell.is_empty());
        let status = cell(Some(self.status)).ok_or("The row has no status.")?;
        let reason = cell(self.reason).unwrap_or_default().to_owned();
        let outcome = match reading.meaning(status) {
            Some(Meaning::Paid) => Outcome::Paid,
            Some(Meaning::Failed) => Outcome::Failed(reason),
            Some(Meaning::Returned) => Outcome::Returned(reason),
            Some(Meaning::Pending) => Outcome::Pending,
            Some(Meaning::Ignored) => return Ok(None),
            None => return Err(format!("The status “{status}” is not known: choose what it means.")),
        };
        let currency = match cell(self.currency) {
            Some(code) => Currency::parse(code).map_err(|error| format!("“{code}” {error}."))?,
            None => currency,
        };
        let amount = cell(self.amount).map(|text| amount(text, currency)).transpose()?;
        let text = |at| cell(at).map(str::to_owned);
        Ok(Some(Reported {
            at: row.line,
            line: text(self.line),
            batch: None,
            recipient: text(self.recipient),
            amount,
            outcome,
            reference: text(self.reference).unwrap_or_default(),
        }))
    }
}

/// An account's report writes what leaves it with a minus sign.
fn amount(text: &str, currency: Currency) -> Result<Money, String> {
    let size = text.trim_start_matches(['-', '\u{2212}']).trim();
    Money::from_text(size, currency).map_err(|error| format!("The amount “{text}” {error}."))
}
