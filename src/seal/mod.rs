//! Seals ledger entries, audit entries and versions of terms into chains of SHA-256, three per business: one that is
//! changed, removed or inserted breaks its chain.
//!
//! A transaction records the digests of its entries in one row, a [`Note`], because a chain would make every
//! writer wait for the one before. [`run`] puts the notes into the chain within a minute, in the order of
//! their ids, under `Key::Seal`: a seal covers the one before it and the note. [`verify`] proves a chain, and
//! the `chains` table remembers its end, so that notes missing at the end are noticed.

mod note;
mod run;
mod store;
mod verify;

pub use note::{Agreed, Audited, Chain, Posted, note};
pub use run::run;
pub use verify::{Verified, verify};
