//! Referral programmes: their state, when a referral counts, what a qualification earns.

mod campaign;
mod customer_reward;
pub mod pages;
pub mod ready_text;
mod save;
mod settings;
mod state;
mod store;

pub use campaign::{Campaign, CampaignChoice, resting};
pub use customer_reward::{CustomerReward, CustomerRewardPart};
pub use save::{Moved, SameName, Saved, change, create, set_ready_text, set_state};
pub use settings::{Destination, LINK_DAYS, LINK_DAYS_MOST, QUALIFY_DAYS_MOST, QualifyOn, Settings, days, reward};
pub use state::State;
pub use store::rows;
pub use store::{NewCampaign, choices, find, insert, ready_text};
