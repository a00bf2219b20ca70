//! The list of a campaign's referrers, and its counts.

use crate::clock::Zone;
use crate::db::{Conn, Cursor, Db, DbResult, EXAMINED, Listing, Order, sql};
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
        /// The list is sorted by these, seconds old.
        pub leads: i64,
        pub qualified: i64,
        pub revenue: i64,
        pub earned: i64,
        pub last_lead_at: i64,
        pub id: i64,
        pub name: String,
        pub email: Option<String>,
        pub phone: Option<String>,
        pub company: Option<String>,
        pub code: Option<String>,
    }
}

/// The names a list of referrers knows in its address.
pub const KNOWN: [&str; 10] = ["q", "state", "code", "tag", "from", "to", "cols", "sort", "after", "before"];

/// The orders of the list; the first is the usual one.
const ORDERS: [(&str, Order); 7] = [
    ("created", Order::number("created_at", true)),
    ("name", Order::text("name_fold", false)),
    ("leads", Order::number("leads", true)),
    ("qualified", Order::number("qualified", true)),
    ("revenue", Order::number("revenue", true)),
    ("earned", Order::number("earned", true)),
    ("last", Order::number("last_lead_at", true)),
];

/// The business and campaign of a list, and the country of its phone numbers.
#[derive(Debug, Clone, Copy)]
pub struct Of<'o> {
    pub business_id: i64,
    pub campaign_id: i64,
    pub country: &'o str,
    pub zone: Zone,
}

/// The position of a list after a row.
pub fn cursor(query: &ListQuery, row: &ReferrerLine) -> Cursor {
    let value = match Order::asked(query, &ORDERS).column {
        "name_fold" => row.name_fold.clone(),
        "leads" => row.leads.to_string(),
        "qualified" => row.qualified.to_string(),
        "revenue" => row.revenue.to_string(),
        "earned" => row.earned.to_string(),
        "last_lead_at" => row.last_lead_at.to_string(),
        _ => row.created_at.to_string(),
    };
    Cursor { value, id: row.enrollment_id }
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
    let mut listing = Listing::new(columns, "enrollments", "e", joins, Order::asked(query, &ORDERS))
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
    if let Ok(tag) = query.get("tag").parse::<i64>() {
        let tagged = "e.referrer_id IN (SELECT d.subject_id FROM tagged d WHERE d.tag_id = ?)";
        listing = listing.and(tagged, tag);
    }
    listing = listing.of_days("e.created_at", query.dates(of.zone));
    needle.in_texts(TEXTS, listing).within("referrer_id", "JOIN referrers r ON r.id = e.referrer_id")
}

/// The texts of a search's rows, as `text`.
pub fn texts(of: Of<'_>, query: &ListQuery, needle: &Needle) -> Listing {
    listing("r.search AS text", "JOIN referrers r ON r.id = e.referrer_id", of, query, needle)
}

/// The lines of a search, from the position in the address on.
fn lines(of: Of<'_>, query: &ListQuery) -> (Listing, Needle) {
    // An address has no control characters left.
    let needle = Needle::words(query.get("q"), of.country).unwrap_or_default();
    let lines = listing(
        "e.id AS enrollment_id, e.state, e.created_at, e.name_fold, e.leads, e.qualified, e.revenue, e.earned,
         e.last_lead_at, r.id, r.name, r.email, r.phone, r.company, c.text AS code",
        "JOIN referrers r ON r.id = e.referrer_id
         LEFT JOIN codes c ON c.enrollment_id = e.id AND c.state = 'active'",
        of,
        query,
        &needle,
    );
    (lines.turned(query), needle)
}

/// One page of `limit` of a campaign's referrers, and the one that shows whether there are more.
pub async fn list(db: &Db, of: Of<'_>, query: &ListQuery, limit: usize) -> DbResult<ReferrerPage> {
    let (listing, needle) = lines(of, query);
    if needle.is_empty() {
        let looked = listing.is_searched().then_some(EXAMINED);
        let rows = listing.build(limit + 1).all(&mut db.read().await?).await?;
        return Ok(ReferrerPage { rows, total: None, looked });
    }
    let scope = Scope::referrers(of.business_id);
    let found = search::page(db, listing, &[scope], &needle, Ask::page(limit + 1)).await?;
    let Found { rows, total, looked, .. } = found;
    Ok(ReferrerPage { rows, total: Some(total), looked })
}

/// The enrollments that a list shows, on all its pages, at most `most`.
pub async fn ids(db: &Db, of: Of<'_>, query: &ListQuery, most: usize) -> DbResult<Vec<(i64, i64)>> {
    let mut whole = query.without("after").without("before");
    let mut all = Vec::new();
    while all.len() < most {
        let some = every(db, of, &whole, (most - all.len()).min(1_000)).await?;
        let Some(last) = some.last() else { break };
        whole.set("after", &cursor(&whole, last).text());
        all.extend(some.iter().map(|line| (line.enrollment_id, line.id)));
    }
    Ok(all)
}

/// The next rows of a file, from the position in the address on.
pub async fn every(db: &Db, of: Of<'_>, query: &ListQuery, most: usize) -> DbResult<Vec<ReferrerLine>> {
    let (listing, needle) = lines(of, query);
    search::every(db, listing, &[Scope::referrers(of.business_id)], &needle, most).await
}

/// The enrollments of the business among some ids: (enrollment, referrer).
pub async fn people_of(conn: &mut Conn, business_id: i64, ids: &[i64]) -> DbResult<Vec<(i64, i64)>> {
    sql("SELECT e.id, e.referrer_id
           FROM rows($1, id BIGINT) r
           JOIN enrollments e ON e.id = r.id
          WHERE e.business_id = $2
          ORDER BY e.id")
    .bind(crate::rows!(ids, id => { id: *id }))
    .bind(business_id)
    .all(conn)
    .await
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
