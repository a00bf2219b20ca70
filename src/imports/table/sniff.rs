//! Detects the delimiter and the header from the first rows, weighed as a person would.

use super::super::mapping::{Field, looks_like_code, looks_like_email};
use super::error::TableError;
use super::split::{Record, Splitter};
use super::{DELIMITERS, Limits};

/// As many rows as are looked at.
const ROWS: usize = 200;

/// The delimiter and the first rows cut by it.
pub(super) struct Sniffed {
    pub(super) delimiter: u8,
    pub(super) records: Vec<Record>,
}

/// Excel's own first line, `sep=;`, which is no row, in quotation marks or not.
pub(super) fn declared_delimiter(text: &[u8]) -> Option<u8> {
    // Some programs quote it, as they quote every cell.
    let (text, quoted) = text.strip_prefix(b"\"").map_or((text, false), |text| (text, true));
    let [s, e, p, b'=', delimiter, rest @ ..] = text else { return None };
    let rest = if quoted { rest.strip_prefix(b"\"")? } else { rest };
    let is_line = [s, e, p].map(u8::to_ascii_lowercase) == *b"sep" && matches!(rest, [b'\r' | b'\n', ..]);
    Some(*delimiter).filter(|delimiter| is_line && DELIMITERS.contains(&char::from(*delimiter)))
}

/// A person's choice, if it is a delimiter.
pub(super) fn chosen_delimiter(choice: Option<char>) -> Result<Option<u8>, TableError> {
    match choice {
        None => Ok(None),
        Some(choice) => match u8::try_from(choice) {
            Ok(byte) if DELIMITERS.contains(&choice) => Ok(Some(byte)),
            _ => Err(TableError::UnknownChoice(choice.to_string())),
        },
    }
}

/// Tries every delimiter on the beginning of the text, or only the known one, and chooses the best.
pub(super) fn sniff(text: &[u8], whole_file: bool, known: Option<u8>, skip_first: bool, limits: &Limits) -> Sniffed {
    let cut = |delimiter: u8| Sniffed { delimiter, records: records(text, whole_file, delimiter, skip_first, limits) };
    let mut best = cut(known.unwrap_or(b','));
    if known.is_none() {
        for other in [b';', b'\t', b'|'].map(cut) {
            if score(&other.records) > score(&best.records) {
                best = other;
            }
        }
    }
    best
}

fn records(text: &[u8], whole_file: bool, delimiter: u8, skip_first: bool, limits: &Limits) -> Vec<Record> {
    let mut splitter = Splitter::new(delimiter, limits);
    let mut records = Vec::new();
    let mut rest = text;
    let mut skip = skip_first;
    while records.len() < ROWS {
        let (used, record) = splitter.push(rest);
        rest = &rest[used..];
        // The last row counts if it is whole, or if there is no other to go by.
        let last = record.is_none();
        let record = match record {
            None if whole_file || records.is_empty() => splitter.finish(),
            record => record,
        };
        if let Some(record) = record
            && !std::mem::take(&mut skip)
            && !record.is_blank()
        {
            records.push(record);
        }
        if last {
            break;
        }
    }
    records
}

/// Cells of the first row that make sense, then the share of rows with the same number of cells, then that number.
fn score(records: &[Record]) -> (usize, usize, usize) {
    let Some(first) = records.first() else {
        return (0, 0, 0);
    };
    let width = most_common_count(records.iter());
    if width < 2 {
        return (0, 0, 0);
    }
    let sense = first.cells.iter().filter(|cell| Field::guess(cell).is_some() || looks_like_email(cell.trim())).count();
    let regular = records.iter().filter(|record| record.count == width && !record.stray_quote).count();
    (sense, regular * 1000 / records.len(), width)
}

fn most_common_count<'a>(records: impl Iterator<Item = &'a Record>) -> usize {
    let mut counts: Vec<usize> = records.map(|record| record.count).collect();
    counts.sort_unstable();
    counts.chunk_by(|a, b| a == b).max_by_key(|same| same.len()).map_or(0, |same| same[0])
}

/// The number of columns of a file without a header.
pub(super) fn usual_width(first: &Record, below: &[&Record]) -> usize {
    most_common_count(std::iter::once(first).chain(below.iter().copied())).max(1)
}

/// A first row with an e-mail address is data; one with more known names than figures is a header; one with
/// figures, or with a code above more codes, is data. Every other one counts as a header with unknown names.
pub(super) fn is_header(first: &Record, below: &[&Record]) -> bool {
    let cells = || first.cells.iter().map(|cell| cell.trim());
    if cells().any(looks_like_email) {
        return false;
    }
    // "Referral" is a column, and a source as well: `Jane Smith,+254722000001,Referral`.
    let names = cells().filter(|cell| Field::guess(cell).is_some()).count();
    let figures = cells().filter(|cell| looks_like_figure(cell)).count();
    if names > 0 || figures > 0 {
        return names > figures;
    }
    let above_codes = |column: usize| {
        let cells = below.iter().filter_map(|record| record.cells.get(column)).map(|cell| cell.trim());
        let filled: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
        filled.iter().filter(|cell| looks_like_code(cell)).count() * 5 >= filled.len() * 4
    };
    !cells().enumerate().any(|(column, cell)| looks_like_code(cell) && above_codes(column))
}

/// A number, an amount, a date or a phone number.
fn looks_like_figure(cell: &str) -> bool {
    cell.contains(|c: char| c.is_ascii_digit()) && !cell.contains(|c: char| c.is_alphabetic())
}
