pub mod versions;

use super::{Limit, NewTerms, Pays};
use crate::amounts::Amounts;
use crate::clock::{Day, Instant};
use crate::db::{Conn, DbResult, Tx, sql};
use crate::money::Rate;
use crate::row;
use crate::seal::{self, Agreed, Chain};

row! {
    #[derive(Debug, Clone)]
    pub struct ProductRow {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: i64,
        pub public_id: String,
        pub name: String,
        pub test: bool,
    }
}

impl ProductRow {
    /// "test" or "live".
    pub fn mode(&self) -> &'static str {
        if self.test { "test" } else { "live" }
    }
}

pub async fn by_public_id(conn: &mut Conn, business_id: i64, public_id: &str) -> DbResult<Option<ProductRow>> {
    sql("SELECT id, business_id, campaign_id, public_id, name, test
           FROM products
          WHERE public_id = $1
            AND business_id = $2")
    .bind(public_id)
    .bind(business_id)
    .optional(conn)
    .await
}

pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<ProductRow>> {
    sql("SELECT id, business_id, campaign_id, public_id, name, test
           FROM products
          WHERE id = $1
            AND business_id = $2")
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

row! {
    /// A product as lists show it.
    #[derive(Debug, Clone)]
    pub struct ProductLine {
        pub id: i64,
        pub campaign_id: i64,
        pub public_id: String,
        pub name: String,
        pub test: bool,
        pub created_at: i64,
        pub updated_at: i64,
        pub versions: i64,
    }
}

pub async fn of_business(conn: &mut Conn, business_id: i64) -> DbResult<Vec<ProductLine>> {
    sql("SELECT p.id, p.campaign_id, p.public_id, p.name, p.test, p.created_at, p.updated_at,
                (SELECT count(*) FROM terms t WHERE t.product_id = p.id) AS versions
           FROM products p
          WHERE p.business_id = $1
          ORDER BY p.campaign_id, p.test, p.id")
    .bind(business_id)
    .all(conn)
    .await
}

/// The names of the live or the test products of a campaign.
pub async fn names(conn: &mut Conn, campaign_id: i64, test: bool) -> DbResult<Vec<String>> {
    let found: Vec<(String,)> = sql("SELECT name
           FROM products
          WHERE campaign_id = $1
            AND test = $2
          ORDER BY id")
    .bind(campaign_id)
    .bind(test)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(name,)| name).collect())
}

/// The number of the newest 10,000 payments since a moment that were examined, and of those that are decided
/// payments for a product, dated on a day or later.
pub async fn decided_since(
    conn: &mut Conn,
    business_id: i64,
    product_id: i64,
    received: Instant,
    day: Day,
) -> DbResult<(i64, i64)> {
    sql("SELECT count(*),
                COALESCE(CAST(sum(CASE WHEN y.product_id = $3
                                         AND y.payment_date >= $4
                                         AND y.decision <> 'waiting' THEN 1 ELSE 0 END) AS BIGINT), 0)
           FROM (SELECT product_id, payment_date, decision
                   FROM payments
                  WHERE business_id = $1
                    AND received_at >= $2
                  ORDER BY received_at DESC, id DESC
                  LIMIT 10000) y")
    .bind(business_id)
    .bind(received)
    .bind(product_id)
    .bind(day.to_string())
    .one(conn)
    .await
}

pub async fn rename(tx: &mut Tx, id: i64, name: &str) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE products
            SET name = $2, updated_at = $3
          WHERE id = $1")
    .bind(id)
    .bind(name)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    /// A version of terms as it is stored.
    #[derive(Debug, Clone)]
    pub struct TermsRow {
        pub id: i64,
        pub number: i64,
        pub valid_from: String,
        pub referral_rate: Option<i64>,
        pub referral_flat: Option<String>,
        pub recurring_rate: Option<i64>,
        pub recurring_flat: Option<String>,
        pub recurring_limit: String,
        pub recurring_count: i64,
        pub hold_days: i64,
        pub made_by: Option<String>,
        pub created_at: i64,
    }
}

fn pays(rate: Option<i64>, flat: Option<&str>) -> Pays {
    match rate.and_then(Rate::from_units) {
        Some(rate) => Pays::Percent(rate),
        None => Pays::Flat(Amounts::from_json(flat.unwrap_or_default()).codes()),
    }
}

impl TermsRow {
    pub fn terms(&self) -> NewTerms {
        NewTerms {
            valid_from: Day::parse(&self.valid_from).ok().filter(|_| self.valid_from != BEGINNING),
            referral: pays(self.referral_rate, self.referral_flat.as_deref()),
            recurring: pays(self.recurring_rate, self.recurring_flat.as_deref()),
            limit: match self.recurring_limit.as_str() {
                "months" => Limit::Months(self.recurring_count),
                "payments" => Limit::Payments(self.recurring_count),
                _ => Limit::None,
            },
            hold_days: self.hold_days,
        }
    }
}

row! {
    /// A live product with the version that a payment of a day is paid by.
    #[derive(Debug, Clone)]
    pub struct InForce {
        pub campaign_id: i64,
        pub product: String;
        pub version: TermsRow
    }
}

/// The live products of a business, each with its version of a day.
pub async fn in_force(conn: &mut Conn, business_id: i64, day: Day) -> DbResult<Vec<InForce>> {
    sql("SELECT p.campaign_id, p.name AS product, t.id, t.number, t.valid_from, t.referral_rate, t.referral_flat,
                t.recurring_rate, t.recurring_flat, t.recurring_limit, t.recurring_count, t.hold_days,
                CAST(NULL AS TEXT) AS made_by, t.created_at
           FROM products p
           JOIN terms t ON t.product_id = p.id
          WHERE p.business_id = $1
            AND p.test = false
            AND t.valid_from <= $2
            AND NOT EXISTS (SELECT 1
                              FROM terms v
                             WHERE v.product_id = p.id
                               AND v.valid_from <= $2
                               AND (v.valid_from, v.number) > (t.valid_from, t.number))
          ORDER BY p.campaign_id, p.id")
    .bind(business_id)
    .bind(day.to_string())
    .all(conn)
    .await
}

/// The versions of a product, the newest first.
pub async fn terms_of(conn: &mut Conn, product_id: i64) -> DbResult<Vec<TermsRow>> {
    sql("SELECT t.id, t.number, t.valid_from, t.referral_rate, t.referral_flat, t.recurring_rate, t.recurring_flat,
                t.recurring_limit, t.recurring_count, t.hold_days, u.name AS made_by, t.created_at
           FROM terms t
           LEFT JOIN users u ON u.id = t.created_by
          WHERE t.product_id = $1
          ORDER BY t.number DESC")
    .bind(product_id)
    .all(conn)
    .await
}

/// The number of a product's newest version; 0 for none.
pub async fn newest_number(conn: &mut Conn, product_id: i64) -> DbResult<i64> {
    sql("SELECT CAST(coalesce(max(number), 0) AS BIGINT)
           FROM terms
          WHERE product_id = $1")
    .bind(product_id)
    .scalar(conn)
    .await
}

/// The first day of a product's first version.
const BEGINNING: &str = "1900-01-01";

pub async fn insert(
    tx: &mut Tx,
    id: i64,
    business_id: i64,
    campaign_id: i64,
    public_id: &str,
    name: &str,
    test: bool,
) -> DbResult<()> {
    let now = tx.now();
    sql("INSERT INTO products (id, business_id, campaign_id, public_id, name, test, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)")
    .bind(id)
    .bind(business_id)
    .bind(campaign_id)
    .bind(public_id)
    .bind(name)
    .bind(test)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

fn columns(pays: &Pays) -> (Option<i64>, Option<String>) {
    match pays {
        Pays::Percent(rate) => (Some(rate.units()), None),
        Pays::Flat(map) => (None, Some(serde_json::json!(map).to_string())),
    }
}

/// Adds a version and notes it for its seal.
pub async fn insert_terms(
    tx: &mut Tx,
    id: i64,
    product_id: i64,
    number: i64,
    terms: &NewTerms,
    by: Option<i64>,
    now: Instant,
) -> DbResult<()> {
    let (referral_rate, referral_flat) = columns(&terms.referral);
    let (recurring_rate, recurring_flat) = columns(&terms.recurring);
    let valid_from = terms.valid_from.map_or_else(|| BEGINNING.to_owned(), |day| day.to_string());
    let (limit, count) = match terms.limit {
        Limit::None => ("none", 0),
        Limit::Months(n) => ("months", n),
        Limit::Payments(n) => ("payments", n),
    };
    sql("INSERT INTO terms
                (id, product_id, number, valid_from, referral_rate, referral_flat, recurring_rate,
                 recurring_flat, recurring_limit, recurring_count, hold_days, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
    .bind(id)
    .bind(product_id)
    .bind(number)
    .bind(&valid_from)
    .bind(referral_rate)
    .bind(&referral_flat)
    .bind(recurring_rate)
    .bind(&recurring_flat)
    .bind(limit)
    .bind(count)
    .bind(terms.hold_days)
    .bind(by)
    .bind(now)
    .execute(tx)
    .await?;
    sql("UPDATE products
            SET updated_at = $2
          WHERE id = $1")
    .bind(product_id)
    .bind(now)
    .execute(tx)
    .await?;
    let business_id = sql("SELECT business_id
           FROM products
          WHERE id = $1")
    .bind(product_id)
    .scalar(tx)
    .await?;
    let agreed = Agreed {
        id,
        business_id,
        product_id,
        number,
        valid_from: &valid_from,
        referral_rate,
        referral_flat: referral_flat.as_deref(),
        recurring_rate,
        recurring_flat: recurring_flat.as_deref(),
        recurring_limit: limit,
        recurring_count: count,
        hold_days: terms.hold_days,
        created_by: by,
        created_at: now.micros(),
    };
    seal::note(tx, Chain::Terms, vec![agreed.digest()]).await
}

/// The product a campaign had first.
pub async fn first_of(conn: &mut Conn, campaign_id: i64) -> DbResult<Option<ProductRow>> {
    sql("SELECT id, business_id, campaign_id, public_id, name, test
           FROM products
          WHERE campaign_id = $1
          ORDER BY id
          LIMIT 1")
    .bind(campaign_id)
    .optional(conn)
    .await
}
