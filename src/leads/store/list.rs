use std::collections::BTreeMap;

use super::TEXTS;
use crate::counters;
use crate::db::{Conn, Cursor, Db, DbResult, EXAMINED, Listing, sql};
use crate::leads::filter::{ARRIVALS, By, Filter};
use crate::query::ListQuery;
use crate::row;
pub use crate::search::Total;
use crate::search::{self, Ask, Found};

row! {
    /// A line of the list.
    #[derive(Debug, Clone)]
    pub struct LeadLine {
        pub id: i64,
        pub test: bool,
        pub name: String,
        pub name_fold: String,
        pub email: Option<String>,
        pub phone: Option<String>,
        pub company: Option<String>,
        pub status: String,
        pub arrival: Option<String>,
        pub source: Option<String>,
        pub country: Option<String>,
        pub active: bool,
        pub qualified_at: Option<i64>,
        pub duplicate_of: Option<i64>,
        pub created_at: i64,
        pub archived_at: Option<i64>,
        pub referrer_id: Option<i64>,
        pub referrer: Option<String>,
        pub code: Option<String>,
    }
}

const LINE: &str = "l.id, l.test, l.name, l.name_fold, l.email, l.phone, l.company, l.status, l.arrival, l.source,
     l.country, l.active, l.qualified_at,
     l.duplicate_of, l.created_at, l.archived_at, l.referrer_id, p.name AS referrer, c.text AS code";

const JOINS: &str = "LEFT JOIN referrers p ON p.id = l.referrer_id
                     LEFT JOIN codes c ON c.id = l.code_id";

/// The list of a filter. One condition is served by an index that also gives the order; the others are
/// searched, so that no combination can read a whole campaign.
fn listing(columns: &'static str, joins: &'static str, f: &Filter) -> Listing {
    let mut list = Listing::new(columns, "leads", "l", joins, f.order)
        .and("l.campaign_id = ?", f.campaign_id)
        .and("l.test = ?", f.test)
        .and_plain(if f.archived { "l.archived_at IS NOT NULL" } else { "l.archived_at IS NULL" });
    // True when the index is in use already.
    let mut served = f.is_by_name() || f.archived;
    if let Some(user) = f.recorded_by {
        list = if served { list.search("l.recorded_by = ?", user) } else { list.and("l.recorded_by = ?", user) };
        served = true;
    }
    list = match f.by {
        By::Anybody => list,
        By::Referrer(id) if served => list.search("l.referrer_id = ?", id),
        By::Referrer(id) => list.and("l.referrer_id = ?", id),
        By::Nobody if served => list.search_plain("l.referrer_id IS NULL"),
        By::Nobody => list.and_plain("l.referrer_id IS NULL"),
    };
    served |= f.by != By::Anybody;
    if f.no_email {
        let condition = "l.email_key IS NULL";
        list = if served { list.search_plain(condition) } else { list.and_plain(condition) };
        served = true;
    }
    if let Some(status) = f.status {
        list =
            if served { list.search("l.status = ?", status.word()) } else { list.and("l.status = ?", status.word()) };
        served = true;
    }
    if let Some(arrival) = f.arrival {
        list = if served { list.search("l.arrival = ?", arrival) } else { list.and("l.arrival = ?", arrival) };
        served = true;
    }
    if let Some(qualified) = f.qualified {
        let condition = if qualified { "l.qualified_at IS NOT NULL" } else { "l.qualified_at IS NULL" };
        list = if served { list.search_plain(condition) } else { list.and_plain(condition) };
    }
    if let Some(tag) = f.tag {
        list = list.and("l.id IN (SELECT d.subject_id FROM tagged d WHERE d.tag_id = ?)", tag);
    }
    f.needle.in_texts(TEXTS, list.of_days("l.created_at", f.dates))
}

/// The position of a list after a row.
pub fn cursor(f: &Filter, row: &LeadLine) -> Cursor {
    let value = if f.is_by_name() { row.name_fold.clone() } else { row.created_at.to_string() };
    Cursor { value, id: row.id }
}

/// The texts of a search's rows, as `text`.
pub fn texts(f: &Filter) -> Listing {
    listing("l.search AS text", "", f)
}

/// A page of the list.
pub struct LeadPage {
    pub rows: Vec<LeadLine>,
    /// `None` when it is counted differently.
    pub total: Option<Total>,
    /// The number of rows examined, where not all were searched.
    pub looked: Option<usize>,
}

/// One page of `limit` rows, and the one that shows whether there are more.
pub async fn page(db: &Db, f: &Filter, query: &ListQuery, limit: usize) -> DbResult<LeadPage> {
    let list = listing(LINE, JOINS, f).turned(query);
    if f.needle.is_empty() {
        let looked = list.is_searched().then_some(EXAMINED);
        let rows = list.build(limit + 1).all(&mut db.read().await?).await?;
        return Ok(LeadPage { rows, total: None, looked });
    }
    let found = search::page(db, list, &[f.scope()], &f.needle, Ask::page(limit + 1)).await?;
    let Found { rows, total, looked, .. } = found;
    Ok(LeadPage { rows, total: Some(total), looked })
}

/// The next rows of a file, from the position in the address on.
pub async fn every(db: &Db, f: &Filter, query: &ListQuery, most: usize) -> DbResult<Vec<LeadLine>> {
    search::every(db, listing(LINE, JOINS, f).turned(query), &[f.scope()], &f.needle, most).await
}

