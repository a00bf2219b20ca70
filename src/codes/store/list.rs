//! The list of a campaign's codes, its counts, and the rows of print sheet and export.

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
        pub name: String,
        pub email: Option<String>,
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
pub const KNOWN_QUERY: [&str; 6] = ["q", "state", "since", "sort", "after", "before"];

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

fn listing(campaign_id: i64, query: &ListQuery, wanted: &Wanted) -> Listing {
    let by_code = query.get("sort").trim_start_matches('-') == "code";
    let order = Order {
        column: if by_code { "lookup" } else { "created_at" },
        descending: if by_code { query.get("sort") == "-code" } else { query.get("sort") != "created" },
    };
    let mut listing = Listing::new(
        "c.id, c.enrollment_id, c.campaign_id, c.referrer_id, c.text, c.lookup, c.kind, c.state, c.created_at, r.name,
         r.email, r.company, e.state AS enrollment_state, e.archived,
         EXISTS (SELECT 1
                   FROM codes o
                  WHERE o.lookup = c.lookup
                    AND o.business_id <> c.business_id
                    AND (o.created_at, o.id) < (c.created_at, c.id)) AS elder",
        "codes",
        "c",
        "JOIN referrers r ON r.id = c.referrer_id
         JOIN enrollments e ON e.id = c.enrollment_id",
        order,
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
    for (name, forward) in [("after", true), ("before", false)] {
        if let Some(cursor) = Cursor::parse(query.get(name)) {
            listing = match (by_code, cursor.value.parse::<i64>()) {
                (true, _) => listing.from_row(forward, cursor.value, cursor.id),
                (false, Ok(at)) => listing.from_row(forward, at, cursor.id),
                (false, Err(_)) => listing,
            };
        }
    }
    listing
}

/// The texts of a search's rows, as `text`.
pub fn texts(campaign_id: i64, query: &ListQuery, needle: Needle) -> Listing {
    let columns = "r.search AS text";
    listing(campaign_id, query, &Wanted::Piece(needle)).showing(columns)
}

/// The position of a list after a row.
pub fn cursor(query: &ListQuery, row: &CodeLine) -> Cursor {
    let by_code = query.get("sort").trim_start_matches('-') == "code";
    Cursor { value: if by_code { row.lookup.clone() } else { row.created_at.to_string() }, id: row.id }
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
pub async fn list(db: &Db, campaign_id: i64, query: &ListQuery, wanted: &Wanted, most: usize) -> DbResult<Codes> {
    find(db, campaign_id, listing(campaign_id, query, wanted), wanted, most).await
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

/// The rows of an export behind a row, in the list's order.
pub async fn list_behind(
    db: &Db,
    campaign_id: i64,
    query: &ListQuery,
    wanted: &Wanted,
    last: Option<&CodeLine>,
    most: usize,
) -> DbResult<Vec<CodeLine>> {
    let mut listing = listing(campaign_id, query, wanted);
    if let Some(last) = last {
        listing = match query.get("sort").trim_start_matches('-') {
            "code" => listing.from_row(true, last.lookup.clone(), last.id),
            _ => listing.from_row(true, last.created_at, last.id),
        };
    }
    let found = find(db, campaign_id, listing.clone(), wanted, most).await?;
    if found.looked.is_none() {
        Ok(found.rows)
    } else {
        listing.unbounded().build(most).all(&mut db.read().await?).await
    }
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
