//! Batches of what is owed, paid out.

pub mod files;
pub mod results;
