//! Referral programmes: their state, when a referral counts, what a qualification earns.

mod pages;
mod save;
mod settings;
mod state;
mod store;

use crate::db::{Conn, DbResult};
use crate::row;

pub use pages::routes;
pub use save::{Moved, SameName, Saved, change, create, set_state};
pub use settings::{Destination, QualifyOn, Settings, days, reward};
pub use state::State;
pub use store::{NewCampaign, insert};

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
        pub reward: String,
        pub reward_hold_days: i64,
        pub destination: String,
    }
}

impl Campaign {
    pub fn state(&self) -> State {
        State::parse(&self.state).unwrap_or(State::Ended)
    }
}

/// The campaigns of a business, oldest first.
pub async fn choices(conn: &mut Conn, business_id: i64) -> DbResult<Vec<CampaignChoice>> {
    store::choices(conn, business_id).await
}

/// One campaign of a business.
pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<Campaign>> {
    store::find(conn, business_id, id).await
}
