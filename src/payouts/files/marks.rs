//! The marks of a file of cells.

use crate::words;

words! {
    /// The mark before the decimals, as the country of the payer's account writes it.
    pub enum DecimalMark { Point = "point", Comma = "comma" }
}

words! {
    /// The mark between two cells.
    pub enum Delimiter { Comma = "comma", Semicolon = "semicolon", Tab = "tab" }
}

impl Delimiter {
    pub(super) const fn mark(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Tab => '\t',
        }
    }
}
