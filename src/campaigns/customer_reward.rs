//! The reward of a campaign for referred customers, beside the referrer's.

use crate::amounts::Amounts;
use crate::money::Money;

/// A reward for the customer, as a value that cannot be wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CustomerReward {
    #[default]
    Nothing,
    /// Money, paid by the business in its own way.
    Money(Money),
    /// Credit on the customer's account with the business.
    Credit(Money),
    /// The words of a voucher, such as its code.
    Voucher(String),
}

impl CustomerReward {
    pub const KINDS: [(&str, &str); 4] = [
        ("none", "Nothing"),
        ("money", "Money"),
        ("credit", "Credit on their account"),
        ("voucher", "A voucher, or something else in words"),
    ];

    /// Puts one together. The error is the part that is missing, and the words behind its name.
    pub fn of(kind: &str, money: Option<Money>, text: &str) -> Result<Self, (CustomerRewardPart, &'static str)> {
        let money = money.filter(|money| money.minor > 0).ok_or((CustomerRewardPart::Amount, "must be more than 0"));
        match kind {
            "money" => money.map(Self::Money),
            "credit" => money.map(Self::Credit),
            "voucher" if text.is_empty() => Err((CustomerRewardPart::Text, "must say what the customer gets")),
            "voucher" => Ok(Self::Voucher(text.to_owned())),
            _ => Ok(Self::Nothing),
        }
    }

    /// As it is stored; anything else is nothing.
    pub fn stored(kind: &str, amounts: &str, text: &str) -> Self {
        let money = Amounts::from_json(amounts).iter().next();
        Self::of(kind, money, text).unwrap_or_default()
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::Money(_) => "money",
            Self::Credit(_) => "credit",
            Self::Voucher(_) => "voucher",
        }
    }

    pub fn money(&self) -> Option<Money> {
        match self {
            Self::Money(money) | Self::Credit(money) => Some(*money),
            Self::Nothing | Self::Voucher(_) => None,
        }
    }

    pub fn amounts(&self) -> Amounts {
        self.money().map(Amounts::of).unwrap_or_default()
    }

    /// The words of a voucher; empty for anything else.
    pub fn text(&self) -> &str {
        if let Self::Voucher(text) = self { text } else { "" }
    }

    /// As people read it; empty for nothing.
    pub fn shown(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Money(money) => money.shown(),
            Self::Credit(money) => format!("{} credit", money.shown()),
            Self::Voucher(text) => text.clone(),
        }
    }
}

/// A part of a reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomerRewardPart {
    Amount,
    Text,
}
