//! Builds every counter anew from the rows it counts, and the copies that lists sort by, while nodes run.
//!
//! A row and its counters are written by one transaction, so in every snapshot the rows less the counters are
//! the error, whatever is written before or after. Writers need not wait: the error is read from one snapshot and
//! added later, in a slot that recounts alone write. [`Key::Recount`] and the number of a recount see to it that a
//! second recount takes over from the first: without that, both would add the same error.

mod copies;
mod expected;
mod run;
mod store;

pub use run::{Corrected, Recount, Refused, run};
