//! What payments and qualifications earn: the list by state, one commission's arithmetic and ledger,
//! and what staff decide. Every decision is an event of the desk.

mod arithmetic;
pub mod pages;
mod store;

pub use arithmetic::Arithmetic;
pub use store::{CommissionRow, disputed, of_lead};
