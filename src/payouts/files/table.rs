//! A table with the columns that a business chooses, as CSV or as a workbook.

use super::cells::{decimal, one_line};
use super::column::Column;
use super::fitted::{Cell, Content, Fitted};
use super::payer::TableFile;
use super::row::{Row, Shown};
use crate::imports::table::sanitise_for_spreadsheet;
use crate::payout_details::{
    AccountNumber, BankAccount, Details, PaypalRecipient, WiseAccount, WiseNumber, WiseRecipient,
};

fn cell(column: Column, row: &Row<'_>, to: &To<'_>) -> Cell {
    if column == Column::Amount {
        return Cell::Amount(row.amount);
    }
    Cell::Text(one_line(match column {
        Column::Line => row.line,
        Column::Name => row.name,
        Column::Email => row.email.unwrap_or_default(),
        Column::Method => row.details.method().word(),
        Column::Recipient => &to.recipient,
        Column::Holder => to.holder,
        Column::Iban => to.iban,
        Column::Bic => to.bic,
        Column::Account => to.account,
        Column::Routing => to.routing,
        Column::Country => to.country,
        Column::Amount => "",
        Column::Currency => row.amount.currency.code(),
        Column::Note => row.note,
    }))
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
    let cells = payer.columns.iter().map(|column| cell(*column, row, &to)).collect();
    let name = if to.holder.is_empty() { row.name } else { to.holder };
    (cells, Shown { name: one_line(name), account: one_line(&to.recipient), reference: one_line(row.note) })
}

pub(super) fn header(payer: &TableFile) -> Vec<&'static str> {
    payer.columns.iter().map(|column| column.word()).collect()
}
