//! People who refer: adding them, enrolling them in campaigns, what staff decide about them, and their
//! pages.

mod add;
mod add_many;
mod amend;
mod change;
mod enroll;
mod enroll_many;
mod enroll_set;
mod facts;
pub mod pages;
mod self_referral;
mod store;
mod timeline;
mod words;

pub use add::{Added, add, add_each};
pub use add_many::{Became, IDS_EACH, NewReferrer, add_many, preview};
pub use amend::{Amend, Amended, amend};
pub use change::{Edited, archive, edit};
pub use enroll::{Decided, Enrolled, State, decide, enroll};
pub use enroll_many::{KIND as ENROLL, Many, Wanted, enroll_many, step as enroll_step};
pub use enroll_set::{Set, enroll_each};
pub use facts::{AddReferrer, NewFacts};
pub use store::rows;
pub use store::{balances, store_words};
pub use words::{Described, asked};
