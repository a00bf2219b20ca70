//! Campaigns as the API reads them.

use crate::campaigns::Campaign;
use crate::db::{Conn, DbResult, sql};
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct CampaignRow {
        pub id: i64,
        pub name: String,
        pub state: String,
        pub qualify_on: String,
        pub qualify_least: String,
        pub qualify_days: i64,
        pub reward: String,
        pub reward_hold_days: i64,
        pub customer_reward_kind: String,
        pub customer_reward: String,
        pub customer_reward_text: String,
        pub destination: String,
        pub link_days: i64,
        pub offer: String,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

impl CampaignRow {
    pub fn campaign(&self) -> Campaign {
        Campaign {
            id: self.id,
            name: self.name.clone(),
            state: self.state.clone(),
            qualify_on: self.qualify_on.clone(),
            qualify_least: self.qualify_least.clone(),
            qualify_days: self.qualify_days,
            reward: self.reward.clone(),
            reward_hold_days: self.reward_hold_days,
            customer_reward_kind: self.customer_reward_kind.clone(),
            customer_reward: self.customer_reward.clone(),
            customer_reward_text: self.customer_reward_text.clone(),
            destination: self.destination.clone(),
            link_days: self.link_days,
            offer: self.offer.clone(),
        }
    }
}

/// The campaigns of a business, oldest first; a business has few.
pub async fn all(conn: &mut Conn, business_id: i64) -> DbResult<Vec<CampaignRow>> {
    sql("SELECT id, name, state, qualify_on, qualify_least, qualify_days, reward, reward_hold_days,
                customer_reward_kind,
                customer_reward, customer_reward_text, destination, link_days, offer, created_at, updated_at
           FROM campaigns
          WHERE business_id = $1
          ORDER BY id
          LIMIT 1000")
    .bind(business_id)
    .all(conn)
    .await
}
