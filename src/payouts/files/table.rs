//! A table with the columns that a business chooses, as CSV or as a workbook, and what every file of cells needs.

use super::fit::{Content, Fitted};
use super::payer::{DecimalMark, TableFile};
use super::row::{Row, Shown};
use crate::imports::table::sanitise_for_spreadsheet;
use crate::money::Money;
use crate::payout_details::{
    AccountNumber, BankAccount, Details, PaypalRecipient, WiseAccount, WiseNumber, WiseRecipient,
};
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

    fn of(self, row: &Row<'_>, to: &To<'_>) -> Cell {
        if self == Self::Amount {
            return Cell::Amount(row.amount);
        }
        Cell::Text(one_line(match self {
            Self::Line => row.line,
            Self::Name => row.name,
            Self::Email => row.email.unwrap_or_default(),
            Self::Method => row.details.method().word(),
            Self::Recipient => &to.recipient,
            Self::Holder => to.holder,
            Self::Iban => to.iban,
            Self::Bic => to.bic,
            Self::Account => to.account,
            Self::Routing => to.routing,
            Self::Country => to.country,
            Self::Amount => "",
            Self::Currency => row.amount.currency.code(),
            Self::Note => row.note,
        }))
    }
}

/// Not `Debug`: a log is no place for accounts.
pub(super) enum Cell {
    Text(String),
    Amount(Money),
}

/// Where the money goes, in the words of the columns; what the method does not have is empty.
#[derive(Default)]
struct To<'a> {
    recipient: String,
    holder: &'a str,
    iban: &'a str,
    bic: &'a str,
    account: &'a str,
    routing: &'a str,
    country: &'a str,
}

impl<'a> To<'a> {
    fn of(details: &'a Details) -> Self {
        match details {
            Details::Paypal(PaypalRecipient::Email(to) | PaypalRecipient::Phone(to) | PaypalRecipient::PayerId(to)) => {
                Self { recipient: to.clone(), ..Self::default() }
            }
            Details::Wise(WiseRecipient::Email { name, email }) => {
                Self { recipient: email.clone(), holder: name, ..Self::default() }
            }
            Details::Wise(WiseRecipient::Account(account)) => Self::wise(account),
            Details::Bank(account) => Self::bank(account),
            Details::Hand { text } => Self { recipient: text.clone(), ..Self::default() },
        }
    }

    fn wise(to: &'a WiseAccount) -> Self {
        let both = Self { holder: &to.name, ..Self::default() };
        match &to.number {
            WiseNumber::Iban { iban } => Self { recipient: iban.clone(), iban, ..both },
            WiseNumber::SortCode { sort_code: routing, account_number: account }
            | WiseNumber::Bsb { bsb_code: routing, account_number: account }
            | WiseNumber::Aba { abartn: routing, account_number: account, .. } => {
                Self { recipient: local(account, routing), account, routing, ..both }
            }
        }
    }

    fn bank(to: &'a BankAccount) -> Self {
        let both = Self { holder: &to.holder, country: &to.country, ..Self::default() };
        match &to.number {
            AccountNumber::Iban { iban, bic } => {
                Self { recipient: iban.clone(), iban, bic: bic.as_deref().unwrap_or_default(), ..both }
            }
            AccountNumber::Local { account, routing } => {
                Self { recipient: local(account, routing), account, routing, ..both }
            }
        }
    }
}

fn local(account: &str, routing: &str) -> String {
    if routing.is_empty() { account.to_owned() } else { format!("{account} / {routing}") }
}

/// A row of texts that a spreadsheet shows instead of running them.
pub(super) fn csv(payer: &TableFile, row: &Row<'_>) -> Fitted {
    let text = |cell: Cell| match cell {
        Cell::Text(text) => sanitise_for_spreadsheet(&text),
        Cell::Amount(amount) => decimal(amount, payer.decimal),
    };
    let (cells, shown) = cells(payer, row);
    let texts = cells.into_iter().map(text).collect();
    Fitted { shown, content: Content::Texts { delimiter: payer.delimiter.mark(), texts } }
}

pub(super) fn xlsx(payer: &TableFile, row: &Row<'_>) -> Fitted {
    let (cells, shown) = cells(payer, row);
    Fitted { shown, content: Content::Cells(cells) }
}

fn cells(payer: &TableFile, row: &Row<'_>) -> (Vec<Cell>, Shown) {
    let to = To::of(row.details);
    let cells = payer.columns.iter().map(|column| column.of(row, &to)).collect();
    let name = if to.holder.is_empty() { row.name } else { to.holder };
    (cells, Shown { name: one_line(name), account: one_line(&to.recipient), reference: one_line(row.note) })
}

pub(super) fn header(payer: &TableFile) -> Vec<&'static str> {
    payer.columns.iter().map(|column| column.word()).collect()
}

pub(super) fn decimal(amount: Money, mark: DecimalMark) -> String {
    match mark {
        DecimalMark::Point => amount.plain(),
        DecimalMark::Comma => amount.plain().replace('.', ","),
    }
}

/// A text on one line, without control characters.
pub(super) fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_whitespace() || c.is_control();
    text.split(breaks).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
