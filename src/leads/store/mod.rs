//! The SQL of leads, by page.

pub mod list;
pub mod one;
