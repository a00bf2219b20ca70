//! A campaign as it is stored.

use super::State;
use crate::row;

row! {
    /// A campaign as the switcher lists it.
    #[derive(Debug, Clone)]
    pub struct CampaignChoice {
        pub id: i64,
        pub name: String,
        pub state: String,
    }
}

row! {
    /// A campaign with everything that was set.
    #[derive(Debug, Clone)]
    pub struct Campaign {
        pub id: i64,
        pub name: String,
        pub state: String,
        pub qualify_on: String,
        pub qualify_least: String,
        /// Days after the lead in which a payment qualifies; 0 for any.
        pub qualify_days: i64,
        pub reward: String,
        pub reward_hold_days: i64,
        /// `none`, `money`, `credit` or `voucher`.
        pub customer_reward_kind: String,
        pub customer_reward: String,
        pub customer_reward_text: String,
        pub destination: String,
        /// Days for which a customer's browser keeps the code of a link.
        pub link_days: i64,
        /// A line for customers: what they get; empty for none.
        pub offer: String,
    }
}

impl Campaign {
    pub fn state(&self) -> State {
        State::parse(&self.state).unwrap_or(State::Ended)
    }
}

/// The reason why codes of a campaign in this state count for nobody now; empty where they do.
pub fn resting(name: &str, state: &str) -> String {
    match State::parse(state) {
        Some(State::Live) => String::new(),
        Some(State::Draft) => format!("{name} is a draft: its codes do not count before it is live."),
        _ => format!("{name} is {state}: new referrals with its codes do not count."),
    }
}
