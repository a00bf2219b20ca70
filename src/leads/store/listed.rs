//! A business's leads by page number, newest first, with their total.
//!
//! Totals by status and source come from counters; a filter is answered by reading one index and no row, from
//! the nearer end of the list. Test data and searches have no counters, so they are counted here: a search
//! counts at most [`EXAMINED`] and pages through [`COUNTED`].

use crate::counters;
use crate::db::{Conn, Db, DbResult, EXAMINED, Listing, Order, Value, sql, sql_built};
use crate::engine::Status;
use crate::fold::fold;
use crate::leads::store::rows::{COLUMNS, JOINS, LeadRow};
use crate::search::{self, Ask, Needle, Scope, Texts, Total};

/// A search is counted and paged up to this. Each match may be on a page of its own of the table: ten thousand
/// of them take SQLite 60 milliseconds of a quiet machine.
pub const COUNTED: usize = 10_000;

/// The leads of a business, in one mode, that are not archived.
#[derive(Debug, Clone)]
pub struct Which {
    pub business_id: i64,
    pub test: bool,
    pub status: Option<Status>,
    /// As it was written: `website` differs from `Website`.
    pub source: Option<String>,
    /// A piece of name, e-mail, phone or company, whatever its case; empty for all.
    pub search: String,
}

/// Their number, and the rows from `offset` on.
pub async fn page(db: &Db, which: &Which, offset: i64, limit: i64) -> DbResult<(i64, Vec<LeadRow>)> {
    let needle = Needle::piece(&fold(&which.search));
    if !needle.is_empty() {
        return found(db, which, &needle, offset, limit).await;
    }
    let mut conn = db.read().await?;
    let total = if which.test { few(&mut conn, which).await? } else { kept(&mut conn, which).await? };
    Ok((total, rows(&mut conn, which, total, offset, limit).await?))
}

/// The total by the counters.
async fn kept(conn: &mut Conn, which: &Which) -> DbResult<i64> {
    let statuses = which.status.map_or(Status::ALL.to_vec(), |one| vec![one]);
    let name = |status: &Status| match &which.source {
        Some(source) => counters::listed_from(status.word(), source),
        None => counters::listed(status.word()),
    };
    let names: Vec<String> = statuses.iter().map(name).collect();
    counters::named(conn, which.business_id, &names).await
}

/// The total by counting, to [`EXAMINED`].
async fn few(conn: &mut Conn, which: &Which) -> DbResult<i64> {
    let (condition, values) = condition(which);
    let text = format!(
        "SELECT count(*)
           FROM (SELECT 1 AS one FROM leads WHERE {condition} LIMIT {EXAMINED}) counted"
    );
    sql_built(text).bind_all(values).scalar(conn).await
}

/// Questions that one of the indexes `leads_listed`, `…_by_status` and `…_by_source` answers alone.
fn condition(which: &Which) -> (String, Vec<Value>) {
    let mut text = String::from("business_id = $1 AND test = $2 AND archived_at IS NULL");
    let mut values: Vec<Value> = vec![which.business_id.into(), which.test.into()];
    if let Some(source) = &which.source {
        values.push(source.into());
        text.push_str(&format!(" AND source = ${}", values.len()));
    }
    if let Some(status) = which.status {
        values.push(status.word().into());
        text.push_str(&format!(" AND status = ${}", values.len()));
    }
    (text, values)
}

/// The ids come from the index; then the rows of one page are read.
async fn rows(conn: &mut Conn, which: &Which, total: i64, offset: i64, limit: i64) -> DbResult<Vec<LeadRow>> {
    let wanted = limit.min(total - offset);
    if wanted <= 0 {
        return Ok(Vec::new());
    }
    // Behind the page there are as many rows as before it in the other direction.
    let behind = total - offset - wanted;
    let backwards = behind < offset && !which.test;
    let (direction, skipped) = if backwards { ("ASC", behind) } else { ("DESC", offset) };
    let (condition, mut values) = condition(which);
    values.extend([wanted.into(), skipped.into()]);
    let n = values.len();
    let text = format!(
        "SELECT {}
           FROM (SELECT id, created_at
                   FROM leads
                  WHERE {condition}
                  ORDER BY created_at {direction}, id {direction}
                  LIMIT ${} OFFSET ${n}) p
           JOIN leads l ON l.id = p.id
           {JOINS}
          ORDER BY p.created_at DESC, p.id DESC",
        COLUMNS.as_str(),
        n - 1
    );
    sql_built(text).bind_all(values).all(conn).await
}

/// Looks for a piece of text in all campaigns.
async fn found(db: &Db, which: &Which, needle: &Needle, offset: i64, limit: i64) -> DbResult<(i64, Vec<LeadRow>)> {
    let order = Order::number("created_at", true);
    let mut list = Listing::new(&COLUMNS, "leads", "l", JOINS, order)
        .and("l.business_id = ?", which.business_id)
        .and("l.test = ?", which.test)
        .and_plain("l.archived_at IS NULL");
    if let Some(source) = &which.source {
        list = list.and("l.source = ?", source);
    }
    if let Some(status) = which.status {
        list = list.and("l.status = ?", status.word());
    }
    let campaigns: Vec<(i64,)> = sql("SELECT id
           FROM campaigns
          WHERE business_id = $1
          ORDER BY id")
    .bind(which.business_id)
    .all(&mut db.read().await?)
    .await?;
    let scopes: Vec<Scope> = campaigns.into_iter().map(|(id,)| Scope::leads(id, which.test)).collect();
    let (offset, limit) = (usize::try_from(offset).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or_default());
    let ask = Ask::numbered(offset, limit, COUNTED);
    let found = search::page(db, needle.in_texts(Texts::column("l.search"), list), &scopes, needle, ask).await?;
    let (Total::Exact(total) | Total::AtLeast(total)) = found.total;
    Ok((total, found.rows))
}
