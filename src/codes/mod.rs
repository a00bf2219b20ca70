//! Codes: text that identifies one enrollment. Made, chosen, renamed and retired in one module, so that no
//! enrollment ever has two; looked up in one module, so that every surface forgives the same mistakes.

mod change;
mod generate;
mod give;
mod lookup;
mod near;
mod own;
pub mod pages;
mod store;

pub use change::{Chosen, CodeState, Moved, choose, move_to};
pub use generate::{Batch, Generated, KIND, Plan, generate_all, generate_one, plan, step};
pub use give::{Enrolled, Given, give};
pub use lookup::{How, Lookup, beginning_with, find, look_up, with_piece};
pub use near::{Near, Part, misheard};
pub use own::{Own, claim_own};
pub use store::rows;
pub use store::{CodeRow, Coverage, Known, by_id, coverage, of_enrollment};
