//! A transfer and its parts, in the characters of SEPA.

use super::characters::{cut, cut_words, plain};
use crate::payout_details::Address;

/// The rulebook's length, below the schema's.
pub(super) const MOST_NAME: usize = 70;

/// A transfer in the characters of SEPA. Not `Debug`: a log is no place for accounts.
pub(in crate::payouts::files) struct Transfer {
    pub(super) end_to_end: String,
    /// "20.00".
    pub(super) amount: String,
    pub(super) bic: Option<String>,
    pub(super) name: String,
    pub(super) address: Option<Postal>,
    pub(super) iban: String,
    pub(super) reference: String,
}

/// The part of an address that a file carries: structured, with at most two lines of free text.
#[derive(Clone)]
pub(super) struct Postal {
    pub(super) postcode: String,
    pub(super) town: String,
    pub(super) country: String,
    pub(super) lines: Vec<String>,
}

impl Postal {
    /// `None` without a town or a country: banks refuse such an address.
    pub(super) fn of(address: &Address) -> Option<Self> {
        let (town, country) = (cut(&address.town, 35), address.country.trim().to_ascii_uppercase());
        let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        if town.is_empty() || !is_country {
            return None;
        }
        let line = plain(&address.line);
        let first = cut_words(&line, 70);
        let rest = line.get(first.len()..).unwrap_or_default();
        let second = cut(rest.trim_start_matches([',', ' ']), 70);
        let lines = [first, second].into_iter().filter(|line| !line.is_empty()).collect();
        Some(Self { postcode: cut(&address.postcode, 16), town, country, lines })
    }
}

/// A name as a bank takes it, or the end of a sentence.
pub(super) fn name(typed: &str) -> Result<String, &'static str> {
    let name = cut(typed, MOST_NAME);
    match (typed.trim().is_empty(), name.contains(|c: char| c.is_ascii_alphanumeric())) {
        (true, _) => Err("is empty."),
        (_, false) => Err("has no letter that a bank takes."),
        (_, true) => Ok(name),
    }
}
