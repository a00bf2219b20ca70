//! A form that was left empty where something is stored: the stored text counts, and nothing of it was shown. What a
//! person types takes the place of all that belongs together: a new IBAN does not keep the old BIC.

use std::collections::BTreeMap;

use super::details::{
    AccountNumber, Address, BankAccount, Details, Method, PaypalRecipient, WiseAccount, WiseNumber, WiseRecipient,
};
use super::open::opened;
use super::store;
use crate::core::Core;
use crate::db::DbResult;

/// Texts by field.
pub type Kept = BTreeMap<&'static str, String>;

/// The details of a referrer that are stored, for a form that keeps what it does not show; none of another method, and
/// none that cannot be read.
pub async fn stored(core: &Core, business_id: i64, referrer_id: i64, method: Method) -> DbResult<Option<Details>> {
    let row = store::current(&mut core.db.read().await?, business_id, &[referrer_id]).await?.pop();
    let row = row.filter(|row| row.method == method).zip(core.keyring.keys().ok());
    Ok(row.and_then(|(row, keys)| opened(&keys, &row).ok()))
}

/// The stored texts that the empty fields of a form keep.
pub fn kept<'t>(stored: &Details, typed: &dyn Fn(&str) -> &'t str) -> Kept {
    let is_typed = |field: &str| !typed(field).trim().is_empty();
    let mut kept = Kept::new();
    match stored {
        Details::Paypal(recipient) => {
            if !["paypal_email", "paypal_phone", "paypal_payer_id"].into_iter().any(is_typed) {
                let (field, text) = match recipient {
                    PaypalRecipient::Email(email) => ("paypal_email", email),
                    PaypalRecipient::Phone(phone) => ("paypal_phone", phone),
                    PaypalRecipient::PayerId(id) => ("paypal_payer_id", id),
                };
                kept.insert(field, text.clone());
            }
        }
        Details::Wise(WiseRecipient::Email { name, email }) => {
            kept.extend([("account_holder", name.clone()), ("wise_email", email.clone())]);
        }
        Details::Wise(WiseRecipient::Account(account)) => wise(account, typed, &mut kept),
        Details::Bank(account) => bank(account, &is_typed, &mut kept),
        Details::Hand { text } => {
            kept.insert("instructions", text.clone());
        }
    }
    kept
}

fn wise<'t>(account: &WiseAccount, typed: &dyn Fn(&str) -> &'t str, kept: &mut Kept) {
    kept.insert("account_holder", account.name.clone());
    kept.extend(account.email.clone().map(|email| ("wise_email", email)));
    let numbers = ["iban", "sort_code", "bsb_code", "routing_number", "account_number"];
    let is_new = numbers.into_iter().any(|field| !typed(field).trim().is_empty());
    if is_new || !typed("wise_currency").trim().eq_ignore_ascii_case(&account.currency) {
        return;
    }
    match &account.number {
        WiseNumber::Iban { iban } => {
            kept.insert("iban", iban.clone());
        }
        WiseNumber::SortCode { sort_code, account_number } => {
            kept.extend([("sort_code", sort_code.clone()), ("account_number", account_number.clone())]);
        }
        WiseNumber::Bsb { bsb_code, account_number } => {
            kept.extend([("bsb_code", bsb_code.clone()), ("account_number", account_number.clone())]);
        }
        WiseNumber::Aba { abartn, account_number, account_type, address: of } => {
            kept.extend([
                ("routing_number", abartn.clone()),
                ("account_number", account_number.clone()),
                ("account_type", account_type.to_string()),
            ]);
            address(of, &|field| !typed(field).trim().is_empty(), kept);
        }
    }
}

fn bank(account: &BankAccount, is_typed: &dyn Fn(&str) -> bool, kept: &mut Kept) {
    kept.insert("account_holder", account.holder.clone());
    if !["iban", "account_number"].into_iter().any(is_typed) {
        match &account.number {
            AccountNumber::Iban { iban, bic } => {
                kept.insert("iban", iban.clone());
                kept.extend(bic.clone().map(|bic| ("bic", bic)));
            }
            AccountNumber::Local { account: number, routing } => kept.extend([
                ("account_number", number.clone()),
                ("routing_number", routing.clone()),
                ("bank_country", account.country.clone()),
            ]),
        }
    }
    if let Some(of) = &account.address {
        address(of, is_typed, kept);
    }
}

fn address(of: &Address, is_typed: &dyn Fn(&str) -> bool, kept: &mut Kept) {
    if !["address_line", "town", "postcode", "address_country"].into_iter().any(is_typed) {
        kept.extend([
            ("address_line", of.line.clone()),
            ("town", of.town.clone()),
            ("postcode", of.postcode.clone()),
            ("address_country", of.country.clone()),
        ]);
    }
}
