//! People who were referred, or might be: their list and pages, and the actions of staff. Every change of a
//! lead is an event of the engine; this feature has no write of its own.

pub mod budget;
pub mod fields;
mod filter;
pub mod pages;
mod store;
pub mod timeline;

pub use filter::{ARRIVALS, Filter};
pub use store::TEXTS;
pub use store::meta::{MetaSet, set as set_meta};
pub use store::rows::LeadRow;
pub use store::{list as lists, listed, one, rows, touches};
