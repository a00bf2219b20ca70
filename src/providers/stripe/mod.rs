//! Stripe: its messages, their signature, and the amounts it counts in. The facts stand in Stripe's own API reference
//! and in its library for Python, version 16 (API version 2026-10-28.endive).

pub mod account;
mod amount;
pub mod ask;
pub mod catch_up;
pub mod client;
pub mod codes;
pub mod connect;
pub mod coupon;
pub mod discount;
mod envelope;
pub mod lists;
mod read;
pub mod rules;
pub mod runs;
pub mod signature;
#[cfg(test)]
mod tests;

pub use envelope::envelope;
pub use read::read;

/// The version of the API whose objects are asked for. Older shapes are read as well.
pub const VERSION: &str = "2026-10-28.endive";

/// The events that an endpoint of Refdesk's asks for.
pub const EVENTS: [&str; 26] = [
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.refunded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "customer.created",
    "customer.deleted",
    "customer.discount.created",
    "customer.discount.deleted",
    "customer.subscription.deleted",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.voided",
    "invoice_payment.paid",
    "payment_intent.succeeded",
    "promotion_code.created",
    "promotion_code.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
];
