//! The SQL of leads, by page.

pub mod list;
pub mod meta;
pub mod one;
