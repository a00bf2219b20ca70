//! What one message of a provider says, in the words of this program: whichever provider sent it.
//!
//! Amounts are in minor units of ISO 4217. `gross` is what the customer's card was charged; commissions are computed
//! from a part of it, without tax and shipping unless the campaign says otherwise.

use crate::clock::Instant;
use crate::engine::{PaymentName, Subscription};
use crate::money::{Currency, Money};

/// One message, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// The ids of the payment that it is about. Two messages with a common id are about one payment.
    pub names: Vec<PaymentName>,
    /// The ids that it explains to others: of a customer, a code, a discount.
    pub explains: Vec<String>,
    pub facts: Vec<Fact>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    Paid(Paid),
    /// A code was used, whether anything was paid or not.
    Used(Use),
    Refunded(Refund),
    /// All that was given back of a payment so far, by a provider that says no more.
    RefundedSoFar {
        amount: i64,
        currency: Option<Currency>,
        at: Instant,
    },
    Disputed(Dispute),
    Ended(Ended),
    /// An id is this customer's.
    Customer {
        id: String,
        email: Option<String>,
        name: Option<String>,
    },
    /// An id is this promotion code.
    Code {
        id: String,
        text: String,
    },
    /// An id is a discount, given for this promotion code.
    Discount {
        id: String,
        code: Hint,
    },
}

/// Which referrer's code was used, as directly as a message says it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hint {
    /// The provider's id of a promotion code.
    Promotion(String),
    /// The provider's id of a discount, which another message explains.
    Discount(String),
    /// The text that the shop gave for a referral code.
    Code(String),
    /// A text that the shop gave, which may be a code or anything else.
    Maybe(String),
}

/// Who paid, as far as a message says.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    /// The provider's id of the customer.
    pub customer: Option<String>,
    pub email: Option<String>,
    pub name: Option<String>,
    pub phone: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Paid {
    /// Of two messages that tell one payment, the one with the lower rank knows the amounts better.
    pub rank: u8,
    pub who: Who,
    pub hints: Vec<Hint>,
    pub currency: Currency,
    pub gross: i64,
    pub tax: i64,
    pub shipping: i64,
    pub status: Subscription,
    pub at: Instant,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    pub who: Who,
    pub hints: Vec<Hint>,
    pub at: Instant,
}

/// One refund, as one message has it. A later message of the same id says what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    pub id: String,
    pub amount: i64,
    /// Where the message says it.
    pub currency: Option<Currency>,
    pub state: RefundState,
    pub at: Instant,
}

/// The states of a refund, each of which overrules those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefundState {
    Pending,
    Done,
    /// The money did not arrive, or the refund was cancelled.
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    pub id: String,
    pub amount: i64,
    /// Where the message says it.
    pub currency: Option<Currency>,
    pub state: DisputeState,
    pub at: Instant,
}

/// The states of a dispute. Won and lost overrule the others; of two such the later counts, as after an appeal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DisputeState {
    /// A question of the bank: no money moved.
    Inquiry,
    Open,
    Won,
    Lost,
}

impl Fact {
    /// It says that money which was given back may be the business's again.
    pub fn takes_back(&self) -> bool {
        match self {
            Self::Refunded(refund) => refund.state == RefundState::Failed,
            Self::Disputed(dispute) => dispute.state == DisputeState::Won,
            _ => false,
        }
    }
}

impl Dispute {
    /// The greater of two tells of the same dispute overrules the other.
    pub fn rank(&self) -> (bool, Instant, DisputeState, i64) {
        (matches!(self.state, DisputeState::Won | DisputeState::Lost), self.at, self.state, self.amount)
    }
}

/// A subscription ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub who: Who,
    pub at: Instant,
}

impl Who {
    /// What another message says, where this one says nothing.
    pub fn or(self, other: &Self) -> Self {
        Self {
            customer: self.customer.or_else(|| other.customer.clone()),
            email: self.email.or_else(|| other.email.clone()),
            name: self.name.or_else(|| other.name.clone()),
            phone: self.phone.or_else(|| other.phone.clone()),
        }
    }
}

impl Paid {
    /// The part that commissions are computed from.
    pub fn base_money(&self, with_tax: bool, with_shipping: bool) -> Money {
        let less = if with_tax { 0 } else { self.tax } + if with_shipping { 0 } else { self.shipping };
        Money { minor: (self.gross - less).max(0), currency: self.currency }
    }
}
