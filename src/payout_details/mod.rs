//! The ways referrers are paid: details as typed, checked and stored encrypted. Enter with [`read`] for what was typed,
//! [`set`] to store it, [`current_of`] for what pages show and [`open`] for what files need.

mod details;
pub mod iban;
mod kept;
pub mod mask;
mod offered;
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
pub use kept::{kept, stored};
pub use mask::cell as masked;
pub use offered::Offered;
pub use open::{Opened, open};
pub use set::{Saved, look, remove, set};
pub use set_many::{IDS_EACH, Keys, LOCK, differing, set_many};
pub use store::{CurrentRow, current_of};
pub use typed::{FIELDS, Wrong, method_of, read};
