//! The meaning of a report's columns and statuses: proposed by their names, chosen once by a person, then stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::words;

words! {
    /// The meaning of a status.
    pub enum Meaning {
        Paid = "paid",
        Failed = "failed",
        Returned = "returned",
        Pending = "pending",
        /// Rows with it are about something else, such as a deposit.
        Ignored = "ignored",
    }
}

/// The names of the columns, as the report's header has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Columns {
    pub status: Option<String>,
    /// Our id of the line, alone or in a reference.
    pub line: Option<String>,
    pub recipient: Option<String>,
    pub amount: Option<String>,
    pub currency: Option<String>,
    /// The sender's own number of the transfer.
    pub reference: Option<String>,
    pub reason: Option<String>,
}

/// A person's choices for the reports of one sender.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    pub columns: Columns,
    /// Statuses whose meaning differs from the usual one, or that are not known; in lower case, letters and digits alone.
    pub statuses: BTreeMap<String, Meaning>,
}

impl Columns {
    /// Every chosen column.
    fn chosen(&self) -> impl Iterator<Item = &String> {
        let Self { status, line, recipient, amount, currency, reference, reason } = self;
        [status, line, recipient, amount, currency, reference, reason].into_iter().flatten()
    }

    /// Takes every column that `other` names.
    pub fn take(&mut self, other: Self) {
        let Self { status, line, recipient, amount, currency, reference, reason } = self;
        let theirs =
            [other.status, other.line, other.recipient, other.amount, other.currency, other.reference, other.reason];
        for (own, other) in [status, line, recipient, amount, currency, reference, reason].into_iter().zip(theirs) {
            if other.is_some() {
                // A column has one meaning.
                *own = other;
            }
        }
    }

    /// True where a file has every chosen column.
    pub fn are_in(&self, header: &[String]) -> bool {
        self.chosen().all(|name| header.contains(name))
    }
}

/// Names of columns, the likeliest first. Capitals, spaces and marks do not count.
const STATUS: &[&str] = &["status", "transactionstatus", "payoutstatus", "state"];
const LINE: &[&str] = &[
    "line",
    "lineid",
    "senderitemid",
    "customerid",
    "uniqueid",
    "customnumber",
    "paymentreference",
    "reference",
    "note",
    "subject",
];
const RECIPIENT: &[&str] = &[
    "recipient",
    "receiver",
    "recipientemail",
    "recipientidentifier",
    "toemailaddress",
    "email",
    "emailaddress",
    "targetname",
    "payee",
    "name",
];
const AMOUNT: &[&str] =
    &["amount", "gross", "paymentamount", "payoutamount", "targetamountafterfees", "targetamount", "transactionamount"];
const CURRENCY: &[&str] = &["currency", "currencycode", "targetcurrency", "transactioncurrency"];
const REFERENCE: &[&str] = &["transactionid", "payoutitemid", "transferid", "paymentid", "id"];
const REASON: &[&str] =
    &["reason", "errormessage", "error", "failurereason", "statusreason", "reasoncode", "errorname"];

const USUAL: [(Meaning, &[&str]); 4] = [
    (Meaning::Paid, &["success", "succeeded", "completed", "complete", "paid", "claimed", "outgoingpaymentsent"]),
    (
        Meaning::Failed,
        &["failed", "denied", "blocked", "cancelled", "canceled", "rejected", "declined", "error", "expired"],
    ),
    (Meaning::Returned, &["returned", "refunded", "reversed", "bouncedback", "chargedback", "fundsrefunded"]),
    (
        Meaning::Pending,
        &[
            "pending",
            "unclaimed",
            "onhold",
            "held",
            "processing",
            "inprogress",
            "new",
            "waiting",
            "incomingpaymentwaiting",
            "fundsconverted",
        ],
    ),
];

/// Letters and digits in lower case: "On Hold" and "ON_HOLD" are one status.
fn key(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Reading {
    /// The likely meaning of a report's columns. No column gets two.
    pub fn proposed(header: &[String]) -> Self {
        let mut free: Vec<(String, &String)> = header.iter().map(|name| (key(name), name)).collect();
        let mut take = |names: &[&str]| {
            let at = names.iter().find_map(|name| free.iter().position(|(key, _)| key == name))?;
            Some(free.remove(at).1.clone())
        };
        let columns = Columns {
            status: take(STATUS),
            line: take(LINE),
            recipient: take(RECIPIENT),
            amount: take(AMOUNT),
            currency: take(CURRENCY),
            reference: take(REFERENCE),
            reason: take(REASON),
        };
        Self { columns, statuses: BTreeMap::new() }
    }

    /// The meaning of a status: the chosen one, else the usual one; `None` for an unknown word.
    pub fn meaning(&self, status: &str) -> Option<Meaning> {
        let key = key(status);
        let usual = || USUAL.iter().find(|(_, words)| words.contains(&key.as_str())).map(|(meaning, _)| *meaning);
        self.statuses.get(&key).copied().or_else(usual)
    }

    /// Remembers what a person says of a status.
    pub fn choose(&mut self, status: &str, meaning: Meaning) {
        self.statuses.insert(key(status), meaning);
    }
}
