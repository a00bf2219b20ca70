//! People who were referred, or might be: their list and pages, and the actions of staff. Every change of a
//! lead is an event of the engine; this feature has no write of its own.

pub mod budget;
mod filter;
pub mod pages;
mod store;
mod timeline;

pub use filter::ARRIVALS;
pub use store::listed;
pub use store::meta::{Kept, set as set_meta};
