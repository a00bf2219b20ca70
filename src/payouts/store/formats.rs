use crate::db::{Conn, DbResult, Tx, sql};
use crate::payouts::files::Format;
use crate::row;

row! {
    /// A version of the settings of a format.
    pub struct SettingsRow {
        pub id: i64,
        /// A JSON object.
        pub settings: String,
        pub sealed: Option<String>,
        pub masked: Option<String>,
        pub key_id: Option<String>,
    }
}

/// The encrypted part of settings.
#[derive(Debug, Clone)]
pub struct Sealed {
    pub sealed: String,
    pub masked: String,
    pub key_id: String,
}

impl SettingsRow {
    pub fn sealed(&self) -> Option<Sealed> {
        let (sealed, masked, key_id) = (self.sealed.clone()?, self.masked.clone()?, self.key_id.clone()?);
        Some(Sealed { sealed, masked, key_id })
    }
}

/// The version that counts for a business.
pub async fn current(conn: &mut Conn, business_id: i64, format: Format) -> DbResult<Option<SettingsRow>> {
    sql("SELECT s.id, s.settings, s.sealed, s.masked, s.key_id
           FROM payout_formats f
           JOIN payout_settings s ON s.id = f.settings_id
          WHERE f.business_id = $1
            AND f.format = $2")
    .bind(business_id)
    .bind(format)
    .optional(conn)
    .await
}

/// The version that the files of a locked payout are made by.
pub async fn frozen(conn: &mut Conn, payout_id: i64, format: Format) -> DbResult<Option<SettingsRow>> {
    sql("SELECT s.id, s.settings, s.sealed, s.masked, s.key_id
           FROM payout_frozen z
           JOIN payout_settings s ON s.id = z.settings_id
          WHERE z.payout_id = $1
            AND z.format = $2")
    .bind(payout_id)
    .bind(format)
    .optional(conn)
    .await
}

pub async fn add_settings(
    tx: &mut Tx,
    id: i64,
    business_id: i64,
    format: Format,
    settings: &str,
    sealed: Option<&Sealed>,
) -> DbResult<()> {
    let now = tx.now();
    sql("INSERT INTO payout_settings (id, business_id, format, settings, sealed, masked, key_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind(id)
    .bind(business_id)
    .bind(format)
    .bind(settings)
    .bind(sealed.map(|sealed| sealed.sealed.as_str()))
    .bind(sealed.map(|sealed| sealed.masked.as_str()))
    .bind(sealed.map(|sealed| sealed.key_id.as_str()))
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Lets a version count.
pub async fn choose_settings(tx: &mut Tx, business_id: i64, format: Format, id: i64) -> DbResult<()> {
    let now = tx.now();
    sql("INSERT INTO payout_formats (business_id, format, settings_id, updated_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (business_id, format) DO UPDATE
            SET settings_id = excluded.settings_id, updated_at = excluded.updated_at")
    .bind(business_id)
    .bind(format)
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes the files of a payout by a version from now on.
pub async fn freeze(tx: &mut Tx, payout_id: i64, format: Format, settings_id: i64) -> DbResult<()> {
    sql("INSERT INTO payout_frozen (payout_id, format, settings_id)
         VALUES ($1, $2, $3)")
    .bind(payout_id)
    .bind(format)
    .bind(settings_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets the versions of a payout.
pub async fn thaw(tx: &mut Tx, payout_id: i64) -> DbResult<()> {
    sql("DELETE FROM payout_frozen
          WHERE payout_id = $1")
    .bind(payout_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes the versions of a business that neither count nor make files.
pub async fn drop_unused(tx: &mut Tx, business_id: i64) -> DbResult<()> {
    sql("DELETE FROM payout_settings
          WHERE business_id = $1
            AND NOT EXISTS (SELECT 1 FROM payout_formats f WHERE f.settings_id = payout_settings.id)
            AND NOT EXISTS (SELECT 1 FROM payout_frozen z WHERE z.settings_id = payout_settings.id)")
    .bind(business_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// The meaning of the columns of reports, as JSON.
pub async fn reading(conn: &mut Conn, business_id: i64, format: Format) -> DbResult<Option<String>> {
    let found: Option<(Option<String>,)> = sql("SELECT reading
           FROM payout_formats
          WHERE business_id = $1
            AND format = $2")
    .bind(business_id)
    .bind(format)
    .optional(conn)
    .await?;
    Ok(found.and_then(|(reading,)| reading))
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
