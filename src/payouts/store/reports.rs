use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::row;

row! {
    pub struct ReportRow {
        pub file_name: String,
        pub sealed: String,
        pub reading: Option<String>,
    }
}

pub async fn report(conn: &mut Conn, business_id: i64, payout_id: i64, id: i64) -> DbResult<Option<ReportRow>> {
    sql("SELECT file_name, sealed, reading
           FROM payout_reports
          WHERE id = $1
            AND business_id = $2
            AND payout_id = $3")
    .bind(id)
    .bind(business_id)
    .bind(payout_id)
    .optional(conn)
    .await
}

pub async fn insert_report(
    tx: &mut Tx,
    id: i64,
    business_id: i64,
    payout_id: i64,
    file_name: &str,
    sealed: &str,
) -> DbResult<()> {
    let now = tx.now();
    sql("INSERT INTO payout_reports (id, business_id, payout_id, file_name, sealed, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(id)
    .bind(business_id)
    .bind(payout_id)
    .bind(file_name)
    .bind(sealed)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes the other reports of a payout, and old ones of the business.
pub async fn drop_old_reports(tx: &mut Tx, business_id: i64, payout_id: i64, before: Instant) -> DbResult<()> {
    sql("DELETE FROM payout_reports
          WHERE payout_id = $1")
    .bind(payout_id)
    .execute(tx)
    .await?;
    sql("DELETE FROM payout_reports
          WHERE business_id = $1
            AND created_at < $2")
    .bind(business_id)
    .bind(before)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_report_reading(tx: &mut Tx, business_id: i64, payout_id: i64, id: i64, reading: &str) -> DbResult<()> {
    sql("UPDATE payout_reports
            SET reading = $4
          WHERE id = $1
            AND business_id = $2
            AND payout_id = $3")
    .bind(id)
    .bind(business_id)
    .bind(payout_id)
    .bind(reading)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn drop_report(tx: &mut Tx, business_id: i64, payout_id: i64, id: i64) -> DbResult<()> {
    sql("DELETE FROM payout_reports
          WHERE id = $1
            AND business_id = $2
            AND payout_id = $3")
    .bind(id)
    .bind(business_id)
    .bind(payout_id)
    .execute(tx)
    .await?;
    Ok(())
}
