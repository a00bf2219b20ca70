//! The names of payments, and the ways in which refunds and disputes name them.
//!
//! A payment has any number of names. Each is unique in its business and mode, and any of them finds the payment.

use std::fmt;

use super::decision::ProductScope;
use super::ids::{BusinessId, CommissionId, InboxItemId, PaymentId, ProductId};
use crate::clock::Day;
use crate::db::{At, Column, DbResult, Field, Row, Table, unknown_word};
use crate::words;

words! {
    /// The kind of a name's text.
    pub enum NameKind {
        /// The id of the event, as its sender gave it.
        Event = "event",
        Invoice = "invoice",
        Charge = "charge",
        Intent = "intent",
        /// The `Idempotency-Key` of a call that brought no other name.
        Key = "key",
        /// Product, e-mail address and day of a payment that came without a name.
        Date = "date",
        /// The inbox item that the payment was accepted from.
        Inbox = "inbox",
    }
}

impl NameKind {
    /// The kinds of an id that comes without its kind, the likeliest first.
    pub const OF_AN_ID: [Self; 4] = [Self::Event, Self::Invoice, Self::Charge, Self::Intent];

    /// The sender of the payment gave it this name, and may show it to others.
    pub fn is_given(self) -> bool {
        self == Self::Key || Self::OF_AN_ID.contains(&self)
    }
}

/// One name of a payment, stored as `kind:text`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentName {
    pub kind: NameKind,
    pub text: String,
}

impl PaymentName {
    pub fn new(kind: NameKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// A person's payments of one product and day: the name of one that has no other.
    pub fn paid_on(product_id: ProductId, email_key: &str, day: Day) -> Self {
        Self::new(NameKind::Date, format!("{product_id}|{email_key}|{day}"))
    }

    pub fn of_item(id: InboxItemId) -> Self {
        Self::new(NameKind::Inbox, id.to_string())
    }

    pub fn parse(stored: &str) -> Option<Self> {
        let (kind, text) = stored.split_once(':')?;
        Some(Self::new(NameKind::parse(kind)?, text))
    }

    /// The lock for it: one key for the text, whatever its kind, because an id that comes without its kind
    /// may be of any.
    pub fn lock(&self) -> String {
        format!("payment {}", self.text)
    }
}

impl fmt::Display for PaymentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.text)
    }
}

impl Field for PaymentName {
    fn put(&self, table: &mut Table) {
        self.to_string().put(table);
    }
}

impl Column for PaymentName {
    fn at(at: At, row: &Row<'_>) -> DbResult<Self> {
        let stored = String::at(at, row)?;
        Self::parse(&stored).ok_or_else(|| unknown_word("name of a payment", &stored))
    }
}

/// The names that a payment comes with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// A payment that has any of these is this payment. Without one, product, e-mail address and day decide.
    pub deciding: Vec<PaymentName>,
    /// These decide nothing: the payment gets those that no other payment has.
    pub further: Vec<PaymentName>,
}

impl Names {
    pub fn first_decides(names: impl IntoIterator<Item = PaymentName>) -> Self {
        let mut names = names.into_iter();
        Self { deciding: names.next().into_iter().collect(), further: names.collect() }
    }

    pub fn all_decide(names: impl IntoIterator<Item = PaymentName>) -> Self {
        Self { deciding: names.into_iter().collect(), further: Vec::new() }
    }

    pub fn all(&self) -> impl Iterator<Item = &PaymentName> {
        self.deciding.iter().chain(&self.further)
    }
}

/// The way in which a refund names its payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentRef {
    Day(Day),
    /// The first of them that a payment has.
    Names(Vec<PaymentName>),
    Commission(CommissionId),
    Id(PaymentId),
}

impl PaymentRef {
    /// By an id that comes without its kind.
    pub fn id(text: &str) -> Self {
        Self::Names(NameKind::OF_AN_ID.map(|kind| PaymentName::new(kind, text)).into())
    }

    /// The names under which a refund may wait for its payment; none where only a known payment can be meant.
    pub fn names(&self, product_id: ProductId, email_key: &str) -> Vec<PaymentName> {
        match self {
            Self::Day(day) => vec![PaymentName::paid_on(product_id, email_key, *day)],
            Self::Names(names) => names.clone(),
            Self::Commission(_) | Self::Id(_) => Vec::new(),
        }
    }

    /// The same text for the same way of naming the same payment.
    pub fn text(&self, product_id: ProductId, email_key: &str) -> String {
        match self {
            Self::Commission(id) => format!("commission:{id}"),
            Self::Id(id) => format!("payment:{id}"),
            _ => self.names(product_id, email_key).first().map_or_else(String::new, PaymentName::to_string),
        }
    }

    pub fn sought(&self, business_id: BusinessId, of: ProductScope, email_key: &str) -> SoughtPayment {
        let by = match self {
            Self::Day(day) => SoughtBy::Day(of, email_key.to_owned(), *day),
            Self::Names(names) => SoughtBy::Names(names.clone()),
            Self::Commission(id) => SoughtBy::Commission(*id),
            Self::Id(id) => SoughtBy::Id(*id),
        };
        SoughtPayment { business_id, test: of.scope.test, by }
    }
}

/// A payment that an event names.
#[derive(Debug, Clone)]
pub struct SoughtPayment {
    pub business_id: BusinessId,
    pub test: bool,
    pub by: SoughtBy,
}

#[derive(Debug, Clone)]
pub enum SoughtBy {
    /// The payments of a person for a product on a day.
    Day(ProductScope, String, Day),
    /// The first of them that a payment has.
    Names(Vec<PaymentName>),
    Commission(CommissionId),
    Id(PaymentId),
}
