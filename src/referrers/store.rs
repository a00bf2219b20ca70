pub mod amend;
pub mod counted;
mod list;
pub mod many;
mod person;
pub mod rows;

pub use list::*;
pub use person::*;

use super::{AddReferrer, NewFacts};
use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::fold::fold;
use crate::meta::Marks;
use crate::search::{self, Scope};
use crate::{row, rows};

pub async fn by_email(conn: &mut Conn, business_id: i64, email_key: &str) -> DbResult<Option<i64>> {
    let found: Option<(i64,)> = sql("SELECT id
           FROM referrers
          WHERE business_id = $1
            AND email_key = $2")
    .bind(business_id)
    .bind(email_key)
    .optional(conn)
    .await?;
    Ok(found.map(|(id,)| id))
}

pub async fn by_external_id(conn: &mut Conn, business_id: i64, external_id: &str) -> DbResult<Option<i64>> {
    let found: Option<(i64,)> = sql("SELECT id
           FROM referrers
          WHERE business_id = $1
            AND external_id = $2
            AND external_id IS NOT NULL")
    .bind(business_id)
    .bind(external_id)
    .optional(conn)
    .await?;
    Ok(found.map(|(id,)| id))
}

/// Writes the marks of another program on a referrer.
pub async fn set_marks(tx: &mut Tx, id: i64, marks: &Marks, now: Instant) -> DbResult<()> {
    sql("UPDATE referrers
            SET external_id = $2, meta = $3, updated_at = $4
          WHERE id = $1")
    .bind(id)
    .bind(marks.external_id.clone())
    .bind(&marks.meta)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn enrollment(conn: &mut Conn, campaign_id: i64, referrer_id: i64) -> DbResult<Option<i64>> {
    let found: Option<(i64,)> = sql("SELECT id
           FROM enrollments
          WHERE campaign_id = $1
            AND referrer_id = $2")
    .bind(campaign_id)
    .bind(referrer_id)
    .optional(conn)
    .await?;
    Ok(found.map(|(id,)| id))
}

row! {
    /// A referrer as their page shows them.
    #[derive(Debug, Clone)]
    pub struct ReferrerRow {
        pub id: i64,
        pub name: String,
        pub email: Option<String>,
        pub phone: Option<String>,
        pub company: Option<String>,
        pub external_id: Option<String>,
        pub meta: String,
        pub created_at: i64,
        pub updated_at: i64,
        pub archived_at: Option<i64>,
    }
}

pub async fn by_id(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<ReferrerRow>> {
    sql("SELECT id, name, email, phone, company, external_id, meta, created_at, updated_at, archived_at
           FROM referrers
          WHERE id = $2
            AND business_id = $1")
    .bind(business_id)
    .bind(id)
    .optional(conn)
    .await
}

fn first_name(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or_default()
}

pub async fn insert(tx: &mut Tx, id: i64, new: &AddReferrer, now: Instant) -> DbResult<()> {
    let email = new.email.as_ref();
    let phone = new.phone.as_ref();
    let described = new.described();
    sql("INSERT INTO referrers
                (id, business_id, name, first_name, email, email_key, phone, phone_key, company, search, external_id, meta,
                 created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)")
    .bind(id)
    .bind(new.business_id)
    .bind(&new.name)
    .bind(first_name(&new.name))
    .bind(email.map(|e| e.text().to_owned()))
    .bind(email.map(|e| e.key().to_owned()))
    .bind(phone.map(|p| p.text().to_owned()))
    .bind(phone.map(|p| p.e164().to_owned()))
    .bind(new.company.clone())
    .bind(described.search())
    .bind(new.marks.external_id.clone())
    .bind(&new.marks.meta)
    .bind(now)
    .execute(tx)
    .await?;
    to_be_found(tx, new.business_id, id).await?;
    insert_words(tx, new.business_id, id, &described.words()).await
}

async fn to_be_found(tx: &mut Tx, business_id: i64, id: i64) -> DbResult<()> {
    search::enqueue(tx, rows!([id], id => { scope: Scope::referrers(business_id).number(), id: id })).await
}

/// Writes what is known of a referrer, here and where lists sort by their name.
pub async fn update(tx: &mut Tx, id: i64, new: &NewFacts, now: Instant) -> DbResult<()> {
    let email = new.email.as_ref();
    let phone = new.phone.as_ref();
    sql("UPDATE referrers
            SET name = $2, first_name = $3, email = $4, email_key = $5, phone = $6, phone_key = $7, company = $8,
                search = $9, updated_at = $10
          WHERE id = $1")
    .bind(id)
    .bind(&new.name)
    .bind(first_name(&new.name))
    .bind(email.map(|e| e.text().to_owned()))
    .bind(email.map(|e| e.key().to_owned()))
    .bind(phone.map(|p| p.text().to_owned()))
    .bind(phone.map(|p| p.e164().to_owned()))
    .bind(new.company.clone())
    .bind(new.described().search())
    .bind(now)
    .execute(tx)
    .await?;
    sql("UPDATE enrollments
            SET name_fold = $2
          WHERE referrer_id = $1")
    .bind(id)
    .bind(fold(&new.name))
    .execute(tx)
    .await?;
    Ok(())
}

/// Replaces what a referrer is found by.
pub async fn store_words(tx: &mut Tx, business_id: i64, referrer_id: i64, words: &[String]) -> DbResult<()> {
    to_be_found(tx, business_id, referrer_id).await?;
    search::enqueue_codes(tx, referrer_id).await?;
    sql("DELETE FROM referrer_words
          WHERE referrer_id = $1")
    .bind(referrer_id)
    .execute(tx)
    .await?;
    insert_words(tx, business_id, referrer_id, words).await
}

async fn insert_words(tx: &mut Tx, business_id: i64, referrer_id: i64, words: &[String]) -> DbResult<()> {
    let table = rows!(words, word => { word: word });
    sql("INSERT INTO referrer_words (business_id, word, referrer_id)
         SELECT $1, r.word, $2
           FROM rows($3, word TEXT) r")
    .bind(business_id)
    .bind(referrer_id)
    .bind(table)
    .execute(tx)
    .await?;
    Ok(())
}

/// Archives a referrer with all enrollments, or takes that back; the caller knows that it is a change.
pub async fn set_archived(tx: &mut Tx, id: i64, archived: bool, now: Instant) -> DbResult<()> {
    let enrolled = counted::enrolled(tx, &[id], !archived).await?;
    counted::count(tx, &enrolled, if archived { -1 } else { 1 }).await?;
    sql("UPDATE referrers
            SET archived_at = $2, updated_at = $3
          WHERE id = $1")
    .bind(id)
    .bind(archived.then_some(now))
    .bind(now)
    .execute(tx)
    .await?;
    sql("UPDATE enrollments
            SET archived = $2
          WHERE referrer_id = $1")
    .bind(id)
    .bind(archived)
    .execute(tx)
    .await?;
    Ok(())
}

/// A referrer is shown with the campaigns they are in: a change of those is a change of theirs.
pub async fn touched(tx: &mut Tx, id: i64) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE referrers
            SET updated_at = $2
          WHERE id = $1
            AND updated_at < $2")
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn enroll(
    tx: &mut Tx,
    id: i64,
    business_id: i64,
    campaign_id: i64,
    referrer_id: i64,
    name: &str,
    now: Instant,
) -> DbResult<()> {
    sql("INSERT INTO enrollments
                (id, business_id, campaign_id, referrer_id, state, has_code, name_fold, archived, created_at)
         VALUES ($1, $2, $3, $4, 'active', false, $5, false, $6)")
    .bind(id)
    .bind(business_id)
    .bind(campaign_id)
    .bind(referrer_id)
    .bind(fold(name))
    .bind(now)
    .execute(tx)
    .await?;
    touched(tx, referrer_id).await
}
