//! SEPA credit transfers as a file for a bank: pain.001.001.09, in the form that banks have taken since 15 November
//! 2026. The schema catches little of what banks refuse, so [`fit`] checks the rest: characters, amounts, IBANs,
//! addresses. The file has no element that a bank may refuse and none needs.

mod characters;
mod document;
mod payer;
#[cfg(test)]
mod tests;
mod transfer;

pub(super) use characters::cut_words;
pub(super) use document::{begin, end, transfer};
pub use payer::{SepaFile, WithoutBic};
pub(super) use transfer::Transfer;

use self::transfer::{Postal, name};
use super::fitted::{Content, Fitted};
use super::line::sent;
use super::problem::{Field, Problem};
use super::row::{Row, Shown};
use crate::payout_details::{AccountNumber, BankAccount, Details, iban};
use crate::places::country_name;

const MOST_REFERENCE: usize = 140;
/// 999,999,999.99.
const MOST_CENTS: i64 = 99_999_999_999;
/// Members of the EEA; a transfer to any other country of SEPA needs the addresses of both sides.
const EEA: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT",
    "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

pub(super) fn fit(payer: &SepaFile, row: &Row<'_>) -> Result<Fitted, Problem> {
    let Details::Bank(account) = row.details else { return Err(Problem::method(row, "bank transfers in SEPA")) };
    let person = row.person();
    let AccountNumber::Iban { iban: number, bic } = &account.number else {
        let reason = format!("{person} has an account without an IBAN, and SEPA pays to IBANs only.");
        return Err(Problem::new(Field::Account, reason));
    };
    let amount = row.amount;
    if amount.currency.code() != "EUR" {
        let reason = format!("{person} is owed {}, and SEPA transfers are in EUR only.", amount.shown());
        return Err(Problem::new(Field::Currency, reason));
    }
    if amount.minor > MOST_CENTS {
        let reason = format!("{person} is owed {}, and a SEPA transfer is at most 999,999,999.99 EUR.", amount.shown());
        return Err(Problem::new(Field::Amount, reason));
    }
    let number = iban::iban(number)
        .map_err(|error| Problem::new(Field::Account, format!("The IBAN of {person} is wrong. {error}")))?;
    let country = number.get(..2).unwrap_or_default();
    if !iban::is_sepa(country) {
        let reason = format!("The IBAN of {person} is of {}, which is no country of SEPA.", country_name(country));
        return Err(Problem::new(Field::Account, reason));
    }
    let bic = bic.as_deref().map(str::trim).filter(|bic| !bic.is_empty()).map(|bic| {
        let wrong = |error| Problem::new(Field::Bic, format!("The BIC of {person} is wrong. {error}"));
        iban::bic(bic).map_err(wrong)
    });
    let bic = bic.transpose()?;
    let name = name(&account.holder)
        .map_err(|why| Problem::new(Field::Name, format!("The name of {person}’s account {why}")))?;
    let address = address(payer, account, country, person)?;
    let reference = cut_words(row.note, MOST_REFERENCE);
    let shown = Shown { name: name.clone(), account: number.clone(), reference: reference.clone() };
    let end_to_end = sent(row.line);
    let transfer = Transfer { end_to_end, amount: amount.plain(), bic, name, address, iban: number, reference };
    Ok(Fitted { shown, content: Content::Transfer(Box::new(transfer)) })
}

fn address(payer: &SepaFile, to: &BankAccount, country: &str, person: &str) -> Result<Option<Postal>, Problem> {
    // Inside the EEA none is needed, and what is not in the file cannot be refused.
    if EEA.contains(&country) {
        return Ok(None);
    }
    let country = country_name(country);
    if payer.postal().is_none() {
        let reason =
            format!("A transfer to {country}, as to {person}, needs your own address in the settings for SEPA.");
        return Err(Problem::new(Field::PayerTown, reason));
    }
    let address = to.address.as_ref().and_then(Postal::of);
    let reason = || format!("A transfer to {country} needs the address of {person}, at least town and country.");
    address.map(Some).ok_or_else(|| Problem::new(Field::Address, reason()))
}
