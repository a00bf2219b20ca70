//! The first run: a page that a token printed by the server opens, and never again afterwards.

pub mod pages;
