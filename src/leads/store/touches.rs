//! Touches in lists, as the API reads them.

use crate::db::{Conn, DbResult, Listing, Order, sql};
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct TouchRow {
        pub id: i64,
        pub lead_id: i64,
        pub kind: String,
        pub code: Option<String>,
        pub referrer_id: Option<i64>,
        pub counts: bool,
        pub refused: Option<String>,
        pub reason: Option<String>,
        pub at: i64,
    }
}

const COLUMNS: &str = "t.id, t.lead_id, t.kind, COALESCE(c.text, t.code_text) AS code, t.referrer_id,
                       COALESCE(l.touch_id = t.id AND l.referrer_id IS NOT NULL, false) AS counts, t.refused,
                       t.reason, t.at";
const JOINS: &str = "JOIN leads l ON l.id = t.lead_id
                     LEFT JOIN codes c ON c.id = t.code_id";

fn newest() -> Listing {
    Listing::new(COLUMNS, "touches", "t", JOINS, Order::number("at", true))
}

/// The touches of a lead, newest first.
pub fn of_lead(lead_id: i64) -> Listing {
    newest().and("t.lead_id = ?", lead_id)
}

/// The filters of the touches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    pub lead_id: Option<i64>,
    pub referrer_id: Option<i64>,
    pub code_id: Option<i64>,
    pub test: bool,
}

pub fn listing(business_id: i64, f: &Filter) -> Listing {
    let mut list = newest().and("t.business_id = ?", business_id);
    if let Some(id) = f.lead_id {
        list = list.and("t.lead_id = ?", id);
    }
    if let Some(id) = f.referrer_id {
        list = list.and("t.referrer_id = ?", id);
    }
    if let Some(id) = f.code_id {
        list = list.search("t.code_id = ?", id);
    }
    list.search("l.test = ?", f.test)
}

/// The owner of the code.
pub async fn owner(conn: &mut Conn, business_id: i64, code_id: i64) -> DbResult<Option<i64>> {
    sql("SELECT referrer_id
           FROM codes
          WHERE id = $1
            AND business_id = $2")
    .bind(code_id)
    .bind(business_id)
    .optional::<(i64,)>(conn)
    .await
    .map(|row| row.map(|(id,)| id))
}
