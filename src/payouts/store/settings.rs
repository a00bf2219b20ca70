use std::collections::HashMap;

use crate::db::{Conn, DbResult, Tx, sql};
use crate::money::Currency;
use crate::payout_details::Offered;
use crate::{row, words};

words! {
    /// The people who have to agree to a locked payout before it is paid.
    pub enum Approval {
        None = "none",
        /// An owner who did not lock it.
        Owner = "owner",
        /// Anybody else who may pay.
        Anyone = "anyone",
    }
}

pub async fn approval(conn: &mut Conn, business_id: i64) -> DbResult<Approval> {
    let found: Option<Asked> = sql("SELECT payout_approval AS asked
           FROM businesses
          WHERE id = $1")
    .bind(business_id)
    .optional(conn)
    .await?;
    Ok(found.map_or(Approval::None, |found| found.asked))
}

row! {
    struct Asked {
        asked: Approval,
    }
}

row! {
    /// The way a campaign pays: the least amounts, when, and by which methods.
    #[derive(Debug, Clone)]
    pub struct Paying {
        pub id: i64,
        pub name: String,
        /// A JSON object of currency to minor units.
        pub payout_minimum: String,
        /// The day of each month on which drafts are made by themselves.
        pub payout_day: Option<i64>,
        pub offered: Offered,
    }
}

/// The ways the campaigns of a business pay, the oldest campaign first.
pub async fn paying(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Paying>> {
    sql("SELECT id, name, payout_minimum, payout_day, payout_methods AS offered
           FROM campaigns
          WHERE business_id = $1
          ORDER BY id")
    .bind(business_id)
    .all(conn)
    .await
}

pub async fn set_minimum(tx: &mut Tx, campaign_id: i64, minimum: &str) -> DbResult<()> {
    sql("UPDATE campaigns
            SET payout_minimum = $2
          WHERE id = $1")
    .bind(campaign_id)
    .bind(minimum)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    struct OfferedRow {
        offered: Offered,
    }
}

pub async fn offered(conn: &mut Conn, campaign_id: i64) -> DbResult<Offered> {
    let found: Option<OfferedRow> = sql("SELECT payout_methods AS offered
           FROM campaigns
          WHERE id = $1")
    .bind(campaign_id)
    .optional(conn)
    .await?;
    Ok(found.map(|row| row.offered).unwrap_or_default())
}

pub async fn set_offered(tx: &mut Tx, campaign_id: i64, offered: &Offered) -> DbResult<()> {
    sql("UPDATE campaigns
            SET payout_methods = $2
          WHERE id = $1")
    .bind(campaign_id)
    .bind(offered)
    .execute(tx)
    .await?;
    Ok(())
}

/// The days within which changed payout details are marked.
pub async fn changed_days(conn: &mut Conn, business_id: i64) -> DbResult<i64> {
    sql("SELECT changed_details_days
           FROM businesses
          WHERE id = $1")
    .bind(business_id)
    .scalar(conn)
    .await
}

pub async fn set_changed_days(tx: &mut Tx, business_id: i64, days: i64) -> DbResult<()> {
    sql("UPDATE businesses
            SET changed_details_days = $2
          WHERE id = $1")
    .bind(business_id)
    .bind(days)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_approval(tx: &mut Tx, business_id: i64, approval: Approval) -> DbResult<()> {
    sql("UPDATE businesses
            SET payout_approval = $2
          WHERE id = $1")
    .bind(business_id)
    .bind(approval)
    .execute(tx)
    .await?;
    Ok(())
}

/// The least amount that each campaign of a business pays out in a currency.
pub async fn minimums(conn: &mut Conn, business_id: i64, currency: Currency) -> DbResult<HashMap<i64, i64>> {
    let in_currency = |p: Paying| Some((p.id, crate::engine::facts::in_currency(&p.payout_minimum, currency)?));
    Ok(paying(conn, business_id).await?.into_iter().filter_map(in_currency).collect())
}
