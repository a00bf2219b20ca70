//! Changing some of what is known of a referrer.

use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::fold::fold;
use crate::row;

row! {
    /// A referrer with everything that is found by or shown to programs.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Facts {
        pub id: i64,
        pub name: String,
        pub email: Option<String>,
        pub email_key: Option<String>,
        pub phone: Option<String>,
        pub phone_key: Option<String>,
        pub company: Option<String>,
        pub meta: String,
    }
}

/// A referrer outside the archive.
pub async fn facts(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<Facts>> {
    sql("SELECT id, name, email, email_key, phone, phone_key, company, meta
           FROM referrers
          WHERE id = $2
            AND business_id = $1
            AND archived_at IS NULL")
    .bind(business_id)
    .bind(id)
    .optional(conn)
    .await
}

pub async fn set_facts(tx: &mut Tx, f: &Facts, search: &str, now: Instant) -> DbResult<()> {
    sql("UPDATE referrers
            SET name = $2, first_name = $3, email = $4, email_key = $5, search = $6, meta = $7, updated_at = $8
          WHERE id = $1")
    .bind(f.id)
    .bind(&f.name)
    .bind(super::first_name(&f.name))
    .bind(&f.email)
    .bind(&f.email_key)
    .bind(search)
    .bind(&f.meta)
    .bind(now)
    .execute(tx)
    .await?;
    sql("UPDATE enrollments
            SET name_fold = $2
          WHERE referrer_id = $1")
    .bind(f.id)
    .bind(fold(&f.name))
    .execute(tx)
    .await?;
    Ok(())
}
