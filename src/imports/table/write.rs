//! Cells back into CSV, safe to open in a spreadsheet.

use std::io::{self, Write};

/// A cell that a spreadsheet shows instead of running it: with an apostrophe in front when it begins like a
/// formula.
///
/// Formulas begin with `=`, `+`, `-` or `@`, also in full width, and some programs get there past a tab, a
/// line break, NUL, spaces, a quotation mark or a semicolon. A phone number in international form, `+` and
/// then only digits and spaces, stays unchanged: it cannot run anything, and an apostrophe would spoil it for
/// the next program. Every other `+…` gets one, `+254 (0)722` too. So does a negative amount: amounts that we
/// format ourselves need no sanitising. A cell that begins with an apostrophe before such a beginning gets another one,
/// so that [`as_it_was`] finds out which is ours.
pub fn sanitise_for_spreadsheet(cell: &str) -> String {
    let marked = cell.starts_with('\'') && begins_like_a_formula(cell.trim_start_matches('\''));
    if marked || begins_like_a_formula(cell) && !is_phone_number(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// A cell without the apostrophe of [`sanitise_for_spreadsheet`].
pub fn as_it_was(cell: &str) -> &str {
    let ours = |rest: &&str| begins_like_a_formula(rest.trim_start_matches('\''));
    cell.strip_prefix('\'').filter(ours).unwrap_or(cell)
}

fn begins_like_a_formula(cell: &str) -> bool {
    let skipped = |c: char| matches!(c, '"' | ';' | ',' | '\u{FEFF}') || (c.is_whitespace() && !c.is_control());
    cell.trim_start_matches(skipped)
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0', '−', '＝', '＋', '－', '＠'])
}

fn is_phone_number(cell: &str) -> bool {
    cell.strip_prefix('+').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit()) && rest.chars().all(|c| c.is_ascii_digit() || c == ' ')
    })
}

/// Writes one row by RFC 4180, with CRLF. Sanitise what goes to a spreadsheet first.
///
/// Cells with any usual delimiter are quoted, so that a reader who guesses the delimiter guesses right.
pub fn write_csv_row(out: &mut impl Write, cells: &[&str]) -> io::Result<()> {
    write_row(out, ',', cells)
}

/// The same with another delimiter.
pub fn write_row(out: &mut impl Write, delimiter: char, cells: &[impl AsRef<str>]) -> io::Result<()> {
    for (column, cell) in cells.iter().enumerate() {
        let cell = cell.as_ref();
        if column > 0 {
            write!(out, "{delimiter}")?;
        }
        // A row of one empty cell would be a blank line, and U+FEFF at the start of a file a byte order mark.
        let alone = cells.len() == 1 && cell.is_empty();
        if alone
            || cell.starts_with(['\u{FEFF}', ' '])
            || cell.ends_with(' ')
            || cell.contains(['"', ',', ';', '\t', '|', '\r', '\n'])
        {
            write!(out, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            out.write_all(cell.as_bytes())?;
        }
    }
    out.write_all(b"\r\n")
}
