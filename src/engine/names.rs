//! What payments and refunds are known by: `event:…`, `invoice:…`, `key:…`, or the person and the day.

use super::decision::ProductScope;
use super::ids::{BusinessId, CommissionId, PaymentId, ProductId};
use crate::clock::Day;

/// What a refund or a dispute names its payment by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentRef {
    Day(Day),
    /// The payment's `eventId`, else its `invoiceId`.
    Event(String),
    Commission(CommissionId),
    Id(PaymentId),
}

impl PaymentRef {
    /// The name a refund waits under for its payment.
    pub fn name(&self, product_id: ProductId, email_key: &str) -> String {
        match self {
            Self::Day(day) => paid_on(product_id, email_key, *day),
            Self::Event(id) => format!("event:{id}"),
            Self::Commission(id) => format!("commission:{id}"),
            Self::Id(id) => format!("payment:{id}"),
        }
    }
}

/// A payment that a refund is of, as the refund names it.
#[derive(Debug, Clone)]
pub struct SoughtPayment {
    pub business_id: BusinessId,
    pub of: ProductScope,
    pub email_key: String,
    pub named: PaymentRef,
}

/// The name of a person's payments of one product and day; a payment's identity when it has no other.
pub fn paid_on(product_id: ProductId, email_key: &str, day: Day) -> String {
    format!("date:{product_id}|{email_key}|{day}")
}

/// What a refund names a payment of this identity by: its event id, else its invoice id.
pub fn parked(identity: &str) -> Option<String> {
    let id = ["event:", "invoice:"].iter().find_map(|kind| identity.strip_prefix(kind))?;
    Some(format!("event:{id}"))
}
