//! Parts that the resources share: pages, ids, instants, money, versions.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::Caller;
use crate::api::field::{Field, Integer, OneOf, Word, Wrong};
use crate::api::problem::{FieldProblem, Problem};
use crate::app::App;
use crate::clock::Instant;
use crate::db::{Conn, Cursor, Db, DbError, DbResult, Listing};
use crate::id::{self, Kind};
use crate::money::{Currency, Money};
use crate::object;
use crate::query::encode;
use crate::search::{self, Ask, Needle, Scope};

/// Rows of a page by default.
const USUAL: usize = 50;
/// Rows of a page, at most.
const MOST: i64 = 250;

/// The most rows of a page.
#[derive(Debug, Clone, Copy)]
pub struct Limit(pub usize);

impl Field for Limit {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let Integer(n) = Integer::read(raw)?;
        let n = usize::try_from(n).ok().filter(|_| (1..=MOST).contains(&n));
        n.map(Self).ok_or_else(|| Wrong::Because(format!("must be from 1 to {MOST}")))
    }

    fn read_text(text: &str) -> Result<Self, Wrong> {
        Self::read(Some(text.trim()))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL })
    }
}

/// The start of a page: the `next` of the page before, and its list.
#[derive(Debug, Clone)]
pub struct After {
    cursor: Cursor,
    list: String,
}

const NO_CURSOR: &str = "is not a cursor that a page of this list gave";

impl Field for After {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let text: String =
            serde_json::from_str(raw.ok_or(Wrong::Missing)?).map_err(|_| Wrong::because("must be a string"))?;
        let after = Cursor::parse(&text).and_then(|Cursor { value, id }| {
            let (list, at) = value.split_once('.')?;
            let at = at.parse::<i64>().ok()?;
            Some(Self { cursor: Cursor { value: at.to_string(), id }, list: list.to_owned() })
        });
        after.ok_or_else(|| Wrong::because(NO_CURSOR))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_-]*$" })
    }
}

/// The end of the list that comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Newest,
    Oldest,
}

impl Word for Sort {
    const WORDS: &'static [&'static str] = &["-created", "created"];

    fn of(word: &str) -> Option<Self> {
        match word {
            "-created" => Some(Self::Newest),
            "created" => Some(Self::Oldest),
            _ => None,
        }
    }
}

/// The requested part of a list.
#[derive(Debug, Clone)]
pub struct Part {
    pub limit: usize,
    after: Option<Cursor>,
    /// The list that `after` is of.
    list: Option<String>,
    oldest_first: bool,
    /// True when it is sorted by a day instead of an instant.
    by_day: bool,
}

object! {
    /// The requested part of a list.
    strict pub struct PageAsked {
        /// Rows of a page.
        limit "limit": Option<Limit>,
        /// The start of the page: the `next` of the page before.
        after "after": Option<After>,
    }
}

impl Part {
    pub fn new(limit: Option<Limit>, after: Option<After>) -> Self {
        let (after, list) = after.map(|after| (after.cursor, after.list)).unzip();
        Self { limit: limit.map_or(USUAL, |limit| limit.0), after, list, oldest_first: false, by_day: false }
    }

    pub fn sorted(self, sort: Option<OneOf<Sort>>) -> Self {
        Self { oldest_first: sort.is_some_and(|sort| sort.0 == Sort::Oldest), ..self }
    }

    /// For a list that is sorted by a day, the soonest or the latest first.
    pub fn by_day(self, soonest_first: bool) -> Self {
        Self { oldest_first: soonest_first, by_day: true, ..self }
    }

    /// The page of a list: its rows and one more.
    pub async fn rows<R: crate::db::FromDb>(&self, conn: &mut Conn, list: Listing) -> DbResult<Vec<R>> {
        self.positioned(list).build(self.limit + 1).all(conn).await
    }

    /// The page of a list that is at hand as a whole: its rows and those behind it.
    pub fn among<R>(&self, mut rows: Vec<R>, id: impl Fn(&R) -> i64) -> Vec<R> {
        if let Some(cursor) = &self.after {
            let behind = rows.iter().position(|row| id(row) == cursor.id).map_or(rows.len(), |at| at + 1);
            rows.drain(..behind);
        }
        rows
    }

    /// The name of a list, in its cursors.
    fn list(&self, uri: &Uri) -> String {
        let by = if self.by_day { " by day" } else { "" };
        id::sha256_hex(&format!("{} {}{by}", uri.path(), self.oldest_first)).chars().take(8).collect()
    }

