//! Codes with their referrers, as the API and exports read them.

use crate::db::{Conn, DbResult, Listing, Order, sql_built};
use crate::row;
use crate::search::{Needle, Place, Texts};

row! {
    #[derive(Debug, Clone)]
    pub struct CodeRow {
        pub id: i64,
        pub campaign_id: i64,
        pub referrer_id: i64,
        pub referrer: String,
        pub text: String,
        pub kind: String,
        pub state: String,
        pub enrollment_state: String,
        pub archived: bool,
        /// True when another business had the same code first.
        pub elder: bool,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

const COLUMNS: &str = "c.id, c.campaign_id, c.referrer_id, p.name AS referrer, c.text, c.kind, c.state,
                       e.state AS enrollment_state, e.archived,
                       EXISTS (SELECT 1
                                 FROM codes o
                                WHERE o.lookup = c.lookup
                                  AND o.business_id <> c.business_id
                                  AND (o.created_at, o.id) < (c.created_at, c.id)) AS elder,
                       c.created_at, c.updated_at";
const JOINS: &str = "JOIN referrers p ON p.id = c.referrer_id
                     JOIN enrollments e ON e.id = c.enrollment_id";

/// Codes are found by their pieces, and by whose they are.
pub const TEXTS: Texts =
    Texts { person: Place::Rows("referrers x WHERE x.id = c.referrer_id"), code: Place::Column("c.search") };

/// The filters of a campaign's codes.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub state: Option<&'static str>,
    pub referrer_id: Option<i64>,
    pub needle: Needle,
    /// True for a list in the order of changes, which has an index without the state.
    pub by_changes: bool,
}

pub fn listing(campaign_id: i64, f: &Filter) -> Listing {
    let order = Order::number("created_at", true);
    let mut list = Listing::new(COLUMNS, "codes", "c", JOINS, order).and("c.campaign_id = ?", campaign_id);
    if let Some(state) = f.state {
        list = if f.by_changes { list.search("c.state = ?", state) } else { list.and("c.state = ?", state) };
    }
    if let Some(id) = f.referrer_id {
        // One has few.
        list = list.and("c.referrer_id = ?", id);
    }
    f.needle.in_texts(TEXTS, list)
}

pub async fn by_id(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<CodeRow>> {
    sql_built(format!(
        "SELECT {COLUMNS}
           FROM codes c {JOINS}
          WHERE c.id = $1
            AND c.business_id = $2"
    ))
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}
