use crate::clock::Day;
use crate::db::{Conn, DbResult, Listing, Order, sql_built};
use crate::engine::{Decision, NameKind, PaymentName};
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct PaymentRow {
        pub id: i64,
        pub campaign_id: i64,
        pub product: String,
        pub test: bool,
        pub lead_id: Option<i64>,
        pub email: String,
        pub amount: i64,
        pub currency: String,
        pub subscription_status: String,
        pub payment_date: String,
        /// One a line.
        pub names: String,
        pub decision: String,
        pub decision_why: String,
        pub refunded: i64,
        pub disputed_at: Option<i64>,
        pub received_at: i64,
        pub updated_at: i64,
    }
}

impl PaymentRow {
    /// The names that its sender gave it.
    pub fn names(&self) -> Vec<PaymentName> {
        self.names.lines().filter_map(PaymentName::parse).filter(|name| name.kind.is_given()).collect()
    }

    /// The id by which its sender tells it from others, where it has one.
    pub fn event_id(&self) -> Option<String> {
        let names = self.names();
        let of = |kind| names.iter().find(|name| name.kind == kind).map(|name| name.text.clone());
        [NameKind::Event, NameKind::Invoice, NameKind::Key].into_iter().find_map(of)
    }
}

const PAYMENT: &str = "y.id, y.campaign_id, d.public_id AS product, y.test, y.lead_id, y.email, y.amount, y.currency,
                       y.subscription_status, y.payment_date, y.decision, y.decision_why, y.refunded,
                       y.disputed_at, y.received_at, y.updated_at,
                       (SELECT COALESCE(string_agg(n.name, '\n' ORDER BY n.name), '')
                          FROM payment_names n
                         WHERE n.payment_id = y.id) AS names";

/// The filters of a business's payments.
#[derive(Debug, Clone, Default)]
pub struct PaymentFilter {
    pub test: bool,
    pub campaign_id: Option<i64>,
    pub lead_id: Option<i64>,
    pub disputed: Option<bool>,
    pub event_id: Option<String>,
    /// A name of any kind that a sender gives.
    pub name: Option<String>,
    pub referrer_id: Option<i64>,
    pub state: Option<PaymentState>,
    pub paid_since: Option<Day>,
    pub paid_before: Option<Day>,
    pub order: PaymentOrder,
}

/// The column that sorts a list of payments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PaymentOrder {
    #[default]
    Received,
    Updated,
    Paid,
}

/// The state of a payment, as lists are filtered by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentState {
    Decided(Decision),
    Disputed,
    /// In part or as a whole.
    Refunded,
}

impl PaymentState {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "disputed" => Some(Self::Disputed),
            "refunded" => Some(Self::Refunded),
            other => Decision::parse(other).map(Self::Decided),
        }
    }
}

/// The payments of a business, or of one lead.
pub fn payments(business_id: i64, f: &PaymentFilter) -> Listing {
    let mut list = newest_payments(f.order).and("y.business_id = ?", business_id);
    if let Some(lead) = f.lead_id {
        list = list.and("y.lead_id = ?", lead);
    }
    list = filtered(list, business_id, f);
    if let Some(campaign) = f.campaign_id {
        list = list.search("y.campaign_id = ?", campaign);
    }
    list = match f.disputed {
        Some(true) if f.order != PaymentOrder::Received => list.search_plain("y.disputed_at IS NOT NULL"),
        Some(true) => list.and_plain("y.disputed_at IS NOT NULL"),
        Some(false) => list.search_plain("y.disputed_at IS NULL"),
        None => list,
    };
    list.search("y.test = ?", f.test)
}

/// The payments by an address in a campaign: one has few, however far back they are.
pub fn payments_by(business_id: i64, campaign_id: i64, email_key: &str, f: &PaymentFilter) -> Listing {
    let mut list = newest_payments(f.order)
        .and("y.campaign_id = ?", campaign_id)
        .and("y.test = ?", f.test)
        .and("y.email_key = ?", email_key);
    if let Some(lead) = f.lead_id {
        list = list.search("y.lead_id = ?", lead);
    }
    list = filtered(list, business_id, f);
    match f.disputed {
        Some(true) => list.search_plain("y.disputed_at IS NOT NULL"),
        Some(false) => list.search_plain("y.disputed_at IS NULL"),
        None => list,
    }
}

/// The payment with one of these names.
const BY_ID: &str = "y.id IN (SELECT n.payment_id
                                FROM payment_names n
                               WHERE n.business_id = ?
                                 AND n.test = ?
                                 AND n.name IN (?, ?, ?))";
const BY_NAME: &str = "y.id IN (SELECT n.payment_id
                                  FROM payment_names n
                                 WHERE n.business_id = ?
                                   AND n.test = ?
                                   AND n.name IN (?, ?, ?, ?, ?))";