/// The ids a filter matches, in list order, at most `most`; `None` when not all rows could be searched.
pub async fn ids(db: &Db, f: &Filter, most: usize) -> DbResult<Option<Vec<i64>>> {
    let list = listing("l.id", "", f);
    let found: Vec<(i64,)> = if f.needle.is_empty() {
        list.build(most).all(&mut db.read().await?).await?
    } else {
        let found = search::page(db, list, &[f.scope()], &f.needle, Ask::all(most)).await?;
        if found.looked.is_some() {
            return Ok(None);
        }
        found.rows
    };
    Ok(Some(found.into_iter().map(|(id,)| id).collect()))
}

/// The leads of this business among some ids.
pub async fn of_business(conn: &mut Conn, business_id: i64, ids: &[i64]) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT l.id
           FROM rows($1, id BIGINT) r
           JOIN leads l ON l.id = r.id
          WHERE l.business_id = $2
          ORDER BY l.id")
    .bind(crate::rows!(ids, id => { id: *id }))
    .bind(business_id)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// The number of qualified leads among some.
pub async fn qualified(conn: &mut Conn, ids: &[i64]) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM rows($1, id BIGINT) r
           CROSS JOIN leads l
          WHERE l.id = r.id
            AND l.qualified_at IS NOT NULL")
    .bind(crate::rows!(ids, id => { id: *id }))
    .scalar(conn)
    .await
}

/// Exact where counters exist or the rows are few, else a bound.
pub async fn total(conn: &mut Conn, f: &Filter, kept: Option<&Kept>) -> DbResult<Total> {
    if let Some(exact) = kept.and_then(|kept| kept.of(f)) {
        return Ok(Total::Exact(exact));
    }
    let most = i64::try_from(EXAMINED).unwrap_or(i64::MAX);
    let found: i64 = listing("l.id", "", f).count(EXAMINED).scalar(conn).await?;
    Ok(if found > most { Total::AtLeast(most) } else { Total::Exact(found) })
}

/// A campaign's counters of live leads, less the archived ones: figures include archived leads, lists do not.
pub struct Kept {
    counters: BTreeMap<String, i64>,
    archived_qualified: i64,
    archived_arrivals: BTreeMap<String, i64>,
    pub archived: i64,
}

row! {
    struct ArchivedRow {
        arrival: Option<String>,
        qualified: bool,
        n: i64,
    }
}

/// `None` for test data, which have no counters, and where too many are archived to subtract.
pub async fn kept(conn: &mut Conn, campaign_id: i64, test: bool) -> DbResult<Option<Kept>> {
    if test {
        return Ok(None);
    }
    let counters = counters::totals(conn, &[campaign_id]).await?;
    let counters = counters.into_iter().map(|((_, name), value)| (name, value)).collect();
    let archived: Vec<ArchivedRow> = sql("SELECT a.arrival, a.qualified, count(*) AS n
           FROM (SELECT l.arrival, l.qualified_at IS NOT NULL AS qualified
                   FROM leads l
                  WHERE l.campaign_id = $1
                    AND l.test = $2
                    AND l.archived_at IS NOT NULL
                  LIMIT 10001) a
          GROUP BY a.arrival, a.qualified")
    .bind(campaign_id)
    .bind(false)
    .all(conn)
    .await?;
    let mut kept = Kept { counters, archived_qualified: 0, archived_arrivals: BTreeMap::new(), archived: 0 };
    for row in archived {
        kept.archived += row.n;
        if row.qualified {
            kept.archived_qualified += row.n;
        }
        if let Some(arrival) = row.arrival {
            *kept.archived_arrivals.entry(arrival).or_default() += row.n;
        }
    }
    Ok((kept.archived <= 10_000).then_some(kept))
}

impl Kept {
    fn get(&self, name: &str) -> i64 {
        self.counters.get(name).copied().unwrap_or_default()
    }

    fn arrived(&self, arrival: &str) -> i64 {
        let archived = self.archived_arrivals.get(arrival).copied().unwrap_or_default();
        self.get(&format!("leads.arrival.{arrival}")) - archived
    }

    pub fn all(&self) -> i64 {
        self.get("leads")
    }

    pub fn qualified(&self) -> i64 {
        self.get("qualified") - self.archived_qualified
    }

    pub fn unattributed(&self) -> i64 {
        self.all() - ARRIVALS.iter().map(|(arrival, _)| self.arrived(arrival)).sum::<i64>()
    }

    /// The rows of a filter, where one counter knows them.
    fn of(&self, f: &Filter) -> Option<i64> {
        if !f.needle.is_empty() || f.recorded_by.is_some() || !f.dates.is_any() || f.tag.is_some() || f.no_email {
            return None;
        }
        match (f.archived, f.by, f.status, f.arrival, f.qualified) {
            (true, By::Anybody, None, None, None) => Some(self.archived),
            (false, By::Anybody, None, None, None) => Some(self.all()),
            (false, By::Anybody, Some(status), None, None) => {
                Some(self.get(&format!("leads.status.{}", status.word())))
            }
            (false, By::Anybody, None, Some(arrival), None) => Some(self.arrived(arrival)),
            (false, By::Anybody, None, None, Some(true)) => Some(self.qualified()),
            (false, By::Anybody, None, None, Some(false)) => Some(self.all() - self.qualified()),
            (false, By::Nobody, None, None, None) => Some(self.unattributed()),
            _ => None,
        }
    }
}

/// The name of a referrer of this business, for the chip of the filter.
pub async fn referrer_name(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<String>> {
    let found: Option<(String,)> = sql("SELECT name
           FROM referrers
          WHERE id = $1
            AND business_id = $2")
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await?;
    Ok(found.map(|(name,)| name))
}
