use crate::db::{Conn, DbResult, Tx, sql};
use crate::payouts::files::Format;
use crate::row;

row! {
    /// A business's choices for a format, as JSON.
    pub struct Choices {
        pub settings: Option<String>,
        pub reading: Option<String>,
    }
}

pub async fn choices(conn: &mut Conn, business_id: i64, format: Format) -> DbResult<Option<Choices>> {
    sql("SELECT settings, reading
           FROM payout_formats
          WHERE business_id = $1
            AND format = $2")
    .bind(business_id)
    .bind(format)
    .optional(conn)
    .await
}

pub async fn set_format(tx: &mut Tx, business_id: i64, format: Format, settings: &str) -> DbResult<()> {
    let now = tx.now();
    sql("INSERT INTO payout_formats (business_id, format, settings, updated_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (business_id, format) DO UPDATE
            SET settings = excluded.settings, updated_at = excluded.updated_at")
    .bind(business_id)
    .bind(format)
    .bind(settings)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_reading(tx: &mut Tx, business_id: i64, format: Format, reading: &str) -> DbResult<()> {
    let now = tx.now();
    sql("INSERT INTO payout_formats (business_id, format, reading, updated_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (business_id, format) DO UPDATE
            SET reading = excluded.reading, updated_at = excluded.updated_at")
    .bind(business_id)
    .bind(format)
    .bind(reading)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
