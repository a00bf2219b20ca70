//! The ways referrers are paid: details as typed, checked and stored encrypted. Enter with [`read`] for what was typed,
//! [`set`] to store it, [`current_of`] for what pages show and [`open`] for what files need.

mod details;
pub mod iban;
pub mod mask;
mod open;
pub mod pages;
mod set;
mod set_many;
mod store;
mod typed;

pub use details::{
    AccountNumber, AccountType, Address, BankAccount, Details, Method, PaypalRecipient, WiseAccount, WiseNumber,
    WiseRecipient,
};
pub use mask::cell as masked;
pub use open::{Opened, open};
pub use set::{Saved, look, remove, set};
pub use set_many::{IDS_EACH, Keys, LOCK, differing, set_many};
pub use store::{CurrentRow, current_of};
pub use typed::{FIELDS, Wrong, method_of, read};

/// A change of details within so many days before a payout is marked in it: a changed account is the classic fraud.
pub const RECENT_DAYS: i64 = 3;
