//! The recipients whom a business saved at Wise. Its template comes from Wise with a row for each of them.

use serde::{Deserialize, Serialize};

use crate::fold::fold;
use crate::imports::table::{Choices, Limits, Line, Table, TableError};
use crate::payout_details::WiseRecipient;
use crate::payouts::files::cells::one_line;
use crate::payouts::files::problem::{Field, Problem};
use crate::payouts::files::row::Row;

/// A recipient as Wise's template names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRecipient {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub email: String,
    /// In Wise's own words, often only its last digits.
    pub account: String,
    /// Empty where the template does not say it.
    #[serde(default)]
    pub currency: String,
}

/// Reads the template that Wise offers for saved recipients.
///
/// # Errors
/// [`Problem`] with the reason.
pub fn saved_recipients(bytes: &[u8]) -> Result<Vec<SavedRecipient>, Problem> {
    let problem = |reason: String| Problem::new(Field::SavedRecipients, reason);
    let unread = |error: TableError| problem(error.to_string());
    let limits = Limits { max_bytes: 10 << 20, max_rows: 100_000, ..Limits::default() };
    let choices = Choices { header: Some(true), ..Choices::default() };
    let table = Table::open_with(bytes, &limits, &choices).map_err(unread)?;
    let header = table.columns().to_vec();
    let place =
        |names: &[&str]| names.iter().find_map(|name| header.iter().position(|has| has.eq_ignore_ascii_case(name)));
    let (Some(id), Some(name)) = (place(&["recipientId"]), place(&["name"])) else {
        let reason = "This is not Wise’s file of saved recipients: it has no columns recipientId and name.";
        return Err(problem(reason.to_owned()));
    };
    let (email, account) = (place(&["recipientEmail", "email"]), place(&["account", "recipientDetail"]));
    let currency = place(&["targetCurrency"]);
    let mut saved = Vec::new();
    for line in table {
        let Line::Row(row) = line.map_err(unread)? else { continue };
        let cell = |at: Option<usize>| at.map(|at| one_line(&row.cells[at])).unwrap_or_default();
        let recipient = SavedRecipient {
            id: cell(Some(id)),
            name: cell(Some(name)),
            email: cell(email),
            account: cell(account),
            currency: cell(currency),
        };
        if !recipient.id.is_empty() {
            saved.push(recipient);
        }
    }
    Ok(saved)
}

/// The saved recipient of a row: by e-mail address, else by name, when exactly one fits.
pub(super) fn find<'s>(
    saved: &'s [SavedRecipient],
    to: &WiseRecipient,
    row: &Row<'_>,
) -> Result<&'s SavedRecipient, Problem> {
    let (name, email) = match to {
        WiseRecipient::Email { name, email } => (name, email.as_str()),
        WiseRecipient::Account(to) => (&to.name, to.email.as_deref().unwrap_or_default()),
    };
    let currency = row.amount.currency.code();
    let pays = |one: &&SavedRecipient| one.currency.is_empty() || one.currency.eq_ignore_ascii_case(currency);
    let by_email = |one: &&SavedRecipient| !email.is_empty() && one.email.eq_ignore_ascii_case(email.trim());
    let by_name = |one: &&SavedRecipient| fold(&one.name) == fold(name);
    let mut fitting: Vec<&SavedRecipient> = saved.iter().filter(pays).filter(by_email).collect();
    if fitting.is_empty() {
        fitting = saved.iter().filter(pays).filter(by_name).collect();
    }
    match fitting.as_slice() {
        [one] => Ok(one),
        [] => Err(Problem::new(
            Field::Account,
            format!(
                "No recipient for {currency} that you saved at Wise has the name or e-mail address of {}.",
                row.person()
            ),
        )),
        several => Err(Problem::new(
            Field::Account,
            format!("{} recipients that you saved at Wise could be {}.", several.len(), row.person()),
        )),
    }
}
