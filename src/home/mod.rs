//! The start page: what needs doing, then how it is going.

mod figures;
mod pages;
mod store;

pub use pages::routes;
