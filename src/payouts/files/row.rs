//! The contents of a file: its head, and a row for each line of the payout.

use super::format::Format;
use crate::clock::{Day, Instant};
use crate::money::{Currency, Money};
use crate::payout_details::Details;

/// A line of the payout. Not `Debug`: a log is no place for accounts.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// Our id of the line, by which results find it again: at most 20 of `[a-z0-9_]`.
    pub line: &'a str,
    /// The referrer's name; the holder of an account may have another one, which the details say.
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub details: &'a Details,
    pub amount: Money,
    /// For the recipient: "Acme referral commission, payout 12".
    pub note: &'a str,
}

impl Row<'_> {
    /// A name for sentences about the row.
    pub(super) fn person(&self) -> &str {
        let name = self.name.trim();
        if name.is_empty() { self.email.unwrap_or(self.line) } else { name }
    }
}

/// A row as it will be sent. Not `Debug`: a log is no place for accounts.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    pub name: String,
    pub account: String,
    pub reference: String,
}

/// The part of a file that is said once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The name of the batch, "refdesk-12": letters, digits and dashes, at most 30.
    pub id: String,
    pub rows: usize,
    /// The sum of the rows, in minor units.
    pub total: i64,
    pub currency: Currency,
    /// When the payout was locked, so that the same payout gives the same bytes on any day.
    pub created: Instant,
    /// The day on which the bank is to pay.
    pub execution: Day,
}

impl Head {
    pub fn file_name(&self, format: Format) -> String {
        format!("{}.{}", self.id, format.extension())
    }
}
