//! Tags and notes: what staff put down about leads and referrers. A tag is a word that many share, a note is a
//! text about one. Neither changes attribution or money.

mod change;
pub mod pages;
mod store;
mod subject;

pub use change::{Tagged, note, tag};
pub use store::{Note, all_tags, merge, notes_of, tags_of};
pub use subject::{NOTE, Subject, TAG, TAGS};
