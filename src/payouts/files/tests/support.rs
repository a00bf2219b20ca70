//! Rows and files to test with.

use std::io::Read as _;

use crate::clock::{Day, Instant};
use crate::money::{Currency, Money};
use crate::payout_details::{AccountNumber, BankAccount, Details, PaypalRecipient};
use crate::payouts::files::{FileError, Head, Parts, Payer, Payers, Row, Writer};

pub const NOTE: &str = "Acme referral commission, payout 12";

pub fn money(minor: i64, currency: &str) -> Money {
    Money { minor, currency: Currency::parse(currency).unwrap() }
}

pub fn paypal(email: &str) -> Details {
    Details::Paypal(PaypalRecipient::Email(email.to_owned()))
}

pub fn bank(holder: &str, iban: &str) -> Details {
    Details::Bank(account(holder, iban))
}

pub fn account(holder: &str, iban: &str) -> BankAccount {
    BankAccount {
        holder: holder.to_owned(),
        country: iban[..2].to_owned(),
        number: AccountNumber::Iban { iban: iban.to_owned(), bic: None },
        address: None,
    }
}

pub fn row<'a>(line: &'a str, name: &'a str, details: &'a Details, amount: Money) -> Row<'a> {
    Row { line, name, email: None, details, amount, note: NOTE }
}

pub fn head(rows: &[Row<'_>]) -> Head {
    Head {
        id: "refdesk-12".to_owned(),
        rows: rows.len(),
        total: rows.iter().map(|row| row.amount.minor).sum(),
        currency: rows[0].amount.currency,
        created: Instant::parse_rfc3339("2026-11-29T15:04:05Z").unwrap(),
        execution: Day::parse("2026-12-01").unwrap(),
    }
}

/// The files of a payout, one after the other.
pub fn written(payer: &Payer, rows: &[Row<'_>]) -> Result<Vec<Vec<u8>>, FileError> {
    let payers = Payers::of(payer.clone());
    let mut parts = Parts::of(&payers);
    for (row, id) in rows.iter().zip(1..) {
        parts.add(payers.place(row.details), id, row.amount.minor);
    }
    let mut rest = rows;
    let mut files = Vec::new();
    for (part, head) in parts.heads(&head(rows)) {
        let payer = &payers.all()[part.place];
        let mut out = Vec::new();
        let mut writer = Writer::begin(payer, &head, &mut out)?;
        let (now, later) = rest.split_at(part.rows);
        for row in now {
            writer.row(row, &mut out)?;
        }
        if let Some(mut book) = writer.end(&mut out)? {
            book.read_to_end(&mut out).unwrap();
        }
        files.push(out);
        rest = later;
    }
    assert!(rest.is_empty(), "rows of no file");
    Ok(files)
}

pub fn text(payer: &Payer, rows: &[Row<'_>]) -> String {
    let mut files = written(payer, rows).unwrap();
    assert_eq!(files.len(), 1);
    String::from_utf8(files.remove(0)).unwrap()
}

/// Compares with a file of `tests/data/payouts`; `GOLDEN=write` writes it.
pub fn golden(name: &str, bytes: &[u8]) {
    let path = format!("{}/tests/data/payouts/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var("GOLDEN").is_ok_and(|wish| wish == "write") {
        std::fs::write(&path, bytes).unwrap();
    }
    let wanted = std::fs::read(&path).unwrap();
    assert_eq!(String::from_utf8_lossy(bytes), String::from_utf8_lossy(&wanted), "{name}");
    assert!(bytes == wanted, "{name}");
}
