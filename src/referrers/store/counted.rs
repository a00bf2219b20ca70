//! Referrers as lists by page number count them, written with the rows they speak of.

use std::collections::BTreeMap;

use crate::clock::Instant;
use crate::counters::{self, USERS_REFERRERS};
use crate::db::{DbResult, Tx, sql};
use crate::{row, rows};

row! {
    /// A business or a campaign, and when the person joined it.
    #[derive(Debug, Clone, Copy)]
    pub struct Came {
        pub scope_id: i64,
        pub created_at: i64,
    }
}

/// Counts people who come into lists, or go from them.
pub async fn count(tx: &mut Tx, people: &[Came], by: i64) -> DbResult<()> {
    let mut changes: BTreeMap<(i64, String, String), i64> = BTreeMap::new();
    for came in people {
        for day in [counters::came(came.created_at), String::new()] {
            *changes.entry((came.scope_id, USERS_REFERRERS.to_owned(), day)).or_default() += by;
        }
    }
    counters::add(tx, &changes.iter().collect::<Vec<_>>()).await
}

/// Counts a new person in the business, in a campaign, or in both.
pub async fn count_new(tx: &mut Tx, scopes: impl IntoIterator<Item = i64>, now: Instant) -> DbResult<()> {
    let people: Vec<Came> = scopes.into_iter().map(|scope_id| Came { scope_id, created_at: now.micros() }).collect();
    count(tx, &people, 1).await
}

/// The counters of a person: the business's, and those of each campaign, archived there or not.
pub async fn enrolled(tx: &mut Tx, referrers: &[i64], archived: bool) -> DbResult<Vec<Came>> {
    sql("SELECT p.business_id AS scope_id, p.created_at
           FROM rows($1, id BIGINT) r
           JOIN referrers p ON p.id = r.id
          UNION ALL
         SELECT e.campaign_id, e.created_at
           FROM rows($1, id BIGINT) r
           JOIN enrollments e ON e.referrer_id = r.id
          WHERE e.archived = $2")
    .bind(rows!(referrers, id => { id: *id }))
    .bind(archived)
    .all(tx)
    .await
}
