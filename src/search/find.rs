//! One page of a list that is searched, and how many match.
//!
//! How it is looked for is decided by what is there and never by a planner's guess. The first rows in the
//! list's order are looked at: where these are all, that was it. Then the index names candidates. If they
//! are few, each is looked at, which answers page and count in any order. If they are many, the word is
//! common: the page is full from the first rows, or from candidates in the order of the list.

use futures::future::try_join_all;

use super::candidates::{self, Candidates, members};
use super::{Needle, Scope};
use crate::db::{Db, DbResult, EXAMINED, FromDb, Listing, Look};
use crate::web::list::counted;

/// Rows looked at in order before the index is asked.
const FIRST: usize = 1_000;
/// Candidates that are all looked at.
const MOST: usize = 10_000;
/// Candidates looked at by one statement: a table need not be large for PostgreSQL to look each up by its
/// key. And how many times that of a common word are looked at in the list's order.
const STEP: usize = 1_000;
const STEPS: usize = 8;
/// Candidates that are worth a connection of their own, and how many there may be.
const SHARE: usize = 1_500;
const SHARES: usize = 3;

/// How many match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    Exact(i64),
    /// So many and more.
    AtLeast(i64),
}

impl Total {
    /// "1 lead", "12 leads", "10,000+ leads".
    pub fn shown(self, one: &str, many: &str) -> String {
        match self {
            Self::Exact(1) => format!("1 {one}"),
            Self::Exact(n) => format!("{} {many}", counted(n)),
            Self::AtLeast(n) => format!("{}+ {many}", counted(n)),
        }
    }
}

/// What a search came to.
#[derive(Debug, Clone)]
pub struct Found<T> {
    pub rows: Vec<T>,
    pub total: Total,
    /// Everything was searched. Else only so many rows were looked at, in the order of the list from its place on.
    pub whole: bool,
}

/// The rows of a list that have the needle, from the list's place on, at most `limit`.
pub async fn page<T: FromDb>(
    db: &Db,
    list: Listing,
    scope: Scope,
    needle: &Needle,
    limit: usize,
) -> DbResult<Found<T>> {
    let (ids, total, whole) = look_for(db, &list, scope, needle, limit).await?;
    let rows = if ids.is_empty() { Vec::new() } else { list.lines(&ids, limit).all(&mut db.read().await?).await? };
    Ok(Found { rows, total, whole })
}

/// Nobody here waits for a connection while holding another: there are few of them.
async fn look_for(
    db: &Db,
    list: &Listing,
    scope: Scope,
    needle: &Needle,
    limit: usize,
) -> DbResult<(Vec<i64>, Total, bool)> {
    let first = list.look_on(&mut db.read().await?, FIRST, limit).await?;
    let is_all = all_seen(&first, FIRST);
    if is_all && list.is_from_start() {
        return Ok((ids(&first), Total::Exact(first.hits), true));
    }
    if needle.grams().is_empty() {
        return bounded(db, list, limit).await;
    }
    let candidates = candidates::find(&mut db.read().await?, scope, needle, MOST).await?;
    if candidates.behind {
        // Hundreds of thousands of rows have just come.
        return bounded(db, list, limit).await;
    }
    if candidates.count() <= MOST {
        let wanted = candidates.ids(&mut db.read().await?, usize::MAX).await?;
        let look = look_at(db, list, &wanted, limit).await?;
        return Ok((ids(&look), Total::Exact(look.hits), true));
    }
    let rows = async {
        if first.rows.len() == limit || is_all {
            Ok((ids(&first), true))
        } else {
            common(db, list, &candidates, limit).await
        }
    };
    let ((ids, whole), total) = futures::try_join!(rows, at_least(db, list, &candidates))?;
    Ok((ids, total, whole))
}

/// Without the index: so many rows from the list's place on, and no more.
async fn bounded(db: &Db, list: &Listing, limit: usize) -> DbResult<(Vec<i64>, Total, bool)> {
    let mut conn = db.read().await?;
    let seen = list.look_on(&mut conn, EXAMINED, limit).await?;
    let counted = if list.is_from_start() {
        seen.clone()
    } else {
        list.clone().from_start().look_on(&mut conn, EXAMINED, 0).await?
    };
    let total = if all_seen(&counted, EXAMINED) { Total::Exact(counted.hits) } else { Total::AtLeast(counted.hits) };
    Ok((ids(&seen), total, seen.rows.len() == limit || all_seen(&seen, EXAMINED)))
}

fn ids(look: &Look) -> Vec<i64> {
    look.rows.iter().map(|(_, id)| *id).collect()
}

fn all_seen(look: &Look, examined: usize) -> bool {
    usize::try_from(look.seen).is_ok_and(|seen| seen < examined)
}

