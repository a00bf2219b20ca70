//! The inbox: events that need a person's decision, each kind with what happened and what can be done. A
//! decision and the item's end are one event of the engine.

mod closest;
mod decide;
pub mod pages;
mod store;
mod words;

pub use closest::closest;
pub use decide::{Claimant, accepting};
pub use store::rows;
pub use store::{ItemRow, by_id, open_count};
pub use words::{Fix, fix_of, words_of};
