//! The part of a list that a call asks for, in the same words for every list: its limit and beginning, its order, and the
//! time at which rows were made or changed.

use axum::Json;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::common::instant;
use super::window::{By, Direction, NO_CURSOR, Sorting, USUAL, Window};
use crate::api::Caller;
use crate::api::problem::{FieldProblem, Problem};
use crate::clock::Instant;
use crate::db::{Conn, Cursor, Db, DbResult, EXAMINED, Listing};
use crate::id;
use crate::query::encode;
use crate::search::{self, Ask, Needle, Scope};

/// Seconds by which the next reading of changes begins before the last one began: a change is stored up to this much after
/// its time, and nodes' clocks differ.
const OVERLAP: i64 = 60;

/// The requested part of a list.
#[derive(Debug, Clone)]
pub struct Part {
    pub limit: usize,
    after: Option<Cursor>,
    /// The list that `after` is of.
    list: Option<String>,
    by: By,
    oldest_first: bool,
    updated_since: Option<Instant>,
    created_since: Option<Instant>,
    created_before: Option<Instant>,
    /// The next reading of changes begins here; for a list by the time of changes, oldest first.
    synced_until: Option<i64>,
    /// The column of the time at which rows were made, and that of their last change.
    made: &'static str,
    changed: &'static str,
}

impl Part {
    /// The newest first, unless the call asks otherwise.
    pub fn new<S: Sorting>(window: Window<S>, caller: &Caller, now: Instant) -> Self {
        let (by, order) = window.order();
        let of = |moment: Option<super::window::Moment>| moment.map(|moment| moment.instant(caller.key.zone));
        let (after, list, synced) =
            window.after.map_or((None, None, None), |a| (Some(a.cursor), Some(a.list), a.synced_until));
        let oldest_first = order == Direction::Ascending;
        let by_changes = by == By::Updated && oldest_first;
        Self {
            limit: window.limit.map_or(USUAL, |limit| limit.0),
            after,
            list,
            by,
            oldest_first,
            updated_since: of(window.updated_since),
            created_since: of(window.created_since),
            created_before: of(window.created_before),
            synced_until: by_changes.then(|| synced.unwrap_or(now.plus_seconds(-OVERLAP).micros())),
            made: "created_at",
            changed: "updated_at",
        }
    }

    /// For rows with another column of the time at which they were made.
    pub fn made(self, column: &'static str) -> Self {
        Self { made: column, ..self }
    }

    /// For rows that are written once: their change is their making.
    pub fn unchanging(self, column: &'static str) -> Self {
        Self { made: column, changed: column, ..self }
    }

    /// True for a list in the order of changes.
    pub fn by_changes(&self) -> bool {
        self.by == By::Updated
    }

    pub fn is_by_day(&self) -> bool {
        self.by == By::Day
    }

    /// The position of a row: when it was made, or changed.
    pub fn at(&self, created_at: i64, updated_at: i64) -> i64 {
        if self.by == By::Updated { updated_at } else { created_at }
    }

    /// A search goes by the time rows were made.
    pub fn searchable(&self) -> Result<(), FieldProblem> {
        match self.by {
            By::Updated => Err(FieldProblem::wrong("q", "cannot stand beside updated_since or the order of changes")),
            _ => Ok(()),
        }
    }

    /// The page of a list: its rows and one more.
    pub async fn rows<R: crate::db::FromDb>(&self, conn: &mut Conn, list: Listing) -> DbResult<Hits<R>> {
        let list = self.positioned(list);
        let rows: Vec<R> = list.clone().build(self.limit + 1).all(conn).await?;
        // Many rows were examined and few matched: the next page goes on behind them.
        let is_short = list.is_searched() && rows.len() <= self.limit && self.by != By::Day;
        let rest = if is_short { list.behind(conn, EXAMINED).await? } else { None };
        Ok(Hits { rows, rest })
    }

