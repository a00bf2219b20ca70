//! The first run: a page opened by a token that the server prints, once.

pub mod pages;
