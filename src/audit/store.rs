pub mod rows;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{NewEntry, runs};
use crate::db::{Conn, DbResult, Listing, Order, Tx, sql};
use crate::fold::fold;
use crate::query::ListQuery;
use crate::seal::{self, Audited, Chain};
use crate::text::like_pattern;
use crate::{row, rows};

/// Writes entries in the caller's transaction.
pub async fn write(tx: &mut Tx, entries: &[NewEntry]) -> DbResult<()> {
    let Some(first) = entries.first() else { return Ok(()) };
    tx.witness(first.id);
    let now = tx.now();
    let said: Vec<_> = entries
        .iter()
        .map(|a| (a.before.as_ref().map(Json::to_string), a.after.as_ref().map(Json::to_string)))
        .collect();
    let written = || {
        entries.iter().zip(&said).map(|(a, (before, after))| Audited {
            id: a.id,
            business_id: a.business_id,
            at: now.micros(),
            actor_kind: a.actor.kind.word(),
            actor_id: a.actor.id,
            actor_name: &a.actor.name,
            origin: &a.actor.origin,
            action: a.action,
            subject_kind: a.subject_kind,
            subject_id: a.subject_id,
            lead_id: a.lead_id,
            referrer_id: a.referrer_id,
            before: before.as_deref(),
            after: after.as_deref(),
            reason: a.reason.as_deref(),
        })
    };
    let table = rows!(written(), a => {
        id: a.id, business_id: a.business_id, at: a.at, actor_kind: a.actor_kind, actor_id: a.actor_id,
        actor_name: a.actor_name,
        actor_fold: fold(a.actor_name), origin: a.origin, action: a.action, subject_kind: a.subject_kind,
        subject_id: a.subject_id,
        lead_id: a.lead_id, referrer_id: a.referrer_id, before: a.before, after: a.after, reason: a.reason,
    });
    sql("INSERT INTO audit_entries
                (id, business_id, at, actor_kind, actor_id, actor_name, actor_fold, origin, action, subject_kind,
                 subject_id, lead_id, referrer_id, before, after, reason)
         SELECT r.id, r.business_id, r.at, r.actor_kind, r.actor_id, r.actor_name, r.actor_fold, r.origin, r.action,
                r.subject_kind, r.subject_id, r.lead_id, r.referrer_id, r.before, r.after, r.reason
           FROM rows($1, id BIGINT, business_id BIGINT, at BIGINT, actor_kind TEXT, actor_id BIGINT, actor_name TEXT,
                     actor_fold TEXT, origin TEXT, action TEXT, subject_kind TEXT, subject_id BIGINT, lead_id BIGINT,
                     referrer_id BIGINT, before TEXT, after TEXT, reason TEXT) r")
    .bind(table)
    .execute(tx)
    .await?;
    seal::note(tx, Chain::Audit, written().map(|entry| entry.digest()).collect()).await
}

row! {
    /// An entry as the list shows it.
    #[derive(Debug, Clone)]
    pub struct EntryLine {
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
        pub lead_id: Option<i64>,
        pub referrer_id: Option<i64>,
        pub before: Option<String>,
        pub after: Option<String>,
        pub reason: Option<String>,
    }
}

/// The names the list knows in its address.
pub const KNOWN: [&str; 7] = ["q", "who", "what", "about", "id", "after", "before"];

/// One page of a business's audit, the newest first, and whether entries were left unexamined.
pub async fn list(conn: &mut Conn, business_id: i64, query: &ListQuery) -> DbResult<(Vec<EntryLine>, bool)> {
    let mut listing = Listing::new(
        "a.id, a.at, a.actor_kind, a.actor_name, u.name AS made_by, a.origin, a.action, a.subject_kind, a.subject_id, a.lead_id,
         a.referrer_id, a.before, a.after, a.reason",
        "audit_entries",
        "a",
        "LEFT JOIN api_keys k ON k.id = a.actor_id AND a.actor_kind = 'key' LEFT JOIN users u ON u.id = k.created_by",
        Order::number("at", true),
    )
    .and("a.business_id = ?", business_id);
    if !query.get("who").is_empty() {
        listing = listing.search("a.actor_kind = ?", query.get("who"));
    }
    if !query.get("what").is_empty() {
        // Actions are lower-case ASCII, so their prefix is found as it is written.
        let prefix = query.get("what").replace(['%', '_', '\\'], "");
        listing = listing.search("a.action LIKE ? ESCAPE '\\'", format!("{prefix}%"));
    }
    if !query.get("about").is_empty() {
        listing = listing.search("a.subject_kind = ?", query.get("about"));
    }
    if let Ok(id) = query.get("id").parse::<i64>() {
        listing = listing.search("a.subject_id = ?", id);
    }
    if !query.get("q").is_empty() {
        listing = listing.search("a.actor_fold LIKE ? ESCAPE '\\'", like_pattern(query.get("q")));
    }
    listing = listing.turned(query);
    let searched = listing.is_searched();
    Ok((listing.build(runs::READ + 1).all(conn).await?, searched))
}

/// The names of the leads, referrers, codes, campaigns and products among some ids; a commission has no name.
/// Deleted test data are missing.
pub async fn names(conn: &mut Conn, business_id: i64, ids: &[i64]) -> DbResult<BTreeMap<i64, String>> {
    let found: Vec<(i64, String)> = sql("SELECT l.id, l.name
           FROM rows($1, id BIGINT) r
           CROSS JOIN leads l
          WHERE l.id = r.id
            AND l.business_id = $2
          UNION ALL
         SELECT p.id, p.name
           FROM rows($1, id BIGINT) r
           CROSS JOIN referrers p
          WHERE p.id = r.id
            AND p.business_id = $2
          UNION ALL
         SELECT c.id, c.text
           FROM rows($1, id BIGINT) r
           CROSS JOIN codes c
          WHERE c.id = r.id
            AND c.business_id = $2
          UNION ALL
         SELECT m.id, m.name
           FROM rows($1, id BIGINT) r
           CROSS JOIN campaigns m
          WHERE m.id = r.id
            AND m.business_id = $2
          UNION ALL
         SELECT d.id, d.name
           FROM rows($1, id BIGINT) r
           CROSS JOIN products d
          WHERE d.id = r.id
            AND d.business_id = $2
          UNION ALL
         SELECT u.id, u.name
           FROM rows($1, id BIGINT) r
           CROSS JOIN users u
           JOIN memberships h ON h.user_id = u.id
          WHERE u.id = r.id
            AND h.business_id = $2
          UNION ALL
         SELECT k.id, ''
           FROM rows($1, id BIGINT) r
           CROSS JOIN commissions k
          WHERE k.id = r.id
            AND k.business_id = $2")
    .bind(rows!(ids, id => { id: *id }))
    .bind(business_id)
    .all(conn)
    .await?;
    Ok(found.into_iter().collect())
}
