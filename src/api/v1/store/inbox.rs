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

pub fn listing(business_id: i64, state: &str) -> Listing {
    let order = Order { column: "created_at", descending: true };
    Listing::new(COLUMNS, "inbox_items", "i", "", order).and("i.business_id = ?", business_id).and("i.state = ?", state)
}

pub async fn by_id(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<ItemRow>> {
    sql_built(format!("SELECT {COLUMNS} FROM inbox_items i WHERE i.id = $1 AND i.business_id = $2"))
        .bind(id)
        .bind(business_id)
        .optional(conn)
        .await
}
