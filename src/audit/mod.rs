//! The actor, the action, the time and the origin of every change. Written in the transaction of the change
//! itself.

mod changes;
mod entry;
pub mod pages;
mod runs;
mod store;
mod words;

pub use changes::{Change, changes};
pub use entry::NewEntry;
pub use store::rows;
pub use store::write;
pub use words::{AUTOMATIC, tells_of_payout_details, words};
