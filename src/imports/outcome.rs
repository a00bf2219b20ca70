//! The outcome of a row, and the number of rows by outcome.

use serde::{Deserialize, Serialize};

use super::Kind;
use super::mapping::Field;

/// The outcome of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    New,
    Updated,
    Already,
    /// An earlier row of the file brought the same person.
    Duplicate,
    UnknownCode,
    /// Rows whose e-mail or phone is unknown in the campaign.
    Unknown,
    Invalid,
}

impl Fate {
    pub const ALL: [Self; 7] =
        [Self::New, Self::Updated, Self::Already, Self::Duplicate, Self::UnknownCode, Self::Unknown, Self::Invalid];

    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Updated => "updated",
            Self::Already => "already",
            Self::Duplicate => "duplicate",
            Self::UnknownCode => "unknown_code",
            Self::Unknown => "unknown",
            Self::Invalid => "invalid",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fate| fate.word() == word)
    }

    /// True when the row belongs into the file of rows to correct.
    pub fn is_rejected(self) -> bool {
        matches!(self, Self::UnknownCode | Self::Unknown | Self::Invalid)
    }

    /// The words for the outcome of a row of this kind of file.
    pub fn label(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::New, Kind::Qualifications) => "New and qualified",
            (Self::New, _) => "New",
            (Self::Updated, Kind::Qualifications) => "Qualified",
            (Self::Updated, Kind::Leads) => "Referrer added",
            (Self::Updated, Kind::Referrers) => "Updated",
            (Self::Already, Kind::Qualifications) => "Already qualified",
            (Self::Already, _) => "Already there",
            (Self::Duplicate, _) => "Repeated in the file",
            (Self::UnknownCode, _) => "Unknown code",
            (Self::Unknown, _) => "Unknown person",
            (Self::Invalid, _) => "Invalid",
        }
    }

    /// The meaning its colour has.
    pub fn tone(self) -> &'static str {
        match self {
            Self::New | Self::Updated => "good",
            Self::Already | Self::Duplicate => "neutral",
            Self::UnknownCode | Self::Unknown => "warning",
            Self::Invalid => "bad",
        }
    }
}

/// The stored outcome of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub line: i64,
    pub fate: Fate,
    pub field: Option<Field>,
    pub reason: Option<Box<str>>,
    /// Set where the row was accepted.
    pub person: Option<Box<str>>,
    pub code_key: Option<Box<str>>,
    pub lead_id: Option<i64>,
    pub referrer_id: Option<i64>,
}

impl Verdict {
    pub fn new(line: i64, fate: Fate) -> Self {
        Self { line, fate, field: None, reason: None, person: None, code_key: None, lead_id: None, referrer_id: None }
    }

    pub fn because(line: i64, fate: Fate, field: Option<Field>, reason: impl Into<String>) -> Self {
        Self { field, reason: Some(reason.into().into()), ..Self::new(line, fate) }
    }
}

impl Verdict {
    /// With what of the row was left out, in words.
    pub fn noting(mut self, notes: &[(Field, String)]) -> Self {
        self.field = self.field.or(notes.first().map(|(field, _)| *field));
        let said = self.reason.take().map(String::from).into_iter().chain(notes.iter().map(|(_, why)| why.clone()));
        let said = said.collect::<Vec<_>>().join(" ");
        self.reason = (!said.is_empty()).then(|| said.into());
        self
    }
}

/// Rows by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub rows: i64,
    pub new: i64,
    pub updated: i64,
    pub already: i64,
    pub duplicate: i64,
    pub unknown_code: i64,
    pub unknown: i64,
    pub invalid: i64,
}

impl Counts {
    pub fn add(&mut self, fate: Fate) {
        self.rows += 1;
        *match fate {
            Fate::New => &mut self.new,
            Fate::Updated => &mut self.updated,
            Fate::Already => &mut self.already,
            Fate::Duplicate => &mut self.duplicate,
            Fate::UnknownCode => &mut self.unknown_code,
            Fate::Unknown => &mut self.unknown,
            Fate::Invalid => &mut self.invalid,
        } += 1;
    }

    pub fn of(&self, fate: Fate) -> i64 {
        match fate {
            Fate::New => self.new,
            Fate::Updated => self.updated,
            Fate::Already => self.already,
            Fate::Duplicate => self.duplicate,
            Fate::UnknownCode => self.unknown_code,
            Fate::Unknown => self.unknown,
            Fate::Invalid => self.invalid,
        }
    }

    /// Rows that changed something, or would: a lead with an unknown code is added nevertheless.
    pub fn taken(&self, kind: Kind) -> i64 {
        self.new + self.updated + if kind == Kind::Leads { self.unknown_code } else { 0 }
    }

    /// Rows for the file of rows to correct.
    pub fn rejected(&self) -> i64 {
        Fate::ALL.into_iter().filter(|fate| fate.is_rejected()).map(|fate| self.of(fate)).sum()
    }
}
