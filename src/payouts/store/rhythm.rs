use crate::db::{Conn, DbResult, Tx, sql};
use crate::money::Currency;
use crate::payout_details::Method;
use crate::row;

/// The campaigns of a business whose day has come in this month.
pub async fn due_campaigns(conn: &mut Conn, business_id: i64, day: i64, month: &str) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT id
           FROM campaigns
          WHERE business_id = $1
            AND payout_day <= $2
            AND (payout_month IS NULL OR payout_month <> $3)
          ORDER BY id")
    .bind(business_id)
    .bind(day)
    .bind(month)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Marks the month as done; false where somebody else did.
pub async fn mark_month(tx: &mut Tx, campaign_id: i64, month: &str) -> DbResult<bool> {
    let done = sql("UPDATE campaigns
            SET payout_month = $2
          WHERE id = $1
            AND (payout_month IS NULL OR payout_month <> $2)")
    .bind(campaign_id)
    .bind(month)
    .execute(tx)
    .await?;
    Ok(done == 1)
}

pub async fn set_day(tx: &mut Tx, campaign_id: i64, day: Option<i64>, done: Option<&str>) -> DbResult<()> {
    sql("UPDATE campaigns
            SET payout_day = $2, payout_month = $3
          WHERE id = $1")
    .bind(campaign_id)
    .bind(day)
    .bind(done)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    /// A currency and a way of paying in which something is due.
    pub struct DueKind {
        pub currency: Currency,
        pub method: Method,
    }
}

pub async fn due_kinds(conn: &mut Conn, business_id: i64, campaign_id: i64) -> DbResult<Vec<DueKind>> {
    sql("SELECT DISTINCT k.currency, d.method
           FROM commissions k
           JOIN payout_details d ON d.referrer_id = k.referrer_id
                                AND d.replaced_at IS NULL
          WHERE k.business_id = $1
            AND k.campaign_id = $2
            AND k.state = 'approved'
            AND k.line_id IS NULL
            AND k.test = false
          ORDER BY k.currency, d.method")
    .bind(business_id)
    .bind(campaign_id)
    .all(conn)
    .await
}