/// Looks at named rows, on several connections where there are many.
async fn look_at(db: &Db, list: &Listing, ids: &[i64], limit: usize) -> DbResult<Look> {
    let shares = ids.len().div_ceil(SHARE).clamp(1, SHARES);
    let looks = ids.chunks(ids.len().div_ceil(shares).max(1)).map(|share| async move {
        let (mut conn, mut some) = (db.read().await?, Look::default());
        for ids in share.chunks(STEP) {
            some.add(list.look_at(&mut conn, ids, limit).await?);
        }
        DbResult::Ok(some)
    });
    let mut all = Look::default();
    try_join_all(looks).await?.into_iter().for_each(|look| all.add(look));
    Ok(all)
}

/// Counts among the newest candidates of a common word.
async fn at_least(db: &Db, list: &Listing, candidates: &Candidates) -> DbResult<Total> {
    let ids = candidates.ids(&mut db.read().await?, MOST + 1).await?;
    let some = ids.len() - (MOST + MOST / 100).min(ids.len());
    let look = look_at(db, &list.clone().from_start(), &ids[some..], 0).await?;
    Ok(Total::AtLeast(look.hits.min(MOST as i64)))
}

/// The next rows of a common word. By time the candidates are taken in the list's own order; in another
/// order a bounded number of rows is looked at.
async fn common(db: &Db, list: &Listing, candidates: &Candidates, limit: usize) -> DbResult<(Vec<i64>, bool)> {
    let mut conn = db.read().await?;
    if !list.is_by_time() {
        let seen = list.look_on(&mut conn, EXAMINED, limit).await?;
        return Ok((ids(&seen), seen.rows.len() == limit || all_seen(&seen, EXAMINED)));
    }
    let mut found: Vec<(i64, i64)> = Vec::new();
    let mut runs: Vec<Run> = candidates.parts.iter().enumerate().map(|(at, part)| Run::new(at, part, list)).collect();
    let mut waiting = candidates.waiting.clone();
    for step in 0..=STEPS {
        runs.retain(|run| run.bound.is_some());
        runs.sort_by_key(|run| run.bound);
        let next = if list.is_down() { runs.last_mut() } else { runs.first_mut() };
        found.sort_unstable();
        found.dedup();
        if list.is_down() {
            found.reverse();
        }
        let last = found.get(limit.saturating_sub(1)).map(|(at, _)| *at);
        let is_whole = match (next.as_ref().and_then(|run| run.bound), last) {
            (None, _) => waiting.is_empty(),
            (Some(bound), Some(last)) => {
                if list.is_down() {
                    bound < last
                } else {
                    bound > last
                }
            }
            (Some(_), None) => false,
        };
        if is_whole || step == STEPS {
            return Ok((found.into_iter().take(limit).map(|(_, id)| id).collect(), is_whole));
        }
        let mut wanted = std::mem::take(&mut waiting);
        if let Some(run) = next {
            let part = &candidates.parts[run.part];
            if run.members.is_empty() {
                run.members = members(&mut conn, part.segment_id).await?;
            }
            wanted.extend(run.take(part, list.is_down()));
        }
        let look = list.look_at(&mut conn, &wanted, limit).await?;
        found.extend(look.rows.iter().filter_map(|(at, id)| Some((at.parse().ok()?, *id))));
    }
    Ok((Vec::new(), false))
}

/// The candidates of a segment, taken in the order of the list.
struct Run {
    part: usize,
    members: Vec<i64>,
    left: Vec<usize>,
    /// What is left begins there, at the earliest in the order of the list; none when nothing is left.
    bound: Option<i64>,
}

impl Run {
    /// What lies before the list's place is left out as far as the marks tell.
    fn new(at: usize, part: &candidates::Part, list: &Listing) -> Self {
        let mut left: Vec<usize> = part.rows.iter().collect();
        if let Some(place) = list.place() {
            if list.is_down() {
                left.retain(|row| part.earliest_from(*row) <= place);
            } else {
                left.retain(|row| part.latest_before(*row + 1) >= place);
            }
        }
        if !list.is_down() {
            left.reverse();
        }
        let mut run = Self { part: at, members: Vec::new(), left, bound: None };
        run.bound = run.bound(part, list.is_down());
        run
    }

    /// `left` is a stack: the next one is at its end.
    fn bound(&self, part: &candidates::Part, down: bool) -> Option<i64> {
        let next = *self.left.last()?;
        Some(if down { part.latest_before(next + 1) } else { part.earliest_from(next) })
    }

    fn take(&mut self, part: &candidates::Part, down: bool) -> Vec<i64> {
        let from = self.left.len() - STEP.min(self.left.len());
        let ids = self.left.split_off(from).into_iter().filter_map(|row| self.members.get(row).copied()).collect();
        self.bound = self.bound(part, down);
        ids
    }
}
