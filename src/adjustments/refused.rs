//! Why an adjustment is not made, or stays as it is.

use serde::{Deserialize, Serialize};

use crate::engine::state::AdjustmentState;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    NotFound,
    NoReferrer,
    /// The referrer is not in the campaign.
    NotEnrolled,
    Zero,
    /// Nothing of the campaign is in this currency; those it has.
    Currency(Vec<String>),
    /// It is decided by now.
    State(AdjustmentState),
    /// The person who made it cannot be the second one.
    SamePerson,
    /// Only the person who made it withdraws it.
    NotMaker,
}

impl Refused {
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::NoReferrer | Self::NotEnrolled | Self::Zero | Self::Currency(_) => "invalid_field",
            Self::State(_) => "adjustment_state",
            Self::SamePerson => "adjustment_same_person",
            Self::NotMaker => "adjustment_not_maker",
        }
    }

    /// The field that is wrong, and the words behind its name.
    pub fn field(&self) -> Option<(&'static str, String)> {
        match self {
            Self::NoReferrer => Some(("referrer", "is not a referrer of this business".into())),
            Self::NotEnrolled => Some(("campaign", "is not one that this referrer is in".into())),
            Self::Zero => Some(("amount", "must not be 0".into())),
            Self::Currency(known) => {
                Some(("currency", format!("is none of the campaign, which has {}", known.join(", "))))
            }
            Self::NotFound | Self::State(_) | Self::SamePerson | Self::NotMaker => None,
        }
    }

    /// The sentence people read.
    pub fn sentence(&self) -> String {
        match self {
            Self::NotFound => "There is no adjustment with this id.".into(),
            Self::NoReferrer => "There is no referrer with this id.".into(),
            Self::NotEnrolled => "The referrer is not in this campaign. Enroll them first.".into(),
            Self::Zero => "The amount must not be 0.".into(),
            Self::Currency(known) => format!("The campaign has amounts in {} only.", known.join(", ")),
            Self::State(state) => {
                format!("The adjustment is {state}. To undo one that counts, add another one with the opposite sign.")
            }
            Self::SamePerson => "You made this adjustment, so somebody else has to approve or refuse it.".into(),
            Self::NotMaker => "Only the person who made it withdraws it. You can refuse it.".into(),
        }
    }
}
