//! A business's leads by page number, newest first, with how many there are.
//!
//! Totals by status and source come from counters; what a filter leaves is found by reading one index and no
//! row, from whichever end of the list is nearer. Test data are not counted, so they are counted here, and
//! a search looks at the newest rows: of both at most [`EXAMINED`] are told.

use crate::counters;
use crate::db::{Conn, DbResult, EXAMINED, Value, sql_built};
use crate::desk::Status;
use crate::row;
use crate::text::like_pattern;

/// Which leads of a business, in one mode, that are not archived.
#[derive(Debug, Clone)]
pub struct Which {
    pub business_id: i64,
    pub test: bool,
    pub status: Option<Status>,
    /// As it was written: `website` is not `Website`.
    pub source: Option<String>,
    /// A piece of name, e-mail, phone or company, whatever its case; empty for all.
    pub search: String,
}

row! {
    /// A lead with everything its form says.
    #[derive(Debug, Clone)]
    pub struct Listed {
        pub id: i64,
        pub name: String,
        pub email: Option<String>,
        pub phone: Option<String>,
        pub company: Option<String>,
        pub jobtitle: Option<String>,
        pub industry: Option<String>,
        pub website: Option<String>,
        pub request: Option<String>,
        pub budget: Option<String>,
        pub country: Option<String>,
        pub region: Option<String>,
        pub address: Option<String>,
        pub source: Option<String>,
        pub status: String,
        pub source_origin: String,
        pub active: bool,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

const COLUMNS: &str =
    "l.id, l.name, l.email, l.phone, l.company, l.jobtitle, l.industry, l.website, l.request, l.budget, l.country,
    l.region, l.address, l.source, l.status, l.source_origin, l.active, l.created_at, l.updated_at";

/// One lead.
pub async fn by_id(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<Listed>> {
    let text = format!("SELECT {COLUMNS} FROM leads l WHERE l.id = $1 AND l.business_id = $2");
    sql_built(text).bind(id).bind(business_id).optional(conn).await
}

/// How many there are, and the rows from `offset` on.
pub async fn page(conn: &mut Conn, which: &Which, offset: i64, limit: i64) -> DbResult<(i64, Vec<Listed>)> {
    if which.search.is_empty() {
        let total = if which.test { few(conn, which).await? } else { kept(conn, which).await? };
        Ok((total, rows(conn, which, total, offset, limit).await?))
    } else {
        found(conn, which, offset, limit).await
    }
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
    let text = format!("SELECT count(*) FROM (SELECT 1 AS one FROM leads WHERE {condition} LIMIT {EXAMINED}) counted");
    sql_built(text).bind_all(values).scalar(conn).await
}

/// What one of the indexes `leads_listed`, `…_by_status` and `…_by_source` answers alone.
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

/// The ids come from the index; then so many rows are read.
async fn rows(conn: &mut Conn, which: &Which, total: i64, offset: i64, limit: i64) -> DbResult<Vec<Listed>> {
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
        "SELECT {COLUMNS} FROM (SELECT id, created_at FROM leads WHERE {condition}
                 ORDER BY created_at {direction}, id {direction} LIMIT ${} OFFSET ${n}) p
           JOIN leads l ON l.id = p.id ORDER BY p.created_at DESC, p.id DESC",
        n - 1
    );
    sql_built(text).bind_all(values).all(conn).await
}

/// Looks for a piece of text among the newest rows.
async fn found(conn: &mut Conn, which: &Which, offset: i64, limit: i64) -> DbResult<(i64, Vec<Listed>)> {
    let (condition, mut values) = condition(which);
    values.push(like_pattern(&which.search).into());
    let hits = format!(
        "(SELECT id, created_at, search FROM leads WHERE {condition} ORDER BY created_at DESC, id DESC LIMIT {EXAMINED}) s
          WHERE s.search LIKE ${} ESCAPE '\\'",
        values.len()
    );
    let total: i64 = sql_built(format!("SELECT count(*) FROM {hits}")).bind_all(values.clone()).scalar(conn).await?;
    if offset >= total {
        return Ok((total, Vec::new()));
    }
    values.extend([limit.into(), offset.into()]);
    let n = values.len();
    let text = format!(
        "SELECT {COLUMNS} FROM (SELECT s.id, s.created_at FROM {hits}
                 ORDER BY s.created_at DESC, s.id DESC LIMIT ${} OFFSET ${n}) p
           JOIN leads l ON l.id = p.id ORDER BY p.created_at DESC, p.id DESC",
        n - 1
    );
    Ok((total, sql_built(text).bind_all(values).all(conn).await?))
}