/// The filters beside those that choose the list's index.
fn filtered(mut list: Listing, business_id: i64, f: &PaymentFilter) -> Listing {
    for (name, kinds) in [
        (&f.event_id, &[NameKind::Event, NameKind::Invoice, NameKind::Key][..]),
        (&f.name, &[NameKind::Event, NameKind::Invoice, NameKind::Charge, NameKind::Intent, NameKind::Key]),
    ] {
        let Some(name) = name else { continue };
        let named = kinds.iter().map(|kind| format!("{}:{name}", kind.word()).into());
        let values = [business_id.into(), f.test.into()].into_iter().chain(named);
        list = list.and_each(if kinds.len() == 3 { BY_ID } else { BY_NAME }, values);
    }
    if let Some(referrer) = f.referrer_id {
        list = list.and("y.lead_id IN (SELECT l.id FROM leads l WHERE l.referrer_id = ?)", referrer);
    }
    let by_day = f.order == PaymentOrder::Paid;
    for (condition, day) in [("y.payment_date >= ?", f.paid_since), ("y.payment_date < ?", f.paid_before)] {
        let Some(day) = day.map(|day| day.to_string()) else { continue };
        list = if by_day { list.and(condition, day) } else { list.search(condition, day) };
    }
    match f.state {
        Some(PaymentState::Decided(decision)) => list.search("y.decision = ?", decision.word()),
        Some(PaymentState::Disputed) => list.search_plain("y.disputed_at IS NOT NULL"),
        Some(PaymentState::Refunded) => list.search_plain("y.refunded > 0"),
        None => list,
    }
}

fn newest_payments(order: PaymentOrder) -> Listing {
    let column = match order {
        PaymentOrder::Received => "received_at",
        PaymentOrder::Updated => "updated_at",
        PaymentOrder::Paid => "payment_date",
    };
    let order = if order == PaymentOrder::Paid { Order::text(column, true) } else { Order::number(column, true) };
    Listing::new(PAYMENT, "payments", "y", "JOIN products d ON d.id = y.product_id", order)
}

pub async fn payment(conn: &mut Conn, business_id: i64, test: bool, id: i64) -> DbResult<Option<PaymentRow>> {
    sql_built(format!(
        "SELECT {PAYMENT}
           FROM payments y
           JOIN products d ON d.id = y.product_id
          WHERE y.id = $1
            AND y.business_id = $2
            AND y.test = $3"
    ))
    .bind(id)
    .bind(business_id)
    .bind(test)
    .optional(conn)
    .await
}

row! {
    #[derive(Debug, Clone)]
    pub struct RefundRow {
        pub id: i64,
        pub campaign_id: i64,
        pub product: String,
        pub test: bool,
        pub email: String,
        pub payment_id: Option<i64>,
        pub lead_id: Option<i64>,
        pub asked: Option<i64>,
        pub amount: Option<i64>,
        pub currency: Option<String>,
        pub refund_date: String,
        pub identity: String,
        pub state: String,
        pub why: Option<String>,
        pub received_at: i64,
        pub updated_at: i64,
        pub decided_at: Option<i64>,
    }
}

const REFUND: &str = "f.id, f.campaign_id, d.public_id AS product, f.test, f.email, f.payment_id, y.lead_id, f.asked,
                      f.amount, f.currency, f.refund_date, f.identity, f.state, f.why, f.received_at, f.decided_at,
                      f.updated_at";
const REFUND_JOINS: &str = "JOIN products d ON d.id = f.product_id
                            LEFT JOIN payments y ON y.id = f.payment_id";

/// The filters of the refunds.
#[derive(Debug, Clone, Default)]
pub struct RefundFilter {
    pub test: bool,
    pub payment_id: Option<i64>,
    pub lead_id: Option<i64>,
    pub email_key: Option<String>,
    pub state: Option<&'static str>,
}

pub fn refunds(business_id: i64, f: &RefundFilter) -> Listing {
    let order = Order::number("received_at", true);
    let mut list = Listing::new(REFUND, "refunds", "f", REFUND_JOINS, order).and("f.business_id = ?", business_id);
    if let Some(id) = f.payment_id {
        // One has few.
        list = list.and("f.payment_id = ?", id);
    }
    if let Some(id) = f.lead_id {
        list = list.and("f.payment_id IN (SELECT id FROM payments WHERE lead_id = ?)", id);
    }
    if let Some(key) = &f.email_key {
        list = list.search("f.email_key = ?", key.as_str());
    }
    if let Some(state) = f.state {
        list = list.search("f.state = ?", state);
    }
    list.search("f.test = ?", f.test)
}

pub async fn refund(conn: &mut Conn, business_id: i64, test: bool, id: i64) -> DbResult<Option<RefundRow>> {
    sql_built(format!(
        "SELECT {REFUND}
           FROM refunds f {REFUND_JOINS}
          WHERE f.id = $1
            AND f.business_id = $2
            AND f.test = $3"
    ))
    .bind(id)
    .bind(business_id)
    .bind(test)
    .optional(conn)
    .await
}
