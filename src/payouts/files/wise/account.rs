//! Accounts in Wise's columns, which depend on the currency.

use crate::imports::table::sanitise_for_spreadsheet;
use crate::money::Currency;
use crate::payout_details::{WiseAccount, WiseNumber};
use crate::payouts::files::cells::one_line;
use crate::payouts::files::problem::{Field, Problem};
use crate::payouts::files::row::Row;

/// The columns behind those that every currency has.
pub(super) fn columns(currency: Currency) -> &'static [&'static str] {
    match currency.code() {
        "GBP" => &["sortCode", "accountNumber"],
        "AUD" => &["bsbCode", "accountNumber"],
        "USD" => &[
            "abartn",
            "accountNumber",
            "accountType",
            "addressCountryCode",
            "addressCity",
            "addressFirstLine",
            "addressPostCode",
        ],
        _ => &["IBAN"],
    }
}

pub(super) fn cells(to: &WiseAccount, row: &Row<'_>) -> Result<Vec<String>, Problem> {
    let (person, currency) = (row.person(), row.amount.currency.code());
    if !to.currency.trim().eq_ignore_ascii_case(currency) {
        let reason = format!("{person}’s account at Wise is in {}, and this payout in {currency}.", to.currency.trim());
        return Err(Problem::new(Field::Currency, reason));
    }
    let by_country = matches!(currency, "GBP" | "AUD" | "USD");
    let cells: Vec<&str> = match (&to.number, currency) {
        (WiseNumber::SortCode { sort_code, account_number }, "GBP") => vec![sort_code, account_number],
        (WiseNumber::Bsb { bsb_code, account_number }, "AUD") => vec![bsb_code, account_number],
        (WiseNumber::Aba { abartn, account_number, account_type, address }, "USD") => {
            let address = [&address.country, &address.town, &address.line, &address.postcode].map(String::as_str);
            [[abartn, account_number, account_type.word()].as_slice(), &address].concat()
        }
        (WiseNumber::Iban { iban }, _) if !by_country => vec![iban],
        _ => {
            let reason = format!("{person}’s account has no number of the kind that {currency} is sent to.");
            return Err(Problem::new(Field::Account, reason));
        }
    };
    if cells.first().is_some_and(|cell| cell.trim().is_empty()) {
        return Err(Problem::new(Field::Account, format!("The account number of {person} is empty.")));
    }
    Ok(cells.into_iter().map(|cell| sanitise_for_spreadsheet(&one_line(cell))).collect())
}

/// One text of the two cells that say where an account is.
pub(super) fn shown(cells: &[String]) -> String {
    cells.iter().take(2).rev().cloned().collect::<Vec<_>>().join(" / ")
}
