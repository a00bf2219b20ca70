//! Audit entries as the API reads them.

use crate::db::{Listing, Order};
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct EntryRow {
        pub id: i64,
        pub at: i64,
        pub actor_kind: String,
        pub actor_name: String,
        /// The person who made the key, where a key did it.
        pub made_by: Option<String>,
        pub origin: String,
        pub action: String,
        pub subject_kind: String,
        pub subject_id: Option<i64>,
        pub before: Option<String>,
        pub after: Option<String>,
        pub reason: Option<String>,
    }
}

const JOINS: &str = "LEFT JOIN leads l ON l.id = a.lead_id
    LEFT JOIN api_keys k ON k.id = a.actor_id AND a.actor_kind = 'key'
    LEFT JOIN users u ON u.id = k.created_by";

/// The audit of a business, or of one of its leads or referrers.
/// A key for tests sees what happened to test leads.
pub fn listing(
    business_id: i64,
    test: bool,
    lead: Option<i64>,
    referrer: Option<i64>,
    action: Option<&str>,
) -> Listing {
    let columns = "a.id, a.at, a.actor_kind, a.actor_name, u.name AS made_by, a.origin, a.action, a.subject_kind,
                   a.subject_id, a.before, a.after, a.reason";
    let order = Order::number("at", true);
    let mut list = Listing::new(columns, "audit_entries", "a", JOINS, order).and("a.business_id = ?", business_id);
    if let Some(id) = lead {
        list = list.and("a.lead_id = ?", id);
    }
    if let Some(id) = referrer {
        list = if lead.is_some() { list.search("a.referrer_id = ?", id) } else { list.and("a.referrer_id = ?", id) };
    }
    if test {
        list = list.search_plain("l.test");
    }
    match action {
        Some(action) => list.search("a.action = ?", action),
        None => list,
    }
}
