//! Links to one trace, for somebody without an account. A link's token is drawn, shown once and stored as a hash, so
//! it can be ended, and nobody finds another trace by it.

use crate::clock::Instant;
use crate::money::Currency;
use crate::row;
use crate::words;

words! {
    /// The kinds of things that have a trace.
    pub enum Subject {
        Commission = "commission",
        Lead = "lead",
        PayoutLine = "payout_line",
        /// A referrer's in one currency.
        Balance = "balance",
    }
}

/// A thing that has a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    Commission(i64),
    Lead(i64),
    PayoutLine(i64),
    /// A referrer's, in a currency.
    Balance(i64, Currency),
}

impl Thing {
    /// By the words of its address.
    pub fn of_path(word: &str, id: i64) -> Option<Self> {
        match word {
            "commissions" => Some(Self::Commission(id)),
            "leads" => Some(Self::Lead(id)),
            "payout-lines" => Some(Self::PayoutLine(id)),
            _ => None,
        }
    }

    /// Its address below `/why`.
    pub fn path(self) -> String {
        match self {
            Self::Commission(id) => format!("/why/commissions/{id}"),
            Self::Lead(id) => format!("/why/leads/{id}"),
            Self::PayoutLine(id) => format!("/why/payout-lines/{id}"),
            Self::Balance(id, currency) => format!("/why/balances/{id}/{currency}"),
        }
    }

    pub fn subject(self) -> Subject {
        match self {
            Self::Commission(_) => Subject::Commission,
            Self::Lead(_) => Subject::Lead,
            Self::PayoutLine(_) => Subject::PayoutLine,
            Self::Balance(..) => Subject::Balance,
        }
    }

    /// The referrer's id for a balance.
    pub fn id(self) -> i64 {
        match self {
            Self::Commission(id) | Self::Lead(id) | Self::PayoutLine(id) | Self::Balance(id, _) => id,
        }
    }

    pub fn currency(self) -> Option<Currency> {
        match self {
            Self::Balance(_, currency) => Some(currency),
            Self::Commission(_) | Self::Lead(_) | Self::PayoutLine(_) => None,
        }
    }
}

/// Days that a link works.
pub const DAYS: i64 = 7;

row! {
    #[derive(Debug, Clone)]
    pub struct LinkRow {
        pub id: i64,
        pub business_id: i64,
        pub subject: Subject,
        pub subject_id: i64,
        pub subject_currency: Option<Currency>,
        pub made_by: String,
        pub created_at: i64,
        pub expires_at: i64,
        pub ended_at: Option<i64>,
    }
}

impl LinkRow {
    /// None for a balance without a currency, which the database refuses.
    pub fn thing(&self) -> Option<Thing> {
        Some(match self.subject {
            Subject::Commission => Thing::Commission(self.subject_id),
            Subject::Lead => Thing::Lead(self.subject_id),
            Subject::PayoutLine => Thing::PayoutLine(self.subject_id),
            Subject::Balance => Thing::Balance(self.subject_id, self.subject_currency?),
        })
    }

    pub fn works(&self, now: Instant) -> bool {
        self.ended_at.is_none() && self.expires_at > now.micros()
    }
}

/// A link about to be stored.
#[derive(Debug, Clone)]
pub struct NewLink {
    pub id: i64,
    pub business_id: i64,
    pub thing: Thing,
    pub token_hash: String,
    pub expires_at: Instant,
}
