//! The engine of attribution and money through its own door, on both databases.

pub mod codes;
mod contacts;
mod disputes;
mod ledger;
mod life;
mod merges;
mod names;
mod payments;
mod qualification;
mod refunds;
mod sign_ups;
mod sums;
