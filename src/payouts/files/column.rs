//! The columns of a table.

use crate::words;

words! {
    /// A column of the table; its word is its header.
    pub enum Column {
        Line = "line",
        Name = "name",
        Email = "email",
        Method = "method",
        /// One text for every method: an address, an IBAN, an account with its routing number, a person's words.
        Recipient = "recipient",
        Holder = "account_holder",
        Iban = "iban",
        Bic = "bic",
        Account = "account_number",
        Routing = "routing_number",
        Country = "country",
        Amount = "amount",
        Currency = "currency",
        Note = "note",
    }
}

impl Column {
    pub(super) const USUAL: [Self; 8] =
        [Self::Line, Self::Name, Self::Email, Self::Method, Self::Recipient, Self::Amount, Self::Currency, Self::Note];
}
