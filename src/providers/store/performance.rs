use crate::db::{Conn, Cursor, DbResult, Listing, Order, PAGE};
use crate::query::ListQuery;
use crate::row;

row! {
    /// A code with its figures, as the list of a campaign's codes shows it.
    #[derive(Debug, Clone)]
    pub struct CodeLine {
        pub id: i64,
        pub enrollment_id: i64,
        pub referrer_id: i64,
        pub text: String,
        pub lookup: String,
        pub state: String,
        pub created_at: i64,
        /// The list is sorted by these, seconds old.
        pub leads: i64,
        pub revenue: i64,
        pub name: String,
        pub enrollment_state: String,
        pub archived: bool,
    }
}

/// The names that the list of codes knows in its address.
pub const KNOWN: [&str; 4] = ["q", "sort", "after", "before"];

const ORDERS: [(&str, Order); 4] = [
    ("leads", Order::number("leads", true)),
    ("revenue", Order::number("revenue", true)),
    ("code", Order::text("lookup", false)),
    ("created", Order::number("created_at", true)),
];

/// One page of a campaign's codes, of those that begin like a text.
pub async fn codes(conn: &mut Conn, campaign_id: i64, query: &ListQuery, from: &str) -> DbResult<Vec<CodeLine>> {
    let mut listing = Listing::new(
        "c.id, c.enrollment_id, c.referrer_id, c.text, c.lookup, c.state, c.created_at, c.leads, c.revenue, r.name,
         e.state AS enrollment_state, e.archived",
        "codes",
        "c",
        "LEFT JOIN referrers r ON r.id = c.referrer_id
         LEFT JOIN enrollments e ON e.id = c.enrollment_id",
        Order::asked(query, &ORDERS),
    )
    .and("c.campaign_id = ?", campaign_id);
    if !from.is_empty() {
        listing = listing.and("c.lookup >= ?", from).and("c.lookup < ?", format!("{from}\u{10FFFF}"));
    }
    listing.turned(query).build(PAGE + 1).all(conn).await
}

/// The position of the list after a row.
pub fn cursor(query: &ListQuery, row: &CodeLine) -> Cursor {
    let value = match Order::asked(query, &ORDERS).column {
        "lookup" => row.lookup.clone(),
        "leads" => row.leads.to_string(),
        "revenue" => row.revenue.to_string(),
        _ => row.created_at.to_string(),
    };
    Cursor { value, id: row.id }
}

row! {
    /// A payment of a lead who came by a code, with what its referrer earned by it.
    #[derive(Debug, Clone)]
    pub struct PaymentLine {
        pub id: i64,
        pub test: bool,
        pub amount: i64,
        pub refunded: i64,
        pub currency: String,
        pub payment_date: String,
        pub disputed_at: Option<i64>,
        pub decision_why: String,
        pub lead_id: i64,
        pub lead: String,
        pub commission_id: Option<i64>,
        /// Less what was taken back.
        pub earned: Option<i64>,
        pub earned_currency: Option<String>,
        pub commission_state: Option<String>,
    }
}

/// The newest leads of one code that are looked at for their payments.
pub const LEADS: usize = 10_000;

/// The names that the list of a code's payments knows in its address.
pub const PAYMENTS_KNOWN: [&str; 2] = ["after", "before"];

/// One page of the payments of the leads who came by a code, the newest first.
pub async fn payments(
    conn: &mut Conn,
    referrer_id: i64,
    code_id: i64,
    query: &ListQuery,
) -> DbResult<Vec<PaymentLine>> {
    let of_leads = "y.lead_id IN (SELECT l.id
                                    FROM leads l
                                   WHERE l.referrer_id = ?
                                     AND l.code_id = ?
                                   ORDER BY l.created_at DESC, l.id DESC
                                   LIMIT 10000)";
    Listing::new(
        "y.id, y.test, y.amount, y.refunded, y.currency, y.payment_date, y.disputed_at, y.decision_why,
         y.lead_id, l.name AS lead, k.id AS commission_id, k.amount - k.taken_back AS earned,
         k.currency AS earned_currency, k.state AS commission_state",
        "payments",
        "y",
        "LEFT JOIN leads l ON l.id = y.lead_id
         LEFT JOIN commissions k ON k.payment_id = y.id
                                AND k.referrer_id = l.referrer_id",
        Order::text("payment_date", true),
    )
    .and_each(of_leads, [referrer_id.into(), code_id.into()])
    .turned(query)
    .build(PAGE + 1)
    .all(conn)
    .await
}
