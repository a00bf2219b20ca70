//! The thing that is tagged or noted, and how much of it there may be.

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
