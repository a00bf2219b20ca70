//! The list of a campaign's referrers, and its counts.

use crate::db::{Conn, Cursor, Db, DbResult, Listing, Order, sql};
use crate::query::ListQuery;
use crate::row;
use crate::search::{self, Ask, Found, Needle, Place, Scope, Texts, Total};

const TEXTS: Texts =
    Texts { person: Place::Column("r.search"), code: Place::Rows("codes x WHERE x.referrer_id = e.referrer_id") };

row! {
    /// A line of the list.
    #[derive(Debug, Clone)]
    pub struct ReferrerLine {
        pub enrollment_id: i64,
        pub state: String,
        pub created_at: i64,
        pub name_fold: String,
        pub id: i64,
        pub name: String,
        pub email: Option<String>,
        pub company: Option<String>,
        pub code: Option<String>,
    }
}

/// The names a list of referrers knows in its address.
pub const KNOWN: [&str; 6] = ["q", "state", "code", "sort", "after", "before"];

/// The business and campaign of a list, and the country of its phone numbers.
#[derive(Debug, Clone, Copy)]
pub struct Of<'o> {
    pub business_id: i64,
    pub campaign_id: i64,
    pub country: &'o str,
}

/// A page of the list.
pub struct ReferrerPage {
    pub rows: Vec<ReferrerLine>,
    /// The number of rows a search matched; `None` without a search.
    pub total: Option<Total>,
    /// The number of rows examined, where not all were searched.
    pub looked: Option<usize>,
}

/// The list of a search; the join has the referrers as `r`.
fn listing(columns: &'static str, joins: &'static str, of: Of<'_>, query: &ListQuery, needle: &Needle) -> Listing {
    let by_name = query.get("sort").trim_start_matches('-') == "name";
    let order = Order {
        column: if by_name { "name_fold" } else { "created_at" },
        descending: if by_name { query.get("sort") == "-name" } else { query.get("sort") != "created" },
    };
    let mut listing = Listing::new(columns, "enrollments", "e", joins, order)
        .and("e.campaign_id = ?", of.campaign_id)
        .and("e.archived = ?", query.get("state") == "archived");
    if ["active", "paused", "banned"].contains(&query.get("state")) {
        listing = listing.and("e.state = ?", query.get("state"));
    }
    if ["none", "some"].contains(&query.get("code")) {
        listing = listing.and("e.has_code = ?", query.get("code") == "some");
    }
    // "Without a code" is about those who would get one.
    if query.get("code") == "none" {
        listing = listing.and("e.state = ?", "active");
    }
    needle.in_texts(TEXTS, listing).within("referrer_id", "JOIN referrers r ON r.id = e.referrer_id")
}

/// The texts of a search's rows, as `text`.
pub fn texts(of: Of<'_>, query: &ListQuery, needle: &Needle) -> Listing {
    listing("r.search AS text", "JOIN referrers r ON r.id = e.referrer_id", of, query, needle)
}

/// One page of `limit` of a campaign's referrers, and the one that shows whether there are more.
pub async fn list(db: &Db, of: Of<'_>, query: &ListQuery, limit: usize) -> DbResult<ReferrerPage> {
    let by_name = query.get("sort").trim_start_matches('-') == "name";
    // An address has no control characters left.
    let needle = Needle::words(query.get("q"), of.country).unwrap_or_default();
    let mut listing = listing(
        "e.id AS enrollment_id, e.state, e.created_at, e.name_fold, r.id, r.name, r.email, r.company, c.text AS code",
        "JOIN referrers r ON r.id = e.referrer_id
         LEFT JOIN codes c ON c.enrollment_id = e.id AND c.state = 'active'",
        of,
        query,
        &needle,
    );
    for (name, forward) in [("after", true), ("before", false)] {
        if let Some(cursor) = Cursor::parse(query.get(name)) {
            listing = match (by_name, cursor.value.parse::<i64>()) {
                (true, _) => listing.from_row(forward, cursor.value, cursor.id),
                (false, Ok(at)) => listing.from_row(forward, at, cursor.id),
                (false, Err(_)) => listing,
            };
        }
    }
    if needle.is_empty() {
        let rows = listing.build(limit + 1).all(&mut db.read().await?).await?;
        return Ok(ReferrerPage { rows, total: None, looked: None });
    }
    let scope = Scope::referrers(of.business_id);
    let found = search::page(db, listing, &[scope], &needle, Ask::page(limit + 1)).await?;
    let Found { rows, total, looked, .. } = found;
    Ok(ReferrerPage { rows, total: Some(total), looked })
}

row! {
    /// The numbers of a campaign, each counted up to a bound.
    pub struct Counts {
        pub all_of_them: i64,
        pub codeless: i64,
        pub paused: i64,
        pub banned: i64,
    }
}

/// The counts of the list's tabs.
pub async fn counts(conn: &mut Conn, campaign_id: i64, bound: i64) -> DbResult<Counts> {
    sql("SELECT (SELECT count(*)
                   FROM (SELECT 1 AS one
                           FROM enrollments
                          WHERE campaign_id = $1
                            AND archived = false
                          LIMIT $2) a) AS all_of_them,
                (SELECT count(*)
                   FROM (SELECT 1 AS one
                           FROM enrollments
                          WHERE campaign_id = $1
                            AND archived = false
                            AND has_code = false
                            AND state = 'active'
                          LIMIT $2) b) AS codeless,
                (SELECT count(*)
                   FROM (SELECT 1 AS one
                           FROM enrollments
                          WHERE campaign_id = $1
                            AND archived = false
                            AND state = 'paused'
                          LIMIT $2) c) AS paused,
                (SELECT count(*)
                   FROM (SELECT 1 AS one
                           FROM enrollments
                          WHERE campaign_id = $1
                            AND archived = false
                            AND state = 'banned'
                          LIMIT $2) d) AS banned")
    .bind(campaign_id)
    .bind(bound)
    .one(conn)
    .await
}
