//! Finds any piece of a text in a million rows, in the order and with the filters of a list.
//!
//! The index is our own, the same on both databases: *segments*, each of up to 65,536 rows of one scope (a
//! campaign's leads, a business's referrers, a campaign's codes), hold the three-character grams of each of
//! their rows: of the person, and of the codes that are theirs. A segment is written once, in one go; a change of a row's text puts it into the *queue* in the
//! same transaction, and [`feed`] writes the queue a moment later. Waiting rows are examined one by one, so
//! an answer is always up to date. A candidate is always examined before it is an answer: the index may name
//! too many rows and never too few.
//!
//! [`page`] is the way in: a [`Listing`](crate::db::Listing) with its filters, order and position, and a
//! [`Needle`].

mod candidates;
mod feed;
mod find;
mod grams;
mod near;
mod needle;
mod proof;
mod scope;
mod store;
mod walk;

pub use feed::{is_due, run};
pub use find::{Ask, Found, Total, every, page, some};
pub use near::{Near, meant, near};
pub use needle::{Needle, Place, Texts};
pub use proof::prove;
pub use scope::{Kind, Scope};
pub use store::{enqueue, enqueue_codes};
