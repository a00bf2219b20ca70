//! The SQL of leads, by page.

pub mod list;
pub mod listed;
pub mod meta;
pub mod one;
pub mod rows;
pub mod touches;
