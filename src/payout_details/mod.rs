//! How referrers are paid: details as typed, checked and stored encrypted. Enter with [`read`] for what was typed.

mod details;
pub mod iban;
mod mask;
mod typed;

pub use details::{
    AccountNumber, AccountType, Address, BankAccount, Details, Method, PaypalRecipient, WiseAccount, WiseNumber,
    WiseRecipient,
};
pub use typed::{FIELDS, Wrong, method_of, read};
