//! Statements as files. A statement of a month that is over gives the same lines and sums whenever it is made, and the
//! same bytes while names and addresses stay.

mod csv;
mod paper;
mod pdf;
mod row;
mod xlsx;

use std::io;

use super::{LineRow, Statement, lines};
use crate::clock::Instant;
use crate::db::{Db, DbError, DbResult};

pub use row::Head;
use row::Row;

/// The formats of a statement's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Pdf,
    Csv,
    Xlsx,
}

impl Format {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "pdf" => Some(Self::Pdf),
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }

    pub fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// Lines read at once.
const CHUNK: usize = 1_000;
/// Lines of the longest PDF: nobody reads more pages, and all of them are kept in memory while they are made.
pub const LONGEST_PDF: usize = 10_000;

/// Makes a statement's file of any number of lines; none where they are too many for a PDF. `made` is a moment that
/// the statement alone decides.
pub async fn file(db: &Db, head: &Head, s: &Statement, format: Format, made: Instant) -> DbResult<Option<Vec<u8>>> {
    let broken = |why: io::Error| DbError::Fault(format!("a statement's file: {why}"));
    let mut writer = match format {
        Format::Pdf => Writer::Pdf(Box::new(pdf::Sheet::begin(head, s).map_err(broken)?)),
        Format::Csv => Writer::Csv(csv::Table::begin(head, s).map_err(broken)?),
        Format::Xlsx => Writer::Xlsx(Box::new(xlsx::Sheet::begin(head, s, made).map_err(broken)?)),
    };
    let (mut after, mut balance, mut count) = (0, s.opening.owed(), 0);
    loop {
        let some = lines(&mut db.read().await?, s.referrer_id, s.currency, s.month, after, CHUNK).await?;
        for line in &some {
            balance += line.effect();
            writer.row(line, balance).map_err(broken)?;
        }
        count += some.len();
        if format == Format::Pdf && count > LONGEST_PDF {
            return Ok(None);
        }
        match some.last() {
            Some(last) if some.len() == CHUNK => after = last.id,
            _ => break,
        }
    }
    // A long PDF is some seconds of work.
    let s = *s;
    let made = tokio::task::spawn_blocking(move || writer.end(&s)).await;
    made.map_err(|why| DbError::Fault(why.to_string()))?.map(Some).map_err(broken)
}

enum Writer {
    Pdf(Box<pdf::Sheet>),
    Csv(csv::Table),
    Xlsx(Box<xlsx::Sheet>),
}

impl Writer {
    fn row(&mut self, line: &LineRow, balance: i64) -> io::Result<()> {
        match self {
            Self::Pdf(sheet) => sheet.row(line, balance),
            Self::Csv(table) => table.row(&Row::of(line, balance)),
            Self::Xlsx(sheet) => sheet.row(&Row::of(line, balance)),
        }
    }

    fn end(self, s: &Statement) -> io::Result<Vec<u8>> {
        match self {
            Self::Pdf(sheet) => sheet.end(s),
            Self::Csv(table) => table.end(s),
            Self::Xlsx(sheet) => sheet.end(s),
        }
    }
}
