//! The file of PayPal's Payouts Web: no header, one currency, at most 5,000 rows, amounts as the sender's country
//! writes them.

use super::cells::{decimal, one_line, safe};
use super::fitted::{Content, Fitted};
use super::payer::PaypalFile;
use super::problem::{Field, Problem};
use super::row::{Row, Shown};
use crate::imports::table::sanitise_for_spreadsheet;
use crate::payout_details::{Details, PaypalRecipient};

pub(super) const MOST_ROWS: usize = 5_000;
const MOST_RECIPIENT: usize = 127;
/// PayPal takes 4,000 characters, but 1,000 when some are not of ASCII.
const MOST_NOTE: usize = 1_000;

/// The currencies that PayPal sends.
const CURRENCIES: [&str; 25] = [
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "INR", "JPY", "MXN", "MYR",
    "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD",
];
/// Of these PayPal sends whole units alone, though ISO 4217 gives them decimals.
const WHOLE: [&str; 2] = ["HUF", "TWD"];

pub(super) fn fit(payer: &PaypalFile, row: &Row<'_>) -> Result<Fitted, Problem> {
    let Details::Paypal(recipient) = row.details else { return Err(Problem::method(row, "PayPal")) };
    let currency = row.amount.currency;
    if !CURRENCIES.contains(&currency.code()) {
        return Err(Problem::new(Field::Currency, format!("PayPal sends no {}.", currency.code())));
    }
    let amount = decimal(row.amount, payer.decimal);
    let amount = if WHOLE.contains(&currency.code()) {
        let whole = amount.strip_suffix("00").and_then(|whole| whole.strip_suffix(['.', ',']));
        let reason = || format!("PayPal sends whole {} only, and {} is owed {amount}.", currency.code(), row.person());
        whole.ok_or_else(|| Problem::new(Field::Amount, reason()))?.to_owned()
    } else {
        amount
    };
    let to = self::recipient(recipient, row)?;
    let note: String = one_line(row.note).chars().take(MOST_NOTE).collect();
    // PayPal asks for a note in plain text; a spreadsheet on the way must not run it.
    let note = sanitise_for_spreadsheet(&note);
    let shown = Shown { name: row.name.to_owned(), account: to.clone(), reference: note.clone() };
    let texts = vec![to, amount, currency.code().to_owned(), row.line.to_owned(), note, "PAYPAL".to_owned()];
    Ok(Fitted { shown, content: Content::Texts { delimiter: ',', texts } })
}

fn recipient(recipient: &PaypalRecipient, row: &Row<'_>) -> Result<String, Problem> {
    let (text, what) = match recipient {
        PaypalRecipient::Email(email) => (email, "PayPal e-mail address"),
        PaypalRecipient::Phone(phone) => (phone, "PayPal phone number"),
        PaypalRecipient::PayerId(id) => (id, "PayPal payer ID"),
    };
    let what = format!("The {what} of {}", row.person());
    let text = safe(text, Field::Account, &what)?;
    if text.chars().count() > MOST_RECIPIENT {
        let reason = format!("{what} is longer than the 127 characters that PayPal takes.");
        return Err(Problem::new(Field::Account, reason));
    }
    Ok(text)
}
