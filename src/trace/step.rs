//! One step of a trace.

use crate::id::Kind;
use crate::money::Money;
use crate::words;

words! {
    /// The kind of a step.
    pub enum StepKind {
        /// A claim to the lead.
        Touch = "touch",
        Payment = "payment",
        Qualified = "qualified",
        Terms = "terms",
        Amount = "amount",
        Hold = "hold",
        Refund = "refund",
        Dispute = "dispute",
        Approved = "approved",
        Voided = "voided",
        Restored = "restored",
        TakenBack = "taken back",
        Payout = "payout",
        Paid = "paid",
        Failed = "failed",
        Returned = "returned",
        /// A part of a payout's line.
        Item = "item",
        Commission = "commission",
    }
}

/// A step, with its moment or its day.
#[derive(Debug, Clone)]
pub struct Step {
    pub kind: StepKind,
    /// Microseconds, UTC.
    pub at: Option<i64>,
    /// The business's day, of what has no moment.
    pub day: Option<String>,
    pub title: String,
    pub text: String,
    pub amount: Option<Money>,
    /// The thing that it is about.
    pub subject: Option<(Kind, i64)>,
    /// True for the claim that counts.
    pub counts: bool,
    pub tone: &'static str,
}

impl Step {
    pub fn new(kind: StepKind, title: impl Into<String>) -> Self {
        Self {
            kind,
            at: None,
            day: None,
            title: title.into(),
            text: String::new(),
            amount: None,
            subject: None,
            counts: false,
            tone: "",
        }
    }

    pub fn at(mut self, at: i64) -> Self {
        self.at = Some(at);
        self
    }

    pub fn on(mut self, day: &str) -> Self {
        self.day = Some(day.to_owned());
        self
    }

    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    pub fn amount(mut self, amount: Money) -> Self {
        self.amount = Some(amount);
        self
    }

    pub fn about(mut self, kind: Kind, id: i64) -> Self {
        self.subject = Some((kind, id));
        self
    }

    pub fn tone(mut self, tone: &'static str) -> Self {
        self.tone = tone;
        self
    }
}
