//! The rejected rows, as a file to correct and upload again.

use futures::Stream;
use futures::stream;

use super::Import;
use super::mapping::Field;
use super::store::{self, RowLine};
use super::table::{as_it_was, sanitise_for_spreadsheet, write_csv_row};
use crate::db::{Db, DbError, DbResult};

const BATCH: usize = 500;

/// The file in pieces, its header first; the last column says why.
pub fn rejects(db: Db, import: Import) -> impl Stream<Item = DbResult<Vec<u8>>> {
    stream::try_unfold((db, import, None::<i64>), |(db, import, after)| async move {
        let Some(from) = after else {
            let bytes = header(&import).map_err(|e| DbError::Fault(e.to_string()))?;
            return Ok(Some((bytes, (db, import, Some(0)))));
        };
        let rows = store::rejected_rows(&mut db.read().await?, import.id, from, BATCH).await?;
        let Some(last) = rows.last().map(|row| row.line) else { return Ok(None) };
        let bytes = lines(&import, &rows).map_err(|e| DbError::Fault(e.to_string()))?;
        Ok(Some((bytes, (db, import, Some(last)))))
    })
}

/// Names that an upload of this file recognises. The mark in front tells Excel that it is UTF-8.
fn header(import: &Import) -> std::io::Result<Vec<u8>> {
    let mut names = import.columns();
    if !import.has_header {
        let known = import.mapping().columns.into_iter().map(|field| field.filter(|f| *f != Field::Ignore));
        for (name, field) in names.iter_mut().zip(known) {
            if let Some(field) = field {
                field.label().clone_into(name);
            }
        }
    }
    let mut cells: Vec<&str> = names.iter().map(String::as_str).collect();
    cells.push("Reason");
    let mut bytes = "\u{FEFF}".as_bytes().to_vec();
    write_csv_row(&mut bytes, &cells)?;
    Ok(bytes)
}

fn lines(import: &Import, rows: &[RowLine]) -> std::io::Result<Vec<u8>> {
    let width = import.columns().len();
    let mut bytes = Vec::new();
    for row in rows {
        let mut cells: Vec<String> = row.cells().iter().map(|cell| sanitise_for_spreadsheet(as_it_was(cell))).collect();
        // A ragged row keeps all its cells; the reason comes behind its columns.
        cells.resize(cells.len().max(width), String::new());
        let field = row.field.as_deref().and_then(Field::from_name);
        let reason = row.reason.as_deref().unwrap_or_default();
        cells.push(field.map_or_else(|| reason.to_owned(), |f| format!("{}: {reason}", f.label())));
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        write_csv_row(&mut bytes, &cells)?;
    }
    Ok(bytes)
}
