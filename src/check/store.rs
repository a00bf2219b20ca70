mod counted;
mod details;
mod paid;
mod questions;

use crate::db::{Conn, DbResult, sql, sql_built};
use crate::row;

/// Rows named of one finding.
pub const MOST: usize = 20;

/// The invariants, each with a query that returns one text per broken row.
pub fn questions() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = questions::QUESTIONS.into_iter().chain(paid::QUESTIONS);
    all.chain(counted::QUESTIONS).chain(details::QUESTIONS)
}

/// The references of the rows that events write: table, its key, the column, and the table it refers to.
/// SQLite has these as foreign keys; PostgreSQL does not (migrations/0001_schema_postgres.sql says why).
const NAMES: [(&str, &str, &str, &str); 25] = [
    ("leads", "id", "campaign_id", "campaigns"),
    ("leads", "id", "referrer_id", "referrers"),
    ("leads", "id", "enrollment_id", "enrollments"),
    ("leads", "id", "code_id", "codes"),
    ("leads", "id", "touch_id", "touches"),
    ("touches", "id", "lead_id", "leads"),
    ("touches", "id", "code_id", "codes"),
    ("touches", "id", "enrollment_id", "enrollments"),
    ("sign_ups", "id", "product_id", "products"),
    ("sign_ups", "id", "lead_id", "leads"),
    ("payments", "id", "product_id", "products"),
    ("payments", "id", "lead_id", "leads"),
    ("payment_names", "payment_id", "payment_id", "payments"),
    ("purchases", "lead_id", "lead_id", "leads"),
    ("purchases", "lead_id", "first_payment_id", "payments"),
    ("commissions", "id", "payment_id", "payments"),
    ("commissions", "id", "lead_id", "leads"),
    ("commissions", "id", "enrollment_id", "enrollments"),
    ("commissions", "id", "terms_id", "terms"),
    ("customer_rewards", "id", "lead_id", "leads"),
    ("ledger_entries", "id", "referrer_id", "referrers"),
    ("ledger_entries", "id", "commission_id", "commissions"),
    ("adjustments", "id", "commission_id", "commissions"),
    ("adjustments", "id", "enrollment_id", "enrollments"),
    ("adjustments", "id", "referrer_id", "referrers"),
];

/// The rows that refer to a missing row.
pub async fn orphans(conn: &mut Conn) -> DbResult<Vec<String>> {
    let mut found = Vec::new();
    for (table, key, column, parent) in NAMES {
        let text = format!(
            "SELECT '{table} ' || CAST(r.{key} AS TEXT) || ' names {column} ' || CAST(r.{column} AS TEXT) AS what
               FROM {table} r
               LEFT JOIN {parent} p ON p.id = r.{column}
              WHERE r.{column} IS NOT NULL
                AND p.id IS NULL
              LIMIT {MOST}"
        );
        let broken: Vec<(String,)> = sql_built(text).patient().all(conn).await?;
        found.extend(broken.into_iter().map(|(what,)| what));
    }
    Ok(found)
}

/// The rows that break one rule, in words.
pub async fn ask(conn: &mut Conn, question: &'static str) -> DbResult<Vec<String>> {
    let broken: Vec<(String,)> = sql(question).patient().all(conn).await?;
    Ok(broken.into_iter().map(|(what,)| what).collect())
}

pub async fn entries(conn: &mut Conn) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM ledger_entries")
    .patient()
    .scalar(conn)
    .await
}

row! {
    /// A commission with what it was computed from.
    pub struct Frozen {
        pub id: i64,
        pub kind: String,
        pub rate: Option<i64>,
        pub flat: Option<i64>,
        pub base_amount: i64,
        pub amount: i64,
        pub state: String,
        /// The amount taken back after it was paid.
        pub taken_back: i64,
        /// The refunded amount of its payment.
        pub refunded: i64,
        pub hold_days: i64,
        pub hold_until: String,
        pub payment_date: Option<String>,
    }
}

pub async fn commissions_after(conn: &mut Conn, id: i64) -> DbResult<Vec<Frozen>> {
    sql("SELECT c.id, c.kind, c.rate, c.flat, c.base_amount, c.amount, c.state, c.taken_back,
                COALESCE(p.refunded, 0) AS refunded, c.hold_days, c.hold_until, p.payment_date
           FROM commissions c
           LEFT JOIN payments p ON p.id = c.payment_id
          WHERE c.id > $1
          ORDER BY c.id
          LIMIT 10000")
    .bind(id)
    .patient()
    .all(conn)
    .await
}
