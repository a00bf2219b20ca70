//! Whole leads, one and in lists, as pages, contracts and exports read them.

use std::sync::LazyLock;

use crate::db::{Conn, DbResult, Listing, Order, sql, sql_built};
use crate::engine::Status;
use crate::leads::fields::LeadFacts;
use crate::row;
use crate::search::Needle;

row! {
    /// A lead, with the code that it came by.
    #[derive(Debug, Clone)]
    pub struct LeadRow {
        pub id: i64,
        pub campaign_id: i64,
        pub test: bool,
        pub name: String,
        pub email: Option<String>,
        pub email_key: Option<String>,
        pub phone: Option<String>,
        pub phone_key: Option<String>,
        pub source_origin: String,
        pub status: String,
        pub active: bool,
        pub duplicate_of: Option<i64>,
        pub qualified_at: Option<i64>,
        pub converted_at: Option<i64>,
        pub arrival: Option<String>,
        pub referrer_id: Option<i64>,
        pub enrollment_id: Option<i64>,
        pub touch_id: Option<i64>,
        pub recorded_by: Option<i64>,
        pub external_id: Option<String>,
        pub meta: String,
        pub code: Option<String>,
        pub created_at: i64,
        pub updated_at: i64,
        pub archived_at: Option<i64>;
        pub facts: LeadFacts
    }
}

/// The columns of a [`LeadRow`], of `leads l` with [`JOINS`].
pub static COLUMNS: LazyLock<String> = LazyLock::new(|| {
    let facts = LeadFacts::columns(", l.", "");
    format!(
        "l.id, l.campaign_id, l.test, l.name, l.email, l.email_key, l.phone, l.phone_key, l.source_origin, l.status,
         l.active, l.duplicate_of, l.qualified_at, l.converted_at, l.arrival, l.referrer_id, l.enrollment_id,
         l.touch_id, l.recorded_by, l.external_id, l.meta, c.text AS code, l.created_at, l.updated_at, l.archived_at{facts}"
    )
});

pub const JOINS: &str = "LEFT JOIN codes c ON c.id = l.code_id";

/// The filters of a campaign's leads.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub test: bool,
    pub status: Option<Status>,
    pub arrival: Option<&'static str>,
    pub qualified: Option<bool>,
    pub referrer_id: Option<i64>,
    pub unattributed: bool,
    pub archived: bool,
    pub email_key: Option<String>,
    pub external_id: Option<String>,
    pub source: Option<String>,
    pub needle: Needle,
    /// True for a list in the order of changes, which has one index for all filters.
    pub by_changes: bool,
}

impl Filter {
    /// The source, when its index serves the list: it has the business's leads that are not archived.
    pub fn by_source(&self) -> Option<&str> {
        let others = self.archived
            || self.by_changes
            || self.external_id.is_some()
            || self.email_key.is_some()
            || !self.needle.is_empty();
        self.source.as_deref().filter(|_| !others)
    }
}

const OF_ADDRESS: &str = "l.id IN (SELECT o.id
                                     FROM leads o
                                    WHERE o.campaign_id = ?
                                      AND o.test = ?
                                      AND o.email_key = ?
                                      AND o.duplicate_of IS NULL
                                      AND o.email_key IS NOT NULL
                                    UNION ALL
                                   SELECT d.id
                                     FROM leads d
                                    WHERE d.campaign_id = ?
                                      AND d.test = ?
                                      AND d.email_key = ?
                                      AND d.duplicate_of IS NOT NULL
                                      AND d.email_key IS NOT NULL)";

/// One condition is served by an index that gives the order as well, the others are searched.
pub fn listing(campaign_id: i64, f: &Filter) -> Listing {
    let order = Order::number("created_at", true);
    let mut list = Listing::new(&COLUMNS, "leads", "l", JOINS, order)
        .and("l.campaign_id = ?", campaign_id)
        .and("l.test = ?", f.test)
        .and_plain(if f.archived { "l.archived_at IS NOT NULL" } else { "l.archived_at IS NULL" });
    let mut served = f.archived || f.by_changes;
    if let Some(id) = &f.external_id {
        list = list.and("l.external_id = ?", id.as_str());
        served = true;
    }
    if let Some(key) = &f.email_key {
        // One lead and its duplicates, each by an index of its own: other conditions are checked on few rows.
        let one = || [campaign_id.into(), f.test.into(), key.as_str().into()];
        list = list.and_each(OF_ADDRESS, one().into_iter().chain(one()));
        served = true;
    }
    if let Some(id) = f.referrer_id {
        list = if served { list.search("l.referrer_id = ?", id) } else { list.and("l.referrer_id = ?", id) };
        served = true;
    } else if f.unattributed {
        let nobody = "l.referrer_id IS NULL";
        list = if served { list.search_plain(nobody) } else { list.and_plain(nobody) };
        served = true;
    }
    if let Some(status) = f.status {
        let word = status.word();
        list = if served { list.search("l.status = ?", word) } else { list.and("l.status = ?", word) };
        served = true;
    }
    if let Some(arrival) = f.arrival {
        list = if served { list.search("l.arrival = ?", arrival) } else { list.and("l.arrival = ?", arrival) };
        served = true;
    }
    if let Some(qualified) = f.qualified {
        let condition = if qualified { "l.qualified_at IS NOT NULL" } else { "l.qualified_at IS NULL" };
        list = if served { list.search_plain(condition) } else { list.and_plain(condition) };
    }
    if let Some(source) = &f.source {
        list = list.search("l.source = ?", source.as_str());
    }
    f.needle.in_texts(super::TEXTS, list)
}

/// The leads of a business with a source, or of one of its campaigns; other conditions are searched.
pub fn of_source(business_id: i64, campaign_id: Option<i64>, source: &str, f: &Filter) -> Listing {
    let order = Order::number("created_at", true);
    let mut list = Listing::new(&COLUMNS, "leads", "l", JOINS, order)
        .and("l.business_id = ?", business_id)
        .and("l.test = ?", f.test)
        .and("l.source = ?", source)
        .and_plain("l.archived_at IS NULL");
    if let Some(id) = campaign_id {
        list = list.search("l.campaign_id = ?", id);
    }
    if let Some(id) = f.referrer_id {
        list = list.search("l.referrer_id = ?", id);
    } else if f.unattributed {
        list = list.search_plain("l.referrer_id IS NULL");
    }
    if let Some(status) = f.status {
        list = list.search("l.status = ?", status.word());
    }
    if let Some(arrival) = f.arrival {
        list = list.search("l.arrival = ?", arrival);
    }
    match f.qualified {
        Some(true) => list.search_plain("l.qualified_at IS NOT NULL"),
        Some(false) => list.search_plain("l.qualified_at IS NULL"),
        None => list,
    }
}

/// A lead of the business.
pub async fn by_id(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<LeadRow>> {
    let text = format!(
        "SELECT {}
           FROM leads l {JOINS}
          WHERE l.id = $1
            AND l.business_id = $2",
        COLUMNS.as_str()
    );
    sql_built(text).bind(id).bind(business_id).optional(conn).await
}

/// The leads among some ids that are the business's, in one mode.
pub async fn among(conn: &mut Conn, business_id: i64, test: bool, ids: &[i64]) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT l.id
           FROM rows($1, id BIGINT) r
           JOIN leads l ON l.id = r.id
          WHERE l.business_id = $2
            AND l.test = $3")
    .bind(crate::rows!(ids, id => { id: *id }))
    .bind(business_id)
    .bind(test)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}
