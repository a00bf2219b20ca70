//! The kinds of files.

use crate::money::Currency;
use crate::payout_details::Method;
use crate::words;

words! {
    /// A kind of file.
    pub enum Format { Paypal = "paypal", Wise = "wise",
        Sepa = "sepa", Csv = "csv", Xlsx = "xlsx" }
}

impl Format {
    /// The name on pages.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Paypal => "PayPal file",
            Self::Wise => "Wise file",
            Self::Sepa => "SEPA file",
            Self::Csv => "CSV",
            Self::Xlsx => "Excel",
        }
    }

    pub const fn extension(self) -> &'static str {
        match self {
            Self::Paypal | Self::Wise | Self::Csv => "csv",
            Self::Sepa => "xml",
            Self::Xlsx => "xlsx",
        }
    }

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Paypal | Self::Wise | Self::Csv => "text/csv; charset=utf-8",
            Self::Sepa => "application/xml",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// True for a format that can pay by a method in a currency; a table takes every one.
pub fn suits(format: Format, method: Method, currency: Currency) -> bool {
    match format {
        Format::Paypal => method == Method::Paypal,
        Format::Wise => method == Method::Wise,
        Format::Sepa => method == Method::Bank && currency.code() == "EUR",
        Format::Csv | Format::Xlsx => true,
    }
}
