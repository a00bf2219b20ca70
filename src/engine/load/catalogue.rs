//! Businesses, campaigns, products and their terms.

use std::collections::BTreeSet;

use super::ids;
use crate::db::{Conn, DbResult, sql};
use crate::engine::facts::{Business, Campaign, Facts, Product, Terms};
use crate::engine::ids::{CampaignId, ProductId};
use crate::engine::subjects::Subjects;

pub async fn load(conn: &mut Conn, about: &mut Subjects, facts: &mut Facts) -> DbResult<()> {
    let businesses: Vec<Business> = sql("SELECT b.id, b.timezone, b.currency, b.listens,
                EXISTS (SELECT 1 FROM refunds f WHERE f.business_id = b.id AND f.state = 'parked') AS parked
           FROM rows($1, id BIGINT) r
           JOIN businesses b ON b.id = r.id")
    .bind(ids(&about.businesses))
    .all(conn)
    .await?;
    facts.businesses = businesses.into_iter().map(|b| (b.id, b)).collect();
    expect_products(conn, about).await?;
    load_products(conn, about, facts).await?;
    if !about.campaigns.is_empty() {
        let campaigns: Vec<Campaign> =
            sql("SELECT c.id, c.business_id, c.state, c.qualify_on, c.qualify_least, c.qualify_days,
                c.reward, c.reward_hold_days, NULLIF(c.customer_reward_kind, 'none') AS customer_reward_kind,
                c.customer_reward, c.customer_reward_text,
                (c.customer_reward_kind <> 'none'
                    OR EXISTS (SELECT 1 FROM customer_rewards w WHERE w.campaign_id = c.id)) AS rewards_customers
           FROM rows($1, id BIGINT) r
           JOIN campaigns c ON c.id = r.id")
            .bind(ids(&about.campaigns))
            .all(conn)
            .await?;
        facts.campaigns = campaigns.into_iter().map(|c| (c.id, c)).collect();
    }
    Ok(())
}

/// Payments that are decided now may be of products that no event names.
async fn expect_products(conn: &mut Conn, about: &mut Subjects) -> DbResult<()> {
    if !about.deep.is_empty() {
        let waiting: Vec<(ProductId,)> = sql("SELECT DISTINCT p.product_id
               FROM rows($1, id BIGINT) r
               JOIN payments p ON p.lead_id = r.id
              WHERE p.decision = 'waiting'")
        .bind(ids(&about.deep))
        .all(conn)
        .await?;
        about.products.extend(waiting.into_iter().map(|(id,)| id));
    }
    let unattached = about.orphans.iter().chain(&about.phoned);
    let campaigns: BTreeSet<CampaignId> = unattached.map(|(scope, _)| scope.campaign_id).collect();
    if !campaigns.is_empty() {
        let siblings: Vec<(ProductId,)> = sql("SELECT p.id
               FROM rows($1, id BIGINT) r
               JOIN products p ON p.campaign_id = r.id")
        .bind(ids(&campaigns))
        .all(conn)
        .await?;
        about.products.extend(siblings.into_iter().map(|(id,)| id));
    }
    Ok(())
}

async fn load_products(conn: &mut Conn, about: &mut Subjects, facts: &mut Facts) -> DbResult<()> {
    if about.products.is_empty() {
        return Ok(());
    }
    let products: Vec<Product> = sql("SELECT p.id, p.business_id, p.campaign_id, p.test
           FROM rows($1, id BIGINT) r
           JOIN products p ON p.id = r.id")
    .bind(ids(&about.products))
    .all(conn)
    .await?;
    about.campaigns.extend(products.iter().map(|p| p.campaign_id));
    facts.products = products.into_iter().map(|p| (p.id, p)).collect();
    let terms: Vec<Terms> = sql("SELECT t.id, t.product_id, t.number, t.valid_from, t.referral_rate, t.referral_flat,
                t.recurring_rate, t.recurring_flat, t.recurring_limit, t.recurring_count, t.hold_days
           FROM rows($1, id BIGINT) r
           JOIN terms t ON t.product_id = r.id
          ORDER BY t.product_id, t.number")
    .bind(ids(&about.products))
    .all(conn)
    .await?;
    for t in terms {
        facts.terms.entry(t.product_id).or_default().push(t);
    }
    Ok(())
}
