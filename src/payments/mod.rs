//! Payments and refunds, as stored events: their lists, as the API and exports read them. The engine writes them.

mod store;

pub use store::{
    PaymentFilter, PaymentOrder, PaymentRow, PaymentState, RefundFilter, RefundRow, payment, payments, payments_by,
    refund, refunds,
};
