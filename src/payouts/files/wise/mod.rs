//! Wise's batch file: at most 1,000 rows below the header of one of its templates, unchanged. Recipients with an e-mail
//! address are asked by Wise for their account; recipients with an account stand in a template of their currency;
//! recipients whom the business saved at Wise are named by Wise's own id.

mod account;
mod saved;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::cells::safe;
use super::fitted::{Content, Fitted};
use super::line::sent;
use super::problem::{Field, Problem};
use super::row::{Row, Shown};
use super::sepa::cut_words;
use crate::imports::table::sanitise_for_spreadsheet;
use crate::money::Currency;
use crate::payout_details::{Details, WiseRecipient};
use crate::words;

pub use saved::{SavedRecipient, saved_recipients};

pub(super) const MOST_ROWS: usize = 1_000;
/// The longest reference of a transfer in euros.
const MOST_REFERENCE_EUR: usize = 35;
/// The longest one that every other currency takes.
const MOST_REFERENCE: usize = 18;

words! {
    /// A template of Wise.
    pub enum Template {
        Email = "email",
        Account = "account",
        /// Recipients whom the business saved at Wise.
        Recipient = "recipient",
    }
}

words! {
    /// The side whose amount is said.
    pub enum Fixed {
        /// The business sends it, and the recipient gets it less Wise's fee.
        Source = "source",
        /// The recipient gets it, and the business pays the fee on top.
        Target = "target",
    }
}

/// The settings for Wise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WiseFile {
    /// The currency that the business pays from.
    pub source: Currency,
    pub template: Template,
    pub fixed: Fixed,
    /// For the template of saved recipients, as they came from Wise.
    #[serde(default)]
    pub saved: Vec<SavedRecipient>,
}

/// The columns that the first two templates begin with.
const COLUMNS: [&str; 8] = [
    "name",
    "recipientEmail",
    "paymentReference",
    "receiverType",
    "amountCurrency",
    "amount",
    "sourceCurrency",
    "targetCurrency",
];
const SAVED_COLUMNS: [&str; 8] = [
    "recipientId",
    "name",
    "account",
    "sourceCurrency",
    "targetCurrency",
    "amountCurrency",
    "amount",
    "paymentReference",
];

impl WiseFile {
    pub(super) fn problems(&self) -> Vec<Problem> {
        if self.template == Template::Recipient && self.saved.is_empty() {
            let reason = "Upload the file of your saved recipients from Wise first.";
            return vec![Problem::new(Field::SavedRecipients, reason.to_owned())];
        }
        Vec::new()
    }

    pub(super) fn header(&self, currency: Currency) -> Vec<&'static str> {
        match self.template {
            Template::Email => COLUMNS.to_vec(),
            Template::Account => [&COLUMNS, account::columns(currency)].concat(),
            Template::Recipient => SAVED_COLUMNS.to_vec(),
        }
    }
}

/// The recipient in the columns of a template.
struct To {
    name: String,
    email: String,
    /// Cells of the account.
    number: Vec<String>,
    /// One text for the place that the money goes to.
    account: String,
}

pub(super) fn fit(payer: &WiseFile, row: &Row<'_>) -> Result<Fitted, Problem> {
    let Details::Wise(to) = row.details else { return Err(Problem::method(row, "Wise")) };
    let currency = row.amount.currency;
    // With the source fixed, Wise reads the amount in the source's currency.
    if payer.fixed == Fixed::Source && payer.source != currency {
        let (person, owed, source) = (row.person(), row.amount.shown(), payer.source.code());
        let reason = format!("{person} is owed {owed}, and Wise would send as many {source}: fix the target instead.");
        return Err(Problem::new(Field::Currency, reason));
    }
    let most = if currency.code() == "EUR" { MOST_REFERENCE_EUR } else { MOST_REFERENCE };
    let reference = cut_words(&format!("{} {}", sent(row.line), row.note), most);
    let (amount, fixed) = (row.amount.plain(), payer.fixed.word().to_owned());
    let (source, target) = (payer.source.code().to_owned(), currency.code().to_owned());
    let (shown, texts) = if payer.template == Template::Recipient {
        let SavedRecipient { id, name, account, .. } = saved::find(&payer.saved, to, row)?;
        let name = safe(name, Field::Name, "The name of a recipient that you saved at Wise")?;
        let [id, account] = [id, account].map(|cell| sanitise_for_spreadsheet(cell));
        let shown = Shown { name: name.clone(), account: account.clone(), reference: reference.clone() };
        (shown, vec![id, name, account, source, target, fixed, amount, reference])
    } else {
        let To { name, email, number, account } = recipient(payer.template, to, row)?;
        let shown = Shown { name: name.clone(), account, reference: reference.clone() };
        // Of a referrer it is not known whether they are a business, so everybody is a person.
        let texts = vec![name, email, reference, "PERSON".to_owned(), fixed, amount, source, target];
        (shown, [texts, number].concat())
    };
    Ok(Fitted { shown, content: Content::Texts { delimiter: ',', texts } })
}

fn recipient(template: Template, to: &WiseRecipient, row: &Row<'_>) -> Result<To, Problem> {
    let person = row.person();
    let name = |name: &str| safe(name, Field::Name, &format!("The name of {person}’s account"));
    let address = |email: &str| safe(email, Field::Email, &format!("The e-mail address of {person}"));
    match (template, to) {
        (Template::Account, WiseRecipient::Account(to)) => {
            let number = account::cells(to, row)?;
            let email = to.email.as_deref().map(address).transpose()?.unwrap_or_default();
            Ok(To { name: name(&to.name)?, email, account: account::shown(&number), number })
        }
        (Template::Account, WiseRecipient::Email { .. }) => {
            let reason = format!("{person} has no account here, only an e-mail address: use Wise’s file for those.");
            Err(Problem::new(Field::Account, reason))
        }
        (_, WiseRecipient::Email { name: holder, email }) => {
            let email = address(email)?;
            Ok(To { name: name(holder)?, account: email.clone(), email, number: Vec::new() })
        }
        (_, WiseRecipient::Account(to)) => {
            let reason =
                || format!("{person} has an account here, and no e-mail address: use Wise’s file of accounts.");
            let email = to.email.as_deref().ok_or_else(|| Problem::new(Field::Email, reason()))?;
            let email = address(email)?;
            Ok(To { name: name(&to.name)?, account: email.clone(), email, number: Vec::new() })
        }
    }
}
