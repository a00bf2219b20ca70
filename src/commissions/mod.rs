//! Commissions of payments and qualifications: the list by state, one commission's arithmetic and ledger, and
//! the decisions of staff. Every decision is an event of the engine.

mod arithmetic;
pub mod pages;
mod store;

pub use arithmetic::Arithmetic;
pub use store::rows;
pub use store::{CommissionRow, DecisionRow, by_id, decisions, disputed, of_lead};
