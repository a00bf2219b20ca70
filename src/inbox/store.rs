pub mod rows;

use crate::db::{Conn, DbResult, Listing, Order, PAGE, sql, sql_built};
use crate::query::ListQuery;
use crate::row;

pub async fn open_count(conn: &mut Conn, business_id: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM (SELECT 1 AS one
                   FROM inbox_items
                  WHERE business_id = $1
                    AND state = 'open'
                  LIMIT 100) open")
    .bind(business_id)
    .scalar(conn)
    .await
}

row! {
    /// An item with what its words are made of.
    #[derive(Debug, Clone)]
    pub struct ItemRow {
        pub id: i64,
        pub kind: String,
        pub state: String,
        pub times: i64,
        pub detail: String,
        pub campaign: Option<String>,
        pub campaign_state: Option<String>,
        pub lead_id: Option<i64>,
        pub lead: Option<String>,
        pub lead_test: Option<bool>,
        /// The lead's campaign: where its referrer has to be enrolled.
        pub lead_campaign_id: Option<i64>,
        /// The present referrer of the lead.
        pub counts: Option<String>,
        pub counts_id: Option<i64>,
        pub paid_amount: Option<i64>,
        pub paid_currency: Option<String>,
        pub referrer_id: Option<i64>,
        pub referrer: Option<String>,
        /// The referrer that the touch claimed.
        pub enrollment_id: Option<i64>,
        pub enrollment_campaign_id: Option<i64>,
        pub code_id: Option<i64>,
        pub refused: Option<String>,
        pub outcome: Option<String>,
        pub closer: Option<String>,
        pub closed_at: Option<i64>,
        pub created_at: i64,
    }
}

const COLUMNS: &str = "i.id, i.kind, i.state, i.times, i.detail, m.name AS campaign, m.state AS campaign_state,
                       i.lead_id, l.name AS lead, l.test AS lead_test, l.campaign_id AS lead_campaign_id,
                       q.name AS counts, q.id AS counts_id, y.amount AS paid_amount, y.currency AS paid_currency, i.referrer_id,
                       p.name AS referrer, t.enrollment_id, e.campaign_id AS enrollment_campaign_id, t.code_id,
                       t.refused, i.outcome, u.name AS closer, i.closed_at, i.created_at";

const JOINS: &str = "LEFT JOIN campaigns m ON m.id = i.campaign_id
                     LEFT JOIN leads l ON l.id = i.lead_id
                     LEFT JOIN referrers q ON q.id = l.referrer_id
                     LEFT JOIN payments y ON y.id = i.payment_id
                     LEFT JOIN referrers p ON p.id = i.referrer_id
                     LEFT JOIN touches t ON t.id = i.touch_id
                     LEFT JOIN enrollments e ON e.id = t.enrollment_id
                     LEFT JOIN users u ON u.id = i.closed_by";

pub async fn by_id(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<ItemRow>> {
    sql_built(format!(
        "SELECT {COLUMNS}
           FROM inbox_items i {JOINS}
          WHERE i.id = $1
            AND i.business_id = $2"
    ))
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

/// The names the inbox knows in its address.
pub const KNOWN: [&str; 3] = ["state", "after", "before"];

/// One page of a state, newest first.
pub async fn page(conn: &mut Conn, business_id: i64, state: &str, query: &ListQuery) -> DbResult<Vec<ItemRow>> {
    let order = Order::number("created_at", true);
    let mut list = Listing::new(COLUMNS, "inbox_items", "i", JOINS, order)
        .and("i.business_id = ?", business_id)
        .and("i.state = ?", state);
    list = list.turned(query);
    list.build(PAGE + 1).all(conn).await
}
