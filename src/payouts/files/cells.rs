//! Texts of cells.

use super::marks::DecimalMark;
use super::problem::{Field, Problem};
use crate::imports::table::sanitise_for_spreadsheet;
use crate::money::Money;

pub(super) fn decimal(amount: Money, mark: DecimalMark) -> String {
    match mark {
        DecimalMark::Point => amount.plain(),
        DecimalMark::Comma => amount.plain().replace('.', ","),
    }
}

/// A text that must be in the file as it is; `what` begins the sentence of a refusal.
pub(super) fn safe(text: &str, field: Field, what: &str) -> Result<String, Problem> {
    let text = one_line(text);
    if text.is_empty() {
        return Err(Problem::new(field, format!("{what} is empty.")));
    }
    // An apostrophe in front would make it another name or another account.
    if sanitise_for_spreadsheet(&text) != text {
        let reason = format!("{what} begins like a formula, so no file can carry it safely.");
        return Err(Problem::new(field, reason));
    }
    Ok(text)
}

/// A text on one line, without control characters.
pub(super) fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_whitespace() || c.is_control();
    text.split(breaks).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
