//! Finding any piece of a text in a million rows, in the order and with the filters of a list.
//!
//! The index is our own, the same on both databases: *segments*, each of up to 65,536 rows of one scope (a
//! campaign's leads, a business's referrers, a campaign's codes), say which three characters stand in which
//! of their rows. A segment is written once, in one go; a change of a row's text puts it into the
//! *queue* in the same transaction, and [`feed`] writes what waits a moment later. What waits is looked at row by
//! row, so an answer is always of now. A candidate is always looked at itself before it is an answer:
//! the index may name too many rows and never too few.
//!
//! [`page`] is the way in: a [`Listing`](crate::db::Listing) with its filters, order and place, and a [`Needle`].

mod candidates;
mod feed;
mod find;
mod grams;
mod needle;
mod proof;
mod store;
mod walk;

pub use feed::{is_due, turn};
pub use find::{Ask, Found, Total, page};
pub use needle::Needle;
pub use proof::prove;
pub use store::enqueue;

/// What kind of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Lead,
    TestLead,
    Referrer,
    Code,
}

/// Whose rows, and which, as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope(i64);

impl Scope {
    pub fn leads(campaign_id: i64, test: bool) -> Self {
        Self(campaign_id * 4 + i64::from(test))
    }

    pub fn referrers(business_id: i64) -> Self {
        Self(business_id * 4 + 2)
    }

    pub fn codes(campaign_id: i64) -> Self {
        Self(campaign_id * 4 + 3)
    }

    pub fn number(self) -> i64 {
        self.0
    }

    fn owner(self) -> i64 {
        self.0 / 4
    }

    fn kind(self) -> Kind {
        match self.0 % 4 {
            0 => Kind::Lead,
            1 => Kind::TestLead,
            2 => Kind::Referrer,
            _ => Kind::Code,
        }
    }
}
