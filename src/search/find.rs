//! One page of a searched list, and the number of matches.
//!
//! The data decide how it is searched, never a planner's guess. The index names candidates. Few candidates
//! are all examined, which answers page and count in any order. Many mean that the word is common: then the
//! page is full after a few rows of the list, or after the first candidates in its order, and matches are
//! counted no further than requested.

use futures::future::try_join_all;

use super::candidates::{self, Candidates};
use super::walk::{Walked, walk};
use super::{Needle, Scope};
use crate::db::{Conn, Db, DbResult, FromDb, Listing, Look};
use crate::text::counted;

/// Candidates that are always all examined, and how far a page counts: each may cost the reading of a page of
/// the table.
const FEW: usize = 1_000;
/// Rows of a list of which a common word fills a page, at most and at least.
const FIRST: usize = 1_000;
const LEAST: usize = 200;
/// Rows of a list examined where candidates do not help, or did not fill the page: in an order that differs
/// from the table's, each of them costs as much as a candidate.
const BOUND: usize = 4_000;
/// Candidates examined by one statement: even in a small table PostgreSQL then looks each up by its key.
const STEP: usize = 1_000;
/// Candidates that are worth a connection of their own, and how many there may be.
const SHARE: usize = 500;
const SHARES: usize = 3;

/// The request of a search.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    skip: usize,
    limit: usize,
    /// Matches are counted up to this number at least.
    count: usize,
    way: Way,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Page,
    Cursor,
    Number,
}

impl Ask {
    /// A page of a list, which says how many there are.
    pub fn page(limit: usize) -> Self {
        Self { skip: 0, limit, count: FEW, way: Way::Page }
    }

    /// The whole list, up to this many.
    pub fn all(limit: usize) -> Self {
        Self { skip: 0, limit, count: limit, way: Way::Page }
    }

    /// Rows, and the position after them: the next call continues a search that ended early.
    pub fn cursor(limit: usize) -> Self {
        Self { skip: 0, limit, count: 0, way: Way::Cursor }
    }

    /// A page by its number: rows and total are of one and the same look, which ends after `count`.
    pub fn numbered(skip: usize, limit: usize, count: usize) -> Self {
        let limit = limit.min(count.saturating_sub(skip));
        Self { skip: if limit == 0 { 0 } else { skip }, limit, count, way: Way::Number }
    }
}

/// The number of matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    Exact(i64),
    /// This many and more.
    AtLeast(i64),
}

impl Total {
    /// "1 lead", "12 leads", "1,000+ leads".
    pub fn shown(self, one: &str, many: &str) -> String {
        match self {
            Self::Exact(1) => format!("1 {one}"),
            Self::Exact(n) => format!("{} {many}", counted(n)),
            Self::AtLeast(n) => format!("{}+ {many}", counted(n)),
        }
    }

    fn of(n: usize, is_exact: bool) -> Self {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        if is_exact { Self::Exact(n) } else { Self::AtLeast(n) }
    }
}

/// The result of a search.
#[derive(Debug, Clone)]
pub struct Found<T> {
    pub rows: Vec<T>,
    pub total: Total,
    /// For a partial search: how many rows were examined, in the order of the list from its position on.
    pub looked: Option<usize>,
    /// The position from which such a search by time continues, inclusive.
    pub rest: Option<(i64, i64)>,
}

/// The matching rows of the list, from its position on.
pub async fn page<T: FromDb>(
    db: &Db,
    list: Listing,
    scopes: &[Scope],
    needle: &Needle,
    ask: Ask,
) -> DbResult<Found<T>> {
    // Every list has this within its own future: on the heap, it does not count against the stack of each.
    let sought = Box::pin(look_for(db, &list, scopes, needle, ask)).await?;
    let ids = sought.ids.get(ask.skip..).unwrap_or_default();
    let ids = ids.get(..ask.limit).unwrap_or(ids);
    let rows = if ids.is_empty() { Vec::new() } else { list.lines(ids, ask.limit).all(&mut db.read().await?).await? };
    Ok(Found { rows, total: sought.total, looked: sought.looked, rest: sought.rest })
}