    /// The page of a list that is at hand as a whole: its rows and those behind it. `times` is when a row was made and
    /// changed.
    pub fn among<R>(&self, mut rows: Vec<R>, times: impl Fn(&R) -> (i64, i64), id: impl Fn(&R) -> i64) -> Vec<R> {
        let key = |row: &R| {
            let (created_at, updated_at) = times(row);
            (self.at(created_at, updated_at), id(row))
        };
        let from = |at: i64, since: Option<Instant>| since.is_none_or(|since| at >= since.micros());
        rows.retain(|row| {
            let (created_at, updated_at) = times(row);
            let before = self.created_before.is_none_or(|before| created_at < before.micros());
            from(created_at, self.created_since) && from(updated_at, self.updated_since) && before
        });
        rows.sort_by_key(key);
        if !self.oldest_first {
            rows.reverse();
        }
        if let Some(cursor) = &self.after {
            let position = (cursor.value.parse::<i64>().unwrap_or_default(), cursor.id);
            rows.retain(|row| if self.oldest_first { key(row) > position } else { key(row) < position });
        }
        rows
    }

    /// The name of a list, in its cursors.
    fn list(&self, uri: &Uri) -> String {
        let by = match self.by {
            By::Created => "",
            By::Updated => " by change",
            By::Day => " by day",
        };
        id::sha256_hex(&format!("{} {}{by}", uri.path(), self.oldest_first)).chars().take(8).collect()
    }

    /// A list in the requested order, from the requested position, of the requested times.
    fn positioned(&self, list: Listing) -> Listing {
        let column = match self.by {
            By::Created => self.made,
            By::Updated => self.changed,
            By::Day => list.column(),
        };
        let list = self.within(list.by(column, !self.oldest_first));
        let Some(cursor) = &self.after else { return list };
        let at = cursor.value.parse::<i64>().unwrap_or_default();
        if self.by == By::Day { list.from_row(true, day_of(at), cursor.id) } else { list.from_row(true, at, cursor.id) }
    }

    /// A list without the rows of other times. The range of the column that sorts it is read from the index.
    fn within(&self, list: Listing) -> Listing {
        let since = self.created_since.map(Instant::micros);
        let before = self.created_before.map(Instant::micros);
        let is_sorting = list.column() == self.made;
        let list = list.ranged(self.made, since, before, is_sorting);
        list.ranged(self.changed, self.updated_since.map(Instant::micros), None, true)
    }

    /// The earlier of two positions at which searches ended.
    fn sooner(&self, one: Option<(i64, i64)>, other: Option<(i64, i64)>) -> Option<(i64, i64)> {
        if self.oldest_first { one.into_iter().chain(other).min() } else { one.max(other) }
    }

    /// The page of a list that is searched.
    pub async fn search<R: crate::db::FromDb>(
        &self,
        db: &Db,
        list: Listing,
        scope: Scope,
        needle: &Needle,
    ) -> DbResult<Hits<R>> {
        let found = search::page(db, self.positioned(list), &[scope], needle, Ask::cursor(self.limit + 1)).await?;
        Ok(Hits { rows: found.rows, rest: found.rest })
    }
}

/// A day as a position in a list sorted by days: 20260628.
pub fn place_of(day: &str) -> i64 {
    day.replace('-', "").parse().unwrap_or_default()
}

fn day_of(number: i64) -> String {
    format!("{:04}-{:02}-{:02}", number / 10_000, number / 100 % 100, number % 100)
}

/// The rows of a page: when as many were examined as one call may, `rest` is the position to continue from, inclusive.
pub struct Hits<R> {
    pub rows: Vec<R>,
    pub rest: Option<(i64, i64)>,
}

impl<R> Hits<R> {
    /// The same rows in another form.
    pub fn map<T>(self, form: impl FnMut(R) -> Result<T, Problem>) -> Result<Hits<T>, Problem> {
        Ok(Hits { rows: self.rows.into_iter().map(form).collect::<Result<_, _>>()?, rest: self.rest })
    }
}

impl<R> From<Vec<R>> for Hits<R> {
    fn from(rows: Vec<R>) -> Self {
        Self { rows, rest: None }
    }
}

/// A page of a list.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// In the requested order.
    data: Vec<T>,
    /// The cursor of the page behind this one: the `after` of the next call. Null on the last page.
    next: Option<String>,
    /// For a list of changes, oldest first: the `updated_since` of the next reading, which then misses no change.
    #[serde(skip_serializing_if = "Option::is_none")]
    synced_until: Option<String>,
}

