//! Commissions and ledger entries in lists, as the API and exports read them.

use crate::db::{Conn, DbResult, Listing, Order, sql_built};
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct CommissionRow {
        pub id: i64,
        pub campaign_id: i64,
        pub test: bool,
        pub kind: String,
        pub payment_id: Option<i64>,
        pub lead_id: i64,
        pub referrer_id: i64,
        pub terms_number: Option<i64>,
        pub rate: Option<i64>,
        pub base_amount: i64,
        pub amount: i64,
        pub currency: String,
        pub hold_days: i64,
        pub hold_until: String,
        pub state: String,
        pub reason: Option<String>,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

const COMMISSION: &str =
    "k.id, k.campaign_id, k.test, k.kind, k.payment_id, k.lead_id, k.referrer_id, k.terms_number, k.rate,
     k.base_amount, k.amount, k.currency, k.hold_days, k.hold_until, k.state, COALESCE(k.reason, k.void_cause) AS reason, k.created_at, k.updated_at";

/// The filters of a campaign's commissions.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub test: bool,
    pub state: Option<&'static str>,
    pub kind: Option<&'static str>,
    pub referrer_id: Option<i64>,
    pub lead_id: Option<i64>,
    /// True for a list in the order of changes.
    pub by_changes: bool,
}

pub fn commissions(campaign_id: i64, f: &Filter) -> Listing {
    let order = Order::number("created_at", true);
    let mut list = Listing::new(COMMISSION, "commissions", "k", "", order)
        .and("k.campaign_id = ?", campaign_id)
        .and("k.test = ?", f.test);
    if let Some(id) = f.lead_id {
        list = list.and("k.lead_id = ?", id);
    }
    if let Some(id) = f.referrer_id {
        let of = "k.referrer_id = ?";
        list = if f.by_changes { list.search(of, id) } else { list.and(of, id) };
    }
    if let Some(state) = f.state {
        list = list.search("k.state = ?", state);
    }
    match f.kind {
        Some(kind) => list.search("k.kind = ?", kind),
        None => list,
    }
}

/// Commissions of one state, by the last day of their hold, the latest first.
pub fn commissions_by_hold(campaign_id: i64, state: &'static str, f: &Filter) -> Listing {
    let order = Order::text("hold_until", true);
    let mut list = Listing::new(COMMISSION, "commissions", "k", "", order)
        .and("k.campaign_id = ?", campaign_id)
        .and("k.test = ?", f.test)
        .and("k.state = ?", state);
    if let Some(id) = f.lead_id {
        // One has few.
        list = list.and("k.lead_id = ?", id);
    }
    if let Some(id) = f.referrer_id {
        list = list.search("k.referrer_id = ?", id);
    }
    match f.kind {
        Some(kind) => list.search("k.kind = ?", kind),
        None => list,
    }
}

pub async fn commission(conn: &mut Conn, business_id: i64, test: bool, id: i64) -> DbResult<Option<CommissionRow>> {
    sql_built(format!(
        "SELECT {COMMISSION}
           FROM commissions k
          WHERE k.id = $1
            AND k.business_id = $2
            AND k.test = $3"
    ))
    .bind(id)
    .bind(business_id)
    .bind(test)
    .optional(conn)
    .await
}

row! {
    #[derive(Debug, Clone)]
    pub struct EntryRow {
        pub id: i64,
        pub referrer_id: i64,
        pub currency: String,
        pub account: String,
        pub amount: i64,
        pub kind: String,
        pub commission_id: Option<i64>,
        pub adjustment_id: Option<i64>,
        pub line_id: Option<i64>,
        pub day: String,
        pub at: i64,
    }
}

/// The ledger of one referrer and currency, in the order it was written.
pub async fn entries(
    conn: &mut Conn,
    business_id: i64,
    referrer_id: i64,
    currency: &str,
    after: i64,
    most: usize,
) -> DbResult<Vec<EntryRow>> {
    sql_built(format!(
        "SELECT g.id, g.referrer_id, g.currency, g.account, g.amount, g.kind, g.commission_id, g.adjustment_id, g.line_id,
                g.day, g.at
           FROM ledger_entries g
          WHERE g.business_id = $1
            AND g.referrer_id = $2
            AND g.currency = $3
            AND (g.day, g.id) > (COALESCE((SELECT b.day
                                             FROM ledger_entries b
                                            WHERE b.id = $4), ''), $4)
          ORDER BY g.day, g.id
          LIMIT {most}"
    ))
    .bind(business_id)
    .bind(referrer_id)
    .bind(currency)
    .bind(after)
    .all(conn)
    .await
}