/// The next `most` rows of the list from its position on, however many have to be examined: for files.
pub async fn every<T: FromDb>(
    db: &Db,
    list: Listing,
    scopes: &[Scope],
    needle: &Needle,
    most: usize,
) -> DbResult<Vec<T>> {
    if !needle.is_empty() {
        let found = page(db, list.clone(), scopes, needle, Ask::page(most)).await?;
        if found.looked.is_none() {
            return Ok(found.rows);
        }
    }
    list.unbounded().build(most).all(&mut db.read().await?).await
}

/// The result of a search: ids in the order of the list, and the rest as in [`Found`].
struct Sought {
    ids: Vec<i64>,
    total: Total,
    looked: Option<usize>,
    rest: Option<(i64, i64)>,
}

impl Sought {
    /// Rows of which there are no more, or as many as were wanted.
    fn whole(look: &Look, total: Total) -> Self {
        Self { ids: ids(look), total, looked: None, rest: None }
    }

    fn walked(walked: Walked, count: usize) -> Self {
        let is_exact = walked.is_all && walked.hits <= count;
        let hits = if is_exact { walked.hits } else { walked.hits.min(count).max(walked.ids.len()) };
        Self {
            ids: walked.ids,
            total: Total::of(hits, is_exact),
            looked: (!walked.is_full).then_some(walked.looked),
            rest: walked.rest.filter(|_| !walked.is_full),
        }
    }
}

/// Connections are few, so no task waits for one while it holds another.
async fn look_for(db: &Db, list: &Listing, scopes: &[Scope], needle: &Needle, ask: Ask) -> DbResult<Sought> {
    let want = ask.skip + ask.limit;
    if needle.grams().is_empty() {
        return short(db, list, scopes, needle, ask).await;
    }
    let all = candidates::find(&mut db.read().await?, scopes, needle).await?;
    if all.behind {
        // Tens of thousands of rows have just come.
        return bounded(db, list, want, ask).await;
    }
    if all.count() <= FEW.max(ask.count) {
        let wanted = all.ids(&mut db.read().await?, usize::MAX).await?;
        let look = look_at(db, list, &wanted, want).await?;
        return Ok(Sought::whole(&look, Total::Exact(look.hits)));
    }
    let (mut sought, is_counted) = common(db, list, &all, ask).await?;
    if !is_counted {
        let hits = count(db, list, &all, ask.count).await?;
        sought.total = Total::of(hits.max(sought.ids.len()), false);
    }
    Ok(sought)
}

/// The rows of a common word, and whether they were counted as well.
async fn common(db: &Db, list: &Listing, all: &Candidates, ask: Ask) -> DbResult<(Sought, bool)> {
    let (want, expected) = (ask.skip + ask.limit, all.expected(ask.skip + ask.limit) * 2);
    if ask.way != Way::Number && expected <= FIRST {
        let examined = expected.clamp(LEAST, FIRST);
        let look = list.look_on(&mut db.read().await?, examined, want).await?;
        let (is_all, is_full) = (all_seen(&look, examined), look.rows.len() == want);
        if is_all || is_full {
            let is_exact = is_all && list.is_from_start();
            let total = if is_exact { Total::Exact(look.hits) } else { Total::AtLeast(0) };
            return Ok((Sought::whole(&look, total), is_exact || ask.count == 0));
        }
    }
    if !list.is_by_time() {
        let sought = on(db, list, want, BOUND).await?;
        let is_exact = matches!(sought.total, Total::Exact(_));
        return Ok((sought, is_exact));
    }
    let count = if list.is_from_start() { ask.count } else { 0 };
    let walked = walk(db, list, all, want, count).await?;
    let sought = Sought::walked(walked, count);
    if ask.way == Way::Page && sought.looked.is_some() {
        // The list's own conditions may leave few rows.
        let other = on(db, list, want, BOUND).await?;
        if other.looked.is_none() || other.ids.len() > sought.ids.len() {
            let is_exact = matches!(other.total, Total::Exact(_));
            let total = if is_exact { other.total } else { sought.total };
            return Ok((Sought { total, ..other }, is_exact || count == ask.count));
        }
    }
    Ok((sought, count == ask.count))
}