/// A page as an answer, with `Link` headers.
pub fn page<R, T: Serialize>(
    uri: &Uri,
    part: &Part,
    hits: impl Into<Hits<R>>,
    key: impl Fn(&R) -> (i64, i64),
    show: impl FnMut(R) -> T,
) -> Response {
    let list = part.list(uri);
    if part.list.as_ref().is_some_and(|of| *of != list) {
        return Problem::from(FieldProblem::wrong("after", NO_CURSOR)).into_response();
    }
    let Hits { mut rows, rest } = hits.into();
    let more = rows.len() > part.limit;
    rows.truncate(part.limit);
    // The position itself comes next.
    let before =
        |(at, id): (i64, i64)| (at, if part.oldest_first { id.saturating_sub(1) } else { id.saturating_add(1) });
    let last = if more { rows.last().map(&key) } else { rest.map(before) };
    let until = part.synced_until.map(|until| format!(".{until}")).unwrap_or_default();
    let next = last.map(|(at, id)| Cursor { value: format!("{list}.{at}{until}"), id }.text());
    let mut links = vec![format!("<{}>; rel=\"first\"", with_after(uri, None))];
    links.extend(next.as_deref().map(|next| format!("<{}>; rel=\"next\"", with_after(uri, Some(next)))));
    let data = rows.into_iter().map(show).collect();
    let mut response = Json(Page { data, next, synced_until: part.synced_until.map(instant) }).into_response();
    if let Ok(value) = HeaderValue::from_str(&links.join(", ")) {
        response.headers_mut().insert(header::LINK, value);
    }
    response
}

/// The address of a list with another beginning.
fn with_after(uri: &Uri, after: Option<&str>) -> String {
    let others = crate::query::pairs(uri.query().unwrap_or_default());
    let others = others.iter().filter(|(name, _)| name != "after").map(|(n, v)| format!("{}={}", encode(n), encode(v)));
    let all: Vec<String> = others.chain(after.map(|after| format!("after={after}"))).collect();
    if all.is_empty() { uri.path().to_owned() } else { format!("{}?{}", uri.path(), all.join("&")) }
}

/// The page over several lists, mostly one a campaign. Each has an index of its own in this order, so a page costs one
/// short look per list, and none of them has to keep a second index for the business.
pub async fn merged<R: crate::db::FromDb, L: Copy>(
    conn: &mut Conn,
    part: &Part,
    lists: &[L],
    key: impl Fn(&R) -> (i64, i64),
    list: impl Fn(L) -> Listing,
) -> DbResult<Hits<R>> {
    let mut all = Hits::from(Vec::new());
    for one in lists {
        let hits = part.rows::<R>(conn, list(*one)).await?;
        all.rows.extend(hits.rows);
        all.rest = part.sooner(all.rest, hits.rest);
    }
    Ok(in_order(part, all, key))
}

/// The matches over several campaigns.
pub async fn merged_hits<R: crate::db::FromDb>(
    db: &Db,
    part: &Part,
    needle: &Needle,
    campaigns: &[i64],
    key: impl Fn(&R) -> (i64, i64),
    list: impl Fn(i64) -> (Scope, Listing),
) -> DbResult<Hits<R>> {
    let mut all = Hits::from(Vec::new());
    for campaign in campaigns {
        let (scope, list) = list(*campaign);
        let hits = part.search::<R>(db, list, scope, needle).await?;
        all.rows.extend(hits.rows);
        all.rest = part.sooner(all.rest, hits.rest);
    }
    Ok(in_order(part, all, key))
}

/// The rows of several lists in one order. Where one of them ended early, the page ends there.
fn in_order<R>(part: &Part, mut all: Hits<R>, key: impl Fn(&R) -> (i64, i64)) -> Hits<R> {
    let is_before = |at, rest| if part.oldest_first { at < rest } else { at > rest };
    all.rows.retain(|row| all.rest.is_none_or(|rest| is_before(key(row), rest)));
    all.rows.sort_by_key(&key);
    if !part.oldest_first {
        all.rows.reverse();
    }
    all.rows.truncate(part.limit + 1);
    all
}
