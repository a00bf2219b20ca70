//! Links to one trace, for somebody without an account. A link's token is drawn, shown once and stored as a hash, so
//! it can be ended, and nobody finds another trace by it.

use crate::clock::Instant;
use crate::row;
use crate::words;

words! {
    /// The things that have a trace.
    pub enum Subject {
        Commission = "commission",
        Lead = "lead",
        PayoutLine = "payout_line",
    }
}

impl Subject {
    /// The word of its address.
    pub fn path(self) -> &'static str {
        match self {
            Self::Commission => "commissions",
            Self::Lead => "leads",
            Self::PayoutLine => "payout-lines",
        }
    }

    pub fn of_path(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.path() == word)
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
        pub made_by: String,
        pub created_at: i64,
        pub expires_at: i64,
        pub ended_at: Option<i64>,
    }
}

impl LinkRow {
    pub fn works(&self, now: Instant) -> bool {
        self.ended_at.is_none() && self.expires_at > now.micros()
    }
}

/// A link about to be stored.
#[derive(Debug, Clone)]
pub struct NewLink {
    pub id: i64,
    pub business_id: i64,
    pub subject: Subject,
    pub subject_id: i64,
    pub token_hash: String,
    pub expires_at: Instant,
}
