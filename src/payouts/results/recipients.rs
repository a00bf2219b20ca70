//! The texts by which a report may name the recipient of a line.

use crate::payout_details::{AccountNumber, Details, PaypalRecipient, WiseNumber, WiseRecipient};

/// Address, name and account of these details, for [`Line::recipients`](super::Line::recipients); the referrer's own
/// name and e-mail address may be added.
pub fn recipients(details: &Details) -> Vec<&str> {
    match details {
        Details::Paypal(PaypalRecipient::Email(to) | PaypalRecipient::Phone(to) | PaypalRecipient::PayerId(to)) => {
            vec![to]
        }
        Details::Wise(WiseRecipient::Email { name, email }) => vec![email, name],
        Details::Wise(WiseRecipient::Account(to)) => {
            let number = match &to.number {
                WiseNumber::Iban { iban } => iban,
                WiseNumber::SortCode { account_number, .. }
                | WiseNumber::Bsb { account_number, .. }
                | WiseNumber::Aba { account_number, .. } => account_number,
            };
            let both = [to.name.as_str(), number];
            both.into_iter().chain(to.email.as_deref()).collect()
        }
        Details::Bank(to) => {
            let (AccountNumber::Iban { iban: number, .. } | AccountNumber::Local { account: number, .. }) = &to.number;
            vec![&to.holder, number]
        }
        Details::Hand { .. } => Vec::new(),
    }
}
