pub mod rows;

use super::{Campaign, CampaignChoice, CustomerReward, LINK_DAYS, Settings, State};
use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::row;

/// A campaign about to be made.
#[derive(Debug, Clone)]
pub struct NewCampaign {
    pub id: i64,
    pub business_id: i64,
    pub name: String,
    pub state: &'static str,
    pub qualify_on: &'static str,
    /// JSON, currency to minor units.
    pub qualify_least: String,
    pub qualify_days: i64,
    pub reward: String,
    pub reward_hold_days: i64,
    pub customer_reward: CustomerReward,
    pub destination: String,
    pub link_days: i64,
    pub offer: String,
}

impl NewCampaign {
    /// The defaults of a new programme: live, qualified by the first payment, no reward.
    pub fn live(id: i64, business_id: i64, name: String) -> Self {
        Self {
            id,
            business_id,
            name,
            state: "live",
            qualify_on: "payment",
            qualify_least: "{}".into(),
            qualify_days: 0,
            reward: "{}".into(),
            reward_hold_days: 14,
            customer_reward: CustomerReward::Nothing,
            destination: String::new(),
            link_days: LINK_DAYS,
            offer: String::new(),
        }
    }

    /// With these settings, and only test data until it goes live.
    pub fn draft(id: i64, business_id: i64, s: &Settings) -> Self {
        Self {
            id,
            business_id,
            name: s.name.clone(),
            state: State::Draft.word(),
            qualify_on: s.qualify_on.word(),
            qualify_least: s.least.to_json(),
            qualify_days: s.qualify_days,
            reward: s.reward.to_json(),
            reward_hold_days: s.reward_hold_days,
            customer_reward: s.customer_reward.clone(),
            destination: s.destination.text().to_owned(),
            link_days: s.link_days,
            offer: s.offer.clone(),
        }
    }
}

pub async fn insert(tx: &mut Tx, c: &NewCampaign, now: Instant) -> DbResult<()> {
    sql("INSERT INTO campaigns
                (id, business_id, name, state, qualify_on, qualify_least, reward, reward_hold_days, destination,
                 offer, customer_reward_kind, customer_reward, customer_reward_text, link_days, qualify_days,
                 created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)")
    .bind(c.id)
    .bind(c.business_id)
    .bind(&c.name)
    .bind(c.state)
    .bind(c.qualify_on)
    .bind(&c.qualify_least)
    .bind(&c.reward)
    .bind(c.reward_hold_days)
    .bind(&c.destination)
    .bind(&c.offer)
    .bind(c.customer_reward.kind())
    .bind(c.customer_reward.amounts().to_json())
    .bind(c.customer_reward.text())
    .bind(c.link_days)
    .bind(c.qualify_days)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn update(tx: &mut Tx, id: i64, s: &Settings, now: Instant) -> DbResult<()> {
    sql("UPDATE campaigns
            SET name = $2, qualify_on = $3, qualify_least = $4, reward = $5, reward_hold_days = $6, destination = $7,
                offer = $8, customer_reward_kind = $9, customer_reward = $10, customer_reward_text = $11,
                link_days = $12, qualify_days = $13, updated_at = $14
          WHERE id = $1")
    .bind(id)
    .bind(&s.name)
    .bind(s.qualify_on.word())
    .bind(s.least.to_json())
    .bind(s.reward.to_json())
    .bind(s.reward_hold_days)
    .bind(s.destination.text())
    .bind(&s.offer)
    .bind(s.customer_reward.kind())
    .bind(s.customer_reward.amounts().to_json())
    .bind(s.customer_reward.text())
    .bind(s.link_days)
    .bind(s.qualify_days)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// The referrers of a campaign, counted up to a bound.
pub async fn enrolled(conn: &mut Conn, id: i64, bound: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM (SELECT 1 AS one
                   FROM enrollments
                  WHERE campaign_id = $1
                    AND archived = false
                  LIMIT $2) e")
    .bind(id)
    .bind(bound)
    .scalar(conn)
    .await
}

pub async fn ready_text(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<String>> {
    let found: Option<(String,)> = sql("SELECT ready_text
           FROM campaigns
          WHERE id = $1
            AND business_id = $2")
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await?;
    Ok(found.map(|(text,)| text))
}

pub async fn set_ready_text(tx: &mut Tx, id: i64, text: &str, now: Instant) -> DbResult<()> {
    sql("UPDATE campaigns
            SET ready_text = $2, updated_at = $3
          WHERE id = $1")
    .bind(id)
    .bind(text)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_state(tx: &mut Tx, id: i64, state: State, now: Instant) -> DbResult<()> {
    sql("UPDATE campaigns
            SET state = $2, updated_at = $3
          WHERE id = $1")
    .bind(id)
    .bind(state.word())
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn choices(conn: &mut Conn, business_id: i64) -> DbResult<Vec<CampaignChoice>> {
    sql("SELECT id, name, state
           FROM campaigns
          WHERE business_id = $1
          ORDER BY id")
    .bind(business_id)
    .all(conn)
    .await
}

pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<Campaign>> {
    sql("SELECT id, name, state, qualify_on, qualify_least, qualify_days, reward, reward_hold_days,
                customer_reward_kind,
                customer_reward, customer_reward_text, destination, link_days, offer
           FROM campaigns
          WHERE id = $1
            AND business_id = $2")
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

row! {
    /// A line of the list.
    #[derive(Debug, Clone)]
    pub struct CampaignLine {
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
        pub products: i64,
    }
}

impl CampaignLine {
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

pub async fn list(conn: &mut Conn, business_id: i64) -> DbResult<Vec<CampaignLine>> {
    sql("SELECT c.id, c.name, c.state, c.qualify_on, c.qualify_least, c.qualify_days, c.reward, c.reward_hold_days,
                c.customer_reward_kind, c.customer_reward, c.customer_reward_text, c.destination, c.link_days, c.offer,
                (SELECT count(*) FROM products p WHERE p.campaign_id = c.id) AS products
           FROM campaigns c
          WHERE c.business_id = $1
          ORDER BY c.id")
    .bind(business_id)
    .all(conn)
    .await
}
