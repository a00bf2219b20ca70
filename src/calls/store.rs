use super::Call;
use crate::clock::Instant;
use crate::db::{Conn, DbResult, Listing, Order, PAGE, Tx, sql};
use crate::fold::fold;
use crate::query::ListQuery;
use crate::text::like_pattern;
use crate::{row, rows};

/// Writes calls, each with its id and the number of dropped calls before it.
pub async fn insert(tx: &mut Tx, lines: &Vec<(i64, (Call, i64))>) -> DbResult<()> {
    let table = rows!(lines, (id, (c, dropped)) => {
        id: *id, business_id: c.business_id, key_id: c.key_id, at: c.at, contract: c.contract, method: &c.method,
        route: &c.route,
        path: &c.path, status: i64::from(c.status), micros: c.micros, request_id: &c.request_id, code: &c.code,
        message: &c.message,
        address: &c.address, search: search(c), dropped: *dropped,
    });
    sql("INSERT INTO calls
                (id, business_id, key_id, at, contract, method, route, path, status, micros, request_id, code,
                 message, address, search, dropped)
         SELECT r.id, r.business_id, r.key_id, r.at, r.contract, r.method, r.route, r.path, r.status, r.micros,
                r.request_id, r.code, r.message, r.address, r.search, r.dropped
           FROM rows($1, id BIGINT, business_id BIGINT, key_id BIGINT, at BIGINT, contract TEXT, method TEXT,
                     route TEXT, path TEXT, status BIGINT, micros BIGINT, request_id TEXT, code TEXT, message TEXT,
                     address TEXT, search TEXT, dropped BIGINT) r")
    .bind(table)
    .execute(tx)
    .await?;
    Ok(())
}

fn search(call: &Call) -> String {
    let (code, message) = (call.code.as_deref().unwrap_or_default(), call.message.as_deref().unwrap_or_default());
    fold(&format!("{} {code} {message} {}", call.request_id, call.path))
}

/// Removes the oldest calls of a key beyond the last `newest`, at most `most`.
pub async fn cut_back(tx: &mut Tx, &(key_id, newest, most): &(i64, i64, i64)) -> DbResult<u64> {
    sql("DELETE FROM calls
          WHERE id IN (SELECT c.id
                         FROM calls c
                        WHERE c.key_id = $1
                        ORDER BY c.at DESC, c.id DESC
                        LIMIT $3 OFFSET $2)")
    .bind(key_id)
    .bind(newest)
    .bind(most)
    .execute(tx)
    .await
}

/// Removes calls from before a moment, at most `most`.
pub async fn forget(tx: &mut Tx, &(before, most): &(Instant, i64)) -> DbResult<u64> {
    sql("DELETE FROM calls
          WHERE id IN (SELECT c.id FROM calls c WHERE c.at < $1 ORDER BY c.at, c.id LIMIT $2)")
    .bind(before)
    .bind(most)
    .execute(tx)
    .await
}

/// The keys with more calls than are stored.
pub async fn long_logs(conn: &mut Conn, newest: i64) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT c.key_id
           FROM calls c
          GROUP BY c.key_id
         HAVING count(*) > $1")
    .bind(newest)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(key_id,)| key_id).collect())
}

row! {
    /// A call as the list shows it.
    #[derive(Debug, Clone)]
    pub struct CallLine {
        pub id: i64,
        pub at: i64,
        pub key_name: Option<String>,
        pub contract: String,
        pub method: String,
        pub route: String,
        pub path: String,
        pub status: i64,
        pub micros: i64,
        pub request_id: String,
        pub code: Option<String>,
        pub message: Option<String>,
        pub address: String,
        pub dropped: i64,
    }
}

/// The names the list knows in its address.
pub const KNOWN: [&str; 7] = ["q", "key", "status", "method", "contract", "after", "before"];

/// One page of a business's calls, the newest first, and whether some were left unexamined.
pub async fn list(conn: &mut Conn, business_id: i64, query: &ListQuery) -> DbResult<(Vec<CallLine>, bool)> {
    let mut listing = Listing::new(
        "c.id, c.at, COALESCE(k.name, p.name) AS key_name, c.contract, c.method, c.route, c.path, c.status, c.micros,
         c.request_id, c.code, c.message, c.address, c.dropped",
        "calls",
        "c",
        "LEFT JOIN api_keys k ON k.id = c.key_id
         LEFT JOIN publishable_keys p ON p.id = c.key_id",
        Order::number("at", true),
    )
    .and("c.business_id = ?", business_id);
    if let Ok(key) = query.get("key").parse::<i64>() {
        listing = listing.and("c.key_id = ?", key);
    }
    match query.get("status") {
        "2" | "3" | "4" | "5" => {
            let class: i64 = query.get("status").parse().unwrap_or_default();
            listing = listing.search("c.status / 100 = ?", class);
        }
        "refused" => listing = listing.search_plain("c.status >= 400"),
        _ => {}
    }
    if !query.get("method").is_empty() {
        listing = listing.search("c.method = ?", query.get("method"));
    }
    if !query.get("contract").is_empty() {
        listing = listing.search("c.contract = ?", query.get("contract"));
    }
    if !query.get("q").is_empty() {
        listing = listing.search("c.search LIKE ? ESCAPE '\\'", like_pattern(query.get("q")));
    }
    listing = listing.turned(query);
    let searched = listing.is_searched();
    Ok((listing.build(PAGE + 1).all(conn).await?, searched))
}

/// The keys of a business that have made calls, by name.
pub async fn keys(conn: &mut Conn, business_id: i64) -> DbResult<Vec<(i64, String)>> {
    sql("SELECT k.id, k.name
           FROM api_keys k
          WHERE k.business_id = $1
          UNION ALL
         SELECT p.id, p.name
           FROM publishable_keys p
          WHERE p.business_id = $1
          ORDER BY 2, 1
          LIMIT 500")
    .bind(business_id)
    .all(conn)
    .await
}