/// Without the index: this many rows from the list's position on, and no more.
async fn on(db: &Db, list: &Listing, want: usize, examined: usize) -> DbResult<Sought> {
    let look = list.look_on(&mut db.read().await?, examined, want).await?;
    let (is_all, is_full) = (all_seen(&look, examined), look.rows.len() == want);
    let total = if is_all && list.is_from_start() { Total::Exact(look.hits) } else { Total::AtLeast(look.hits) };
    Ok(Sought { looked: (!is_all && !is_full).then_some(examined), ..Sought::whole(&look, total) })
}

async fn bounded(db: &Db, list: &Listing, want: usize, ask: Ask) -> DbResult<Sought> {
    if ask.way == Way::Cursor {
        let sought = on(db, list, want, BOUND).await?;
        let is_short = sought.looked.is_some() && list.is_by_time();
        let rest = if is_short { list.behind(&mut db.read().await?, BOUND).await? } else { None };
        return Ok(Sought { rest, ..sought });
    }
    let sought = on(db, list, want, BOUND);
    if list.is_from_start() {
        return sought.await;
    }
    let start = list.clone().from_start();
    let (sought, start) = futures::try_join!(sought, on(db, &start, 0, BOUND))?;
    Ok(Sought { total: start.total, ..sought })
}

/// Words that are too short for the index: so many rows are examined, and those that have the whole as a code.
async fn short(db: &Db, list: &Listing, scopes: &[Scope], needle: &Needle, ask: Ask) -> DbResult<Sought> {
    let want = ask.skip + ask.limit;
    let mut sought = bounded(db, list, want, ask).await?;
    if needle.whole_grams().is_empty() || sought.looked.is_none() || ask.way == Way::Cursor {
        return Ok(sought);
    }
    let all = candidates::find(&mut db.read().await?, scopes, needle).await?;
    let mut ids = all.ids(&mut db.read().await?, FEW).await?;
    ids.extend(&sought.ids);
    ids.sort_unstable();
    ids.dedup();
    let look = look_at(db, list, &ids, want).await?;
    sought.total = Total::AtLeast(look.hits);
    sought.ids = self::ids(&look);
    Ok(sought)
}

/// Rows that may have what is searched, for a closer look: the waiting ones, and the newest others up to a number.
pub async fn some(conn: &mut Conn, scopes: &[Scope], needle: &Needle, most: usize) -> DbResult<Vec<i64>> {
    let all = candidates::find(conn, scopes, needle).await?;
    if all.behind { Ok(Vec::new()) } else { all.ids(conn, most).await }
}

fn ids(look: &Look) -> Vec<i64> {
    look.rows.iter().map(|(_, id)| *id).collect()
}

fn all_seen(look: &Look, examined: usize) -> bool {
    usize::try_from(look.seen).is_ok_and(|seen| seen < examined)
}

/// Counts among the newest candidates of a common word.
async fn count(db: &Db, list: &Listing, all: &Candidates, most: usize) -> DbResult<usize> {
    let ids = all.ids(&mut db.read().await?, most + most / 100).await?;
    let look = look_at(db, &list.clone().from_start(), &ids, 0).await?;
    Ok(usize::try_from(look.hits).unwrap_or_default().min(most))
}

/// Looks at named rows, on several connections where there are many.
pub(super) async fn look_at(db: &Db, list: &Listing, ids: &[i64], limit: usize) -> DbResult<Look> {
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
    list.sort(&mut all.rows);
    all.rows.truncate(limit);
    Ok(all)
}
