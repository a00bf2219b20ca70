//! Why a row cannot be in a file.

use std::fmt;

use super::row::Row;
use crate::payout_details::Method;
use crate::words;

words! {
    /// The part of a row, or of the payer's settings, that a file cannot take.
    pub enum Field {
        Method = "method",
        Name = "name",
        Email = "email",
        Account = "account",
        Bic = "bic",
        Address = "address",
        Amount = "amount",
        Currency = "currency",
        Columns = "columns",
        PayerName = "payer_name",
        PayerIban = "payer_iban",
        PayerBic = "payer_bic",
        PayerAddressLine = "payer_address_line",
        PayerPostcode = "payer_postcode",
        PayerTown = "payer_town",
        PayerCountry = "payer_country",
        BatchBooking = "batch_booking",
        WithoutBic = "without_bic",
        RowsPerFile = "rows_per_file",
        Decimal = "decimal",
        Delimiter = "delimiter",
        SourceCurrency = "source_currency",
        Fixed = "fixed",
        SavedRecipients = "saved_recipients",
    }
}

/// A field and a whole sentence about it, for the person who makes the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub field: Field,
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Problem {}

impl Problem {
    pub(super) fn new(field: Field, reason: String) -> Self {
        Self { field, reason }
    }

    /// For details of another method than the file pays by.
    pub(super) fn method(row: &Row<'_>, file: &str) -> Self {
        let paid = match row.details.method() {
            Method::Paypal => "by PayPal",
            Method::Wise => "by Wise",
            Method::Bank => "by bank transfer",
            Method::Hand => "by hand",
        };
        Self::new(Field::Method, format!("{} is paid {paid}, and this is a file for {file}.", row.person()))
    }
}
