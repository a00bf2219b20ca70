//! The settings of a business for each format, as they are stored.

use std::mem;

use serde::{Deserialize, Serialize};

use super::column::Column;
use super::format::Format;
use super::marks::{DecimalMark, Delimiter};
use super::problem::{Field, Problem};
use super::sepa::SepaFile;
use super::wise::WiseFile;
use crate::payout_details::mask;

/// The settings of one format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "lowercase")]
pub enum Payer {
    Paypal(PaypalFile),
    Wise(WiseFile),
    Sepa(Box<SepaFile>),
    Csv(TableFile),
    Xlsx(TableFile),
}

/// The part of settings that is stored encrypted. Not `Debug`: a log is no place for accounts.
pub struct Secret {
    pub text: String,
    /// As pages show it.
    pub masked: String,
}

impl Payer {
    pub fn format(&self) -> Format {
        match self {
            Self::Paypal(_) => Format::Paypal,
            Self::Wise(_) => Format::Wise,
            Self::Sepa(_) => Format::Sepa,
            Self::Csv(_) => Format::Csv,
            Self::Xlsx(_) => Format::Xlsx,
        }
    }

    /// The settings of a format that needs none; `None` for one that cannot be used before somebody makes them.
    pub fn usual(format: Format) -> Option<Self> {
        match format {
            Format::Paypal => Some(Self::Paypal(PaypalFile::default())),
            Format::Csv => Some(Self::Csv(TableFile::default())),
            Format::Xlsx => Some(Self::Xlsx(TableFile::default())),
            Format::Wise | Format::Sepa => None,
        }
    }

    /// Takes out the part that is stored encrypted: the account that pays, or the recipients saved at Wise.
    ///
    /// # Errors
    /// None that a recipient of Wise's file can bring about.
    pub fn take_secret(&mut self) -> serde_json::Result<Option<Secret>> {
        Ok(match self {
            Self::Sepa(sepa) if !sepa.iban.is_empty() => {
                let text = mem::take(&mut sepa.iban);
                Some(Secret { masked: mask::iban(&text), text })
            }
            Self::Wise(wise) if !wise.saved.is_empty() => {
                let saved = mem::take(&mut wise.saved);
                Some(Secret { masked: saved.len().to_string(), text: serde_json::to_string(&saved)? })
            }
            _ => None,
        })
    }

    /// Puts that part back.
    ///
    /// # Errors
    /// For a text that is not of this format.
    pub fn put_secret(&mut self, text: &str) -> serde_json::Result<()> {
        match self {
            Self::Sepa(sepa) => text.clone_into(&mut sepa.iban),
            Self::Wise(wise) => wise.saved = serde_json::from_str(text)?,
            Self::Paypal(_) | Self::Csv(_) | Self::Xlsx(_) => {}
        }
        Ok(())
    }

    /// Everything that keeps these settings from making a file.
    pub fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Paypal(_) => Vec::new(),
            Self::Wise(wise) => wise.problems(),
            Self::Sepa(sepa) => sepa.problems(),
            Self::Csv(table) | Self::Xlsx(table) => table.problems(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaypalFile {
    pub decimal: DecimalMark,
}

impl Default for PaypalFile {
    fn default() -> Self {
        Self { decimal: DecimalMark::Point }
    }
}

/// A table for any other bank or program; a workbook has no use for the two marks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableFile {
    /// In the order of the file.
    pub columns: Vec<Column>,
    pub delimiter: Delimiter,
    pub decimal: DecimalMark,
}

impl TableFile {
    fn problems(&self) -> Vec<Problem> {
        let twice = (1..self.columns.len()).find(|at| self.columns[..*at].contains(&self.columns[*at]));
        let reason = match twice {
            Some(at) => format!("The column {} is chosen twice.", self.columns[at]),
            None if self.columns.contains(&Column::Amount) => return Vec::new(),
            None => "The file needs the column amount.".to_owned(),
        };
        vec![Problem::new(Field::Columns, reason)]
    }
}

impl Default for TableFile {
    fn default() -> Self {
        Self { columns: Column::USUAL.to_vec(), delimiter: Delimiter::Comma, decimal: DecimalMark::Point }
    }
}
