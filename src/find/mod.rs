//! One search over everything: people and codes, leads, payments and others by their id, and pages. The way in is
//! `/find`, with script in a dialog over any page.

pub mod pages;
mod store;
