//! The states of a campaign, what each means, and which follows which.

/// The states of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Draft,
    Live,
    Paused,
    Ended,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Draft, Self::Live, Self::Paused, Self::Ended];

    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// The meaning of this state.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Draft => {
                "Test data only. A real sign-up or payment is stored, but its code refers nobody until the campaign is live."
            }
            Self::Live => "New referrals count, and payments earn commission.",
            Self::Paused => {
                "New referrals do not count. Leads that have a referrer keep earning. It can go on at any time."
            }
            Self::Ended => "Over. New referrals do not count. Leads that have a referrer keep earning.",
        }
    }

    /// The states that may follow. Draft is never one of them: real leads may exist by then.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Draft => &[Self::Live, Self::Ended],
            Self::Live => &[Self::Paused, Self::Ended],
            Self::Paused => &[Self::Live, Self::Ended],
            Self::Ended => &[Self::Live],
        }
    }

    /// The label of the button that leads from one state to the next.
    pub fn verb(self, to: Self) -> &'static str {
        match (self, to) {
            (Self::Draft, Self::Live) => "Go live",
            (Self::Paused, Self::Live) => "Resume",
            (_, Self::Live) => "Open again",
            (_, Self::Paused) => "Pause",
            (_, Self::Ended | Self::Draft) => "End",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_returns_to_draft_and_everything_can_be_live() {
        for state in State::ALL {
            assert_eq!(State::parse(state.word()), Some(state));
            assert!(!state.next().contains(&State::Draft) && !state.next().contains(&state));
            assert!(state == State::Live || state.next().contains(&State::Live));
        }
    }
}
