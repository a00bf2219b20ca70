//! The last calls of every key, so that a developer sees why a call did what it did.
//!
//! A call is recorded in memory, and the calls of a second are written in one transaction, so the caller
//! never waits for it; a crash may cost the last second. For a key that calls a thousand times a second a few
//! calls are enough: calls beyond the bounds are counted instead. [`Calls`] gathers, [`tidy`] forgets.

mod gather;
pub mod pages;
mod store;
mod tidy;

pub use gather::{Call, Calls, KEPT};
pub use tidy::{DAYS, tidy};