    /// A list in the requested order, from the requested position.
    fn positioned(&self, list: Listing) -> Listing {
        let list = if self.oldest_first { list.reversed() } else { list };
        let Some(cursor) = &self.after else { return list };
        let at = cursor.value.parse::<i64>().unwrap_or_default();
        if self.by_day { list.from_row(true, day_of(at), cursor.id) } else { list.from_row(true, at, cursor.id) }
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

/// The searched text of a list, as the pages read it.
pub fn needle(caller: &Caller, q: Option<&str>) -> Result<Needle, FieldProblem> {
    let needle = Needle::words(q.unwrap_or_default(), &caller.key.row.country);
    needle.map_err(|why| FieldProblem::wrong("q", why))
}

/// A day as a position in a list sorted by days: 20260628.
pub fn place_of(day: &str) -> i64 {
    day.replace('-', "").parse().unwrap_or_default()
}

fn day_of(number: i64) -> String {
    format!("{:04}-{:02}-{:02}", number / 10_000, number / 100 % 100, number % 100)
}

/// The matches of a page: when the search ended before the page was full, `rest` is the position to continue
/// from, inclusive.
pub struct Hits<R> {
    pub rows: Vec<R>,
    pub rest: Option<(i64, i64)>,
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
    /// Newest first by default.
    data: Vec<T>,
    /// The cursor of the page behind this one: the `after` of the next call. Null on the last page.
    next: Option<String>,
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
    let next = last.map(|(at, id)| Cursor { value: format!("{list}.{at}"), id }.text());
    let mut links = vec![format!("<{}>; rel=\"first\"", with_after(uri, None))];
    links.extend(next.as_deref().map(|next| format!("<{}>; rel=\"next\"", with_after(uri, Some(next)))));
    let mut response = Json(Page { data: rows.into_iter().map(show).collect(), next }).into_response();
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

/// An id in either form.
pub fn id_of(kind: Kind, text: &str) -> Option<i64> {
    id::parse(kind, text).or_else(|| text.parse().ok().filter(|id| (0..id::ID_LIMIT).contains(id)))
}

/// The id of a path.
pub fn path_id(kind: Kind, text: &str, what: &str) -> Result<i64, Problem> {
    id_of(kind, text).ok_or_else(|| nothing(what))
}

pub fn nothing(what: &str) -> Problem {
    Problem::not_found(format!("There is no {what} with this id."))
}

/// The id in a field; ids of another business are unknown.
pub fn field_id(kind: Kind, name: &'static str, text: &str, what: &str) -> Result<i64, FieldProblem> {
    id_of(kind, text).ok_or_else(|| FieldProblem::wrong(name, format!("is not the id of a {what}")))
}

/// A campaign that a call names, else the key's own or the business's default.
pub async fn campaign(app: &App, caller: &Caller, named: Option<&str>) -> Result<i64, Problem> {
    let wrong = || Problem::from(FieldProblem::wrong("campaign", "is not a campaign of this business"));
    let id = match named {
        Some(text) => id_of(Kind::Campaign, text),
        None => caller.key.campaign(),
    };
    let id = id.ok_or_else(wrong)?;
    let known = campaigns_of(app, caller).await?;
    if known.contains(&id) { Ok(id) } else { Err(wrong()) }
}

/// The campaigns a list is about: the one that is named, else all.
pub async fn campaigns(app: &App, caller: &Caller, named: Option<&str>) -> Result<Vec<i64>, Problem> {
    match named {
        Some(_) => Ok(vec![campaign(app, caller, named).await?]),
        None => Ok(campaigns_of(app, caller).await?),
    }
}

async fn campaigns_of(app: &App, caller: &Caller) -> DbResult<Vec<i64>> {
    let all = crate::campaigns::choices(&mut app.db.read().await?, caller.business_id()).await?;
    Ok(all.into_iter().map(|c| c.id).collect())
}

/// The newest rows, or the oldest, over several lists, mostly one a campaign. Each has an index of its own in this order,
/// so a page costs one short look per list, and none of them has to keep a second index for the business.
pub async fn merged<R: crate::db::FromDb, L: Copy>(
    conn: &mut Conn,
    part: &Part,
    lists: &[L],
    key: impl Fn(&R) -> (i64, i64),
    list: impl Fn(L) -> Listing,
) -> DbResult<Vec<R>> {
    let mut all = Vec::new();
    for one in lists {
        all.extend(part.rows::<R>(conn, list(*one)).await?);
    }
    all.sort_by_key(&key);
    if !part.oldest_first {
        all.reverse();
    }
    all.truncate(part.limit + 1);
    Ok(all)
}

/// The newest matches over several campaigns, or the oldest. Where the search of one ended early, the page
/// ends there.
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
    let is_before = |at, rest| if part.oldest_first { at < rest } else { at > rest };
    all.rows.retain(|row| all.rest.is_none_or(|rest| is_before(key(row), rest)));
    all.rows.sort_by_key(&key);
    if !part.oldest_first {
        all.rows.reverse();
    }
    all.rows.truncate(part.limit + 1);
    Ok(all)
}

/// An instant as RFC 3339 in UTC, to the millisecond.
pub fn instant(micros: i64) -> String {
    Instant::from_micros(micros).to_rfc3339_millis()
}

pub fn maybe_instant(micros: Option<i64>) -> Option<String> {
    micros.map(instant)
}

/// Money as a JSON number with the currency's decimals.
pub fn number(minor: i64, currency: &str) -> Result<Box<RawValue>, Problem> {
    let fault = |why: String| Problem::from(DbError::Fault(why));
    let currency = Currency::parse(currency).map_err(|_| fault(format!("a stored currency is {currency}")))?;
    let text = Money { minor, currency }.plain();
    RawValue::from_string(text).map_err(|why| fault(why.to_string()))
}

/// A row's version as an ETag: when it was last changed.
pub fn etag(updated_at: i64) -> String {
    format!("\"{updated_at:x}\"")
}

/// One resource with its version; 304 where the caller has it already.
pub fn versioned<T: Serialize>(headers: &HeaderMap, status: StatusCode, updated_at: i64, body: &T) -> Response {
    let tag = etag(updated_at);
    let has = |value: &HeaderValue| {
        value.to_str().is_ok_and(|list| {
            list.split(',').any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*")
        })
    };
    let mut response = if status == StatusCode::OK && headers.get(header::IF_NONE_MATCH).is_some_and(has) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        (status, Json(body)).into_response()
    };
    if let Ok(value) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// The version that an update is meant for, if it says one; `*` is any.
pub fn expected(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version =
        text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).and_then(|t| i64::from_str_radix(t, 16).ok());
    version.map(Some).ok_or_else(stale)
}

pub fn stale() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "changed_meanwhile",
        "It has changed since it was read. Read it again.",
    )
}
