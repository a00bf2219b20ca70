//! Tags and notes: what staff put down about leads and referrers. A tag is a word that many share, a note is a
//! text about one. Neither changes attribution or money.

mod change;
pub mod pages;
mod store;

pub use change::{Tagged, note, tag};
pub use store::{Note, all_tags, merge, notes_of, tags_of};

/// Characters of a tag, at most.
pub const TAG: usize = 40;
/// Tags of one lead or referrer, at most.
pub const TAGS: usize = 20;
/// Characters of a note, at most.
pub const NOTE: usize = 2_000;

/// The thing that is tagged, or that a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Lead,
    Referrer,
}

impl Subject {
    /// The word of it in the audit.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Referrer => "referrer",
        }
    }

    /// The path of its pages.
    pub fn path(self) -> &'static str {
        match self {
            Self::Lead => "/leads",
            Self::Referrer => "/referrers",
        }
    }
}
