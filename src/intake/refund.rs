//! Money was given back.

use super::{Fault, Intake, RawProduct};
use crate::clock::Day;
use crate::email::Email;
use crate::engine::{Field, PaymentRef, ProductScope, Refund};
use crate::id::{self, Kind};
use crate::money::{Currency, Money, Unpriced};

#[derive(Debug, Clone)]
pub struct RawRefund {
    pub of: RawProduct,
    pub email: Email,
    pub payment: RawPaymentRef,
    /// The text of a JSON number; all that is left without one.
    pub amount: Option<String>,
    /// The payment's, where it is not given.
    pub currency: Option<String>,
    pub date: Day,
    /// The refund's own id.
    pub id: Option<String>,
}

/// A payment as the sender of a refund names it.
#[derive(Debug, Clone)]
pub enum RawPaymentRef {
    Day(Day),
    /// Any id of the payment.
    Id(String),
    /// `comm_…`
    Commission(String),
}

impl Intake<'_> {
    pub async fn refund(&self, raw: RawRefund) -> Result<Refund, Fault> {
        let payment = self.payment_of(&raw.payment)?;
        let (amount, currency) = raw.priced()?;
        let date = self.not_ahead(Field::Day, raw.date)?;
        let of = self.scope(&raw.of).await?;
        // A commission by an impossible id is as unknown as one that is not there.
        let payment = payment.ok_or(Fault::UnknownCommission)?;
        let body_hash = self.refund_hash(of, &raw.email, &payment, amount, currency, date);
        Ok(Refund {
            of,
            email: raw.email,
            payment,
            amount,
            currency,
            date,
            identity: raw.id.map(|id| format!("event:{id}")),
            body_hash,
            reason: None,
        })
    }

    /// None for a commission whose id is impossible.
    fn payment_of(&self, raw: &RawPaymentRef) -> Result<Option<PaymentRef>, Fault> {
        Ok(match raw {
            RawPaymentRef::Day(day) => Some(PaymentRef::Day(self.not_ahead(Field::PaymentDay, *day)?)),
            RawPaymentRef::Id(id) => Some(PaymentRef::id(id)),
            RawPaymentRef::Commission(text) => {
                id::parse(Kind::Commission, text).map(|id| PaymentRef::Commission(id.into()))
            }
        })
    }

    fn refund_hash(
        &self,
        of: ProductScope,
        email: &Email,
        payment: &PaymentRef,
        amount: Option<Unpriced>,
        currency: Option<Currency>,
        date: Day,
    ) -> String {
        let (product_id, test) = (of.product_id, self.sender.test);
        let name = payment.text(product_id, email.key());
        let amount = amount.map_or("all".to_owned(), Unpriced::plain);
        let currency = currency.map_or("", Currency::code);
        id::sha256_hex(&format!("{product_id}|{}|{name}|{amount}|{currency}|{date}|{test}", email.key()))
    }
}

impl RawRefund {
    /// The amount, and its currency, which may only be known with the payment.
    fn priced(&self) -> Result<(Option<Unpriced>, Option<Currency>), Fault> {
        let currency = self.currency.as_deref().map(Currency::parse).transpose();
        let currency = currency.map_err(|why| Fault::of(Field::Currency, why))?;
        let amount = match (&self.amount, currency) {
            (None, _) => None,
            (Some(text), None) => Some(Unpriced::from_json_number(text)),
            (Some(text), Some(currency)) => Some(Money::from_json_number(text, currency).map(Unpriced::of)),
        };
        let amount = amount.transpose().map_err(|why| Fault::of(Field::Amount, why))?;
        if amount.is_some_and(|amount| amount.units() == 0) {
            return Err(Fault::of(Field::Amount, "must be more than 0"));
        }
        Ok((amount, currency))
    }
}
