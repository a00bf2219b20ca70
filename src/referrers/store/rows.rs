//! Referrers with their enrollments and balances, as the API and exports read them.

use std::collections::BTreeMap;

use crate::db::{Conn, DbResult, Listing, Order, Value, sql, sql_built};
use crate::search::{Needle, Place, Texts};
use crate::{row, rows};

row! {
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

const COLUMNS: &str =
    "p.id, p.name, p.email, p.phone, p.company, p.external_id, p.meta, p.created_at, p.updated_at, p.archived_at";

const TEXTS: Texts =
    Texts { person: Place::Column("p.search"), code: Place::Rows("codes x WHERE x.referrer_id = p.id") };

#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub email_key: Option<String>,
    pub external_id: Option<String>,
    pub needle: Needle,
    pub archived: bool,
    pub campaign_id: Option<i64>,
    pub state: Option<&'static str>,
    pub has_code: Option<bool>,
}

/// Enrollments in a state, in a campaign or in any.
fn enrolled(f: &Filter) -> Option<(String, Vec<Value>)> {
    let mut condition = "EXISTS (SELECT 1 FROM enrollments e WHERE e.referrer_id = p.id".to_owned();
    let mut values: Vec<Value> = Vec::new();
    if let Some(id) = f.campaign_id {
        condition.push_str(" AND e.campaign_id = ?");
        values.push(id.into());
    }
    if let Some(state) = f.state {
        condition.push_str(" AND e.state = ?");
        values.push(state.into());
    }
    if let Some(has_code) = f.has_code {
        condition.push_str(" AND e.has_code = ?");
        values.push(has_code.into());
    }
    condition.push(')');
    Some((condition, values)).filter(|(_, values)| !values.is_empty())
}

pub fn listing(business_id: i64, f: &Filter) -> Listing {
    let order = Order::number("created_at", true);
    let mut list = Listing::new(COLUMNS, "referrers", "p", "", order).and("p.business_id = ?", business_id);
    if let Some(key) = &f.email_key {
        list = list.and("p.email_key = ?", key.as_str());
    }
    if let Some(id) = &f.external_id {
        list = list.and("p.external_id = ?", id.as_str());
    }
    if let Some((condition, values)) = enrolled(f) {
        list = list.search_each(&condition, values);
    }
    list = f.needle.in_texts(TEXTS, list);
    if f.archived { list.search_plain("p.archived_at IS NOT NULL") } else { list.and_plain("p.archived_at IS NULL") }
}

pub async fn by_id(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<ReferrerRow>> {
    sql_built(format!(
        "SELECT {COLUMNS}
           FROM referrers p
          WHERE p.id = $1
            AND p.business_id = $2"
    ))
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

row! {
    /// A referrer in a campaign, with the active code.
    #[derive(Debug, Clone)]
    pub struct EnrollmentRow {
        pub id: i64,
        pub referrer_id: i64,
        pub campaign_id: i64,
        pub state: String,
        pub code: Option<String>,
        pub elder: Option<bool>,
    }
}

/// The enrollments of some referrers.
pub async fn enrollments(conn: &mut Conn, referrers: &[i64]) -> DbResult<Vec<EnrollmentRow>> {
    sql("SELECT e.id, e.referrer_id, e.campaign_id, e.state, c.text AS code,
                EXISTS (SELECT 1
                          FROM codes o
                         WHERE o.lookup = c.lookup
                           AND o.business_id <> c.business_id
                           AND (o.created_at, o.id) < (c.created_at, c.id)) AS elder
           FROM enrollments e
           LEFT JOIN codes c ON c.enrollment_id = e.id
                            AND c.state = 'active'
          WHERE e.referrer_id IN rows($1, id BIGINT)
          ORDER BY e.referrer_id, e.campaign_id")
    .bind(rows!(referrers, id => { id: *id }))
    .all(conn)
    .await
}

/// The addresses of some referrers, of those who have one.
pub async fn emails(conn: &mut Conn, referrers: &[i64]) -> DbResult<BTreeMap<i64, String>> {
    let found: Vec<(i64, String)> = sql("SELECT p.id, p.email
           FROM referrers p
          WHERE p.id IN rows($1, id BIGINT)
            AND p.email IS NOT NULL")
    .bind(rows!(referrers, id => { id: *id }))
    .all(conn)
    .await?;
    Ok(found.into_iter().collect())
}

row! {
    /// The balance of a referrer's account.
    #[derive(Debug, Clone)]
    pub struct BalanceRow {
        pub account: String,
        pub currency: String,
        pub amount: i64,
    }
}

pub async fn balances(conn: &mut Conn, referrer_id: i64) -> DbResult<Vec<BalanceRow>> {
    sql("SELECT account, currency, CAST(sum(amount) AS BIGINT) AS amount
           FROM ledger_entries
          WHERE referrer_id = $1
          GROUP BY account, currency
          ORDER BY currency, account")
    .bind(referrer_id)
    .all(conn)
    .await
}

/// Referrers who have entries in the ledger, behind an id: each is found by one step of the ledger's index.
pub async fn with_entries(conn: &mut Conn, business_id: i64, after: i64, most: usize) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT p.id
           FROM referrers p
          WHERE p.business_id = $1
            AND p.id > $2
            AND EXISTS (SELECT 1 FROM ledger_entries g WHERE g.referrer_id = p.id)
          ORDER BY p.id
          LIMIT $3")
    .bind(business_id)
    .bind(after)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

row! {
    struct OwnedBalance {
        referrer_id: i64,
        account: String,
        currency: String,
        amount: i64,
    }
}

/// The balances of some referrers, each with its owner.
pub async fn balances_of(conn: &mut Conn, referrers: &[i64]) -> DbResult<Vec<(i64, BalanceRow)>> {
    let found: Vec<OwnedBalance> =
        sql("SELECT g.referrer_id, g.account, g.currency, CAST(sum(g.amount) AS BIGINT) AS amount
           FROM rows($1, id BIGINT) r
           JOIN ledger_entries g ON g.referrer_id = r.id
          GROUP BY g.referrer_id, g.account, g.currency
          ORDER BY g.referrer_id, g.currency, g.account")
        .bind(rows!(referrers, id => { id: *id }))
        .all(conn)
        .await?;
    let owned =
        |b: OwnedBalance| (b.referrer_id, BalanceRow { account: b.account, currency: b.currency, amount: b.amount });
    Ok(found.into_iter().map(owned).collect())
}
