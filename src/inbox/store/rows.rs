//! Inbox items as the API reads them.

use crate::db::{Conn, DbResult, Listing, Order, sql_built};
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct ItemRow {
        pub id: i64,
        pub kind: String,
        pub state: String,
        pub times: i64,
        pub detail: String,
        pub lead_id: Option<i64>,
        pub payment_id: Option<i64>,
        pub referrer_id: Option<i64>,
        pub outcome: Option<String>,
        pub created_at: i64,
        pub updated_at: i64,
        pub closed_at: Option<i64>,
    }
}

const COLUMNS: &str =
    "i.id, i.kind, i.state, i.times, i.detail, i.lead_id, i.payment_id, i.referrer_id, i.outcome, i.created_at,
     i.updated_at, i.closed_at";

// An item is of the mode of its lead, else of its payment.
const JOINS: &str = "LEFT JOIN leads l ON l.id = i.lead_id
                     LEFT JOIN payments y ON y.id = i.payment_id";
const TEST: &str = "COALESCE(l.test, y.test, false) = ?";

/// The filters of the items.
#[derive(Debug, Clone)]
pub struct Filter {
    pub test: bool,
    /// In any state otherwise.
    pub state: Option<&'static str>,
    pub by_changes: bool,
    pub kind: Option<String>,
    pub lead_id: Option<i64>,
}

pub fn listing(business_id: i64, f: &Filter) -> Listing {
    let order = Order::number("created_at", true);
    let mut list = Listing::new(COLUMNS, "inbox_items", "i", JOINS, order).and("i.business_id = ?", business_id);
    if let Some(id) = f.lead_id {
        // One has few.
        list = list.and("i.lead_id = ?", id);
    }
    if let Some(state) = f.state {
        list = if f.by_changes { list.search("i.state = ?", state) } else { list.and("i.state = ?", state) };
    }
    if let Some(kind) = &f.kind {
        list = list.search("i.kind = ?", kind.as_str());
    }
    list.search(TEST, f.test)
}

/// An item of the business, in the key's mode.
pub async fn by_id(conn: &mut Conn, business_id: i64, test: bool, id: i64) -> DbResult<Option<ItemRow>> {
    sql_built(format!(
        "SELECT {COLUMNS}
           FROM inbox_items i {JOINS}
          WHERE i.id = $1
            AND i.business_id = $2
            AND COALESCE(l.test, y.test, false) = $3"
    ))
    .bind(id)
    .bind(business_id)
    .bind(test)
    .optional(conn)
    .await
}
