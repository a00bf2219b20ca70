mod lookup;

use super::import::{Import, Kind, NewImport, Options, mapping_json};
use super::mapping::Mapping;
use super::outcome::{Counts, Verdict};
use super::paid;
use crate::clock::Instant;
use crate::db::{Conn, DbResult, Listing, Order, PAGE, Tx, sql, sql_built};
use crate::query::ListQuery;
use crate::{row, rows};

pub use lookup::*;

const IMPORT: &str = "i.id, i.business_id, i.campaign_id, c.name AS campaign_name, c.state AS campaign_state,
                      b.country, i.kind, i.state, i.file_name, i.encoding, i.delimiter, i.has_header, i.columns,
                      i.mapping, i.options, i.rows_total, i.counts, i.job_id, u.name AS by, i.created_at, i.updated_at,
                      i.finished_at";
// Left joins keep the list in the order of its own index; there always is a campaign and a business.
const BESIDE: &str = "LEFT JOIN campaigns c ON c.id = i.campaign_id
                      LEFT JOIN businesses b ON b.id = i.business_id
                      LEFT JOIN users u ON u.id = i.created_by";

/// An import of a business.
pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<Import>> {
    sql_built(format!(
        "SELECT {IMPORT}
           FROM imports i {BESIDE}
          WHERE i.id = $1
            AND i.business_id = $2"
    ))
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

/// The business and the state of a campaign, for a command that knows neither.
pub async fn campaign_of(conn: &mut Conn, id: i64) -> DbResult<Option<(i64, String)>> {
    sql("SELECT business_id, state
           FROM campaigns
          WHERE id = $1")
    .bind(id)
    .optional(conn)
    .await
}

/// A business's imports, newest first.
pub fn listing(business_id: i64, kind: Option<Kind>) -> Listing {
    let order = Order::number("created_at", true);
    let list = Listing::new(IMPORT, "imports", "i", BESIDE, order)
        .and("i.business_id = ?", business_id)
        .and_plain("i.state NOT IN ('loading', 'discarded')");
    match kind {
        Some(kind) => list.search("i.kind = ?", kind.word()),
        None => list,
    }
}

pub const KNOWN: [&str; 2] = ["after", "before"];

/// One page of a business's imports, newest first.
pub async fn list(conn: &mut Conn, business_id: i64, query: &ListQuery) -> DbResult<Vec<Import>> {
    let mut listing = listing(business_id, None);
    listing = listing.turned(query);
    listing.build(PAGE + 1).all(conn).await
}

pub async fn insert(tx: &mut Tx, new: &NewImport) -> DbResult<i64> {
    let (id, now) = (tx.id()?, tx.now());
    sql("INSERT INTO imports
                (id, business_id, campaign_id, kind, state, file_name, encoding, delimiter, has_header, columns,
                 mapping, options, rows_total, counts, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 'loading', $5, '', '', false, '[]', '[]', '{}', 0, '{}', $6, $7, $7)")
    .bind(id)
    .bind(new.business_id)
    .bind(new.campaign_id)
    .bind(new.kind.word())
    .bind(&new.file_name)
    .bind(new.created_by)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(id)
}

/// A row of the file on its way into the database.
#[derive(Debug, Clone)]
pub struct StagedRow {
    pub line: i64,
    /// JSON array of text.
    pub cells: String,
    pub fault: Option<String>,
}

pub async fn insert_rows(tx: &mut Tx, &(import_id, ref staged): &(i64, Vec<StagedRow>)) -> DbResult<()> {
    let json = rows!(staged, r => { import_id: import_id, line: r.line, cells: &r.cells, fault: &r.fault });
    sql("INSERT INTO import_rows (import_id, line, cells, fault)
         SELECT r.import_id, r.line, r.cells, r.fault
           FROM rows($1, import_id BIGINT, line BIGINT, cells TEXT, fault TEXT) r")
    .bind(json)
    .execute(tx)
    .await?;
    Ok(())
}

/// The facts found once a file was read to its end.
#[derive(Debug, Clone)]
pub struct Found {
    pub encoding: String,
    pub delimiter: char,
    pub has_header: bool,
    pub columns: Vec<String>,
    pub mapping: Mapping,
    pub rows: i64,
}

/// Notes that a file is stored whole; answers the id of its import.
pub async fn staged(tx: &mut Tx, &(id, ref found): &(i64, Found)) -> DbResult<i64> {
    let now = tx.now();
    sql("UPDATE imports
            SET state = 'staged', encoding = $2, delimiter = $3, has_header = $4, columns = $5, mapping = $6,
                rows_total = $7, updated_at = $8
          WHERE id = $1")
    .bind(id)
    .bind(&found.encoding)
    .bind(found.delimiter.to_string())
    .bind(found.has_header)
    .bind(serde_json::json!(found.columns).to_string())
    .bind(mapping_json(&found.mapping))
    .bind(found.rows)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(id)
}

/// The choices for a file.
pub struct Columns {
    pub id: i64,
    pub campaign_id: i64,
    pub mapping: Mapping,
    pub options: Options,
}

/// Changes what the columns mean, while nothing of the file has been applied.
pub async fn set_columns(tx: &mut Tx, chosen: &Columns) -> DbResult<u64> {
    let Columns { id, campaign_id, mapping, options } = chosen;
    let now = tx.now();
    sql("UPDATE imports
            SET campaign_id = $2, mapping = $3, options = $4, state = 'staged', updated_at = $5
          WHERE id = $1
            AND state IN ('staged', 'checked')")
    .bind(*id)
    .bind(*campaign_id)
    .bind(mapping_json(mapping))
    .bind(serde_json::json!(options).to_string())
    .bind(now)
    .execute(tx)
    .await
}

/// Moves an import on with the job that does it; no row when it is in another state.
pub async fn begin(tx: &mut Tx, id: i64, from: &str, to: &str, job_id: i64) -> DbResult<u64> {
    let now = tx.now();
    sql("UPDATE imports
            SET state = $3, job_id = $4, updated_at = $5
          WHERE id = $1
            AND state = $2")
    .bind(id)
    .bind(from)
    .bind(to)
    .bind(job_id)
    .bind(now)
    .execute(tx)
    .await
}

/// The end of a dry run or of the run.
pub async fn end(tx: &mut Tx, id: i64, state: &str, counts: &Counts, finished_at: Option<Instant>) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE imports
            SET state = $2, counts = $3, finished_at = $4, updated_at = $5
          WHERE id = $1")
    .bind(id)
    .bind(state)
    .bind(serde_json::json!(counts).to_string())
    .bind(finished_at)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn discard(tx: &mut Tx, &id: &i64) -> DbResult<u64> {
    sql("UPDATE imports
            SET state = 'discarded'
          WHERE id = $1
            AND state IN ('loading', 'staged', 'checked')")
    .bind(id)
    .execute(tx)
    .await
}

/// Removes rows of files that were discarded or never read to their end; answers how many.
pub async fn tidy(tx: &mut Tx, &(before, most): &(Instant, i64)) -> DbResult<u64> {
    let left: Option<(i64,)> = sql("SELECT i.id
           FROM imports i
          WHERE (i.state = 'discarded' OR (i.state = 'loading' AND i.created_at < $1))
            AND i.state IN ('loading', 'discarded')
            AND EXISTS (SELECT 1 FROM import_rows r WHERE r.import_id = i.id)
          LIMIT 1")
    .bind(before)
    .optional(tx)
    .await?;
    let Some((id,)) = left else { return Ok(0) };
    sql("UPDATE imports
            SET state = 'discarded'
          WHERE id = $1
            AND state = 'loading'")
    .bind(id)
    .execute(tx)
    .await?;
    sql("DELETE FROM import_rows
          WHERE import_id = $1
            AND line IN (SELECT line FROM import_rows WHERE import_id = $1 ORDER BY line LIMIT $2)")
    .bind(id)
    .bind(most)
    .execute(tx)
    .await
}

row! {
    /// A row of the file with its outcome.
    #[derive(Debug, Clone)]
    pub struct RowLine {
        pub line: i64,
        pub cells: String,
        pub fault: Option<String>,
        pub outcome: Option<String>,
        pub field: Option<String>,
        pub reason: Option<String>,
        pub lead_id: Option<i64>,
        pub referrer_id: Option<i64>,
    }
}

impl RowLine {
    /// The cells as they were written; of payout details a few characters.
    pub fn cells(&self) -> Vec<String> {
        self.stored_cells().into_iter().map(paid::shown).collect()
    }

    pub fn stored_cells(&self) -> Vec<String> {
        serde_json::from_str(&self.cells).unwrap_or_default()
    }
}

const ROW: &str = "line, cells, fault, outcome, field, reason, lead_id, referrer_id";

/// The next rows behind a line.
pub async fn next_rows(conn: &mut Conn, import_id: i64, after: i64, most: usize) -> DbResult<Vec<RowLine>> {
    sql_built(format!(
        "SELECT {ROW}
           FROM import_rows
          WHERE import_id = $1
            AND line > $2
          ORDER BY line
          LIMIT $3"
    ))
    .bind(import_id)
    .bind(after)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .all(conn)
    .await
}

/// The next rows with an outcome, behind a line.
pub async fn rows_with(
    conn: &mut Conn,
    import_id: i64,
    outcome: &str,
    after: i64,
    most: usize,
) -> DbResult<Vec<RowLine>> {
    let text = format!(
        "SELECT {ROW}
           FROM import_rows
          WHERE import_id = $1
            AND outcome = $2
            AND line > $3
          ORDER BY line
          LIMIT $4"
    );
    sql_built(text)
        .bind(import_id)
        .bind(outcome)
        .bind(after)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .all(conn)
        .await
}

/// Stores the outcomes of rows.
pub async fn mark(tx: &mut Tx, import_id: i64, verdicts: &[Verdict]) -> DbResult<()> {
    let json = rows!(verdicts, v => {
        import: import_id, line: v.line, outcome: v.fate.word(), field: v.field.map(|f| f.name()),
        reason: v.reason.as_deref(), person: v.person.as_deref(), code_key: v.code_key.as_deref(), lead_id: v.lead_id, referrer_id: v.referrer_id,
    });
    sql("UPDATE import_rows
            SET outcome = r.outcome, field = r.field, reason = r.reason, person = r.person, code_key = r.code_key,
                lead_id = r.lead_id, referrer_id = r.referrer_id
           FROM rows($1, import BIGINT, line BIGINT, outcome TEXT, field TEXT, reason TEXT, person TEXT,
                     code_key TEXT, lead_id BIGINT, referrer_id BIGINT) r
          WHERE import_rows.import_id = r.import
            AND import_rows.line = r.line")
    .bind(json)
    .execute(tx)
    .await?;
    Ok(())
}

/// The next rows to correct, behind a line.
pub async fn rejected_rows(conn: &mut Conn, import_id: i64, after: i64, most: usize) -> DbResult<Vec<RowLine>> {
    let text = format!(
        "SELECT {ROW}
           FROM import_rows
          WHERE import_id = $1
            AND line > $2
            AND outcome IN ('unknown_code', 'unknown', 'invalid')
          ORDER BY line
          LIMIT $3"
    );
    sql_built(text).bind(import_id).bind(after).bind(i64::try_from(most).unwrap_or(i64::MAX)).all(conn).await
}
