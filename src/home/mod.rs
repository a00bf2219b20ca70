//! The start page: what needs doing, then how it is going.

mod figures;
pub mod pages;
mod store;
