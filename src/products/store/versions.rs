//! The versions of a product's terms, as the API reads them.

use crate::db::{Conn, DbResult, sql};
use crate::row;

row! {
    /// A version of a product's terms.
    #[derive(Debug, Clone)]
    pub struct TermsRow {
        pub number: i64,
        pub valid_from: String,
        pub referral_rate: Option<i64>,
        pub referral_flat: Option<String>,
        pub recurring_rate: Option<i64>,
        pub recurring_flat: Option<String>,
        pub recurring_limit: String,
        pub recurring_count: i64,
        pub hold_days: i64,
        pub created_at: i64,
    }
}

/// Every version, the newest first.
pub async fn terms(conn: &mut Conn, product_id: i64) -> DbResult<Vec<TermsRow>> {
    sql("SELECT number, valid_from, referral_rate, referral_flat, recurring_rate, recurring_flat, recurring_limit,
                recurring_count, hold_days, created_at
           FROM terms
          WHERE product_id = $1
          ORDER BY number DESC
          LIMIT 1000")
    .bind(product_id)
    .all(conn)
    .await
}
