//! A subscription ended.

use super::{Fault, Intake, RawProduct};
use crate::clock::Day;
use crate::email::Email;
use crate::engine::{CancelSubscription, Field, PaymentName};
use crate::id;

#[derive(Debug, Clone)]
pub struct RawCancel {
    pub of: RawProduct,
    pub email: Email,
    pub date: Day,
    /// The event's own id.
    pub id: Option<String>,
}

impl Intake<'_> {
    pub async fn cancel(&self, raw: RawCancel) -> Result<CancelSubscription, Fault> {
        let date = self.not_ahead(Field::Day, raw.date)?;
        let of = self.scope(&raw.of).await?;
        let by_day = PaymentName::paid_on(of.product_id, raw.email.key(), date).to_string();
        Ok(CancelSubscription {
            of,
            body_hash: id::sha256_hex(&format!("{by_day}|{}", self.sender.test)),
            identity: raw.id.map_or(by_day, |id| format!("event:{id}")),
            email: raw.email,
            date,
        })
    }
}
