//! A customer paid.

use super::{Fault, Intake, RawProduct};
use crate::clock::Day;
use crate::email::Email;
use crate::engine::{Field, Names, Payment, Subscription};
use crate::id;
use crate::money::{Currency, Money};

#[derive(Debug, Clone)]
pub struct RawPayment {
    pub of: RawProduct,
    pub email: Email,
    pub phone: Option<String>,
    /// The text of a JSON number.
    pub amount: String,
    pub currency: String,
    pub subscription_status: Subscription,
    pub date: Day,
    pub names: Names,
}

impl Intake<'_> {
    pub async fn payment(&self, raw: RawPayment) -> Result<Payment, Fault> {
        let currency = Currency::parse(&raw.currency).map_err(|why| Fault::of(Field::Currency, why))?;
        let amount = Money::from_json_number(&raw.amount, currency).map_err(|why| Fault::of(Field::Amount, why))?;
        let date = self.not_ahead(Field::Day, raw.date)?;
        let phone = self.phone(raw.phone.as_deref())?;
        let of = self.scope(&raw.of).await?;
        let (email, status) = (raw.email, raw.subscription_status);
        let hashed = format!(
            "{}|{}|{}|{}|{}|{status}|{date}",
            of.product_id,
            email.key(),
            amount.minor,
            currency.code(),
            self.sender.test
        );
        Ok(Payment {
            of,
            email,
            phone,
            amount,
            subscription_status: status,
            date,
            names: raw.names,
            body_hash: id::sha256_hex(&hashed),
        })
    }
}
