//! Why a payout stays as it is.

use serde::{Deserialize, Serialize};

use super::files::Format;
use crate::engine::state::PayoutState;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    NotFound,
    /// It cannot be done to a payout in this state.
    State(PayoutState),
    /// Another version of the draft was reviewed.
    Outdated,
    /// A referrer of the draft is owed another amount by now, or is paid otherwise.
    Changed {
        referrer: String,
    },
    /// No line is in it.
    Empty,
    /// Some of its lines are paid, failed or returned.
    Settled,
    /// Lines that are neither paid nor failed.
    Open(i64),
    /// A second person has to approve it first.
    NotApproved,
    /// The person who locked it cannot be the second one.
    SamePerson,
    /// Only an owner may approve.
    NotOwner,
    /// The kind of file does not pay by the method, or not in the currency.
    Format,
    /// Nobody made the settings of the kind of file.
    NotSetUp(Format),
}

impl Refused {
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::State(_) => "payout_state",
            Self::Outdated | Self::Changed { .. } => "payout_changed",
            Self::Empty => "payout_empty",
            Self::Settled => "payout_settled",
            Self::Open(_) => "payout_open",
            Self::NotApproved => "payout_not_approved",
            Self::SamePerson => "payout_same_person",
            Self::NotOwner => "payout_not_owner",
            Self::Format => "payout_format",
            Self::NotSetUp(_) => "payout_not_set_up",
        }
    }

    /// The sentence people read.
    pub fn sentence(&self) -> String {
        match self {
            Self::NotFound => "There is no payout with this id.".into(),
            Self::State(state) => {
                let state = match state {
                    PayoutState::Draft => "a draft",
                    PayoutState::Building => "still being made",
                    PayoutState::Locking => "just being locked",
                    PayoutState::Unlocking => "just being given back",
                    PayoutState::Locked | PayoutState::Approved | PayoutState::Closed | PayoutState::Dropped => {
                        state.word()
                    }
                };
                format!("The payout is {state}, so this cannot be done.")
            }
            Self::Outdated => {
                "The draft has changed since it was reviewed. Look at it again before you lock it.".into()
            }
            Self::Changed { referrer } => {
                format!(
                    "What {referrer} is owed, or how they are paid, has changed since the draft was made. Refresh the draft and review it again."
                )
            }
            Self::Empty => "Nobody is in this payout, so there is nothing to lock.".into(),
            Self::Settled => "Some of its lines are paid, failed or returned already, so it cannot be undone.".into(),
            Self::Open(1) => "1 line is neither paid nor failed yet.".into(),
            Self::Open(lines) => format!("{lines} lines are neither paid nor failed yet."),
            Self::NotApproved => "A second person has to approve this payout first.".into(),
            Self::SamePerson => "You locked this payout, so somebody else has to approve it.".into(),
            Self::Format => "This kind of file does not pay by the payout's method in its currency.".into(),
            Self::NotSetUp(format) => {
                format!("Set up the {} in the settings of payouts first.", format.title())
            }
            Self::NotOwner => "Only an owner approves payouts of this business.".into(),
        }
    }
}

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoFile {
    Refused(Refused),
    /// The payout has fewer files.
    Part,
    /// The settings or a referrer's details cannot be read, or a line cannot be sent in this format: a sentence.
    Line(String),
}

impl NoFile {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(why) => why.code(),
            Self::Part => "not_found",
            Self::Line(_) => "payout_line_unfit",
        }
    }

    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) => why.sentence(),
            Self::Part => "The payout has no such part.".into(),
            Self::Line(why) => why.clone(),
        }
    }
}

impl From<Refused> for NoFile {
    fn from(why: Refused) -> Self {
        Self::Refused(why)
    }
}
