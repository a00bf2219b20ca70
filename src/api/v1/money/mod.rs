//! Payments and refunds, the commissions they earned, and the ledger.

mod commissions;
mod ledger;
mod payments;
mod refunds;

use crate::api::operation::Api;

pub fn calls(api: Api) -> Api {
    let parts = [payments::calls, refunds::calls, commissions::calls, ledger::calls];
    parts.into_iter().fold(api, |api, part| part(api))
}
