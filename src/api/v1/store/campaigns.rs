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
        pub reward: String,
        pub reward_hold_days: i64,
        pub destination: String,
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
            reward: self.reward.clone(),
            reward_hold_days: self.reward_hold_days,
            destination: self.destination.clone(),
        }
    }
}

/// The campaigns of a business, oldest first; a business has few.
pub async fn all(conn: &mut Conn, business_id: i64) -> DbResult<Vec<CampaignRow>> {
    sql("SELECT id, name, state, qualify_on, qualify_least, reward, reward_hold_days, destination, created_at,
                updated_at
           FROM campaigns
          WHERE business_id = $1
          ORDER BY id
          LIMIT 1000")
    .bind(business_id)
    .all(conn)
    .await
}

row! {
    /// A version of a product's terms.
    #[derive(Debug, Clone)]
    pub struct TermsRow {
        pub number: i64,
        pub valid_from: String,
        pub referral_rate: Option<i64>,
        pub referral_flat: Option<String>,
        pub recurring_rate: Option<i64>,
        pub recurring_flat: Option<String>,
        pub recurring_limit: String,
        pub recurring_count: i64,
        pub hold_days: i64,
        pub created_at: i64,
    }
}

/// Every version, the newest first.
pub async fn terms(conn: &mut Conn, product_id: i64) -> DbResult<Vec<TermsRow>> {
    sql("SELECT number, valid_from, referral_rate, referral_flat, recurring_rate, recurring_flat, recurring_limit,
                recurring_count, hold_days, created_at
           FROM terms
          WHERE product_id = $1
          ORDER BY number DESC
          LIMIT 1000")
    .bind(product_id)
    .all(conn)
    .await
}
