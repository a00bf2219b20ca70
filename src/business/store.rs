use super::{NewBusiness, Settings};
use crate::db::{Conn, DbResult, Tx, sql};
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct BusinessRow {
        pub id: i64,
        pub public_id: String,
        pub name: String,
        pub timezone: String,
        pub currency: String,
        pub country: String,
        pub address: String,
        pub default_campaign_id: Option<i64>,
    }
}

pub async fn count(conn: &mut Conn) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM businesses")
    .scalar(conn)
    .await
}

pub async fn all(conn: &mut Conn) -> DbResult<Vec<BusinessRow>> {
    sql("SELECT id, public_id, name, timezone, currency, country, address, default_campaign_id
           FROM businesses
          ORDER BY id")
    .all(conn)
    .await
}

pub async fn by_public_id(conn: &mut Conn, public_id: &str) -> DbResult<Option<BusinessRow>> {
    sql("SELECT id, public_id, name, timezone, currency, country, address, default_campaign_id
           FROM businesses
          WHERE public_id = $1")
    .bind(public_id)
    .optional(conn)
    .await
}

pub async fn by_id(conn: &mut Conn, id: i64) -> DbResult<Option<BusinessRow>> {
    sql("SELECT id, public_id, name, timezone, currency, country, address, default_campaign_id
           FROM businesses
          WHERE id = $1")
    .bind(id)
    .optional(conn)
    .await
}

pub async fn update(tx: &mut Tx, id: i64, s: &Settings) -> DbResult<()> {
    sql("UPDATE businesses
            SET name = $2, timezone = $3, currency = $4, country = $5, address = $6
          WHERE id = $1")
    .bind(id)
    .bind(&s.name)
    .bind(s.zone.name())
    .bind(s.currency.code())
    .bind(&s.country)
    .bind(&s.address)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn of_user(conn: &mut Conn, user_id: i64) -> DbResult<Vec<(i64, String)>> {
    sql("SELECT b.id, b.name
           FROM memberships m
           JOIN businesses b ON b.id = m.business_id
          WHERE m.user_id = $1
          ORDER BY b.name, b.id")
    .bind(user_id)
    .all(conn)
    .await
}

pub async fn insert(tx: &mut Tx, id: i64, public_id: &str, new: &NewBusiness) -> DbResult<()> {
    sql("INSERT INTO businesses (id, public_id, name, timezone, currency, country)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(id)
    .bind(public_id)
    .bind(&new.name)
    .bind(new.zone.name())
    .bind(new.currency.code())
    .bind(&new.country)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn set_default_campaign(tx: &mut Tx, id: i64, campaign_id: i64) -> DbResult<()> {
    sql("UPDATE businesses
            SET default_campaign_id = $2
          WHERE id = $1")
    .bind(id)
    .bind(campaign_id)
    .execute(tx)
    .await?;
    Ok(())
}
