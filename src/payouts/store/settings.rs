use std::collections::HashMap;

use crate::db::{Conn, DbResult, Tx, sql};
use crate::money::Currency;
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
    /// A campaign, the least amounts that it pays out, and when.
    #[derive(Debug, Clone)]
    pub struct Least {
        pub id: i64,
        pub name: String,
        /// A JSON object of currency to minor units.
        pub payout_minimum: String,
        /// The day of each month on which drafts are made by themselves.
        pub payout_day: Option<i64>,
    }
}

pub async fn least(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Least>> {
    sql("SELECT id, name, payout_minimum, payout_day
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
    let in_currency = |l: Least| Some((l.id, crate::engine::facts::in_currency(&l.payout_minimum, currency)?));
    Ok(least(conn, business_id).await?.into_iter().filter_map(in_currency).collect())
}
