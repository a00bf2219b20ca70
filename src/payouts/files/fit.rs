//! A row made ready for a format.

use super::fitted::Fitted;
use super::payer::Payer;
use super::problem::{Field, Problem};
use super::row::{Row, Shown};
use super::{paypal, sepa, table, wise};

/// Says how a row will be sent in the payer's format.
///
/// # Errors
/// The first reason why it cannot be.
pub fn fit(payer: &Payer, row: &Row<'_>) -> Result<Shown, Problem> {
    fitted(payer, row).map(|fitted| fitted.shown)
}

pub(super) fn fitted(payer: &Payer, row: &Row<'_>) -> Result<Fitted, Problem> {
    if row.amount.minor <= 0 {
        let reason = format!("{} is owed {}: only more than 0 can be sent.", row.person(), row.amount.shown());
        return Err(Problem::new(Field::Amount, reason));
    }
    match payer {
        Payer::Paypal(payer) => paypal::fit(payer, row),
        Payer::Wise(payer) => wise::fit(payer, row),
        Payer::Sepa(payer) => sepa::fit(payer, row),
        Payer::Csv(payer) => Ok(table::csv(payer, row)),
        Payer::Xlsx(payer) => Ok(table::xlsx(payer, row)),
    }
}
