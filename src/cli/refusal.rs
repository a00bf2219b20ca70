//! The end of a command.

use crate::db::DbError;

/// Done.
pub const DONE: u8 = 0;

/// The answer is no: a check failed, rows were rejected.
pub const NO: u8 = 1;

/// Wrong use, or input that cannot be used.
pub const UNUSABLE: u8 = 2;

/// Why a command ended without doing what was asked.
pub struct Refusal {
    pub code: u8,
    pub why: String,
}

impl Refusal {
    pub fn unusable(why: impl Into<String>) -> Self {
        Self { code: UNUSABLE, why: why.into() }
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        Self::unusable(error.to_string())
    }
}
