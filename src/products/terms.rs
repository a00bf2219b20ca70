//! The pay of a version of terms.

use std::collections::BTreeMap;

use crate::clock::Day;
use crate::money::Rate;

/// The pay of one line of the terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pays {
    Percent(Rate),
    /// Minor units by currency.
    Flat(BTreeMap<String, i64>),
}

/// The bound of recurring commission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    None,
    /// Calendar months after the first payment's date.
    Months(i64),
    /// Payments after the first.
    Payments(i64),
}

/// A version of terms about to be made.
#[derive(Debug, Clone)]
pub struct NewTerms {
    /// `None`: from the beginning of time, like a product's first version.
    pub valid_from: Option<Day>,
    pub referral: Pays,
    pub recurring: Pays,
    pub limit: Limit,
    pub hold_days: i64,
}

impl NewTerms {
    pub fn percent(referral: Rate, recurring: Rate, hold_days: i64) -> Self {
        Self {
            valid_from: None,
            referral: Pays::Percent(referral),
            recurring: Pays::Percent(recurring),
            limit: Limit::None,
            hold_days,
        }
    }
}
