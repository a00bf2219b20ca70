//! The files against golden ones, byte by byte, and against rules that hold for every file.

mod paypal;
pub(super) mod support;
mod table;
mod xlsx;
