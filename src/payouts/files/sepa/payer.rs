//! The settings of a business for its bank.

use serde::{Deserialize, Serialize};

use super::super::problem::{Field, Problem};
use super::transfer::{Postal, name};
use crate::payout_details::{Address, iban};
use crate::words;

words! {
    /// The bank of a recipient whose BIC is not known.
    pub enum WithoutBic {
        /// Most banks look it up by the IBAN.
        LeftOut = "left_out",
        /// Some banks refuse a transfer that says nothing about it.
        NotProvided = "not_provided",
    }
}

/// The account that pays, and the habits of its bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SepaFile {
    pub name: String,
    pub iban: String,
    pub bic: Option<String>,
    /// Needed for transfers that leave the EEA.
    pub address: Option<Address>,
    /// True for one entry on the account's statement, false for one of each transfer.
    pub batch_booking: bool,
    pub without_bic: WithoutBic,
    pub rows_per_file: usize,
}

impl Default for SepaFile {
    fn default() -> Self {
        Self {
            name: String::new(),
            iban: String::new(),
            bic: None,
            address: None,
            batch_booking: true,
            without_bic: WithoutBic::LeftOut,
            rows_per_file: 10_000,
        }
    }
}

impl SepaFile {
    pub(in crate::payouts::files) fn problems(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        let mut add = |field, reason: String| found.push(Problem::new(field, reason));
        if let Err(why) = name(&self.name) {
            add(Field::PayerName, format!("The name of your account {why}"));
        }
        match iban::iban(&self.iban) {
            Err(error) => add(Field::PayerIban, error.to_string()),
            Ok(iban) if !iban::is_sepa(&iban[..2]) => {
                add(Field::PayerIban, "This IBAN is not of a SEPA country.".to_owned());
            }
            Ok(_) => {}
        }
        if let Some(Err(error)) = self.bic.as_deref().map(iban::bic) {
            add(Field::PayerBic, error.to_string());
        }
        if self.address.is_some() && self.postal().is_none() {
            add(Field::PayerTown, "An address needs at least town and country.".to_owned());
        }
        if !(1..=100_000).contains(&self.rows_per_file) {
            add(Field::RowsPerFile, "A file can have 1 to 100,000 transfers.".to_owned());
        }
        found
    }

    pub(super) fn postal(&self) -> Option<Postal> {
        self.address.as_ref().and_then(Postal::of)
    }
}
