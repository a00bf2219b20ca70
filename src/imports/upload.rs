//! A file into the database: read as a stream on a thread of its own, stored in batches as it comes.

use std::io::Read;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::paid::Sealer;
use super::store::{self, Found, StagedRow};
use super::table::json_lines::table_of;
use super::table::{BadRow, Choices, Limits, Line, Row, Table};
use super::{Kind, NewImport};
use crate::actor::Actor;
use crate::config::Config;
use crate::core::Core;
use crate::db::{DbError, DbResult, Terms};
use crate::secrets;

/// The bounds of an upload, from the configuration.
pub fn limits(config: &Config) -> Limits {
    Limits { max_bytes: config.upload_limit, ..Limits::default() }
}

/// Rows and characters stored in one transaction.
const BATCH_ROWS: usize = 500;

const BATCH_CHARS: usize = 256 * 1024;

/// Reads a file into `import_rows` and answers the import's id, or why the file cannot be used. An unusable
/// file leaves no rows.
pub async fn stage(
    core: &Core,
    actor: &Arc<Actor>,
    new: NewImport,
    reader: impl Read + Send + 'static,
    choices: Choices,
    limits: Limits,
) -> DbResult<Result<i64, String>> {
    let (kind, may_pay) = (new.kind, new.may_pay);
    let id = core.db.write_on(Terms::of(vec![]).ids(1), new, store::insert).await?;
    let (send, mut batches) = mpsc::channel::<Vec<StagedRow>>(2);
    let sealer = match kind {
        Kind::Referrers => {
            let current = secrets::current(&mut core.db.read().await?).await?;
            Some(Sealer::new(core.keyring.clone(), current, id, may_pay))
        }
        _ => None,
    };
    let reading = tokio::task::spawn_blocking(move || read(kind, reader, &choices, &limits, sealer, &send));
    let mut stored = Ok(());
    while let Some(batch) = batches.recv().await {
        stored = core.db.write(vec![], (id, batch), store::insert_rows).await;
        if stored.is_err() {
            break;
        }
    }
    // The reader stops when its rows are no longer taken.
    drop(batches);
    let found = reading.await.map_err(|e| DbError::Fault(e.to_string()))?;
    match (stored, found) {
        (Ok(()), Ok(found)) => {
            let staged = core.write_once(vec![], actor, (id, found), store::staged).await?;
            if staged != id {
                // A repeated call: its file was stored before.
                core.db.write(vec![], id, store::discard).await?;
            }
            Ok(Ok(staged))
        }
        (stored, found) => {
            core.db.write(vec![], id, store::discard).await?;
            stored?;
            Ok(Err(found.err().unwrap_or_default()))
        }
    }
}

fn read(
    kind: Kind,
    reader: impl Read,
    choices: &Choices,
    limits: &Limits,
    mut sealer: Option<Sealer>,
    send: &mpsc::Sender<Vec<StagedRow>>,
) -> Result<Found, String> {
    let reader = table_of(reader).map_err(|e| format!("The file cannot be read: {e}."))?;
    let mut table = Table::open_with(reader, limits, choices).map_err(|e| e.to_string())?;
    let mut found = Found {
        encoding: table.encoding().to_owned(),
        delimiter: table.delimiter(),
        has_header: table.header().is_some(),
        columns: table.columns().to_vec(),
        mapping: kind.guess(table.header(), table.sample()),
        rows: 0,
    };
    if let Some(sealer) = &mut sealer {
        sealer.columns_of(&found.mapping)?;
    }
    let (mut batch, mut chars) = (Vec::new(), 0);
    for line in table.by_ref() {
        let (line, mut cells, fault) = match line.map_err(|e| e.to_string())? {
            Line::Row(Row { line, cells }) => (line, cells, None),
            Line::Bad(BadRow { line, cells, reason }) => (line, cells, Some(reason.to_string())),
        };
        if let Some(sealer) = &mut sealer {
            sealer.seal(&mut cells)?;
        }
        let row = staged(line, &cells, fault);
        found.rows += 1;
        chars += row.cells.len();
        batch.push(row);
        if batch.len() == BATCH_ROWS || chars > BATCH_CHARS {
            chars = 0;
            let full = std::mem::take(&mut batch);
            send.blocking_send(full).map_err(|_| "The database did not take the rows.".to_owned())?;
        }
    }
    if found.rows == 0 {
        return Err("There are no rows below the header.".into());
    }
    send.blocking_send(batch).map_err(|_| "The database did not take the rows.".to_owned())?;
    Ok(found)
}

fn staged(line: u64, cells: &[String], fault: Option<String>) -> StagedRow {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('\0', "\u{FFFD}")).collect();
    StagedRow { line: i64::try_from(line).unwrap_or(i64::MAX), cells: serde_json::json!(cells).to_string(), fault }
}
