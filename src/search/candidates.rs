//! Which rows may have what is looked for, by the index and the queue.

use std::collections::HashMap;

use super::grams::{MARK, Rows, numbers_of_text, rows_of};
use super::store::{self, BlockRow, Segment};
use super::{Needle, Scope};
use crate::db::{Conn, DbResult};

/// Rows of one segment that may match, in the order in which they were made.
#[derive(Debug)]
pub struct Part {
    pub segment_id: i64,
    pub rows: Rows,
    marks: Vec<i64>,
}

impl Part {
    /// No row before this one was made later than this, and no row behind it earlier.
    pub fn latest_before(&self, row: usize) -> i64 {
        self.marks.get(row.div_ceil(MARK)).or(self.marks.last()).copied().unwrap_or(i64::MAX)
    }

    pub fn earliest_from(&self, row: usize) -> i64 {
        self.marks.get(row / MARK).or(self.marks.first()).copied().unwrap_or(i64::MIN)
    }
}

#[derive(Debug, Default)]
pub struct Candidates {
    pub parts: Vec<Part>,
    /// Rows that are in no segment yet.
    pub waiting: Vec<i64>,
    /// More of them than are looked at.
    pub behind: bool,
}

impl Candidates {
    pub fn count(&self) -> usize {
        self.waiting.len() + self.parts.iter().map(|part| part.rows.count()).sum::<usize>()
    }

    /// The ids of all of them, each once; read from the segments that have any.
    pub async fn ids(&self, conn: &mut Conn, most: usize) -> DbResult<Vec<i64>> {
        let mut ids = self.waiting.clone();
        // The newest segments first.
        for part in self.parts.iter().rev() {
            if ids.len() >= most {
                break;
            }
            let members = members(conn, part.segment_id).await?;
            ids.extend(part.rows.iter().rev().filter_map(|row| members.get(row)));
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}

/// The ids of a segment's rows.
pub async fn members(conn: &mut Conn, segment_id: i64) -> DbResult<Vec<i64>> {
    let found = store::members(conn, &[segment_id]).await?;
    Ok(found.first().map(|(_, docs)| numbers_of_text(docs)).unwrap_or_default())
}

/// What waits is read before the segments: a row that moves meanwhile is seen at least once.
pub async fn find(conn: &mut Conn, scope: Scope, needle: &Needle, most: usize) -> DbResult<Candidates> {
    let waiting = store::waiting(conn, scope.number(), most + 1).await?;
    let behind = waiting.len() > most;
    if behind {
        return Ok(Candidates { behind, ..Candidates::default() });
    }
    let waiting = waiting.into_iter().map(|w| w.id).collect();
    let segments = store::segments(conn, scope.number()).await?;
    let words = needle.grams();
    let mut all: Vec<i64> = words.iter().flatten().flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    let blocks = store::blocks(conn, &segments, &all).await?;
    let mut of_segment: HashMap<i64, Vec<BlockRow>> = HashMap::new();
    for block in blocks {
        of_segment.entry(block.segment_id).or_default().push(block);
    }
    let part = |segment: Segment| {
        let size = usize::try_from(segment.size).unwrap_or_default();
        let rows = matching(&of_segment.remove(&segment.id).unwrap_or_default(), size, &words)?;
        Some(Part { segment_id: segment.id, rows, marks: numbers_of_text(&segment.marks) })
    };
    Ok(Candidates { parts: segments.into_iter().filter_map(part).collect(), waiting, behind })
}

/// The rows that have all words, each in one of its forms; none for no row.
fn matching(blocks: &[BlockRow], size: usize, words: &[Vec<Vec<i64>>]) -> Option<Rows> {
    let mut of_gram: HashMap<i64, Option<Rows>> = HashMap::new();
    let mut all: Option<Rows> = None;
    for forms in words {
        let mut any = Rows::none(size);
        for grams in forms {
            let mut form: Option<Rows> = None;
            for gram in grams {
                let rows = of_gram.entry(*gram).or_insert_with(|| {
                    let row = blocks.iter().find(|row| row.gram == *gram)?;
                    rows_of(row.body.as_deref()?, size, *gram)
                });
                form = match (form, rows) {
                    (_, None) => None,
                    (None, Some(rows)) => Some(rows.clone()),
                    (Some(mut both), Some(rows)) => {
                        both.and(rows);
                        Some(both)
                    }
                };
                if form.is_none() {
                    break;
                }
            }
            if let Some(form) = form {
                any.or(&form);
            }
        }
        match &mut all {
            Some(all) => all.and(&any),
            None => all = Some(any),
        }
    }
    all.filter(|rows| rows.count() > 0)
}
