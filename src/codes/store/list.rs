//! The list of a campaign's codes, its counts, and the rows of print sheet and export.

use crate::clock::Zone;
use crate::code;
use crate::db::{Conn, Cursor, Db, DbResult, Listing, Order, sql};
use crate::query::ListQuery;
use crate::row;
use crate::search::{self, Ask, Found, Needle, Scope, Total};

use super::rows::TEXTS;

row! {
    /// A line of the list.
    #[derive(Debug, Clone)]
    pub struct CodeLine {
        pub id: i64,
        pub enrollment_id: i64,
        pub campaign_id: i64,
        pub referrer_id: i64,
        pub text: String,
        pub lookup: String,
        pub kind: String,
        pub state: String,
        pub created_at: i64,
        /// The list is sorted by these, seconds old.
        pub clicks: i64,
        pub leads: i64,
        pub qualified: i64,
        pub revenue: i64,
        pub name: String,
        pub email: Option<String>,
        /// In E.164.
        pub phone: Option<String>,
        pub company: Option<String>,
        pub enrollment_state: String,
        pub archived: bool,
        /// True when another business had the same code first.
        pub elder: bool,
    }
}

impl CodeLine {
    pub fn link(&self, public_url: &str) -> String {
        crate::links::address(public_url, self.campaign_id, &self.text, self.elder)
    }
}

/// The names a list of codes knows in its address.
pub const KNOWN_QUERY: [&str; 9] = ["q", "state", "since", "from", "to", "cols", "sort", "after", "before"];

/// The orders of the list; the first is the usual one.
const ORDERS: [(&str, Order); 6] = [
    ("created", Order::number("created_at", true)),
    ("code", Order::text("lookup", false)),
    ("clicks", Order::number("clicks", true)),
    ("leads", Order::number("leads", true)),
    ("qualified", Order::number("qualified", true)),
    ("revenue", Order::number("revenue", true)),
];

/// The result of a search for codes.
#[derive(Debug, Clone)]
pub enum Wanted {
    Any,
    /// One code, found by the forgiving look-up.
    One(i64),
    /// Those that begin like this: for pieces too short for an index.
    From(String),
    /// Codes that contain this.
    Piece(Needle),
}

impl Wanted {
    /// The search for a text that is no code.
    pub fn of(text: &str, country: &str) -> Self {
        let form = code::lookup_form(text);
        let short = form.chars().count() < 3;
        // A list's address has no control characters left.
        if short { Self::From(form) } else { Self::Piece(Needle::words(text, country).unwrap_or_default()) }
    }
}

fn listing(campaign_id: i64, zone: Zone, query: &ListQuery, wanted: &Wanted) -> Listing {
    let mut listing = Listing::new(
        "c.id, c.enrollment_id, c.campaign_id, c.referrer_id, c.text, c.lookup, c.kind, c.state, c.created_at, c.clicks,
         c.leads, c.qualified, c.revenue, r.name, r.email, r.phone_key AS phone, r.company, e.state AS enrollment_state, e.archived,
         EXISTS (SELECT 1
                   FROM codes o
                  WHERE o.lookup = c.lookup
                    AND o.business_id <> c.business_id
                    AND (o.created_at, o.id) < (c.created_at, c.id)) AS elder",
        "codes",
        "c",
        "JOIN referrers r ON r.id = c.referrer_id
         JOIN enrollments e ON e.id = c.enrollment_id",
        Order::asked(query, &ORDERS),
    )
    .and("c.campaign_id = ?", campaign_id);
    if ["active", "alias", "retired"].contains(&query.get("state")) {
        listing = listing.and("c.state = ?", query.get("state"));
    }
    if let Ok(since) = query.get("since").parse::<i64>() {
        listing = listing.and("c.created_at >= ?", since);
    }
    listing = match wanted {
        Wanted::Any => listing,
        Wanted::One(id) => listing.and("c.id = ?", *id),
        Wanted::From(form) => {
            listing.and("c.lookup >= ?", form.clone()).and("c.lookup < ?", format!("{form}\u{10FFFF}"))
        }
        Wanted::Piece(needle) => needle.in_texts(TEXTS, listing),
    };
    listing.of_days("c.created_at", query.dates(zone)).turned(query)
}

/// The texts of a search's rows, as `text`.
pub fn texts((campaign_id, zone): (i64, Zone), query: &ListQuery, needle: Needle) -> Listing {
    let columns = "r.search AS text";
    listing(campaign_id, zone, query, &Wanted::Piece(needle)).showing(columns)
}

/// The position of a list after a row.
pub fn cursor(query: &ListQuery, row: &CodeLine) -> Cursor {
    let value = match Order::asked(query, &ORDERS).column {
        "lookup" => row.lookup.clone(),
        "clicks" => row.clicks.to_string(),
        "leads" => row.leads.to_string(),
        "qualified" => row.qualified.to_string(),
        "revenue" => row.revenue.to_string(),
        _ => row.created_at.to_string(),
    };
    Cursor { value, id: row.id }
}

/// Codes of a campaign.
pub struct Codes {
    pub rows: Vec<CodeLine>,
    /// The number of rows a search matched; `None` without a search.
    pub total: Option<Total>,
    /// The number of rows examined, where not all were searched.
    pub looked: Option<usize>,
}

/// One page of a campaign's codes.
pub async fn list(
    db: &Db,
    (campaign_id, zone): (i64, Zone),
    query: &ListQuery,
    wanted: &Wanted,
    most: usize,
) -> DbResult<Codes> {
    find(db, campaign_id, listing(campaign_id, zone, query, wanted), wanted, most).await
}

async fn find(db: &Db, campaign_id: i64, listing: Listing, wanted: &Wanted, most: usize) -> DbResult<Codes> {
    if let Wanted::Piece(needle) = wanted {
        let scopes = [Scope::codes(campaign_id)];
        let Found { rows, total, looked, .. } = search::page(db, listing, &scopes, needle, Ask::page(most)).await?;
        return Ok(Codes { rows, total: Some(total), looked });
    }
    let rows = listing.build(most).all(&mut db.read().await?).await?;
    Ok(Codes { rows, total: None, looked: None })
}

/// The next rows of a file, from the position in the address on.
pub async fn every(
    db: &Db,
    (campaign_id, zone): (i64, Zone),
    query: &ListQuery,
    wanted: &Wanted,
    most: usize,
) -> DbResult<Vec<CodeLine>> {
    let none = Needle::default();
    let needle = if let Wanted::Piece(needle) = wanted { needle } else { &none };
    let listing = listing(campaign_id, zone, query, wanted);
    search::every(db, listing, &[Scope::codes(campaign_id)], needle, most).await
}

/// The number of a campaign's codes in a state, counted up to a bound; any state for none.
pub async fn count(conn: &mut Conn, campaign_id: i64, state: Option<&str>, bound: i64) -> DbResult<i64> {
    match state {
        Some(state) => {
            sql("SELECT count(*)
                   FROM (SELECT 1 AS one
                           FROM codes
                          WHERE campaign_id = $1
                            AND state = $2
                          LIMIT $3) found")
            .bind(campaign_id)
            .bind(state)
            .bind(bound)
            .scalar(conn)
            .await
        }
        None => {
            sql("SELECT count(*)
                   FROM (SELECT 1 AS one FROM codes WHERE campaign_id = $1 LIMIT $2) found")
            .bind(campaign_id)
            .bind(bound)
            .scalar(conn)
            .await
        }
    }
}
